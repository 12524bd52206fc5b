"""One contrast of a fit as DESeq2's table of results."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import chdtrc

from exprimo.core.errors import ConfigError
from exprimo.labels.coefficients import LOG2_E, standard_errors
from exprimo.labels.design import Contrast
from exprimo.labels.fitting import FittedCounts
from exprimo.labels.model import Observed
from exprimo.labels.outliers import cooks_cutoff, exempt
from exprimo.labels.testing.adjustment import benjamini_hochberg, filter_independently
from exprimo.labels.testing.alternatives import Alternative, wald_test

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

RESULT_COLUMNS = ("baseMean", "log2FoldChange", "lfcSE", "stat", "pvalue", "padj")


class TestedContrast(NamedTuple):
    """Results of one contrast.

    Attributes
    ----------
    table
        `RESULT_COLUMNS` of every gene, in the order of the counts; NaN where there is no value.
    outliers
        Genes whose p-value is withheld for an outlying count.
    filter_threshold
        Mean count below which genes were left out of the adjustment; NaN without a filter.
    """

    table: pd.DataFrame
    outliers: Flags
    filter_threshold: float


def contrast_results(
    fitted: FittedCounts,
    contrast: Contrast,
    *,
    two_groups: bool = False,
    alpha: float = 0.1,
    null: float = 0.0,
    alternative: Alternative = "greaterAbs",
    withhold_outliers: bool = True,
    independent_filtering: bool = True,
    threads: int | None = None,
) -> TestedContrast:
    """Test a contrast in every gene; with a reduced design, by the likelihood ratio.

    Parameters
    ----------
    two_groups
        The design is one factor of two levels; an outlier that is a low count is then pardoned.
    alpha
        False discovery rate that the independent filter serves.
    null, alternative
        See `wald_test`.
    """
    found = fitted.estimates
    observed = Observed(fitted.counts, fitted.factors)
    expressed = np.flatnonzero(fitted.expressed)
    change = LOG2_E * (found.beta @ contrast.values)
    error = LOG2_E * standard_errors(
        observed.rows(expressed) if len(expressed) < len(fitted.counts) else observed,
        fitted.model,
        found.dispersion,
        found.beta,
        contrast.values,
        threads=threads,
    )
    stat, pvalue = wald_test(change, error)
    silent = _silent(fitted, contrast)[expressed]
    change = np.where(silent, 0.0, change)
    stat, pvalue = np.where(silent, 0.0, stat), np.where(silent, 1.0, pvalue)
    if fitted.reduced is not None:
        if null != 0 or alternative != "greaterAbs":
            raise ConfigError(
                "a threshold on the fold change needs a Wald test",
                found="a likelihood-ratio test (--reduced)",
                remedy="Leave out --reduced, or the threshold and the alternative",
            )
        freedom = fitted.model.n_coefficients - fitted.reduced.n_coefficients
        stat = found.ratio_stat
        pvalue = chdtrc(freedom, np.maximum(stat, 0.0))
    elif null != 0 or alternative != "greaterAbs":
        stat, pvalue = wald_test(change, error, null=null, alternative=alternative)
    table = pd.DataFrame(np.nan, index=range(len(fitted.counts)), columns=list(RESULT_COLUMNS))
    values = np.column_stack([change, error, stat, pvalue])
    full = np.full((len(fitted.counts), 4), np.nan)
    full[expressed] = values
    outliers = (
        _outliers(fitted, two_groups) if withhold_outliers else np.zeros(len(full), dtype=bool)
    )
    full[outliers, 3] = np.nan
    # All reads of such a gene were outliers: nothing is left that could differ.
    full[fitted.emptied] = (0.0, 0.0, 0.0, 1.0)
    table["baseMean"] = fitted.base_mean
    table[["log2FoldChange", "lfcSE", "stat", "pvalue"]] = full
    if independent_filtering:
        filtered = filter_independently(fitted.base_mean, full[:, 3], alpha)
        table["padj"] = filtered.padj
        return TestedContrast(table, outliers, filtered.threshold)
    table["padj"] = benjamini_hochberg(full[:, 3])
    return TestedContrast(table, outliers, np.nan)


def _silent(fitted: FittedCounts, contrast: Contrast) -> Flags:
    """Mark genes without a read in the samples that the contrast compares."""
    if contrast.samples is None:
        return np.zeros(len(fitted.counts), dtype=bool)
    return np.asarray(~fitted.counts[:, contrast.samples].any(1))


def _outliers(fitted: FittedCounts, two_groups: bool) -> Flags:
    with np.errstate(invalid="ignore"):
        beyond = fitted.estimates.worst_distance > cooks_cutoff(fitted.model)
    marked = np.zeros(len(fitted.counts), dtype=bool)
    expressed = np.flatnonzero(fitted.expressed)
    flagged = expressed[beyond]
    if two_groups and len(flagged):
        worst = fitted.estimates.worst_sample[beyond]
        flagged = flagged[~exempt(fitted.counts[flagged], worst)]
    marked[flagged] = True
    return marked
