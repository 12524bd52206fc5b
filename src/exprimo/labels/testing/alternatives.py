"""Wald tests of a fold change against 0 or against a threshold.

The alternatives are those of Love, Huber & Anders (2014), section "Hypothesis tests with
thresholds on effect size".
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr

Floats = npt.NDArray[np.float64]
Alternative = Literal["greaterAbs", "lessAbs", "greater", "less"]
ALTERNATIVES: tuple[Alternative, ...] = ("greaterAbs", "lessAbs", "greater", "less")


class Tested(NamedTuple):
    """A statistic and its p-value, (genes,)."""

    stat: Floats
    pvalue: Floats


def wald_test(
    change: Floats, error: Floats, *, null: float = 0.0, alternative: Alternative = "greaterAbs"
) -> Tested:
    """Test log2 fold changes.

    Parameters
    ----------
    change, error
        Log2 fold changes and their standard errors.
    null
        The threshold T >= 0 of the null hypothesis.
    alternative
        ``greaterAbs``: abs(change) > T; ``lessAbs``: abs(change) < T; ``greater``: change > T;
        ``less``: change < -T.

    Examples
    --------
    >>> test = wald_test(np.array([3.0]), np.array([1.0]), null=2.0)
    >>> test.stat.tolist(), test.pvalue.round(4).tolist()
    ([1.0], [0.3173])
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        if alternative == "greaterAbs" and null == 0:
            stat = change / error
            return Tested(stat, 2 * ndtr(-np.abs(stat)))
        above, below = (change - null) / error, (change + null) / error
        if alternative == "greaterAbs":
            beyond = (np.abs(change) - null) / error
            return Tested(np.sign(change) * np.maximum(beyond, 0), np.minimum(1, 2 * ndtr(-beyond)))
        if alternative == "lessAbs":
            stat = np.minimum(np.maximum(-above, 0), np.maximum(below, 0))
            return Tested(stat, np.maximum(ndtr(above), ndtr(-below)))
        if alternative == "greater":
            return Tested(np.maximum(above, 0), ndtr(-above))
        return Tested(np.minimum(below, 0), ndtr(below))
