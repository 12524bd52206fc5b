"""SuSiE: a regression as a sum of single effects (Wang et al. 2020; Zou et al. 2022)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
from pydantic import Field

from exprimo.core.config import Config
from exprimo.core.errors import ConfigError, MismatchError
from exprimo.genetics.finemap.credible_sets import (
    CredibleSet,
    credible_sets,
    inclusion_probabilities,
)
from exprimo.genetics.finemap.evidence import (
    Evidence,
    evidence_of_people,
    evidence_of_summary,
)
from exprimo.genetics.finemap.single_effect import PriorMethod, SingleEffect, single_effect

Floats = npt.NDArray[np.float64]

# An effect of smaller prior variance is none.
_NO_VARIANCE = 1e-9
# Share of the trait's variance below which a residual variance is taken for a failed fit.
_LEAST_RESIDUAL = 1e-4


class SusieSettings(Config):
    """How SuSiE fits, and what makes a credible set."""

    effects: int = Field(10, ge=1)
    """Largest number of causal variants of a region (L)."""
    coverage: float = Field(0.95, gt=0, le=1)
    """Probability that a credible set holds its causal variant."""
    min_purity: float = Field(0.5, ge=0, le=1)
    """Smallest absolute correlation between two variants of a credible set."""
    scaled_prior_variance: float = Field(0.2, gt=0)
    """First guess of an effect's variance, as a share of the trait's."""
    prior_method: PriorMethod = "likelihood"
    """How each effect's variance is fitted: likelihood, em (tensorQTL's way; an effect that was
    given up never comes back, so real ones are sometimes missed), or fixed."""
    null_threshold: float = Field(0.1, ge=0)
    """Log Bayes factor that an effect must exceed, or its variance becomes 0. At 0 (susieR's
    default) effects of almost no variance remain, spread over all variants, and inflate PIPs.
    Above 0 effects also form without it first, and the fit of the higher bound is taken."""
    estimate_residual_variance: bool = True
    """Whether the noise is fitted, where the evidence allows it."""
    tolerance: float = Field(1e-3, gt=0)
    """Rise of the ELBO below which the fit has converged."""
    max_iterations: int = Field(100, ge=1)
    """Largest number of passes over the effects."""


Program = Literal["tensorqtl", "susier"]

PRESETS: Mapping[Program, Mapping[str, Any]] = {
    "tensorqtl": {"prior_method": "em", "null_threshold": 0.0},
    "susier": {"prior_method": "likelihood", "null_threshold": 0.0},
}
"""Settings that give the numbers of another program; what they leave out is the default."""


def preset(program: Program | None) -> dict[str, Any]:
    """Give the settings that give another program's numbers; of None, none.

    Examples
    --------
    >>> SusieSettings(**preset("tensorqtl")).prior_method
    'em'
    """
    if program is None:
        return {}
    if program not in PRESETS:
        raise ConfigError("no such preset", found=program, expected=", ".join(PRESETS))
    return dict(PRESETS[program])


class Susie(NamedTuple):
    """A fine-mapped region.

    Attributes
    ----------
    pip
        (variants,): probability of being causal.
    sets
        Credible sets, by effect.
    alpha, mean, second_moment
        (effects, variants): posterior of each effect.
    log_bf
        (effects, variants): log Bayes factor of each variant for each effect.
    log_bf_model
        (effects,).
    prior_variance
        (effects,): 0 where an effect is none.
    residual_variance
        Of the trait.
    effect
        (variants,): posterior mean, per unit of the variants as given.
    elbo
        After each pass; where weak effects were given up after all had formed, since then.
    converged
        Whether the last pass gained less than the tolerance.
    sets_dropped
        Credible sets left out because their variants are not in LD.
    """

    pip: Floats
    sets: tuple[CredibleSet, ...]
    alpha: Floats
    mean: Floats
    second_moment: Floats
    log_bf: Floats
    log_bf_model: Floats
    prior_variance: Floats
    residual_variance: float
    effect: Floats
    elbo: Floats
    converged: bool
    sets_dropped: int


def susie(
    variants: npt.ArrayLike,
    trait: npt.ArrayLike,
    *,
    covariates: int = 0,
    prior: npt.ArrayLike | None = None,
    settings: SusieSettings | None = None,
) -> Susie:
    """Fine-map a region from individual data.

    Parameters
    ----------
    variants
        (people, variants): dosages, missing ones filled in, covariates projected out.
    trait
        (people,): covariates projected out alike.
    covariates
        How many were projected out, beside the mean: each takes a degree of freedom.
    prior
        (variants,): relative prior probabilities of being causal; default: equal.
    settings
        See `SusieSettings`.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> x = rng.binomial(2, 0.3, (300, 40)).astype(float)
    >>> found = susie(x, x[:, 7] + rng.normal(size=300))
    >>> [s.variants.tolist() for s in found.sets], round(float(found.pip[7]), 3)
    ([[7]], 1.0)
    """
    seen = evidence_of_people(variants, trait, covariates=covariates)
    return fit_susie(seen, prior=prior, settings=settings)


def susie_rss(
    z: npt.ArrayLike,
    ld: npt.ArrayLike,
    n: float | None = None,
    *,
    in_sample: bool = False,
    shrink: float = 0.0,
    prior: npt.ArrayLike | None = None,
    settings: SusieSettings | None = None,
) -> Susie:
    """Fine-map a region from z-scores and LD; arguments as `evidence_of_summary` has them.

    Examples
    --------
    >>> found = susie_rss([7.0, 3.5, 0.2], [[1, 0.5, 0], [0.5, 1, 0], [0, 0, 1]], n=500)
    >>> [s.variants.tolist() for s in found.sets]
    [[0]]
    """
    seen = evidence_of_summary(z, ld, n, in_sample=in_sample, shrink=shrink)
    return fit_susie(seen, prior=prior, settings=settings)


def fit_susie(
    seen: Evidence,
    *,
    prior: npt.ArrayLike | None = None,
    settings: SusieSettings | None = None,
) -> Susie:
    """Fit by iterative Bayesian stepwise selection (Wang et al. 2020, algorithm 1).

    With a null threshold above 0 two fits are made, one that holds effects to it from the start and
    one that does so after all have formed without. That of the higher bound is given.
    """
    chosen = settings or SusieSettings()
    log_prior = _log_prior(prior, seen.n_variants)
    best = _converged(_Fit(seen, log_prior, chosen), chosen.null_threshold)
    if chosen.null_threshold > 0 and chosen.prior_method != "fixed":
        # While the others have not formed, an effect may seem to be none, and never form. Let all
        # form first, then give up those that stayed weak.
        formed = _converged(_Fit(seen, log_prior, chosen), 0.0)
        pruned = _converged(formed.fit, chosen.null_threshold)
        if pruned.elbo[-1] > best.elbo[-1] + chosen.tolerance:
            best = pruned
    return _result(*best, chosen)


class _Converged(NamedTuple):
    fit: _Fit
    elbo: Floats
    converged: bool


def _converged(fit: _Fit, null_threshold: float) -> _Converged:
    """Pass over the effects, from where the fit is, until the bound rises no more."""
    chosen = fit.settings
    elbo: list[float] = []
    converged = False
    while len(elbo) < chosen.max_iterations and not converged:
        fit.pass_over_effects(null_threshold)
        elbo.append(fit.elbo())
        converged = len(elbo) > 1 and elbo[-1] - elbo[-2] < chosen.tolerance
        if chosen.estimate_residual_variance and fit.seen.estimates_residual and not converged:
            fit.update_residual_variance()
    return _Converged(fit, np.array(elbo), converged)


class _Fit:
    """The state of a fit: one posterior an effect, and X'X times each effect's mean."""

    def __init__(self, seen: Evidence, log_prior: Floats, settings: SusieSettings) -> None:
        self.seen = seen
        self.log_prior = log_prior
        self.settings = settings
        has_n = seen.n > 1
        self.trait_variance = seen.yty / (seen.n - 1) if has_n else 1.0
        self.residual_variance = self.trait_variance
        # Without n effects are in units of z, where 50 is the prior variance of Zou et al. 2022.
        self.first_prior = settings.scaled_prior_variance * self.trait_variance if has_n else 50.0
        n_effects = min(settings.effects, seen.n_variants)
        self.effects: list[SingleEffect | None] = [None] * n_effects
        self.fitted = np.zeros((n_effects, seen.n_variants))
        self.kl = np.zeros(n_effects)

    def pass_over_effects(self, null_threshold: float) -> None:
        """Update every effect against what the others leave."""
        total = self.fitted.sum(axis=0)
        for at, before in enumerate(self.effects):
            total -= self.fitted[at]
            xtr = self.seen.xty - total
            effect = single_effect(
                xtr,
                self.seen.gram_diagonal,
                self.residual_variance,
                self.first_prior if before is None else before.prior_variance,
                self.log_prior,
                method=self.settings.prior_method,
                null_threshold=null_threshold,
            )
            mean = effect.alpha * effect.mean
            gain = float(xtr @ mean) - 0.5 * float(
                self.seen.gram_diagonal @ (effect.alpha * effect.second_moment)
            )
            self.kl[at] = gain / self.residual_variance - effect.log_bf_model
            self.fitted[at] = self.seen.gram_times(mean) if mean.any() else 0.0
            total += self.fitted[at]
            self.effects[at] = effect

    def done(self) -> list[SingleEffect]:
        """Give the effects; none is missing after the first pass."""
        return [effect for effect in self.effects if effect is not None]

    def expected_rss(self) -> float:
        """Give the expected residual sum of squares (Wang et al. 2020, eq. B.9)."""
        effects = self.done()
        means = np.array([effect.alpha * effect.mean for effect in effects])
        moments = sum(effect.alpha * effect.second_moment for effect in effects)
        total, fitted = means.sum(axis=0), self.fitted.sum(axis=0)
        own = float(np.einsum("ij,ij->", means, self.fitted))
        squares = self.seen.yty - 2 * float(self.seen.xty @ total) + float(total @ fitted)
        return squares - own + float(self.seen.gram_diagonal @ moments)

    def elbo(self) -> float:
        """Give the evidence lower bound."""
        variance = self.residual_variance
        likelihood = -0.5 * self.seen.n * np.log(2 * np.pi * variance)
        return float(likelihood - 0.5 * self.expected_rss() / variance - self.kl.sum())

    def update_residual_variance(self) -> None:
        """Set the noise to what the effects leave."""
        found = self.expected_rss() / self.seen.n
        self.residual_variance = max(found, _LEAST_RESIDUAL * self.trait_variance)


def _result(fit: _Fit, elbo: Floats, converged: bool, settings: SusieSettings) -> Susie:
    effects = fit.done()
    alpha = np.array([effect.alpha for effect in effects])
    mean = np.array([effect.mean for effect in effects])
    prior_variance = np.array([effect.prior_variance for effect in effects])
    prior_variance[prior_variance < _NO_VARIANCE] = 0.0
    log_bf_model = np.array([effect.log_bf_model for effect in effects])
    sets, n_impure = credible_sets(
        alpha,
        prior_variance,
        log_bf_model,
        fit.seen.ld,
        coverage=settings.coverage,
        min_purity=settings.min_purity,
    )
    return Susie(
        inclusion_probabilities(alpha, prior_variance),
        sets,
        alpha,
        mean,
        np.array([effect.second_moment for effect in effects]),
        np.array([effect.log_bf for effect in effects]),
        log_bf_model,
        prior_variance,
        float(fit.residual_variance),
        (alpha * mean).sum(axis=0) / fit.seen.scale,
        elbo,
        converged,
        n_impure,
    )


def _log_prior(prior: npt.ArrayLike | None, n_variants: int) -> Floats:
    if n_variants == 0:
        raise ConfigError("no variants to map", found=0, expected="at least one")
    if prior is None:
        return np.full(n_variants, -np.log(n_variants))
    weights = np.asarray(prior, dtype=np.float64)
    if weights.shape != (n_variants,):
        raise MismatchError(
            "prior and variants differ in number", found=weights.shape, expected=(n_variants,)
        )
    if not np.isfinite(weights).all() or (weights < 0).any() or weights.sum() <= 0:
        raise ConfigError("not prior weights", found="negative, missing or all 0", expected=">= 0")
    # A weight of 0 rules a variant out; its logarithm stays finite so that sums do.
    return np.asarray(np.log(np.maximum(weights / weights.sum(), 1e-300)), dtype=np.float64)
