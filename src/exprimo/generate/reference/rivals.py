"""The rivals of a generator by name, each fitted on the training sequences alone."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from exprimo.core.sequence import Codes
from exprimo.features.shuffles import dinucleotide_shuffle
from exprimo.generate.reference.markov import MarkovModel

Rival = Callable[[int, np.random.Generator], Codes]
"""(n, generator of numbers) -> n sequences, (n, length)."""

SHUFFLE = "dinucleotide shuffle"
_MARKOV = {
    "Markov 4": (4, False),
    "Markov 5": (5, False),
    "Markov 4 by position": (4, True),
    "Markov 5 by position": (5, True),
}
RIVALS = (SHUFFLE, *_MARKOV)


def fit_rivals(training: Codes) -> dict[str, Rival]:
    """Fit every rival on training sequences (n, length) without N.

    Examples
    --------
    >>> rivals = fit_rivals(np.random.default_rng(0).integers(0, 4, (50, 12)).astype(np.uint8))
    >>> tuple(rivals) == RIVALS, rivals["Markov 4"](3, np.random.default_rng(1)).shape
    (True, (3, 12))
    """
    rivals: dict[str, Rival] = {SHUFFLE: partial(_shuffled, training)}
    for name, (order, by_position) in _MARKOV.items():
        rivals[name] = MarkovModel.fit(training, order=order, by_position=by_position).sample
    return rivals


def _shuffled(training: Codes, n: int, rng: np.random.Generator) -> Codes:
    """Shuffle training sequences drawn without replacement, as far as they go."""
    chosen = rng.choice(len(training), n, replace=n > len(training))
    seeds = rng.integers(0, 2**31, n)
    shuffled = [
        dinucleotide_shuffle(training[row], 1, int(seed))
        for row, seed in zip(chosen, seeds, strict=True)
    ]
    return np.concatenate(shuffled)
