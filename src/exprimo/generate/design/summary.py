"""One row per method: how near the judge says that it came, and how far the guide flattered."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from exprimo.evaluate import bootstrap
from exprimo.generate.design.predictors import Values

_BOOT = 1000
_FEWEST = 3


def summarise(table: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Summarise designs by method, in their order.

    Columns: ``error`` is the mean distance of the judged value from the target, ``gap`` the mean
    of guide less judge, each with a 95% interval over sequences (bootstrap; NaN below three).
    Without a judge, ``judged`` is the guide's own and there is no gap.
    """
    parts = table.groupby("method", sort=False)
    return pd.DataFrame([_row(str(name), part, seed) for name, part in parts])


def interval(values: Values, seed: int) -> tuple[float, float, float]:
    """Give the mean of values (n,) and its 95% bootstrap interval; NaN are left out.

    Examples
    --------
    >>> interval(np.array([2.0, 2.0, 2.0, 2.0]), 0)
    (2.0, 2.0, 2.0)
    """
    kept = values[np.isfinite(values)]
    if len(kept) < _FEWEST:
        return float(kept.mean()) if len(kept) else float("nan"), float("nan"), float("nan")
    rng = np.random.default_rng([seed, 31])
    means = np.array([kept[rng.integers(0, len(kept), len(kept))].mean() for _ in range(_BOOT)])
    low, high = np.quantile(means, (0.025, 0.975))
    return float(kept.mean()), float(low), float(high)


def accuracy(
    measured: Values, predicted: Values, group: Any, task: str, seed: int
) -> dict[str, Any] | None:
    """Say how well a predictor ranks real sequences that it did not learn from.

    Pearson's correlation, or the AUROC of two classes; None where too little was measured.
    """
    kept = np.isfinite(measured) & np.isfinite(predicted)
    if kept.sum() < _FEWEST or np.ptp(measured[kept]) == 0:
        return None
    metric = "pearson_r" if task == "regression" else "auroc"
    groups = None if group is None else group[kept]
    found = bootstrap(measured[kept], predicted[kept], groups, [metric], n_boot=_BOOT, seed=seed)
    return {"metric": metric, **found[metric]._asdict()}


def _row(name: str, part: pd.DataFrame, seed: int) -> dict[str, Any]:
    value = {column: part[column].to_numpy(np.float64) for column in _NUMBERS}
    target = value["target"]
    alone = bool(part["judged_by"].str.startswith("no one").all())
    error, error_low, error_high = interval(np.abs(value["judged"] - target), seed)
    gap, gap_low, gap_high = interval(value["guide"] - value["judged"], seed)
    if alone:
        gap = gap_low = gap_high = float("nan")
    return {
        "method": name,
        "role": part["role"].iloc[0],
        "n": len(part),
        "target": target[0],
        "guide": _mean(value["guide"]),
        "guide_error": _mean(np.abs(value["guide"] - target)),
        "judged": _mean(value["judged"]),
        "judged_by": part["judged_by"].iloc[0],
        "judge_sd": _mean(value["judge_sd"]),
        "error": error,
        "error_low": error_low,
        "error_high": error_high,
        "gap": gap,
        "gap_low": gap_low,
        "gap_high": gap_high,
        "edits": _median(value["edits"]),
        "nearest_edits": _median(value["nearest_edits"]),
        "copies": int(part["copy"].sum()),
        "gc": _mean(value["gc"]),
        "longest_run": _median(value["longest_run"]),
        "measured": _mean(value["measured"]),
        "measured_error": _mean(np.abs(value["measured"] - target)),
    }


_NUMBERS = (
    "target", "guide", "judged", "judge_sd", "edits", "nearest_edits", "gc", "longest_run",
    "measured",
)  # fmt: skip


def _mean(values: Values) -> float:
    kept = values[np.isfinite(values)]
    return float(kept.mean()) if len(kept) else float("nan")


def _median(values: Values) -> float:
    kept = values[np.isfinite(values)]
    return float(np.median(kept)) if len(kept) else float("nan")
