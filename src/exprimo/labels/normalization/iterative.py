"""Size factors by maximum likelihood, for counts in which every gene has a zero somewhere.

Dispersions (a constant trend, no design) and factors are estimated in turn; the 5% of genes that
fit worst do not count, so that changed genes do not pull the factors. As DESeq2's ``iterate``.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import scipy.optimize
from scipy.special import gammaln

from exprimo.core.errors import InputError
from exprimo.labels.dispersion.genewise import estimate_genewise, means_for_dispersion
from exprimo.labels.fitting import shrunken_dispersions
from exprimo.labels.model import Model, Observed

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_MOST_ROUNDS, _TOLERANCE = 10, 1e-4
_WORST = 0.05


def iterative_size_factors(counts: Ints, *, threads: int | None = None) -> Floats:
    """Estimate one factor per sample, geometric mean 1.

    Parameters
    ----------
    counts
        (genes, samples).
    """
    y = np.ascontiguousarray(counts[counts.any(1)])
    model = Model(np.ones((y.shape[1], 1)))
    factors = np.ones(y.shape[1])
    for number in range(_MOST_ROUNDS):
        observed = Observed(y, factors[None])
        genewise = estimate_genewise(observed, model, threads=threads)
        dispersion = shrunken_dispersions(observed, model, genewise, "mean", threads=threads)
        level = means_for_dispersion(observed, model, None) / factors
        log_factors = _most_likely(y, level, dispersion, np.log(factors))
        before, factors = factors, np.exp(log_factors - log_factors.mean())
        if number > 0 and np.sum(np.log(before / factors) ** 2) < _TOLERANCE:
            return np.asarray(factors)
    raise InputError(
        "iterative size factors did not settle",
        found=f"{_MOST_ROUNDS} rounds",
        remedy="Choose --size-factors poscounts",
    )


def _most_likely(y: Ints, level: Floats, dispersion: Floats, start: Floats) -> Floats:
    alpha = dispersion[:, None]
    size = 1 / alpha
    constant = (gammaln(y + size) - gammaln(size) - gammaln(y + 1.0)).sum(1)

    def loss(p: Floats) -> tuple[float, Floats]:
        mu = level * np.exp(p - p.mean())
        share = np.log1p(mu * alpha)
        gene = constant + (y * (np.log(mu * alpha) - share) - size * share).sum(1)
        kept = gene > np.quantile(gene, _WORST)
        slope = ((y - mu) / (1 + alpha * mu))[kept].sum(0)
        return -float(gene[kept].sum()), -(slope - slope.mean())

    found = scipy.optimize.minimize(loss, start, jac=True, method="L-BFGS-B")
    return np.asarray(found.x - found.x.mean())
