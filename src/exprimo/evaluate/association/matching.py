"""Controls that are like the cases in what would otherwise explain a difference."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import KDTree

from exprimo.core.errors import ConfigError, InputError
from exprimo.evaluate.inputs import IntArray
from exprimo.evaluate.results import BoolArray, FloatArray

# A first look at this many neighbours finds a free one for nearly every case.
_NEIGHBOURS = 16


class Matched(NamedTuple):
    """Cases with their controls.

    Attributes
    ----------
    case
        Rows of the cases that found all their controls, (k,), ascending.
    control
        Rows of their controls, (k, ratio); none occurs twice.
    n_unmatched
        Cases left out: too few free controls within the caliper, or a missing covariate.
    balance
        One row per covariate: ``covariate``, ``mean_case`` and ``mean_control`` of the matched,
        and the standardised mean differences ``smd_before`` (all cases less all candidates) and
        ``smd_after`` (matched cases less their controls), both in standard deviations before
        matching. Below 0.1 in size is commonly called balanced.
    """

    case: IntArray
    control: IntArray
    n_unmatched: int
    balance: pd.DataFrame


def matched_controls(
    covariates: pd.DataFrame,
    case: ArrayLike,
    on: Sequence[str],
    *,
    ratio: int = 1,
    caliper: float = 0.2,
    seed: int = 0,
) -> Matched:
    """Choose for each case the nearest controls, each control once.

    Covariates are divided by their standard deviation (the root of the mean of the variances of
    cases and candidates). Cases take turns, in an order drawn with ``seed``, and take the free
    candidate whose largest difference in any covariate is the least; it must not exceed the
    caliper. With several controls each case gets its first before any gets its second.
    Neighbours rather than strata, because within a stratum the groups would still differ.

    Parameters
    ----------
    covariates
        One row per case and candidate; a row with a missing value in ``on`` is never matched.
    case
        True for cases, False for candidates, (n,).
    on
        Columns to match on, such as GC and the logarithm of the mean expression (a skewed
        covariate is matched better on a scale on which it is not).
    ratio
        Controls per case. A case that finds fewer is left out, so that every case counts alike.
    caliper
        Largest difference allowed in any covariate, in standard deviations. 0.2 is customary
        (Austin 2011).
    seed
        For the order of the cases.

    Examples
    --------
    >>> table = pd.DataFrame({"gc": [0.40, 0.60, 0.61, 0.41, 0.9, 0.39]})
    >>> is_case = [True, True, False, False, False, False]
    >>> found = matched_controls(table, is_case, ["gc"], caliper=0.5)
    >>> found.case.tolist(), found.control[1].tolist(), found.n_unmatched
    ([0, 1], [2], 0)
    """
    values, is_case = _checked(covariates, case, on, ratio, caliper)
    known = np.isfinite(values).all(axis=1)
    cases, pool = np.flatnonzero(is_case & known), np.flatnonzero(~is_case & known)
    spread = _pooled_sd(values[cases], values[pool])
    # A covariate without any spread cannot tell candidates apart.
    scaled = values / np.where(spread > 0, spread, 1.0)
    partner = _nearest_free(scaled[cases], scaled[pool], ratio, caliper, seed)
    whole = (partner >= 0).all(axis=1)
    chosen, controls = cases[whole], pool[partner[whole]]
    balance = _balance(on, values, (cases, pool), (chosen, controls.reshape(-1)), spread)
    return Matched(chosen, controls, int(is_case.sum()) - len(chosen), balance)


def _checked(
    covariates: pd.DataFrame, case: ArrayLike, on: Sequence[str], ratio: int, caliper: float
) -> tuple[FloatArray, BoolArray]:
    absent = [name for name in on if name not in covariates.columns]
    if absent or not on:
        raise ConfigError(
            "no such covariate" if absent else "nothing to match on",
            found=", ".join(absent) or None,
            expected="names among " + ", ".join(map(str, covariates.columns)),
        )
    if ratio < 1 or not caliper > 0:
        raise ConfigError(
            "cannot match like this",
            found=f"ratio {ratio}, caliper {caliper}",
            expected="at least one control per case, and a caliper above 0",
        )
    is_case = np.asarray(case)
    if is_case.shape != (len(covariates),) or is_case.dtype != np.bool_:
        raise InputError(
            "cases must be marked row by row",
            found=f"{is_case.dtype} of shape {is_case.shape} for {len(covariates)} rows",
            expected="True or False for each row",
        )
    values = covariates[list(on)].to_numpy(dtype=np.float64)
    if np.isinf(values).any():
        raise InputError(
            "a covariate is infinite",
            record=f"column {on[int(np.isinf(values).any(axis=0).argmax())]}",
            expected="numbers, or NaN where missing",
            remedy="A logarithm of 0? Add a constant before taking it",
        )
    return values, is_case


def _pooled_sd(cases: FloatArray, pool: FloatArray) -> FloatArray:
    if min(len(cases), len(pool)) < 2:
        raise InputError(
            "too few rows to match",
            found=f"{len(cases)} cases and {len(pool)} candidates with all covariates",
            expected="at least two of each",
        )
    spread: FloatArray = np.sqrt((cases.var(axis=0, ddof=1) + pool.var(axis=0, ddof=1)) / 2)
    return spread


def _nearest_free(
    cases: FloatArray, pool: FloatArray, ratio: int, caliper: float, seed: int
) -> IntArray:
    """Give the candidates of each case, (cases, ratio); −1 from where none was left."""
    rng = np.random.default_rng(seed)
    tree = KDTree(pool)
    free = np.ones(len(pool), dtype=bool)
    partner = np.full((len(cases), ratio), -1, dtype=np.int64)
    waiting = np.arange(len(cases))
    for turn in range(ratio):
        for row in rng.permutation(waiting):
            found = _first_free(tree, cases[row], free, caliper)
            if found >= 0:
                free[found] = False
                partner[row, turn] = found
        waiting = waiting[partner[waiting, turn] >= 0]
    return partner


def _first_free(tree: KDTree, point: FloatArray, free: BoolArray, caliper: float) -> int:
    wanted = min(_NEIGHBOURS, len(free))
    # The bound of the query is exclusive, the caliper is not.
    bound = float(np.nextafter(caliper, np.inf))
    while True:
        _, near = tree.query(
            point, k=np.arange(1, wanted + 1), p=np.inf, distance_upper_bound=bound
        )
        found = np.atleast_1d(near)
        within: NDArray[np.intp] = found[found < len(free)]
        usable = within[free[within]]
        if usable.size:
            return int(usable[0])
        if within.size < wanted or wanted == len(free):
            return -1
        wanted = min(4 * wanted, len(free))


def _balance(
    on: Sequence[str],
    values: FloatArray,
    before: tuple[IntArray, IntArray],
    after: tuple[IntArray, IntArray],
    spread: FloatArray,
) -> pd.DataFrame:
    def differences(case: IntArray, control: IntArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        if not len(case):
            nothing = np.full(len(on), np.nan)
            return nothing, nothing, nothing
        one, other = values[case].mean(axis=0), values[control].mean(axis=0)
        smd = np.zeros(len(on))
        np.divide(one - other, spread, out=smd, where=spread > 0)
        return one, other, smd

    _, _, smd_before = differences(*before)
    mean_case, mean_control, smd_after = differences(*after)
    return pd.DataFrame(
        {
            "covariate": list(on),
            "mean_case": mean_case,
            "mean_control": mean_control,
            "smd_before": smd_before,
            "smd_after": smd_after,
        }
    )
