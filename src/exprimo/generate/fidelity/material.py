"""Who is compared: generated, training and held-out real sequences, told apart by the ledger."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from exprimo.core.dataset import Dataset
from exprimo.core.errors import ConfigError, InputError, LeakError, MismatchError
from exprimo.core.ledger import Ledger, keys_of
from exprimo.core.sequence import Codes, canonical_hashes
from exprimo.core.split import Split
from exprimo.generate.conditioning import class_names
from exprimo.generate.config import GenerateConfig
from exprimo.generate.fidelity.memorisation.gate import FEWEST
from exprimo.generate.fidelity.reading import (
    Distinct,
    Rows,
    Sample,
    distinct_sequences,
    read_sample,
    refuse_other_length,
)
from exprimo.generate.folder import Generator
from exprimo.generate.held_out import FEWEST_HELD_OUT
from exprimo.generate.material import find_split

_CHUNK = 4096


class Material(NamedTuple):
    """What is compared.

    Attributes
    ----------
    sample
        The generated sequences.
    training
        Distinct training sequences, (training, length): of these there may be copies.
    alike
        Those of them that rivals are fitted on: of the class that was asked for, else all.
    held_out
        Distinct held-out real sequences, of the same class, (held out, length).
    held_keys
        Hash of each, the same on both strands, (held out,).
    held_group
        Homology group or other unit of each, (held out,).
    held_values
        The target that sequences were asked by, of each, or None.
    ledger
        What the generator learned from.
    units
        What the split holds out.
    told
        Facts for the reader: split, class, where the ledger comes from.
    """

    sample: Sample
    training: Codes
    alike: Codes
    held_out: Codes
    held_keys: npt.NDArray[np.str_]
    held_group: npt.NDArray[np.int64]
    held_values: npt.NDArray[np.float32] | None
    ledger: Ledger
    units: tuple[str, ...]
    told: dict[str, str | int]


class Named(NamedTuple):
    """How the split was named: a generator's folder, a Run, or a strategy and its seed."""

    generator: Path | None
    like: Path | None
    split: str | None
    seed: int


def gather_material(sample: str | Path, dataset: str | Path, named: Named) -> Material:
    """Read both files and tell training from held-out sequences."""
    read = read_sample(sample)
    generator = _generator(read, named)
    with Dataset.open(dataset) as data:
        refuse_other_length(read, data)
        split = _split(data, named, generator)
        ledger = _ledger(data, split, read, generator)
        held = np.sort(np.concatenate([split.rows("val"), split.rows("test")]))
        _refuse_leaks(data, ledger, split, held)
        training = _learned(data, ledger, whole=bool(read.stamp or generator))
        column, wanted = _class(data, read, generator)
        alike = training if column is None else _of_class(data, training, column, wanted)
        if column is not None:
            held = held[data.target(column)[held] == wanted]
        real = distinct_sequences(data, held)
        _refuse_too_few(data, read, real)
        told: dict[str, str | int] = {
            "split": split.strategy,
            "split_seed": split.seed,
            "ledger": "of the generator" if read.stamp or generator else "the training part",
        }
        if column is not None:
            told["class"] = f"{column} {class_names(data.the_target(column))[int(wanted)]}"
        by = read.target.name if read.target else None
        return Material(
            read,
            training.codes,
            alike.codes,
            real.codes,
            np.array(_hashes(real.codes)),
            _groups(split, real.rows),
            data.target(by)[real.rows] if by in data.targets and by is not None else None,
            ledger,
            tuple(split.held_out),
            told,
        )


def _generator(sample: Sample, named: Named) -> Generator | None:
    """Open the generator that was named, or the one that the sample names if it still stands."""
    if named.generator is not None:
        return Generator.open(named.generator)
    if named.like is not None or named.split is not None:
        return None
    told = sample.stamp.generator.get("path") if sample.stamp else None
    if told and Path(told).is_dir():
        return Generator.open(told)
    raise ConfigError(
        "nothing says which sequences were held out from the generator",
        file=sample.path,
        found="a FASTA" if sample.stamp is None else f"no generator at {told}",
        remedy="Name its folder (--generator GEN), a run of the same split (--like RUN), or the "
        "split (--split homology)",
    )


def _split(data: Dataset, named: Named, generator: Generator | None) -> Split:
    if generator is not None:
        split = generator.split
        split.check_dataset(data.sha256, file=data.path)
        return split
    config = GenerateConfig.checked(
        {
            "dataset": str(data.path),
            "like": None if named.like is None else str(named.like),
            "split": {"strategy": named.split or "auto", "seed": named.seed},
        }
    )
    return find_split(data, config)


