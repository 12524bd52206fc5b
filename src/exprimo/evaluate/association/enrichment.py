"""Which motifs stand in the promoters of changed genes more often than in those of controls?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from exprimo.core.errors import InputError, MismatchError
from exprimo.evaluate.association.influence import (
    auroc_influence,
    design_effect,
    log_odds_influence,
)
from exprimo.evaluate.inputs import IntArray, group_codes
from exprimo.evaluate.proportions import check_level
from exprimo.evaluate.results import MIN_GROUPS, BoolArray, FloatArray


class _Rows(NamedTuple):
    """The rows compared: which of them are cases, and their groups."""

    chosen: IntArray
    case: BoolArray
    group: IntArray
    n_groups: int


def enrichment(
    present: ArrayLike,
    case: ArrayLike,
    control: ArrayLike,
    motifs: Sequence[str],
    *,
    values: ArrayLike | None = None,
    groups: Any = None,
    rank_by: Literal["presence", "values"] = "presence",
    level: float = 0.95,
) -> pd.DataFrame:
    """Compare changed genes with matched controls, motif by motif.

    Presence is compared by Fisher's exact test, and ``values`` by the Mann-Whitney test, both
    two-sided. Values carry more where a motif has many weak sites: nearly every promoter then
    has one, and changed genes have more, or better, ones.

    Parameters
    ----------
    present
        Whether a gene's promoter has a site, (n, motifs), as `MotifScan.present`.
    case, control
        Rows of changed genes and of their controls; of `matched_controls`, ``case`` and
        ``control`` (of any shape). No row twice.
    motifs
        Names of the columns.
    values
        Numbers of sites or best scores, (n, motifs); NaN where there is none.
    groups
        Homology group of each of the n rows. Related promoters share sites, so they are fewer
        observations than they seem: the variance of each estimate is computed over groups, and
        where it exceeds that of independent rows, tests and intervals are widened by the root of
        that ratio (Rao and Scott 1992). None takes every gene for independent, and gives p that
        are too small if families are large.
    rank_by
        Whether ``rank`` follows the test of presence or that of the values.
    level
        Of the intervals.

    Returns
    -------
    DataFrame
        One row per motif, best first: ``motif``; ``n_changed, n_matched``, genes compared;
        ``share_changed, share_matched``, shares of them with a site; ``odds_ratio`` and the
        interval of its logarithm ``low, high`` (Woolf 1955; with half a gene added to each cell
        where one is empty); ``pvalue``, and ``padj`` (Benjamini and Hochberg 1995 over motifs);
        ``auroc``, the chance that a changed gene's value is the higher, ``pvalue_values`` and
        ``padj_values`` (NaN without values); ``rank``, by p, then by the size of the effect.

    Notes
    -----
    Pairing is not used: a pair's members differ in sites about as two genes do, and a test of
    independent samples is then right, or a little too careful.

    Examples
    --------
    >>> present = np.array([[1, 1]] * 9 + [[0, 1]] + [[1, 1]] * 2 + [[0, 0]] * 8, dtype=bool)
    >>> table = enrichment(present, range(10), range(10, 20), ["GATA", "TATA"])
    >>> columns = ["motif", "share_changed", "share_matched", "odds_ratio"]
    >>> table[columns].round(2).values.tolist()
    [['TATA', 1.0, 0.2, 71.4], ['GATA', 0.9, 0.2, 36.0]]
    """
    check_level(level)
    has = np.asarray(present)
    if has.ndim != 2 or has.shape[1] != len(motifs) or has.dtype != np.bool_ or not len(motifs):
        raise MismatchError(
            "presence and motifs do not fit together",
            found=f"{has.dtype} of shape {has.shape} for {len(motifs)} motifs",
            expected="True or False, (genes, motifs)",
        )
    rows = _rows(len(has), case, control, groups)
    numbers = None if values is None else _values(values, has.shape)
    table = pd.DataFrame(
        [
            {
                "motif": name,
                **_presence(has[rows.chosen, at], rows, level),
                **_ranked(None if numbers is None else numbers[rows.chosen, at], rows),
            }
            for at, name in enumerate(motifs)
        ]
    )
    return _finished(table, rank_by)


def _rows(n: int, case: ArrayLike, control: ArrayLike, groups: Any) -> _Rows:
    cases, controls = (np.asarray(rows).reshape(-1) for rows in (case, control))
    chosen = np.concatenate([cases, controls])
    if not (cases.size and controls.size) or chosen.dtype.kind not in "iu":
        raise InputError(
            "nothing to compare",
            found=f"{cases.size} cases and {controls.size} controls",
            expected="row numbers of at least one of each",
        )
    if chosen.min() < 0 or chosen.max() >= n or np.unique(chosen).size < chosen.size:
        raise InputError(
            "cases and controls must be different rows",
            found=f"{chosen.size} rows, {np.unique(chosen).size} of them distinct, "
            f"from {chosen.min()} to {chosen.max()}",
            expected=f"rows from 0 to {n - 1}, none twice",
        )
    keep = np.zeros(n, dtype=bool)
    keep[chosen] = True
    codes = np.zeros(n, dtype=np.int64)
    codes[keep], n_groups = group_codes(groups, keep)
    if n_groups < MIN_GROUPS:
        raise InputError(
            "too few groups to compare", found=n_groups, expected=f"at least {MIN_GROUPS}"
        )
    is_case = np.arange(chosen.size) < cases.size
    return _Rows(chosen.astype(np.int64), is_case, codes[chosen], n_groups)


def _values(values: ArrayLike, shape: tuple[int, ...]) -> NDArray[np.generic]:
    numbers = np.asarray(values)
    if numbers.shape != shape or numbers.dtype.kind not in "iuf":
        raise MismatchError(
            "values and presence do not fit together",
            found=f"{numbers.dtype} of shape {numbers.shape}",
            expected=f"numbers of shape {shape}",
        )
    return numbers


def _presence(has: BoolArray, rows: _Rows, level: float) -> dict[str, float]:
    n_case, n_control = int(rows.case.sum()), int((~rows.case).sum())
    a, c = int(has[rows.case].sum()), int(has[~rows.case].sum())
    cells = np.array([[a, n_case - a], [c, n_control - c]])
    pvalue = float(stats.fisher_exact(cells).pvalue)
    effect = design_effect(log_odds_influence(has, rows.case), rows.group, rows.n_groups)
    filled = cells + (0.5 if (cells == 0).any() else 0.0)
    centre = math.log(filled[0, 0] * filled[1, 1] / (filled[0, 1] * filled[1, 0]))
    half = float(stats.norm.ppf(0.5 + level / 2)) * math.sqrt(effect * (1 / filled).sum())
    return {
        "n_changed": n_case,
        "n_matched": n_control,
        "share_changed": a / n_case,
        "share_matched": c / n_control,
        "odds_ratio": math.exp(centre),
        "low": math.exp(centre - half),
        "high": math.exp(centre + half),
        "pvalue": _widened(pvalue, effect),
    }


def _ranked(values: NDArray[np.generic] | None, rows: _Rows) -> dict[str, float]:
    nothing = {"auroc": math.nan, "pvalue_values": math.nan}
    if values is None:
        return nothing
    numbers: FloatArray = values.astype(np.float64)
    known = ~np.isnan(numbers)
    numbers, case, group = numbers[known], rows.case[known], rows.group[known]
    if case.all() or not case.any():
        return {"auroc": math.nan, "pvalue_values": 1.0}
    area, influence = auroc_influence(numbers, case)
    if numbers.min() == numbers.max():
        return {"auroc": area, "pvalue_values": 1.0}
    test = stats.mannwhitneyu(numbers[case], numbers[~case], method="asymptotic")
    effect = design_effect(influence, group, rows.n_groups)
    return {"auroc": area, "pvalue_values": _widened(float(test.pvalue), effect)}


def _widened(pvalue: float, effect: float) -> float:
    """Divide the normal deviate behind a two-sided p by the root of the design effect."""
    if effect == 1.0:
        return min(1.0, pvalue)
    deviate = float(stats.norm.isf(min(1.0, pvalue) / 2))
    return float(2 * stats.norm.sf(deviate / math.sqrt(effect)))


def _finished(table: pd.DataFrame, rank_by: str) -> pd.DataFrame:
    table["padj"] = stats.false_discovery_control(table["pvalue"])
    with_values = bool(table["pvalue_values"].notna().all())
    table["padj_values"] = (
        stats.false_discovery_control(table["pvalue_values"]) if with_values else math.nan
    )
    if rank_by == "values":
        if not with_values:
            raise InputError("no values to rank by", remedy="Give values, or rank_by='presence'")
        size, by = -(table["auroc"] - 0.5).abs(), table["pvalue_values"]
    else:
        size, by = -np.log(table["odds_ratio"]).abs(), table["pvalue"]
    order = np.lexsort((size, by))
    table = table.iloc[order].reset_index(drop=True)
    table["rank"] = np.arange(1, len(table) + 1)
    columns = ["motif", "n_changed", "n_matched", "share_changed", "share_matched", "odds_ratio"]
    columns += ["low", "high", "pvalue", "padj", "auroc", "pvalue_values", "padj_values", "rank"]
    return table[columns]
