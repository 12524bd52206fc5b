"""Differential expression, from counts and a sample sheet to tested and labelled genes."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from exprimo.core.progress import task
from exprimo.data.counts import Counts, refuse_empty_samples
from exprimo.data.samples import match_samples
from exprimo.labels.calls import call_labels
from exprimo.labels.coefficients import LOG2_E
from exprimo.labels.config import DgeConfig
from exprimo.labels.design import (
    Contrast,
    DesignMatrix,
    check_replicates,
    contrast_vector,
    default_contrast,
    design_matrix,
    reduced_of,
)
from exprimo.labels.dispersion.genewise import estimate_genewise
from exprimo.labels.dispersion.trend import Trend, fit_trend
from exprimo.labels.fitting import FittedCounts, fit_counts
from exprimo.labels.model import Model, Observed
from exprimo.labels.normalization import iterative_size_factors, length_factors, size_factors
from exprimo.labels.shrinkage import prior_scale, shrink_changes
from exprimo.labels.stabilisation import stabilise
from exprimo.labels.testing.results import TestedContrast, contrast_results

Floats = npt.NDArray[np.float64]


class Differential(NamedTuple):
    """All that was found.

    Attributes
    ----------
    results
        Indexed by gene_id: baseMean, log2FoldChange, lfcSE, stat, pvalue, padj, and
        log2FoldChangeShrunken and lfcSEShrunken where shrinkage was asked for.
    labels
        See `call_labels`.
    dispersions
        Every step of the dispersion estimate, and the largest Cook's distance.
    samples
        The sheet with ``size_factor`` first.
    counts
        Genes × samples, in the order of the sheet.
    factors
        (1, samples) or (genes, samples).
    trend
        For the variance-stabilising transform.
    summary
        Plain values for JSON.
    """

    results: pd.DataFrame
    labels: pd.DataFrame
    dispersions: pd.DataFrame
    samples: pd.DataFrame
    counts: pd.DataFrame
    factors: Floats
    trend: Trend
    summary: dict[str, Any]

    def normalized(self, rows: slice = slice(None)) -> Floats:
        """Give normalised counts, (genes, samples)."""
        factors = self.factors if len(self.factors) == 1 else self.factors[rows]
        return np.asarray(self.counts.to_numpy()[rows] / factors)

    def stabilised(self, rows: slice = slice(None)) -> Floats:
        """Give variance-stabilised values, (genes, samples)."""
        return stabilise(self.normalized(rows), self.trend, _sample_factors(self.factors))


def find_differential(counts: Counts, sheet: pd.DataFrame, config: DgeConfig) -> Differential:
    """Test every gene for the contrast, and call it.

    Parameters
    ----------
    counts
        Raw counts; lengths of transcripts, where they have them, become factors.
    sheet
        One row per sample, matched by name.
    config
        What is tested and how.
    """
    counts, sheet = match_samples(counts, sheet)
    refuse_empty_samples(counts)
    design = design_matrix(config.design, sheet, reference=config.reference, factors=config.factors)
    check_replicates(design)
    contrast = _contrast(design, config)
    model = Model(np.ascontiguousarray(design.values))
    reduced = None
    if config.reduced is not None:
        small = reduced_of(design, config.reduced)
        reduced = Model(np.ascontiguousarray(small.values))
    matrix = np.ascontiguousarray(counts.matrix.to_numpy(dtype=np.int64))
    factors = _factors(counts, matrix, config)
    fitted = fit_counts(
        matrix,
        factors,
        model,
        reduced=reduced,
        trend=config.trend,
        replace_outliers=config.replace_outliers,
        threads=config.threads,
    )
    tested = _test(fitted, design, contrast, config)
    results = tested.table.set_index(counts.matrix.index)
    summary = _summary(fitted, design, contrast, tested, config)
    if config.shrink:
        _add_shrunken(results, fitted, design, contrast, config, summary)
    labels = call_labels(results, lfc=config.lfc, padj=config.padj)
    summary["calls"] = _calls(labels, config)
    summary["formal_test"] = _formal_test(fitted, design, contrast, config)
    return Differential(
        results=results,
        labels=labels,
        dispersions=_dispersions(fitted, counts.matrix.index),
        samples=_sample_table(sheet, factors),
        counts=counts.matrix,
        factors=factors,
        trend=_stabilising_trend(fitted, config),
        summary=summary,
    )


def _contrast(design: DesignMatrix, config: DgeConfig) -> Contrast:
    if not config.contrast:
        return default_contrast(design)
    wanted = config.contrast
    return contrast_vector(design, wanted[0] if len(wanted) == 1 else wanted)


def _factors(counts: Counts, matrix: npt.NDArray[np.int64], config: DgeConfig) -> Floats:
    method = config.size_factors
    if counts.lengths is not None:
        if method == "iterative":
            method = "ratio"
        return length_factors(matrix, counts.lengths.to_numpy(dtype=np.float64), method)
    if method == "iterative":
        return iterative_size_factors(matrix, threads=config.threads)[None]
    return size_factors(matrix, method)[None]


def _sample_factors(factors: Floats) -> Floats:
    """Give one factor per sample: the geometric mean where genes have their own."""
    return np.asarray(factors[0] if len(factors) == 1 else np.exp(np.log(factors).mean(0)))


def _is_two_groups(design: DesignMatrix) -> bool:
    """Tell one factor of two levels; only then outliers that are low counts are pardoned."""
    levels = list(design.levels.values())
    return len(design.formula.variables) == 1 and len(levels) == 1 and len(levels[0]) == 2


def _test(
    fitted: FittedCounts, design: DesignMatrix, contrast: Contrast, config: DgeConfig
) -> TestedContrast:
    return contrast_results(
        fitted,
        contrast,
        two_groups=_is_two_groups(design),
        alpha=config.alpha,
        null=config.lfc_null,
        alternative=config.alternative,
        withhold_outliers=config.outliers,
        independent_filtering=config.filter,
        threads=config.threads,
    )


def _formal_test(
    fitted: FittedCounts, design: DesignMatrix, contrast: Contrast, config: DgeConfig
) -> dict[str, Any] | None:
    """Test what a threshold on the estimate only looks like: abs(change) > lfc."""
    if config.lfc == 0 or config.lfc_null != 0 or config.reduced is not None:
        return None
    formal = config.model_copy(update={"lfc_null": config.lfc, "alternative": "greaterAbs"})
    padj = _test(fitted, design, contrast, formal).table["padj"]
    called = int((padj < config.padj).sum())
    return {"alternative": "greaterAbs", "lfc_null": config.lfc, "n_called": called}


def _add_shrunken(
    results: pd.DataFrame,
    fitted: FittedCounts,
    design: DesignMatrix,
    contrast: Contrast,
    config: DgeConfig,
    summary: dict[str, Any],
) -> None:
    """Add shrunken changes; a contrast of two levels is shrunk with its denominator as reference.

    The prior acts on one coefficient, so the design is written such that the contrast is one.
    """
    found = fitted.estimates
    column, x, to_new = _as_coefficient(design, contrast)
    change = results["log2FoldChange"].to_numpy()[fitted.expressed] / LOG2_E
    error = results["lfcSE"].to_numpy()[fitted.expressed] / LOG2_E
    scale = prior_scale(change, error)
    observed = Observed(fitted.counts, fitted.factors).rows(fitted.expressed)
    shrunken = shrink_changes(
        observed,
        Model(x),
        found.dispersion,
        np.ascontiguousarray(found.beta @ to_new.T),
        column,
        scale,
        threads=config.threads,
    )
    for name, values in (
        ("log2FoldChangeShrunken", shrunken.change),
        ("lfcSEShrunken", shrunken.error),
    ):
        full = np.full(len(results), np.nan)
        full[fitted.expressed] = values
        results[name] = full
    summary["shrinkage"] = {"prior": "Cauchy", "scale": shrunken.scale}


def _as_coefficient(design: DesignMatrix, contrast: Contrast) -> tuple[int, Floats, Floats]:
    """Write the design with the contrast as one of its coefficients.

    Returns
    -------
    column, x, to_new
        Its position, the new design, and the matrix that turns old coefficients into new ones:
        any invertible matrix whose row ``column`` is the contrast, since x = x_old · to_new⁻¹.
    """
    if contrast.coefficient is not None:
        p = design.values.shape[1]
        return contrast.coefficient, np.ascontiguousarray(design.values), np.eye(p)
    column = int(np.flatnonzero(contrast.values)[-1])
    to_new = np.eye(design.values.shape[1])
    to_new[column] = contrast.values
    x = design.values @ np.linalg.inv(to_new)
    return column, np.ascontiguousarray(x), to_new


def _stabilising_trend(fitted: FittedCounts, config: DgeConfig) -> Trend:
    if not config.blind:
        return fitted.shrinkage.trend
    observed = Observed(fitted.counts, fitted.factors).rows(fitted.expressed)
    blind = Model(np.ones((fitted.model.n_samples, 1)))
    with task("Stabilising the variance", 1) as bar:
        genewise = estimate_genewise(observed, blind, threads=config.threads)
        bar.advance(1)
    return fit_trend(observed.normalized().mean(1), genewise.dispersion, config.trend)


def _dispersions(fitted: FittedCounts, genes: pd.Index) -> pd.DataFrame:
    found = fitted.estimates
    columns = {
        "dispGeneEst": found.genewise,
        "dispFit": found.trended,
        "dispMAP": found.shrunken,
        "dispersion": found.dispersion,
        "maxCooks": found.worst_distance,
    }
    table = pd.DataFrame(index=genes)
    table["baseMean"] = fitted.base_mean
    for name, values in columns.items():
        full = np.full(len(genes), np.nan)
        full[fitted.expressed] = values
        table[name] = full
    outlying = np.zeros(len(genes), dtype=bool)
    outlying[fitted.expressed] = found.dispersion_outlier
    table.insert(5, "dispOutlier", outlying)
    return table


def _sample_table(sheet: pd.DataFrame, factors: Floats) -> pd.DataFrame:
    table = sheet.copy()
    table.insert(0, "size_factor", _sample_factors(factors), allow_duplicates=True)
    return table


def _calls(labels: pd.DataFrame, config: DgeConfig) -> dict[str, Any]:
    directions = labels["direction"].value_counts()
    return {
        "lfc": config.lfc,
        "padj": config.padj,
        "n_called": int((labels["label"] == 1).sum()),
        "n_up": int(directions.get("up", 0)),
        "n_down": int(directions.get("down", 0)),
    }


def _summary(
    fitted: FittedCounts,
    design: DesignMatrix,
    contrast: Contrast,
    tested: TestedContrast,
    config: DgeConfig,
) -> dict[str, Any]:
    table, trend = tested.table, fitted.shrinkage.trend
    has_p, has_padj = table["pvalue"].notna(), table["padj"].notna()
    factor, numerator, denominator = contrast.levels or (None, None, None)
    return {
        "design": str(design.formula),
        "coefficients": list(design.names),
        "contrast": {
            "name": contrast.name,
            "text": contrast.text,
            "factor": factor,
            "numerator": numerator,
            "denominator": denominator,
        },
        "test": "Wald" if fitted.reduced is None else "LRT",
        "reduced": config.reduced,
        "alpha": config.alpha,
        "lfc_null": config.lfc_null,
        "alternative": config.alternative,
        "n_genes": len(table),
        "n_tested": int(has_padj.sum()),
        "n_all_zero": int((~fitted.expressed).sum()),
        "n_outliers": int(tested.outliers.sum()),
        "n_filtered": int((has_p & ~has_padj).sum()),
        "n_replaced": int(fitted.replaced.sum()),
        "filter_threshold": None if np.isnan(tested.filter_threshold) else tested.filter_threshold,
        "dispersion": {
            "fit": trend.kind,
            "asymptotic": None if np.isnan(trend.asymptote) else trend.asymptote,
            "extra_poisson": None if np.isnan(trend.slope) else trend.slope,
            "prior_variance": fitted.shrinkage.prior_variance,
        },
        "shrinkage": None,
        "warnings": [*fitted.notes, *design.notes],
    }