def _ledger(data: Dataset, split: Split, sample: Sample, generator: Generator | None) -> Ledger:
    if sample.stamp is not None:
        ledger = sample.stamp.ledger
        if generator is not None and generator.ledger.learned != ledger.learned:
            raise MismatchError(
                "these sequences were drawn from another generator",
                file=sample.path,
                found="a ledger other than the generator's",
                expected=f"sequences of {generator.path}",
            )
        return ledger
    if generator is not None:
        return generator.ledger
    return Ledger({"generator": keys_of(data, split.rows("train"))})


def _refuse_leaks(data: Dataset, ledger: Ledger, split: Split, held: Rows) -> None:
    """Refuse a split whose held-out part the generator learned from."""
    leaks = ledger.leaks(keys_of(data, held), split.held_out)
    if leaks:
        worst = max(leaks, key=lambda leak: len(leak.keys))
        total = len({key for leak in leaks for key in leak.keys})
        raise LeakError(
            f"the {worst.fitted} learned from what this split holds out",
            file=data.path,
            record=f"{worst.unit} {', '.join(worst.keys[:5])}",
            found=f"{total:,} shared keys ({', '.join(sorted({leak.unit for leak in leaks}))})",
            expected="none: held-out sequences tell what chance explains",
            remedy="Name the split that the generator was fitted with: --generator GEN, or "
            "--like RUN with a run of that split; or fit it again on the training part of this one",
        )


def _learned(data: Dataset, ledger: Ledger, *, whole: bool) -> Distinct:
    """Find the sequences that the ledger names; of a generator's all must stand in the dataset."""
    keys = frozenset[str]().union(
        *(units.get("sequence", frozenset()) for units in ledger.learned.values())
    )
    every = distinct_sequences(data, np.arange(len(data), dtype=np.int64))
    hashes = np.array(_hashes(every.codes))
    known = np.isin(hashes, list(keys))
    missing = len(keys - set(hashes[known].tolist()))
    # A split's training part has sequences with N too, which are left out here.
    if missing and whole:
        raise MismatchError(
            "the generator learned from sequences that this dataset does not hold",
            file=data.path,
            found=f"{missing:,} of {len(keys):,} are missing",
            remedy="Give the dataset that the generator was fitted on",
        )
    if not known.any():
        raise MismatchError(
            "the generator learned from no sequence of this dataset",
            file=data.path,
            remedy="Give the dataset that the generator was fitted on",
        )
    return Distinct(every.codes[known], every.rows[known])


def _class(data: Dataset, sample: Sample, generator: Generator | None) -> tuple[str | None, float]:
    """Tell the one class that all sequences were asked to have, if it is so."""
    if sample.target is not None and sample.asked is not None:
        if sample.target.kind == "regression" or len(np.unique(sample.asked)) > 1:
            return None, 0.0
        name, number = sample.target.name, float(sample.asked[0])
    else:
        label = generator.provenance.get("label") if generator is not None else None
        if label is None:
            return None, 0.0
        name, number = str(label["target"]), float(label["number"])
    if name not in data.targets:
        raise MismatchError(
            "the dataset lacks the target that sequences were asked by",
            file=data.path,
            record=name,
            found=", ".join(data.targets) or "no target",
        )
    return name, number


def _of_class(data: Dataset, training: Distinct, column: str, wanted: float) -> Distinct:
    # By sequence, not by its first example: another example of it may be of the class.
    index = data.index("sequence")
    of_class = np.unique(index[data.target(column) == wanted])
    kept = np.isin(index[training.rows], of_class)
    return Distinct(training.codes[kept], training.rows[kept])


def _groups(split: Split, rows: Rows) -> npt.NDArray[np.int64]:
    if split.group is None:
        return np.arange(len(rows), dtype=np.int64)
    return np.unique(split.group[rows], return_inverse=True)[1].astype(np.int64)


def _hashes(codes: Codes) -> list[str]:
    found: list[str] = []
    for start in range(0, len(codes), _CHUNK):
        found += canonical_hashes(codes[start : start + _CHUNK])
    return found


def copies_of(codes: Codes, training: Codes) -> int:
    """Count the sequences that stand among the training ones, on either strand."""
    known = set(_hashes(training))
    return sum(one in known for one in _hashes(codes))


def _refuse_too_few(data: Dataset, sample: Sample, real: Distinct) -> None:
    if len(real.codes) < FEWEST_HELD_OUT:
        raise InputError(
            "too few held-out sequences to compare with",
            file=data.path,
            found=f"{len(real.codes):,} distinct ones of the same class in val and test",
            expected=f"{FEWEST_HELD_OUT} at least: one half stands for the floor",
            remedy="Fit with a split that holds out more, such as "
            "--set 'split.fractions=[0.7,0.15,0.15]'",
        )
    if len(sample.codes) < FEWEST:
        raise InputError(
            "too few generated sequences",
            file=sample.path,
            found=f"{len(sample.codes):,}",
            expected=f"{FEWEST} at least",
            remedy="Draw more: exprimo generate sample GEN -n 1000 -o S.h5",
        )
