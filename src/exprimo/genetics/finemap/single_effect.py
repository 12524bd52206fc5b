"""One regression with exactly one causal variant, whichever it is (Wang et al. 2020, eq. 4-9)."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize_scalar
from scipy.special import logsumexp

Floats = npt.NDArray[np.float64]
PriorMethod = Literal["likelihood", "em", "fixed"]

# The likelihood of the prior variance can have two peaks: it is looked at on this many points,
# down to this share of the largest variance that any variant asks for, before it is refined.
_GRID_POINTS = 16
_LEAST_SHARE = 1e-4


class SingleEffect(NamedTuple):
    """The posterior of one effect.

    Attributes
    ----------
    alpha
        (variants,): probability of being the causal one; sums to 1.
    mean, second_moment
        (variants,): of the effect, given that this variant is the causal one.
    log_bf
        (variants,): log Bayes factor of each variant against no effect.
    log_bf_model
        Of the single-effect model against no effect.
    prior_variance
        Of the effect; 0 where the data want none.
    """

    alpha: Floats
    mean: Floats
    second_moment: Floats
    log_bf: Floats
    log_bf_model: float
    prior_variance: float


def single_effect(
    xtr: Floats,
    diagonal: Floats,
    residual_variance: float,
    prior_variance: float,
    log_prior: Floats,
    *,
    method: PriorMethod = "likelihood",
    null_threshold: float = 0.0,
) -> SingleEffect:
    """Regress the residual on each variant alone, and share one effect among them.

    Parameters
    ----------
    xtr
        (variants,): X'r of the residual r.
    diagonal
        (variants,): diagonal of X'X; variants with 0 carry no evidence.
    residual_variance, prior_variance
        Variance of the noise, and (a first guess of) that of the effect.
    log_prior
        (variants,): log of each variant's prior probability, summing to 1.
    method
        How the prior variance is fitted: by maximum likelihood before the posterior is taken
        (susieR's default), by one step of EM behind it (tensorQTL's; an effect that was 0 stays
        0), or not at all.
    null_threshold
        An effect whose log Bayes factor is not above this is given variance 0.

    Examples
    --------
    >>> import numpy as np
    >>> found = single_effect(np.array([60.0, 5.0]), np.array([100.0, 100.0]), 1.0, 0.2,
    ...                       np.log([0.5, 0.5]))
    >>> found.alpha.round(4).tolist()
    [1.0, 0.0]
    """
    # z² of each variant, and how much of the effect's variance is noise: all that V needs.
    safe = np.where(diagonal > 0, diagonal, 1.0)
    noise = residual_variance / safe
    z2 = np.where(diagonal > 0, (xtr / safe) ** 2 / noise, 0.0)
    noise = np.where(diagonal > 0, noise, np.inf)
    if method == "likelihood":
        prior_variance = _best_prior_variance(z2, noise, prior_variance, log_prior, null_threshold)
    log_bf = _log_bayes_factors(z2, noise, prior_variance)
    joint = log_bf + log_prior
    model = _log_sum_exp(joint)
    shrunk = prior_variance / (prior_variance + noise)
    mean = shrunk * np.where(diagonal > 0, xtr / safe, 0.0)
    # V noise / (V + noise), written so that it stays V where noise is infinite.
    second_moment = prior_variance * (1.0 - shrunk) + mean**2
    alpha = np.exp(joint - model)
    if method == "em":
        prior_variance = float(alpha @ second_moment)
        gained = _log_sum_exp(_log_bayes_factors(z2, noise, prior_variance) + log_prior)
        prior_variance = prior_variance if gained > null_threshold else 0.0
    return SingleEffect(alpha, mean, second_moment, log_bf, model, prior_variance)


def _log_bayes_factors(z2: Floats, noise: Floats, prior_variance: float | Floats) -> Floats:
    """Give Wakefield's (2009) log Bayes factor of each variant against no effect."""
    ratio = prior_variance / noise
    return np.asarray(0.5 * (z2 * ratio / (1.0 + ratio) - np.log1p(ratio)), dtype=np.float64)


def _best_prior_variance(
    z2: Floats, noise: Floats, current: float, log_prior: Floats, null_threshold: float
) -> float:
    def log_bf(log_variance: float) -> float:
        return _log_sum_exp(_log_bayes_factors(z2, noise, np.exp(log_variance)) + log_prior)

    informed = np.isfinite(noise)
    # A variant's Bayes factor rises until V / noise = z² - 1, so no optimum lies above the largest.
    highest = float(np.max((z2[informed] - 1.0) * noise[informed], initial=0.0))
    if highest <= 0:
        return 0.0
    grid = np.log(highest) + np.linspace(np.log(_LEAST_SHARE), 0.0, _GRID_POINTS)
    factors = _log_bayes_factors(z2, noise, np.exp(grid)[:, None])
    values = logsumexp(factors + log_prior, axis=1)
    top = int(np.argmax(values))
    # Most effects of a region are none. Between two points of the grid little can be gained.
    if values[top] <= 0.5 * null_threshold:
        return 0.0
    around = (grid[max(top - 1, 0)], grid[min(top + 1, _GRID_POINTS - 1)])
    found = minimize_scalar(
        lambda x: -log_bf(x), bounds=around, method="bounded", options={"xatol": 1e-5}
    )
    best, value = float(np.exp(found.x)), -float(found.fun)
    if current > 0 and (before := log_bf(float(np.log(current)))) > value:
        best, value = current, before
    return best if value > null_threshold else 0.0


def _log_sum_exp(values: Floats) -> float:
    highest = float(values.max())
    return highest + float(np.log(np.exp(values - highest).sum()))
