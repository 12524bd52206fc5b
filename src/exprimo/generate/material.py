"""What a generator learns from: training examples only, checked before any work is done."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from exprimo.core.dataset import Dataset, TargetInfo
from exprimo.core.dataset.generated import taught_before
from exprimo.core.errors import ConfigError, InputError, MismatchError
from exprimo.core.ledger import Ledger, keys_of
from exprimo.core.sequence import N_CODE, Codes
from exprimo.core.split import Split
from exprimo.generate.conditioning import Conditioning, Label, class_names
from exprimo.generate.config import USUAL_WATCH, GenerateConfig
from exprimo.generate.held_out import held_out_facts
from exprimo.splits import make_split
from exprimo.training.material import thin
from exprimo.training.recorded import split_like

FEWEST = 100
"""Sequences without which there is nothing to learn a distribution from."""
FEWEST_OF_CLASS = 30
_MOST_WITH_N = 0.1
_CHUNK = 4096

Rows = npt.NDArray[np.int64]


class TrainingSequences(NamedTuple):
    """What a generator learns from.

    Attributes
    ----------
    codes
        Distinct sequences, (n, length) codes A, C, G, T = 0..3.
    sequence_of
        The row of ``codes`` of each example, (examples,).
    values
        What each example's target is, (examples,), in its own units; None without a condition.
    conditioning
        What sequences can be asked for by.
    rows
        The examples in the dataset, (examples,), for the ledger.
    watched
        Positions among the examples that are watched and not learned from.
    label
        The class that all sequences share, where only one was wanted.
    notes
        How many were left out, how many are held out, and what a user should know of both.
    """

    codes: Codes
    sequence_of: Rows
    values: npt.NDArray[np.float32] | None
    conditioning: Conditioning
    rows: Rows
    watched: Rows
    label: Label | None
    notes: dict[str, Any]

    @property
    def learned(self) -> Rows:
        """Positions among the examples that are learned from, in order.

        Without a condition an example adds nothing to its sequence, which then counts once.
        """
        positions = np.setdiff1d(np.arange(len(self.sequence_of)), self.watched)
        if self.values is not None:
            return positions
        _, first = np.unique(self.sequence_of[positions], return_index=True)
        return positions[np.sort(first)]


def find_split(dataset: Dataset, config: GenerateConfig) -> Split:
    """Take the split of the Run that is named, or make one as training does."""
    if config.like is not None:
        return split_like(config.like, dataset)
    wanted = config.split
    return make_split(
        dataset,
        None if wanted.strategy == "auto" else wanted.strategy,
        seed=wanted.seed,
        fractions=wanted.fractions,
        test_chroms=wanted.test_chroms,
        val_chroms=wanted.val_chroms,
        test_cells=wanted.test_cells,
        val_cells=wanted.val_cells,
    )


def gather(dataset: Dataset, config: GenerateConfig, split: Split) -> TrainingSequences:
    """Collect the training part's sequences, those of a class or with a value if so wanted.

    A sequence with N is set aside and counted; many of them are refused, and so are sequences of
    mixed lengths (which a dataset holds padded with N) and too few of them.
    """
    if "sequence" not in dataset.inputs:
        raise MismatchError(
            "a generator learns sequences, and this dataset has none",
            file=dataset.path,
            found=", ".join(dataset.inputs),
        )
    rows = split.rows("train")
    info = _target(dataset, config)
    values = None if info is None else dataset.target(info.name)
    if values is not None:
        rows = rows[~np.isnan(values[rows])]
    label = None
    if info is not None and values is not None and config.label is not None:
        label = _label(dataset, info, config.label)
        rows = rows[values[rows] == label.number]
    rows, codes, index, with_n = _known(dataset, rows)
    _refuse_too_few(dataset, len(codes), config.label, with_n)
    values = None if values is None or config.condition is None else values[rows]
    conditioning = _conditioning(dataset, info if config.condition else None, values)
    watch = USUAL_WATCH if config.fit.watch is None else config.fit.watch
    kept = thin(rows, split, 1 - watch, config.seed)
    return TrainingSequences(
        codes,
        index,
        values,
        conditioning,
        rows,
        np.flatnonzero(~np.isin(rows, kept)),
        label,
        {"set_aside_with_n": with_n, **held_out_facts(dataset, split, info, label)},
    )


def ledger_of(dataset: Dataset, sequences: TrainingSequences) -> Ledger:
    """Record what a generator learned from; what was watched chose its weights."""
    learned = {"generator": keys_of(dataset, np.delete(sequences.rows, sequences.watched))}
    if len(sequences.watched):
        learned["generator's choice of weights"] = keys_of(
            dataset, sequences.rows[sequences.watched]
        )
    if sequences.conditioning.kind != "none":
        learned["generator's condition"] = keys_of(dataset, sequences.rows)
    # What was generated carries on what its own generator learned from.
    return Ledger(learned).merged(taught_before(dataset.path))


def refuse_leaks(ledger: Ledger, dataset: Dataset, split: Split) -> None:
    """Refuse a generator that would learn from what the split's test part holds."""
    ledger.check(
        keys_of(dataset, split.rows("test")),
        split.held_out,
        remedy="Learn from a split that keeps equal examples on one side: --split homology, or "
        "--like a run that was trained without --allow-leak",
    )


