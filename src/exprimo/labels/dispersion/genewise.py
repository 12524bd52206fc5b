"""First estimate of every gene's dispersion, from its own counts alone."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from exprimo.labels.coefficients import fit_genes
from exprimo.labels.engine.blocks import for_blocks
from exprimo.labels.engine.dispersion_search import scan_dispersions, search_dispersions
from exprimo.labels.model import LEAST_MEAN, Model, Observed

Floats = npt.NDArray[np.float64]

LEAST_DISPERSION = 1e-8
_TOLERANCE, _MOST_STEPS = 1e-6, 100


class Genewise(NamedTuple):
    """Gene-wise dispersions and the coefficients whose means they were estimated at.

    ``coefficients`` is None where means are those of the groups.
    """

    dispersion: Floats
    coefficients: Floats | None


def most_dispersion(n_samples: int) -> float:
    """Give the largest dispersion that is estimated.

    Examples
    --------
    >>> most_dispersion(8), most_dispersion(96)
    (10.0, 96.0)
    """
    return max(10.0, float(n_samples))


def estimate_genewise(observed: Observed, model: Model, *, threads: int | None = None) -> Genewise:
    """Maximise each gene's adjusted profile likelihood.

    Parameters
    ----------
    observed
        Genes with at least one read.
    model
        The design.
    """
    n = observed.n_genes
    dispersion = np.empty(n)
    coefficients = None if model.is_group_model else np.empty((n, model.n_coefficients))

    def work(block: slice) -> None:
        part = observed.rows(block)
        start = _first_guess(part, model)
        beta = None
        if coefficients is not None:
            beta = coefficients[block] = fit_genes(part, model, start).beta
        dispersion[block] = _refined(part, model, start, means_for_dispersion(part, model, beta))

    for_blocks(n, observed.n_samples, work, threads)
    return Genewise(dispersion, coefficients)


def means_for_dispersion(part: Observed, model: Model, beta: Floats | None) -> Floats:
    """Give the fitted means, (genes, samples), at least `LEAST_MEAN`.

    A design of one column per group has its means without a fit: those of normalised counts.
    """
    if beta is None:
        means = part.normalized() @ model.projection * part.factors
    else:
        means = part.factors * np.exp(beta @ model.x.T)
    return np.maximum(means, LEAST_MEAN)


def _first_guess(part: Observed, model: Model) -> Floats:
    """Take the smaller of two estimates by moments, within the bounds."""
    normalized = part.normalized()
    m, p = model.x.shape
    means = np.maximum(1.0, normalized @ model.projection)
    rough = (((normalized - means) ** 2 - means) / means**2).sum(1) / (m - p)
    overall = normalized.mean(1)
    shot = (1.0 / part.mean_factors()).mean()
    moments = (normalized.var(1, ddof=1) - shot * overall) / overall**2
    guess = np.minimum(np.maximum(rough, 0.0), moments)
    return np.asarray(np.clip(guess, LEAST_DISPERSION, most_dispersion(m)))


def _refined(part: Observed, model: Model, start: Floats, means: Floats) -> Floats:
    n, m = part.counts.shape
    log_alpha, first, last = np.empty(n), np.empty(n), np.empty(n)
    steps = np.empty(n, dtype=np.int64)
    search_dispersions(
        part.counts,
        means,
        model.x,
        np.log(start),
        np.zeros(n),
        0.0,
        np.log(LEAST_DISPERSION / 10),
        _TOLERANCE,
        _MOST_STEPS,
        log_alpha,
        steps,
        first,
        last,
    )
    found = np.minimum(np.exp(log_alpha), most_dispersion(m))
    found = np.where(last < first + np.abs(first) / 1e6, start, found)
    unsure = ((steps >= _MOST_STEPS) | (steps == 1)) & (found > LEAST_DISPERSION * 10)
    if unsure.any():
        found[unsure] = _scanned(part.rows(unsure), model, means[unsure], np.zeros(n)[unsure], 0.0)
    return np.asarray(np.clip(found, LEAST_DISPERSION, most_dispersion(m)))


def _scanned(
    part: Observed, model: Model, means: Floats, centers: Floats, variance: float
) -> Floats:
    log_alpha = np.empty(part.n_genes)
    scan_dispersions(
        part.counts,
        means,
        model.x,
        centers,
        variance,
        np.log(LEAST_DISPERSION),
        np.log(most_dispersion(part.n_samples)),
        log_alpha,
    )
    return np.exp(log_alpha)


def shrink_to_trend(
    observed: Observed,
    model: Model,
    genewise: Genewise,
    trend: Floats,
    variance: float,
    *,
    threads: int | None = None,
) -> Floats:
    """Maximise the posterior of each dispersion under a normal prior around the trend.

    Parameters
    ----------
    genewise
        The gene-wise estimates.
    trend
        Fitted dispersions, (genes,).
    variance
        Of the prior, on the natural log scale.
    """
    found = np.empty(observed.n_genes)
    start = np.where(genewise.dispersion > 0.1 * trend, genewise.dispersion, trend)

    def work(block: slice) -> None:
        part = observed.rows(block)
        beta = None if genewise.coefficients is None else genewise.coefficients[block]
        means = means_for_dispersion(part, model, beta)
        n = part.n_genes
        log_alpha, first, last = np.empty(n), np.empty(n), np.empty(n)
        steps = np.empty(n, dtype=np.int64)
        centers = np.log(trend[block])
        search_dispersions(
            part.counts,
            means,
            model.x,
            np.log(start[block]),
            centers,
            variance,
            np.log(LEAST_DISPERSION / 10),
            _TOLERANCE,
            _MOST_STEPS,
            log_alpha,
            steps,
            first,
            last,
        )
        values = np.exp(log_alpha)
        unsure = steps >= _MOST_STEPS
        if unsure.any():
            values[unsure] = _scanned(
                part.rows(unsure), model, means[unsure], centers[unsure], variance
            )
        found[block] = values

    for_blocks(observed.n_genes, observed.n_samples, work, threads)
    return np.asarray(np.clip(found, LEAST_DISPERSION, most_dispersion(observed.n_samples)))
