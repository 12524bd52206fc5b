"""Colocalisation of two traits by approximate Bayes factors (Giambartolomei et al. 2014).

Within a region each trait has at most one causal variant. Five hypotheses: none (H0), the first
trait alone (H1), the second alone (H2), both with different variants (H3), both with the same (H4).
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import logsumexp

from exprimo.core.errors import ConfigError, InputError, MismatchError

Floats = npt.NDArray[np.float64]
TraitKind = Literal["quantitative", "case-control"]

# Standard deviation of the effects of causal variants (Giambartolomei et al. 2014): of a trait's
# standard deviation, and of a log odds ratio.
_PRIOR_SD: dict[TraitKind, float] = {"quantitative": 0.15, "case-control": 0.20}


class Colocalisation(NamedTuple):
    """How two traits share a region.

    Attributes
    ----------
    h0, h1, h2, h3, h4
        Posterior probabilities of the five hypotheses; they sum to 1.
    shared
        (variants,): probability of being the shared variant, given H4.
    """

    h0: float
    h1: float
    h2: float
    h3: float
    h4: float
    shared: Floats


def log_bayes_factors(
    beta: npt.ArrayLike,
    se: npt.ArrayLike,
    *,
    kind: TraitKind = "quantitative",
    trait_sd: float = 1.0,
) -> Floats:
    """Give Wakefield's (2009) log approximate Bayes factor of each variant.

    Parameters
    ----------
    beta, se
        (variants,): effects (of cases against controls: log odds ratios) and standard errors.
    kind
        What sets how large effects are expected to be.
    trait_sd
        Standard deviation of a quantitative trait, in the units of ``beta``.

    Examples
    --------
    >>> log_bayes_factors([0.0, 0.5], [0.1, 0.1]).round(3).tolist()
    [-0.589, 8.065]
    """
    effects, errors = np.asarray(beta, np.float64), np.asarray(se, np.float64)
    if effects.shape != errors.shape or effects.ndim != 1:
        raise MismatchError(
            "effects and standard errors differ in number",
            found=f"{effects.shape} and {errors.shape}",
        )
    if not (np.isfinite(effects).all() and np.isfinite(errors).all() and (errors > 0).all()):
        raise InputError(
            "effects or standard errors that are no numbers",
            found=f"{int((~np.isfinite(effects)).sum())} effects, "
            f"{int((~(errors > 0)).sum())} standard errors",
            expected="finite effects, standard errors above 0",
        )
    if kind not in _PRIOR_SD:
        raise ConfigError(
            "not a kind of trait", found=repr(kind), expected="quantitative or case-control"
        )
    if not trait_sd > 0:
        raise ConfigError("not a standard deviation", record="trait_sd", found=trait_sd)
    prior = (_PRIOR_SD[kind] * (trait_sd if kind == "quantitative" else 1.0)) ** 2
    shrunk = prior / (prior + errors**2)
    return np.asarray(0.5 * (np.log1p(-shrunk) + shrunk * (effects / errors) ** 2))


def standard_errors_of(
    size: npt.ArrayLike, maf: npt.ArrayLike, n: npt.ArrayLike, *, case_share: float | None = None
) -> tuple[Floats, Floats]:
    """Give |effects| and standard errors where a table has only p-values, MAF and n.

    ``size`` is |z|, which a p-value tells. The trait has variance 1; for cases and controls
    ``case_share`` is the share of cases, and the variance that of a log odds ratio.

    Examples
    --------
    >>> beta, se = standard_errors_of([5.45], [0.5], [1000])
    >>> round(float(se[0]), 4), round(float(beta[0] / se[0]), 2)
    (0.0447, 5.45)
    """
    frequency = np.asarray(maf, np.float64)
    variance = 1.0 / (2.0 * np.asarray(n, np.float64) * frequency * (1.0 - frequency))
    if case_share is not None:
        variance = variance / (case_share * (1.0 - case_share))
    se = np.sqrt(variance)
    return np.asarray(size, np.float64) * se, se


def trait_sd_of(se: npt.ArrayLike, maf: npt.ArrayLike, n: npt.ArrayLike) -> float:
    """Estimate a quantitative trait's standard deviation from errors, MAF and n.

    A variant's standard error is sd / sqrt(2 n maf (1 - maf)), where it explains little; this is
    the least-squares slope of 2 n maf (1 - maf) on 1 / se².

    Examples
    --------
    >>> round(trait_sd_of([0.2, 0.1], [0.5, 0.5], [50, 200]), 6)
    1.0
    """
    errors, frequency = np.asarray(se, np.float64), np.asarray(maf, np.float64)
    information = 2.0 * np.asarray(n, np.float64) * frequency * (1.0 - frequency)
    precision = 1.0 / errors**2
    return float(np.sqrt(np.sum(information * precision) / np.sum(precision**2)))


def colocalise_factors(
    first: npt.ArrayLike,
    second: npt.ArrayLike,
    *,
    p1: float = 1e-4,
    p2: float = 1e-4,
    p12: float = 1e-5,
) -> Colocalisation:
    """Weigh the five hypotheses from log Bayes factors of the same variants.

    Parameters
    ----------
    first, second
        (variants,): log Bayes factors of each trait, in one order. Those of single effects of
        SuSiE give the colocalisation of each pair of signals (Wallace 2021).
    p1, p2, p12
        Prior probability that a variant is causal for the first trait alone, the second alone,
        and for both.

    Examples
    --------
    >>> found = colocalise_factors([20.0, 0.0, 0.0], [20.0, 0.0, 0.0])
    >>> round(found.h4, 3), found.shared.round(3).tolist()
    (1.0, [1.0, 0.0, 0.0])
    """
    one, two = np.asarray(first, np.float64), np.asarray(second, np.float64)
    if one.shape != two.shape or one.ndim != 1:
        raise MismatchError("two traits with other variants", found=f"{one.shape} and {two.shape}")
    if not len(one):
        raise InputError("no variant in common", found=0, expected="at least one")
    _refuse_priors(p1, p2, p12, len(one))
    both = one + two
    sum_one, sum_two, sum_both = (float(logsumexp(x)) for x in (one, two, both))
    logs = np.array(
        [
            0.0,
            np.log(p1) + sum_one,
            np.log(p2) + sum_two,
            np.log(p1) + np.log(p2) + _log_difference(sum_one + sum_two, sum_both),
            np.log(p12) + sum_both,
        ]
    )
    posterior = np.exp(logs - logsumexp(logs))
    h0, h1, h2, h3, h4 = (float(value) for value in posterior)
    return Colocalisation(h0, h1, h2, h3, h4, np.exp(both - sum_both))


def _log_difference(larger: float, smaller: float) -> float:
    """Give log(exp(larger) - exp(smaller)); of one variant nothing is left."""
    gap = smaller - larger
    return larger + float(np.log1p(-np.exp(gap))) if gap < -1e-15 else -np.inf


def _refuse_priors(p1: float, p2: float, p12: float, n_variants: int) -> None:
    total = n_variants * (p1 + p2 + p12) + n_variants * (n_variants - 1) * p1 * p2
    if min(p1, p2, p12) <= 0 or total >= 1:
        raise ConfigError(
            "priors that leave nothing to the other hypotheses",
            found=f"p1 {p1}, p2 {p2}, p12 {p12} of {n_variants:,} variants",
            expected="each above 0, and their sum over all variants below 1",
            remedy="Use a smaller region or smaller priors",
        )
