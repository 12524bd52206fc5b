"""What a command prints at its end: one short summary, or JSON for a program."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import typer

LABELS = {
    "pearson_r": "r",
    "auroc": "AUROC",
    "auprc": "AUPRC",
    "r2": "R²",
    "mcc": "MCC",
}


def say(lines: Sequence[str], facts: Mapping[str, Any], *, as_json: bool) -> None:
    """Print the summary, or the same facts as one JSON object."""
    if as_json:
        typer.echo(json.dumps(_plain(facts), ensure_ascii=False))
        return
    for line in lines:
        typer.echo(line)


def with_interval(name: str, estimate: Mapping[str, Any]) -> str:
    """Write a metric with its interval and unit.

    Examples
    --------
    >>> e = {"value": 0.5, "low": 0.4, "high": 0.6, "n_groups": 10, "unit": "gene"}
    >>> with_interval("pearson_r", e)
    'r = 0.500 (95% interval 0.400 to 0.600, over 10 genes)'
    """
    label = LABELS.get(name, name.replace("_", " "))
    low, high = estimate["low"], estimate["high"]
    if low is None or high is None or math.isnan(low) or math.isnan(high):
        return f"{label} = {number(estimate['value'])} (no interval: too few {estimate['unit']}s)"
    return (
        f"{label} = {number(estimate['value'])} (95% interval {number(low)} to {number(high)}, "
        f"over {estimate['n_groups']:,} {estimate['unit']}s)"
    )


def number(value: float | None) -> str:
    """Write a metric with three decimals.

    Examples
    --------
    >>> number(0.12345), number(None)
    ('0.123', 'undefined')
    """
    return "undefined" if value is None or math.isnan(value) else f"{value:.3f}"


def counted(n: int, noun: str) -> str:
    """Write a count with its noun in the right number.

    Examples
    --------
    >>> counted(1, "distinct haplotype"), counted(1200, "row"), counted(2, "person")
    ('1 distinct haplotype', '1,200 rows', '2 people')
    """
    if n == 1:
        return f"1 {noun}"
    return f"{n:,} people" if noun == "person" else f"{n:,} {noun}s"


def between(low: float, high: float) -> str:
    """Write an interval, or a dash where there is none.

    Examples
    --------
    >>> between(0.1, 0.2), between(math.nan, math.nan)
    ('0.100 to 0.200', '-')
    """
    return "-" if math.isnan(low) or math.isnan(high) else f"{number(low)} to {number(high)}"


def table(rows: Sequence[Sequence[str]], header: Sequence[str]) -> list[str]:
    """Align columns with two spaces between them, the first to the left.

    Examples
    --------
    >>> table([["cnn", "0.9"]], ["model", "r"])
    ['model    r', 'cnn    0.9']
    """
    every = [list(header), *(list(row) for row in rows)]
    widths = [max(len(row[i]) for row in every) for i in range(len(header))]
    return [
        "  ".join(
            cell.ljust(width) if i == 0 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in every
    ]


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if hasattr(value, "item"):
        return _plain(value.item())
    return value
