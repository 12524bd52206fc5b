"""One row against another on the same test genes, with its sign, and numbers in words."""

from __future__ import annotations

from math import isnan
from typing import Any

import pandas as pd


def paired_step(
    paired: pd.DataFrame, split: str, more: str, less: str
) -> dict[str, float | bool] | None:
    """Give what the row ``more`` scores above the row ``less`` under a split; None if unpaired.

    Parameters
    ----------
    paired
        The table of paired differences of a benchmark, which holds each pair once.

    Returns
    -------
    dict
        ``difference, low, high``, and ``adds``: the interval lies above 0.

    Examples
    --------
    >>> line = {"kind": "model", "split_a": "cell", "model_a": "ridge", "model_b": "net"}
    >>> paired = pd.DataFrame([{**line, "value": -0.2, "low": -0.3, "high": -0.1}])
    >>> paired_step(paired, "cell", "net", "ridge")
    {'difference': 0.2, 'low': 0.1, 'high': 0.3, 'adds': True}
    """
    here = paired[(paired["kind"] == "model") & (paired["split_a"] == split)]
    for a, b, sign in ((more, less, 1.0), (less, more, -1.0)):
        lines = here[(here["model_a"] == a) & (here["model_b"] == b)]
        if len(lines):
            line = lines.iloc[0]
            low, high = float(line["low"]), float(line["high"])
            low, high = (low, high) if sign > 0 else (-high, -low)
            difference = sign * float(line["value"])
            return {"difference": difference, "low": low, "high": high, "adds": low > 0}
    return None


def signed(value: float) -> str:
    """Write a difference.

    Examples
    --------
    >>> signed(0.0512), signed(-0.2)
    ('+0.051', '−0.200')
    """
    return f"{value:+.3f}".replace("-", "−")


def scored(score: pd.Series[Any]) -> str:
    """Write a score with its interval, where there is one."""
    interval = "" if isnan(score["low"]) else f" [{score['low']:.3f}, {score['high']:.3f}]"
    return f"{score['value']:.3f}{interval}"
