"""How much each row moves an estimate, and what rows that repeat one another do to its variance.

An estimate's variance is that of the sum of its rows' influences. Where homologous genes repeat
one another the influences are summed within groups first; the ratio of both variances is the
design effect (Kish 1965), by which a test of independent rows is too sure.
"""

from __future__ import annotations

import numpy as np
from scipy import stats

from exprimo.evaluate.inputs import IntArray
from exprimo.evaluate.results import BoolArray, FloatArray


def auroc_influence(values: FloatArray, positive: BoolArray) -> tuple[float, FloatArray]:
    """Give the AUROC of values (n,) and each row's influence on it, (n,).

    A row's influence is its placement among the other class (DeLong et al. 1988), less the mean
    of its own class, over the size of its class; influences of each class sum to 0. Ties count
    one half.

    Examples
    --------
    >>> area, moved = auroc_influence(np.array([1.0, 2, 3, 4]), np.array([False, True] * 2))
    >>> area, moved.tolist()
    (0.75, [0.125, -0.125, -0.125, 0.125])
    """
    n_positive = int(positive.sum())
    n_negative = positive.size - n_positive
    ranks = stats.rankdata(values)
    above, below = values[positive], values[~positive]
    influence = np.empty(values.size)
    # The rank among all less that within the own class counts the rows of the other class below.
    influence[positive] = (ranks[positive] - stats.rankdata(above)) / n_negative
    influence[~positive] = 1 - (ranks[~positive] - stats.rankdata(below)) / n_positive
    area = float(influence[positive].mean())
    influence -= area
    influence[positive] /= n_positive
    influence[~positive] /= n_negative
    return area, influence


def log_odds_influence(present: BoolArray, case: BoolArray) -> FloatArray:
    """Give each row's influence on the log odds ratio of presence in cases over others, (n,).

    Half a row is added to each cell of the table, so that an empty one does not divide by 0.
    """
    influence = np.empty(present.size)
    for side, sign in ((case, 1.0), (~case, -1.0)):
        here = present[side].astype(np.float64)
        share = (here.sum() + 0.5) / (here.size + 1)
        influence[side] = sign * (here - here.mean()) / (here.size * share * (1 - share))
    return influence


def grouped_variance(influence: FloatArray, group: IntArray, n_groups: int) -> float:
    """Give the variance of the sum of influences where only groups are independent.

    For the AUROC this is the variance of Obuchowski (1997) but for the factor n / (n − 1).
    """
    totals = np.bincount(group, weights=influence, minlength=n_groups)
    return float(n_groups / (n_groups - 1) * (totals**2).sum())


def design_effect(influence: FloatArray, group: IntArray, n_groups: int) -> float:
    """Give the variance by groups over that of independent rows, at least 1.

    Groups may also make an estimate surer, where both classes share them; that is not taken as
    evidence, since the ratio is itself uncertain.

    Examples
    --------
    >>> twice = np.array([0.1, 0.1, -0.1, -0.1])
    >>> round(design_effect(twice, np.array([0, 0, 1, 1]), 2), 2)
    3.0
    """
    rows = grouped_variance(influence, np.arange(influence.size), influence.size)
    return max(1.0, grouped_variance(influence, group, n_groups) / rows) if rows > 0 else 1.0
