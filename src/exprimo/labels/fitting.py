"""The whole fit: dispersions, coefficients, outliers, for one design."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from exprimo.core.progress import task
from exprimo.labels.coefficients import fit_genes, likelihoods
from exprimo.labels.dispersion.genewise import (
    Genewise,
    estimate_genewise,
    means_for_dispersion,
    shrink_to_trend,
)
from exprimo.labels.dispersion.prior_width import prior_variance
from exprimo.labels.dispersion.trend import Trend, TrendKind, fit_trend, residual_spread
from exprimo.labels.engine.blocks import for_blocks
from exprimo.labels.engine.cooks import cooks_distances
from exprimo.labels.model import Model, Observed
from exprimo.labels.outliers import (
    cooks_cutoff,
    judged_samples,
    replaceable_samples,
    replaced_counts,
)

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

_OUTLIER_SD = 2.0


@dataclass
class GeneEstimates:
    """What was estimated of some genes; arrays of length genes, coefficients in natural log."""

    mean: Floats
    genewise: Floats
    trended: Floats
    shrunken: Floats
    dispersion: Floats
    dispersion_outlier: Flags
    beta: Floats
    repaired: Flags
    ratio_stat: Floats
    worst_distance: Floats
    worst_unreplaced: Floats
    worst_sample: Ints


@dataclass(frozen=True)
class Shrinkage:
    """The dispersion trend, the spread around it and the width of the prior."""

    trend: Trend
    spread: float
    prior_variance: float


@dataclass
class FittedCounts:
    """A fitted design; rows of `estimates` are the genes marked by ``expressed``."""

    counts: Ints
    factors: Floats
    model: Model
    shrinkage: Shrinkage
    expressed: Flags
    base_mean: Floats
    estimates: GeneEstimates
    replaced: Flags
    emptied: Flags
    reduced: Model | None = None
    notes: list[str] = field(default_factory=list)

    def expressed_factors(self) -> Floats:
        """Give the factors of the expressed genes."""
        return self.factors if len(self.factors) == 1 else self.factors[self.expressed]


def fit_counts(
    counts: Ints,
    factors: Floats,
    model: Model,
    *,
    reduced: Model | None = None,
    trend: TrendKind = "parametric",
    replace_outliers: bool = True,
    threads: int | None = None,
) -> FittedCounts:
    """Fit a negative binomial model to every gene.

    Parameters
    ----------
    counts
        (genes, samples), whole numbers.
    factors
        Size factors, (1, samples), or factors of each gene, (genes, samples).
    model
        The design.
    reduced
        A smaller design; its likelihood ratio is then computed too.
    trend
        Form of the dispersion trend.
    replace_outliers
        Replace outliers where a cell has seven replicates or more, and fit those genes anew.
    threads
        Unset: all cores that the process may use.
    """
    expressed: Flags = np.asarray(counts.any(1))
    observed = Observed(counts, factors).rows(expressed if not expressed.all() else slice(None))
    with task("Fitting genes", 3) as bar:
        mean = observed.normalized().mean(1)
        genewise = estimate_genewise(observed, model, threads=threads)
        bar.advance(1)
        shrinkage, trended = _shrinkage(mean, genewise, model, trend)
        estimates, flagged, replaced_rows = _estimate(
            observed, model, reduced, genewise, mean, trended, shrinkage, threads
        )
        bar.advance(1)
        base_mean = np.zeros(len(counts))
        base_mean[expressed] = mean
        fitted = FittedCounts(
            counts=counts,
            factors=factors,
            model=model,
            shrinkage=shrinkage,
            expressed=expressed,
            base_mean=base_mean,
            estimates=estimates,
            replaced=np.zeros(len(counts), dtype=bool),
            emptied=np.zeros(len(counts), dtype=bool),
            reduced=reduced,
        )
        if shrinkage.trend.fell_back:
            fitted.notes.append(
                "The parametric trend of dispersion did not fit; a local regression took its place."
            )
        if replace_outliers and replaceable_samples(model).any() and len(flagged):
            _refit(fitted, observed, flagged, replaced_rows, threads)
        bar.advance(1)
    return fitted


def _shrinkage(
    mean: Floats, genewise: Genewise, model: Model, kind: TrendKind
) -> tuple[Shrinkage, Floats]:
    fitted = fit_trend(mean, genewise.dispersion, kind)
    trended = fitted.function(mean)
    spread = residual_spread(genewise.dispersion, trended)
    freedom = model.n_samples - model.n_coefficients
    variance = prior_variance(genewise.dispersion, trended, spread, freedom)
    return Shrinkage(fitted, spread, variance), trended


def shrunken_dispersions(
    observed: Observed,
    model: Model,
    genewise: Genewise,
    kind: TrendKind,
    *,
    threads: int | None = None,
) -> Floats:
    """Give the final dispersions: shrunken to the trend, outliers left as they are."""
    shrinkage, trended = _shrinkage(observed.normalized().mean(1), genewise, model, kind)
    shrunken = shrink_to_trend(
        observed, model, genewise, trended, shrinkage.prior_variance, threads=threads
    )
    outlying = _is_outlier(genewise.dispersion, trended, shrinkage.spread)
    return np.where(outlying, genewise.dispersion, shrunken)


def _is_outlier(dispersion: Floats, trended: Floats, spread: float) -> Flags:
    return np.asarray(np.log(dispersion) > np.log(trended) + _OUTLIER_SD * np.sqrt(spread))


def _estimate(
    observed: Observed,
    model: Model,
    reduced: Model | None,
    genewise: Genewise,
    mean: Floats,
    trended: Floats,
    shrinkage: Shrinkage,
    threads: int | None,
) -> tuple[GeneEstimates, Ints, Ints]:
    """Shrink dispersions, fit coefficients, find outliers.

    Returns the estimates, the rows with an outlier anywhere, and their counts with outliers
    replaced.
    """
    shrunken = shrink_to_trend(
        observed, model, genewise, trended, shrinkage.prior_variance, threads=threads
    )
    outlying = _is_outlier(genewise.dispersion, trended, shrinkage.spread)
    n, p = observed.n_genes, model.n_coefficients
    found = GeneEstimates(
        mean=mean,
        genewise=genewise.dispersion,
        trended=trended,
        shrunken=shrunken,
        dispersion=np.where(outlying, genewise.dispersion, shrunken),
        dispersion_outlier=outlying,
        beta=np.empty((n, p)),
        repaired=np.zeros(n, dtype=bool),
        ratio_stat=np.full(n, np.nan),
        worst_distance=np.full(n, np.nan),
        worst_unreplaced=np.full(n, np.nan),
        worst_sample=np.zeros(n, dtype=np.int64),
    )
    judged, cutoff = judged_samples(model), cooks_cutoff(model)
    replaceable = replaceable_samples(model)
    cells, n_cells = _large_cells(model)
    flagged: dict[int, tuple[Ints, Ints]] = {}

    def work(block: slice) -> None:
        part = observed.rows(block)
        fit = fit_genes(part, model, found.dispersion[block])
        found.beta[block], found.repaired[block] = fit.beta, fit.repaired
        distances = np.empty(part.counts.shape)
        first = None if genewise.coefficients is None else genewise.coefficients[block]
        mu = _means_to_judge_by(part, model, reduced, fit.beta, first)
        cooks_distances(part.counts, part.factors, mu, p, fit.hat, cells, n_cells, distances)
        found.worst_sample[block] = distances.argmax(1)
        if judged.any():
            found.worst_distance[block] = distances[:, judged].max(1)
        if not replaceable.all():
            found.worst_unreplaced[block] = distances[:, judged & ~replaceable].max(1, initial=0.0)
        outliers = np.flatnonzero((distances > cutoff).any(1))
        if len(outliers):
            counts = replaced_counts(part.rows(outliers), distances[outliers], model)
            flagged[block.start] = (outliers + block.start, counts)

    for_blocks(n, observed.n_samples, work, threads)
    if reduced is not None:
        found.ratio_stat = _likelihood_ratio(observed, model, reduced, found, threads)
    return found, *_in_order(flagged, observed.n_samples)


def _in_order(flagged: dict[int, tuple[Ints, Ints]], n_samples: int) -> tuple[Ints, Ints]:
    """Join the rows and counts that blocks left under their starts."""
    parts = [flagged[start] for start in sorted(flagged)]
    if not parts:
        return np.empty(0, dtype=np.int64), np.empty((0, n_samples), dtype=np.int64)
    return np.concatenate([r for r, _ in parts]), np.concatenate([c for _, c in parts])


def _means_to_judge_by(
    part: Observed, model: Model, reduced: Model | None, beta: Floats, first: Floats | None
) -> Floats:
    """Give the means that outliers are measured from, (genes, samples).

    In a likelihood-ratio test DESeq2 takes those of the first estimate of dispersion.
    """
    if reduced is not None:
        return means_for_dispersion(part, model, first)
    return np.asarray(part.factors * np.exp(beta @ model.x.T))


def _large_cells(model: Model) -> tuple[Ints, int]:
    """Number the cells of three samples and more; -1 elsewhere."""
    judged = judged_samples(model)
    codes = np.full(model.n_samples, -1, dtype=np.int64)
    if not judged.any():
        return codes, 0
    names, inside = np.unique(model.cell_of_sample[judged], return_inverse=True)
    codes[judged] = inside
    return codes, len(names)


def _likelihood_ratio(
    observed: Observed, full: Model, reduced: Model, found: GeneEstimates, threads: int | None
) -> Floats:
    beta = np.empty((observed.n_genes, reduced.n_coefficients))
    repaired = np.zeros(observed.n_genes, dtype=bool)

    def work(block: slice) -> None:
        fit = fit_genes(observed.rows(block), reduced, found.dispersion[block])
        beta[block], repaired[block] = fit.beta, fit.repaired

    for_blocks(observed.n_genes, observed.n_samples, work, threads)
    alpha = found.dispersion
    larger = likelihoods(observed, full, alpha, found.beta, found.repaired, threads=threads)
    smaller = likelihoods(observed, reduced, alpha, beta, repaired, threads=threads)
    return np.asarray(2 * (larger - smaller))


def _refit(
    fitted: FittedCounts, observed: Observed, flagged: Ints, counts: Ints, threads: int | None
) -> None:
    """Fit genes with outliers anew on replaced counts; trend and prior stay."""
    everywhere = np.flatnonzero(fitted.expressed)[flagged]
    part = Observed(counts, observed.rows(flagged).factors)
    mean = part.normalized().mean(1)
    fitted.replaced[everywhere] = True
    fitted.base_mean[everywhere] = mean
    fitted.estimates.mean[flagged] = mean
    kept: Flags = np.asarray(counts.any(1))
    fitted.emptied[everywhere[~kept]] = True
    if not kept.any():
        return
    part, rows = part.rows(kept), flagged[kept]
    genewise = estimate_genewise(part, fitted.model, threads=threads)
    trended = fitted.shrinkage.trend.function(mean[kept])
    anew, _, _ = _estimate(
        part,
        fitted.model,
        fitted.reduced,
        genewise,
        mean[kept],
        trended,
        fitted.shrinkage,
        threads,
    )
    old = fitted.estimates
    for name in (
        "genewise",
        "trended",
        "shrunken",
        "dispersion",
        "dispersion_outlier",
        "beta",
        "repaired",
        "ratio_stat",
    ):
        getattr(old, name)[rows] = getattr(anew, name)
    # Outliers that were replaced no longer count against a gene.
    old.worst_distance = old.worst_unreplaced
