"""A share of rows with its interval, where rows come in groups."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from exprimo.core.errors import ConfigError
from exprimo.evaluate.inputs import observed_rows
from exprimo.evaluate.results import MIN_GROUPS, Estimate, FloatArray


def proportion(
    hits: ArrayLike, groups: Any = None, *, level: float = 0.95, unit: str = "example"
) -> Estimate:
    """Estimate a share from yes/no rows, with Wilson's interval at the effective sample size.

    A bootstrap of a share that is 0 or 1 has no width; Wilson's interval has. Rows of one group
    repeat one another, so n is divided by the design effect: the variance between group totals
    over that of independent rows (and n is the number of groups where the share is 0 or 1).

    Parameters
    ----------
    hits
        1 or 0 per row, `(n,)`; NaN rows are left out.
    groups
        The independent unit of each row; None makes every row a unit.

    Examples
    --------
    >>> share = proportion([1, 1, 1, 0, 1, 1, 1, 1, 1, 1])
    >>> share.value, round(share.low, 3), round(share.high, 3)
    (0.9, 0.596, 0.982)
    """
    check_level(level)
    values = np.asarray(hits, dtype=np.float64)
    rows = observed_rows(values, np.zeros_like(values), groups)
    n = rows.observed.size
    value = float(rows.observed.mean()) if n else math.nan
    if rows.n_groups < MIN_GROUPS:
        return Estimate(value, math.nan, math.nan, n, rows.n_groups, unit)
    z = float(stats.norm.ppf(0.5 + level / 2))
    effective = float(n)
    if rows.n_groups < n:
        effective = _effective_size(rows.observed - value, rows.group, rows.n_groups)
        # With few groups their variance is itself uncertain: Student's quantile, not the normal.
        z = float(stats.t.ppf(0.5 + level / 2, rows.n_groups - 1))
    low, high = wilson(value, effective, z)
    return Estimate(value, low, high, n, rows.n_groups, unit)


def _effective_size(deviation: FloatArray, group: Any, n_groups: int) -> float:
    n = deviation.size
    spread = float(np.mean(deviation**2))
    if spread == 0:
        return float(n_groups)
    totals = np.bincount(group, weights=deviation, minlength=n_groups)
    variance = n_groups / (n_groups - 1) * float((totals**2).sum()) / n**2
    return min(float(n), spread / variance) if variance > 0 else float(n)


def wilson(share: float, n: float, z: float) -> tuple[float, float]:
    """Give Wilson's score interval of a share of `n` independent rows at normal quantile `z`."""
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return max(0.0, centre - half), min(1.0, centre + half)


def check_level(level: float) -> None:
    """Refuse a confidence level outside the open interval 0..1."""
    if not 0 < level < 1:
        raise ConfigError("a level must lie between 0 and 1", found=level, expected="such as 0.95")
