"""What the labels say before any model has seen a sequence."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy import stats
from scipy.special import expit, logit

from exprimo.core.errors import InputError, MismatchError
from exprimo.evaluate.association.influence import auroc_influence, grouped_variance
from exprimo.evaluate.inputs import IntArray, check_classes, group_codes
from exprimo.evaluate.proportions import check_level, proportion, wilson
from exprimo.evaluate.results import MIN_GROUPS, FloatArray

TESTED = "tested"
UNTESTED_NEGATIVE = "untested called negative"


def examine_labels(
    label: ArrayLike, covariates: pd.DataFrame, groups: Any = None, *, level: float = 0.95
) -> pd.DataFrame:
    """Tell how well each covariate alone separates positive from negative genes.

    Each covariate is judged twice: among the genes that were tested, and among all genes with
    the untested called negative, which is wrong but has been published. Where the second is far
    from 0.5 and the first is not, a model trained on such labels learns which genes are
    expressed enough to be tested.

    Parameters
    ----------
    label
        1, 0, or NaN for a gene that was not tested, (n,).
    covariates
        One row per gene, numbers; what is missing is left out of that covariate's lines.
    groups
        Independent unit of each gene, such as its homology group; None makes every gene a unit.
    level
        Of the intervals.

    Returns
    -------
    DataFrame
        Two rows per covariate: ``covariate``; ``among`` (``tested`` or ``untested called
        negative``); ``auroc``, the chance that a positive has a higher value than a negative,
        so that 0.2 separates as well as 0.8; its interval ``low, high``; ``n_positive,
        n_negative``, the genes used; ``n_missing``, those left out for want of a value.

    Notes
    -----
    The variance is DeLong's (1988), over groups as by Obuchowski (1997), taken to the interval
    on the logit scale. Where the classes are separated completely that variance is 0, and
    Wilson's interval for as many rows as the smaller class holds stands instead. NaN where a
    class is absent, or fewer than three groups make an interval a guess.

    Examples
    --------
    >>> label = [1, 1, 1, 0, 0, 0, float("nan"), float("nan")]
    >>> table = pd.DataFrame({"expression": [5, 6, 7, 5, 6, 7, 0, 0]})
    >>> found = examine_labels(label, table)
    >>> found[["among", "auroc", "n_negative"]].round(3).values.tolist()
    [['tested', 0.5, 3], ['untested called negative', 0.7, 5]]
    """
    check_level(level)
    known = _checked(label, len(covariates))
    rows = []
    for name in covariates.columns:
        values = _numbers(covariates[name])
        for among, labels in ((TESTED, known), (UNTESTED_NEGATIVE, np.nan_to_num(known, nan=0.0))):
            used = ~np.isnan(labels) & ~np.isnan(values)
            codes, n_groups = group_codes(groups, used)
            area, low, high = _area(values[used], labels[used] == 1, codes, n_groups, level)
            n_positive = int((labels[used] == 1).sum())
            rows.append(
                {
                    "covariate": str(name),
                    "among": among,
                    "auroc": area,
                    "low": low,
                    "high": high,
                    "n_positive": n_positive,
                    "n_negative": int(used.sum()) - n_positive,
                    "n_missing": int((~np.isnan(labels) & np.isnan(values)).sum()),
                }
            )
    return pd.DataFrame(rows)


def prevalence(label: ArrayLike, groups: Any = None, *, level: float = 0.95) -> dict[str, float]:
    """Give the share of positives among tested genes, with Wilson's interval.

    Parameters
    ----------
    label
        1, 0, or NaN for a gene that was not tested, (n,).
    groups
        See `proportion`.

    Returns
    -------
    dict
        ``n_genes, n_tested, n_positive``, the share ``value``, and ``low, high``.

    Examples
    --------
    >>> found = prevalence([1, 0, 0, 0, float("nan")])
    >>> found["n_genes"], found["n_tested"], found["value"], round(found["high"], 2)
    (5, 4, 0.25, 0.7)
    """
    known = _checked(label)
    share = proportion(known, groups, level=level, unit="gene")
    return {
        "n_genes": known.size,
        "n_tested": share.n,
        "n_positive": int(np.nansum(known)),
        "value": share.value,
        "low": share.low,
        "high": share.high,
    }


def _checked(label: ArrayLike, n_rows: int | None = None) -> FloatArray:
    labels = np.asarray(label, dtype=np.float64)
    if labels.ndim != 1 or (n_rows is not None and labels.size != n_rows):
        raise MismatchError(
            "labels and covariates do not fit together",
            found=f"labels of shape {labels.shape}"
            + (f", covariates of {n_rows} genes" if n_rows is not None else ""),
            expected="one label per gene",
        )
    check_classes(labels[~np.isnan(labels)])
    return labels


def _numbers(column: pd.Series) -> FloatArray:
    try:
        values: FloatArray = column.to_numpy(dtype=np.float64, na_value=np.nan)
    except (TypeError, ValueError) as error:
        raise InputError(
            "a covariate is not numeric", record=f"column {column.name}", found=str(error)
        ) from error
    return values


def _area(
    values: FloatArray, positive: np.ndarray[Any, Any], group: IntArray, n_groups: int, level: float
) -> tuple[float, float, float]:
    n_positive = int(positive.sum())
    smaller = min(n_positive, positive.size - n_positive)
    if smaller == 0:
        return math.nan, math.nan, math.nan
    area, influence = auroc_influence(values, positive)
    if n_groups < MIN_GROUPS:
        return area, math.nan, math.nan
    z = float(stats.norm.ppf(0.5 + level / 2))
    if area in (0.0, 1.0):
        return area, *wilson(area, smaller, z)
    sd = math.sqrt(grouped_variance(influence, group, n_groups)) / (area * (1 - area))
    low, high = expit(logit(area) + z * sd * np.array([-1.0, 1.0]))
    return area, float(low), float(high)
