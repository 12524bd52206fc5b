"""Coefficients of every gene, and what depends on them: errors, likelihoods, outliers."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import scipy.optimize

from exprimo.labels.engine.blocks import for_blocks
from exprimo.labels.engine.bounded_search import LARGE, loss_and_slope
from exprimo.labels.engine.coefficient_fit import (
    contrast_errors,
    fit_coefficients,
    log_likelihoods,
)
from exprimo.labels.model import LEAST_MEAN, RIDGE, Model, Observed

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

LOG2_E = float(np.log2(np.e))
_TOLERANCE, _MOST_STEPS = 1e-8, 100
_LEAST_GAIN = 1e7 * float(np.finfo(np.float64).eps)


class Fit(NamedTuple):
    """Coefficients of some genes, natural log, (genes, coefficients).

    ``repaired`` marks genes whose iterations did not converge; they were found by a bounded
    search. ``hat`` holds the leverages of the iterations, (genes, samples).
    """

    beta: Floats
    hat: Floats
    repaired: Flags


def fit_genes(part: Observed, model: Model, dispersion: Floats) -> Fit:
    """Fit the coefficients of a block of genes by maximum likelihood.

    Parameters
    ----------
    part
        Genes with at least one read.
    dispersion
        (genes,).
    """
    if model.is_intercept_only:
        return _fit_intercept(part, dispersion)
    first = _start(part, model)
    beta, hat = first.copy(), np.empty(part.counts.shape)
    steps = np.empty(part.n_genes, dtype=np.int64)
    fit_coefficients(
        part.counts,
        part.factors,
        model.x,
        dispersion,
        RIDGE,
        LEAST_MEAN,
        _TOLERANCE,
        _MOST_STEPS,
        beta,
        steps,
        hat,
    )
    repaired = (steps >= _MOST_STEPS) | ~np.isfinite(beta).all(1)
    for g in np.flatnonzero(repaired):
        stable = np.isfinite(beta[g]).all() and bool((np.abs(beta[g]) * LOG2_E < LARGE).all())
        # DESeq2 takes the natural logarithms of the start for binary ones.
        start = beta[g] * LOG2_E if stable else first[g]
        beta[g] = _search(part.rows(np.array([g])), model, float(dispersion[g]), start)
    return Fit(beta, hat, repaired)


def _fit_intercept(part: Observed, dispersion: Floats) -> Fit:
    means = part.normalized().mean(1)
    mu = part.factors * means[:, None]
    weight = 1.0 / (1.0 / mu + dispersion[:, None])
    hat = weight / weight.sum(1, keepdims=True)
    return Fit(np.log(means)[:, None], hat, np.zeros(part.n_genes, dtype=bool))


def _start(part: Observed, model: Model) -> Floats:
    """Regress log(normalised count + 0.1) on the design."""
    logs = np.log(part.normalized() + 0.1)
    return np.ascontiguousarray(logs @ np.linalg.pinv(model.x).T)


def _search(one: Observed, model: Model, alpha: float, start: Floats) -> Floats:
    """Maximise one gene's posterior within bounds, in log2 as the bounds are."""
    y, factors, x = one.counts[0], one.factors[0], np.ascontiguousarray(model.x)

    def loss(p: Floats) -> tuple[float, Floats]:
        slope = np.empty(len(p))
        return loss_and_slope(p, y, factors, x, alpha, slope), slope

    # As R's optim ends: memory of five steps, gain of the last one within 2e-9, no rule for slopes.
    found = scipy.optimize.minimize(
        loss,
        np.clip(start, -LARGE, LARGE),
        jac=True,
        method="L-BFGS-B",
        bounds=[(-LARGE, LARGE)] * x.shape[1],
        options={"maxcor": 5, "ftol": _LEAST_GAIN, "gtol": 0.0, "maxiter": _MOST_STEPS},
    )
    return np.asarray(found.x / LOG2_E)


def standard_errors(
    observed: Observed,
    model: Model,
    dispersion: Floats,
    beta: Floats,
    contrast: Floats,
    *,
    threads: int | None = None,
) -> Floats:
    """Give the standard error of a contrast of coefficients, natural log, (genes,)."""
    errors = np.empty(observed.n_genes)
    # An intercept alone was not found by iterations, so nothing of theirs belongs here.
    ridge, least = (0.0, 0.0) if model.is_intercept_only else (RIDGE, LEAST_MEAN)

    def work(block: slice) -> None:
        contrast_errors(
            observed.rows(block).factors,
            model.x,
            dispersion[block],
            beta[block],
            contrast,
            ridge,
            least,
            errors[block],
        )

    for_blocks(observed.n_genes, observed.n_samples, work, threads)
    return errors


def likelihoods(
    observed: Observed,
    model: Model,
    dispersion: Floats,
    beta: Floats,
    repaired: Flags,
    *,
    threads: int | None = None,
) -> Floats:
    """Give the log likelihood of every gene, (genes,); means of repaired genes are lifted."""
    found = np.empty(observed.n_genes)

    def work(block: slice) -> None:
        part = observed.rows(block)
        least = np.where(repaired[block], LEAST_MEAN, 0.0)
        log_likelihoods(
            part.counts, part.factors, model.x, dispersion[block], beta[block], least, found[block]
        )

    for_blocks(observed.n_genes, observed.n_samples, work, threads)
    return found
