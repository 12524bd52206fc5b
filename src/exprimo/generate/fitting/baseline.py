"""What a generator must beat: bases drawn at random, as often as in training."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from exprimo.core.sequence import Codes
from exprimo.generate.material import TrainingSequences

LEAST_GAIN = 0.001
"""Nats per base; a watched loss that is lower by less has learned nothing that could be told."""


def random_loss(sequences: TrainingSequences) -> float | None:
    """Give the loss of drawing bases at random with the training composition, nats per base.

    It is the cross-entropy of the watched examples, as a family's own loss is; None where nothing
    is watched.
    """
    if not len(sequences.watched):
        return None
    of = sequences.sequence_of
    learned = _composition(sequences.codes[of[sequences.learned]])
    watched = _composition(sequences.codes[of[sequences.watched]])
    return float(-(watched * np.log(learned)).sum())


def _composition(codes: Codes) -> npt.NDArray[np.float64]:
    # One of each is added, so that a base which training lacks has a probability.
    counts = np.bincount(codes.ravel(), minlength=4) + 1.0
    shares: npt.NDArray[np.float64] = counts / counts.sum()
    return shares


def loss_notes(watched: float | None, by_chance: float | None) -> list[str]:
    """Say where a watched loss is no lower than that of bases drawn at random.

    Examples
    --------
    >>> loss_notes(1.331, 1.355), loss_notes(None, None)
    ([], [])
    >>> loss_notes(1.386, 1.384)
    ['no better than drawing bases at random: give it more steps or minutes']
    """
    if watched is None or by_chance is None or by_chance - watched >= LEAST_GAIN:
        return []
    return ["no better than drawing bases at random: give it more steps or minutes"]