def _target(dataset: Dataset, config: GenerateConfig) -> TargetInfo | None:
    if config.condition is not None:
        return dataset.the_target(config.condition)
    return None if config.label is None else dataset.the_target(config.target)


def _label(dataset: Dataset, info: TargetInfo, label: str) -> Label:
    if info.kind == "regression":
        raise ConfigError(
            "a label names a class, and this target has values",
            file=dataset.path,
            record=info.name,
            found=f"label {label}",
            remedy=f"Ask by its values instead: --condition {info.name}",
        )
    names = class_names(info)
    if label not in names:
        raise ConfigError(
            "no such class", file=dataset.path, record=info.name, found=label,
            expected=", ".join(names),
        )  # fmt: skip
    return Label(info.name, float(names.index(label)), names)


def _known(dataset: Dataset, rows: Rows) -> tuple[Rows, Codes, Rows, int]:
    """Read the distinct sequences of some examples; set aside those with N.

    Returns
    -------
    rows, codes, index, with_n
        Examples that are left, their distinct sequences, which of them each has, and how many
        distinct sequences were set aside.
    """
    stored = dataset.index("sequence")[rows]
    distinct = np.unique(stored)
    chunks = []
    for start in range(0, dataset.inputs["sequence"].n_distinct, _CHUNK):
        wanted = distinct[(distinct >= start) & (distinct < start + _CHUNK)] - start
        if len(wanted):
            chunks.append(dataset.distinct("sequence", start, start + _CHUNK)[wanted])
    length = dataset.inputs["sequence"].shape[0]
    codes = np.concatenate(chunks) if chunks else np.empty((0, length), np.uint8)
    whole = np.asarray((codes < N_CODE).all(axis=1))
    _refuse_unknown(dataset.path, codes, whole)
    place = np.full(dataset.inputs["sequence"].n_distinct, -1, np.int64)
    place[distinct[whole]] = np.arange(int(whole.sum()))
    index = place[stored]
    return rows[index >= 0], codes[whole], index[index >= 0], int((~whole).sum())


def _refuse_unknown(file: Path, codes: Codes, whole: npt.NDArray[np.bool_]) -> None:
    """Refuse sequences of mixed lengths, and where more than a tenth have an N."""
    odd = codes[~whole]
    if len(odd) <= _MOST_WITH_N * len(codes):
        return
    known = odd < N_CODE
    length = codes.shape[1]
    ends = np.argmax(known, axis=1) + np.argmax(known[:, ::-1], axis=1)
    inside = length - ends
    # What is known from its first to its last base was a shorter sequence.
    shorter = (known.sum(axis=1) == inside) & (ends > 0)
    if shorter.mean() > 0.5:
        least, most = int(inside[shorter].min()), int(inside[shorter].max())
        bases = f"{least}" if least == most else f"{least} to {most}"
        raise InputError(
            "sequences of mixed lengths",
            file=file,
            found=f"{int(shorter.sum()):,} of {len(codes):,} have {bases} bases between N",
            expected=f"{length} bases in each",
            remedy="Cut all sequences to one length, or keep those of one length",
        )
    raise InputError(
        "too many sequences with unknown bases",
        file=file,
        found=f"N in {len(odd):,} of {len(codes):,} training sequences",
        expected=f"at most {_MOST_WITH_N:.0%}; those few are set aside",
        remedy="Leave such sequences out of the dataset, or build it from a better assembly",
    )


def _refuse_too_few(dataset: Dataset, n: int, label: str | None, with_n: int) -> None:
    if n < FEWEST:
        of_label = "" if label is None else f" of class {label}"
        aside = f"; {with_n:,} with N are set aside" if with_n else ""
        raise InputError(
            "too few sequences to learn from",
            file=dataset.path,
            found=f"{n:,} distinct sequences{of_label} in the training part{aside}",
            expected=f"at least {FEWEST}",
            remedy=f"Bring {FEWEST - n:,} more, or give training a larger share of the split",
        )


def _conditioning(
    dataset: Dataset, info: TargetInfo | None, values: npt.NDArray[np.float32] | None
) -> Conditioning:
    if info is None or values is None:
        return Conditioning()
    if info.kind == "regression":
        if np.ptp(values) == 0:
            raise InputError(
                "the condition has one value only",
                file=dataset.path,
                record=info.name,
                found=f"{values[0]:g} in all training examples",
            )
        return Conditioning.of_values(info.name, values)
    found = Conditioning.of_classes(info, values)
    for name, count in zip(found.classes, found.spread, strict=True):
        if count < FEWEST_OF_CLASS:
            raise InputError(
                "too few sequences of a class to learn from",
                file=dataset.path,
                record=f"{info.name} {name}",
                found=f"{count:.0f} training examples",
                expected=f"at least {FEWEST_OF_CLASS}",
                remedy=f"Bring {FEWEST_OF_CLASS - count:.0f} more, or choose another condition",
            )
    return found
