"""Add generated positives behind the training part: how many, which, and what is told of it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from exprimo.core.dataset import Dataset, TargetInfo
from exprimo.core.dataset.generated import Generated
from exprimo.core.errors import ConfigError, InputError
from exprimo.core.ledger import Ledger, keys_of
from exprimo.core.split import Split
from exprimo.training.augmentation.sample import (
    Positives,
    find_positives,
    held_out_keys,
    open_sample,
    read_sample,
    refuse_leaks,
)
from exprimo.training.batches import Rows
from exprimo.training.config import AugmentConfig, FitConfig, TrainConfig
from exprimo.training.objective.cut import Cut

# Keeps the draw apart from those of the epochs, which have three numbers.
_STREAM = 83


class Classes(NamedTuple):
    """The binary target of a run, and its values in the training part, (rows,)."""

    info: TargetInfo
    cut: Cut | None
    train: npt.NDArray[np.float32]


class Augmentation(NamedTuple):
    """Generated positives behind the examples of a dataset.

    Attributes
    ----------
    rows
        Their numbers in the dataset, above those of its examples.
    n_behind
        How many sequences stand behind the examples, learned from or not.
    ledger
        What their generator learned from.
    keys
        Hashes of the sequences that are learned from.
    facts
        What metrics tell of it.
    generator
        What provenance tells besides: how the generator was made, and what was asked of it.
    """

    rows: Rows
    n_behind: int
    ledger: Ledger
    keys: frozenset[str]
    facts: Mapping[str, Any]
    generator: Mapping[str, Any]

    def values(self, real: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Put the classes of generated rows behind those of the examples; NaN if not used."""
        behind = np.full(self.n_behind, np.nan, np.float32)
        behind[self.rows - len(real)] = 1
        return np.concatenate([real, behind])


def augment(
    dataset: Dataset,
    config: TrainConfig,
    split: Split,
    inputs: tuple[str, ...],
    classes: Classes,
) -> Augmentation | None:
    """Open the sample that the settings name and put it behind the dataset; None without one.

    Parameters
    ----------
    dataset
        Learned from; its ``sequence`` has the sample's behind it afterwards.
    inputs
        What the model reads.
    classes
        The target; the training part's values after ``fit.fraction``.
    """
    if config.augment.sample is None:
        return None
    _refuse_what_cannot_be_generated(config.model, inputs, classes)
    _refuse_second_balance(config.fit)
    sample = open_sample(config.augment.sample)
    try:
        stamp = read_sample(config.augment, sample, dataset)
        held = held_out_keys(dataset, split)
        refuse_leaks(stamp, sample, held, split)
        positives = find_positives(sample, classes.info, classes.cut, held)
        needed = _needed(config.augment, classes.train, sample)
        _refuse_too_few(positives, needed, stamp, sample)
        order = np.random.default_rng([config.seed, _STREAM]).permutation(positives.rows)
        chosen = np.sort(order[:needed])
        rows = dataset.extend("sequence", sample)[chosen]
    except BaseException:
        sample.close()
        raise
    return Augmentation(
        rows,
        len(sample),
        stamp.ledger,
        keys_of(sample, chosen)["sequence"],
        _facts(config.augment, stamp, sample, classes.train, positives, needed),
        stamp.generator,
    )


def check_sample(config: AugmentConfig, dataset: Dataset, split: Split) -> None:
    """Refuse, before anything is trained, a sample that no model may learn from."""
    if config.sample is None:
        return
    with open_sample(config.sample) as sample:
        stamp = read_sample(config, sample, dataset)
        refuse_leaks(stamp, sample, held_out_keys(dataset, split), split)


def _refuse_what_cannot_be_generated(model: str, inputs: tuple[str, ...], classes: Classes) -> None:
    info = classes.info
    if info.kind == "multiclass" or (info.kind == "regression" and classes.cut is None):
        raise ConfigError(
            "only a target of two classes has positives to add",
            record=info.name,
            found=info.kind,
            expected="classification",
            remedy="Cut a continuous target with --above, or leave the augmentation out",
        )
    if inputs != ("sequence",):
        raise ConfigError(
            f"{model} reads more than a generated sequence has"
            if inputs
            else f"{model} reads nothing, so sequences add nothing",
            record="augment.sample",
            found=", ".join(inputs) or "no input",
            expected="sequence alone",
            remedy="Choose a model of sequences, such as cnn or kmer_linear",
        )


def _refuse_second_balance(fit: FitConfig) -> None:
    if fit.imbalance not in (None, "none"):
        raise ConfigError(
            "two ways at once against unequal classes",
            record="fit.imbalance",
            found=f"{fit.imbalance} and augment.sample",
            expected="one of them, so that it can be told which one helped",
            remedy="Leave one out: --set fit.imbalance=none, or no --augment",
        )


def _needed(config: AugmentConfig, train: npt.NDArray[np.float32], sample: Dataset) -> int:
    """Say how many positives the training part lacks for the ratio."""
    n_positive = int((train == 1).sum())
    n_negative = len(train) - n_positive
    needed = round(config.ratio * n_negative) - n_positive
    if needed <= 0:
        raise ConfigError(
            "the training part has that many positives already",
            file=sample.path,
            record="augment.ratio",
            found=f"{n_positive:,} positives and {n_negative:,} negatives, a ratio of "
            f"{n_positive / n_negative:.3g}",
            expected=f"a ratio above that; asked for is {config.ratio:g}",
            remedy="Ask for a larger --ratio, or leave the augmentation out",
        )
    return needed


def _refuse_too_few(positives: Positives, needed: int, stamp: Generated, sample: Dataset) -> None:
    usable = len(positives.rows)
    if usable >= needed:
        return
    asked = stamp.generator.get("asked") or {}
    targeted = positives.other > 0 or asked.get("target") is not None
    option = f" --target {positives.usual}" if targeted else ""
    # As many again are left out of a larger sample, in proportion.
    share = usable / (usable + positives.equal)
    n = math.ceil(needed / share) if usable else needed
    left = [f"{positives.other:,} asked for otherwise"] if positives.other else []
    left += [f"{positives.equal:,} equal to held-out ones"] if positives.equal else []
    aside = f" ({'; '.join(left)})" if left else ""
    raise InputError(
        "too few generated positives for the ratio",
        file=sample.path,
        found=f"{usable:,} of {len(sample):,}{aside}",
        expected=f"{needed:,}",
        remedy=f"Draw more: exprimo generate sample {stamp.generator.get('path', 'GEN')} "
        f"-n {n}{option} -o S.h5. Or ask for a smaller --ratio",
    )


def _facts(
    config: AugmentConfig,
    stamp: Generated,
    sample: Dataset,
    train: npt.NDArray[np.float32],
    positives: Positives,
    n: int,
) -> dict[str, Any]:
    n_positive = int((train == 1).sum())
    return {
        "sample": str(sample.path.resolve()),
        "sha256": sample.sha256,
        "family": str(stamp.generator.get("family", "")),
        "fidelity": stamp.fidelity,
        "insist": config.insist,
        "ratio": config.ratio,
        "n": n,
        "n_positive": n_positive,
        "n_negative": len(train) - n_positive,
        "n_usable": len(positives.rows),
        "n_asked_otherwise": positives.other,
        "n_equal_to_held_out": positives.equal,
    }
