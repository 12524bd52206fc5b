"""Credible sets: the fewest variants that hold a causal one with the probability asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]

# Purity of a larger set is judged on this many of its variants, evenly spaced: its LD matrix
# would be large, and a set of thousands is not pure anyway.
_PURITY_VARIANTS = 500


class CredibleSet(NamedTuple):
    """One set of variants that between them hold one causal variant.

    Attributes
    ----------
    effect
        Number of the effect (0-based) that it belongs to.
    variants
        Their places, the most probable first.
    coverage
        Probability that the causal variant of this effect is among them.
    purity
        Smallest absolute correlation between two of them.
    log_bf
        Log Bayes factor of the effect.
    """

    effect: int
    variants: Indices
    coverage: float
    purity: float
    log_bf: float


def credible_set(alpha: Floats, coverage: float) -> Indices:
    """Give the fewest variants whose probabilities reach ``coverage``, the most probable first.

    Examples
    --------
    >>> import numpy as np
    >>> credible_set(np.array([0.02, 0.5, 0.46, 0.02]), 0.95).tolist()
    [1, 2]
    """
    order = np.argsort(-alpha, kind="stable")
    # Rounding must not let a set that sums to 1 miss a coverage of 1.
    enough = np.cumsum(alpha[order]) >= coverage - 1e-12
    return order[: int(np.argmax(enough)) + 1] if enough.any() else order


def purity(chosen: Indices, ld: Callable[[Indices], Floats]) -> float:
    """Give the smallest absolute correlation among the chosen variants."""
    if len(chosen) > _PURITY_VARIANTS:
        chosen = chosen[np.linspace(0, len(chosen) - 1, _PURITY_VARIANTS).astype(np.intp)]
    return float(np.abs(ld(np.sort(chosen))).min()) if len(chosen) > 1 else 1.0


def credible_sets(
    alpha: Floats,
    prior_variances: Floats,
    log_bfs: Floats,
    ld: Callable[[Indices], Floats],
    *,
    coverage: float = 0.95,
    min_purity: float = 0.5,
) -> tuple[tuple[CredibleSet, ...], int]:
    """Make the sets of all effects; impure and repeated ones are left out.

    Parameters
    ----------
    alpha
        (effects, variants).
    prior_variances, log_bfs
        (effects,); an effect with prior variance 0 has no set.
    ld
        indices -> correlations among them.
    coverage, min_purity
        Probability that a set holds its causal variant; smallest absolute correlation allowed.

    Returns
    -------
    The sets, and how many were left out as impure.
    """
    found: list[CredibleSet] = []
    seen: set[tuple[int, ...]] = set()
    n_impure = 0
    for effect in np.flatnonzero(prior_variances > 0):
        chosen = credible_set(alpha[effect], coverage)
        key = tuple(sorted(chosen.tolist()))
        if key in seen:
            continue
        seen.add(key)
        pure = purity(chosen, ld)
        if pure < min_purity:
            n_impure += 1
            continue
        held = float(alpha[effect, chosen].sum())
        found.append(CredibleSet(int(effect), chosen, held, pure, float(log_bfs[effect])))
    return tuple(found), n_impure


def inclusion_probabilities(alpha: Floats, prior_variances: Floats) -> Floats:
    """Give each variant's probability of being causal for any effect (PIP), (variants,).

    Examples
    --------
    >>> import numpy as np
    >>> inclusion_probabilities(np.array([[0.5, 0.5], [0.5, 0.5]]), np.array([1.0, 1.0])).tolist()
    [0.75, 0.75]
    """
    used = alpha[prior_variances > 0]
    return np.asarray(1.0 - np.prod(1.0 - used, axis=0), dtype=np.float64)
