"""Unequal classes: weights, or another choice of training rows. Training rows only.

Validation and test keep the classes as they are, so thresholds, metrics and calibration are about
the world. What is predicted after any of these is shifted towards the rare classes: scores rank as
well as before, but as probabilities they are too high for what is rare.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from exprimo.core.errors import ConfigError
from exprimo.models.baselines import ClassWeights
from exprimo.models.zoo import Imbalance, ModelSpec, Task
from exprimo.training.config import FitConfig

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]

# Keeps the draw of a member's rows apart from the draws of its epochs, which have three numbers.
_DOWNSAMPLING = 91


class Balance(NamedTuple):
    """What is done about unequal classes, and the training examples of each.

    ``counts`` is empty for a regression.
    """

    way: Imbalance
    counts: tuple[int, ...]
    gamma: float

    @property
    def loss_weights(self) -> Floats | None:
        """Weights in the training loss, (classes,); None: all count alike."""
        return class_weights(self.counts) if self.way == "class_weights" else None

    @property
    def validation_weights(self) -> Floats | None:
        """Weights that make classes count on validation as they do in training, (classes,)."""
        balanced = self.way in ("class_weights", "oversample", "downsample")
        return class_weights(self.counts) if balanced else None

    @property
    def focus(self) -> float | None:
        """The focal loss's gamma; None: plain cross-entropy."""
        return self.gamma if self.way == "focal" else None

    def shown(self, n_train: int) -> int:
        """Count the rows that one epoch shows."""
        if self.way == "oversample":
            return len(self.counts) * max(self.counts)
        return self.learned(n_train)

    def learned(self, n_train: int) -> int:
        """Count the different rows that a member learns from."""
        if self.way == "downsample":
            return len(self.counts) * min(self.counts)
        return n_train

    def baseline_weights(self) -> ClassWeights | None:
        """Give what a baseline weighs examples by, if anything."""
        choosing = self.validation_weights
        return None if choosing is None else ClassWeights(self.loss_weights, choosing)


def class_weights(counts: tuple[int, ...]) -> Floats:
    """Weigh each class by n / (classes * its examples), so that all weigh the same together.

    Examples
    --------
    >>> class_weights((90, 10)).round(3).tolist()
    [0.556, 5.0]
    """
    n_of = np.asarray(counts, dtype=np.float64)
    weights: Floats = n_of.sum() / (len(n_of) * n_of)
    return weights


def balance_of(
    target: npt.NDArray[np.float32], fit: FitConfig, task: Task, n_classes: int
) -> Balance:
    """Count the classes of the training part; ``n_classes`` is 2 for a binary target."""
    if task == "regression":
        return Balance("none", (), fit.focal_gamma)
    counts = np.bincount(target.astype(np.int64), minlength=n_classes)
    return Balance(fit.imbalance or "none", tuple(counts.tolist()), fit.focal_gamma)


def check_imbalance(way: Imbalance | None, spec: ModelSpec, task: Task) -> None:
    """Refuse a way that the target or the model has no use for."""
    if way is None or way == "none":
        return
    if task == "regression":
        raise ConfigError(
            "a regression has no classes to balance",
            record="fit.imbalance",
            found=way,
            expected="none",
            remedy="Leave it out, or choose a target of classes",
        )
    if spec.kind == "baseline" and way not in spec.imbalance:
        raise ConfigError(
            f"{spec.name} has no use for this",
            record="fit.imbalance",
            found=way,
            expected=", ".join(("none", *spec.imbalance)),
        )


def epoch_rows(
    balance: Balance,
    target: npt.NDArray[np.float32],
    generator: np.random.Generator,
    seed: int,
    member: int,
) -> Rows:
    """Choose the positions of the training part that one epoch shows, in no order.

    Parameters
    ----------
    target
        Classes of the training part, (rows,).
    generator
        That of the epoch: oversampling draws its repeats from it. Every example is there, those
        of smaller classes again, with replacement, up to the size of the largest.
    seed, member
        Downsampling keeps all of the smallest class and as many of each other: the same ones in
        every epoch, others in another member.

    Examples
    --------
    >>> target = np.array([0, 0, 0, 1], np.float32)
    >>> balance = Balance("oversample", (3, 1), 2.0)
    >>> np.sort(epoch_rows(balance, target, np.random.default_rng(0), 0, 0)).tolist()
    [0, 1, 2, 3, 3, 3]
    """
    every = np.arange(len(target), dtype=np.int64)
    if balance.way == "oversample":
        most = max(balance.counts)
        repeats = [
            generator.choice(np.flatnonzero(target == code), most - count)
            for code, count in enumerate(balance.counts)
        ]
        return np.concatenate([every, *repeats])
    if balance.way == "downsample":
        fixed = np.random.default_rng([seed, member, _DOWNSAMPLING, 0])
        least = min(balance.counts)
        kept = [
            fixed.choice(np.flatnonzero(target == code), least, replace=False)
            for code in range(len(balance.counts))
        ]
        return np.sort(np.concatenate(kept))
    return every
