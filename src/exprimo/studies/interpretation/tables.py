"""One row for each method: what it recovers, what its checks say, what it took."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from exprimo.interpret.attributions.method import METHOD_TITLES, MethodName
from exprimo.interpret.faithfulness.verdict import Check, read_verdict
from exprimo.interpret.files import SUMMARY_FILE
from exprimo.report.methods.reading import METHOD_COLUMNS, METHOD_NUMBERS

_SEQUENCE = "sequence"


def method_row(method: MethodName, folder: Path, seconds: float) -> dict[str, Any]:
    """Tell what one method's folder says."""
    told = json.loads((folder / SUMMARY_FILE).read_text(encoding="utf-8"))
    verdict = read_verdict(folder)
    checks = {check.check: check for check in verdict.checks if check.input == _SEQUENCE}
    recovery = told.get("recovery") or {}
    known = checks.get("known sites")
    return _row(
        method,
        n=told["n_examples"],
        n_of=told["n_of"],
        **_estimate("auroc", recovery.get("mean")),
        auroc_swapped=(recovery.get("swapped") or {}).get("mean"),
        recovers="" if known is None else known.passed,
        delta=(told.get("convergence") or {}).get("share"),
        **_estimate("deletion", checks.get("deletion")),
        **_estimate("randomised", checks.get("randomised weights: all layers")),
        verdict=verdict.of(_SEQUENCE),
        failures="; ".join(verdict.failures(_SEQUENCE)),
        seconds=seconds,
    )


def refused_row(method: MethodName, reason: str) -> dict[str, Any]:
    """Tell why a method could not explain the network."""
    return _row(method, refused=" ".join(reason.split()))


def _row(method: MethodName, **known: Any) -> dict[str, Any]:
    empty: dict[str, Any] = {
        name: np.nan if name in METHOD_NUMBERS else "" for name in METHOD_COLUMNS
    }
    filled = {name: np.nan if value is None else value for name, value in known.items()}
    return empty | {"method": method, "title": METHOD_TITLES[method]} | filled


def _estimate(name: str, found: Check | dict[str, Any] | None) -> dict[str, Any]:
    values = found._asdict() if isinstance(found, Check) else found or {}
    parts = (("value", ""), ("low", "_low"), ("high", "_high"))
    return {f"{name}{end}": values.get(part) for part, end in parts}


def most_faithful(methods: pd.DataFrame) -> str | None:
    """Choose the method whose picture is shown: one that passes, of these the best at deletion.

    Known sites do not choose: of real data nobody knows them.

    Examples
    --------
    >>> table = pd.DataFrame({"method": ["a", "b", "c"], "verdict": ["passes", "passes", "fails"],
    ...                       "deletion": [0.2, 0.5, 0.9], "refused": [""] * 3})
    >>> most_faithful(table)
    'b'
    """
    made = methods[methods["refused"] == ""]
    if made.empty:
        return None
    ranked = made.assign(passes=made["verdict"] == "passes").sort_values(
        ["passes", "deletion"], ascending=False, kind="stable", na_position="last"
    )
    return str(ranked["method"].iloc[0])
