"""The real sequences of a dataset: which are known, which nobody learned from, where to start."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from exprimo.core.dataset import Dataset
from exprimo.core.errors import ConfigError, InputError, LeakError, MismatchError
from exprimo.core.ledger import Ledger
from exprimo.core.sequence import N_CODE, Codes, canonical_hashes
from exprimo.data.fasta import read_fasta
from exprimo.generate.design.aim import Aim
from exprimo.generate.design.predictors import Reader, Values
from exprimo.generate.fidelity.models import all_keys
from exprimo.generate.fidelity.reading import Rows, distinct_sequences

_CHUNK = 4096


class Known(NamedTuple):
    """Distinct real sequences of a dataset, without N.

    Attributes
    ----------
    codes
        (known, length).
    names
        The first example of each, (known,).
    keys
        Hash of each, the same on both strands, (known,).
    measured
        The target of that example, NaN where there is none, (known,).
    held_out
        Rows of those from which neither guide, judge nor generator learned.
    group
        What the guide's split resamples over, such as a homology group, (known,); None where it
        has none or is of another dataset.
    """

    codes: Codes
    names: npt.NDArray[np.str_]
    keys: npt.NDArray[np.str_]
    measured: Values
    held_out: Rows
    group: npt.NDArray[np.str_] | None


class Starts(NamedTuple):
    """Sequences to edit: (n, length), the name of each, and what was measured (NaN: nothing)."""

    codes: Codes
    names: list[str]
    measured: Values


def length_of(data: Dataset) -> int:
    """Give the length of a dataset's sequences, or say that it has none."""
    if "sequence" not in data.inputs:
        raise MismatchError(
            "a dataset without sequences", file=data.path, found=", ".join(data.inputs)
        )
    return int(data.inputs["sequence"].shape[0])


def read_known(data: Dataset, guide: Reader, ledgers: Sequence[Ledger], aim: Aim) -> Known:
    """Read all distinct sequences, and find those that nobody learned from.

    In the guide's own dataset these are of its test part, so that relatives which a split has
    set aside do not count.
    """
    every = distinct_sequences(data, np.arange(len(data), dtype=np.int64))
    if not len(every.codes):
        raise InputError("no sequence without N", file=data.path)
    keys = np.array(hashes_of(every.codes))
    taught = frozenset[str]().union(*(all_keys(one, "sequence") for one in ledgers))
    free = ~np.isin(keys, list(taught))
    split = guide.run.split
    group = None
    if split.dataset_sha256 == data.sha256:
        group = None if split.group is None else split.group[every.rows]
        index = data.index("sequence")
        free &= np.isin(index[every.rows], index[split.rows("test")])
    if "gene" in split.held_out and "gene_id" in data.columns:
        genes = frozenset[str]().union(*(all_keys(one, "gene") for one in ledgers))
        free &= ~np.isin(data.column("gene_id")[every.rows], list(genes))
    return Known(
        every.codes,
        data.column("example_id")[every.rows].astype(str),
        keys,
        _measured(data, guide, aim)[every.rows],
        np.flatnonzero(free),
        group,
    )


def hashes_of(codes: Codes) -> list[str]:
    """Hash sequences, some at a time, the same on both strands."""
    found: list[str] = []
    for start in range(0, len(codes), _CHUNK):
        found += canonical_hashes(codes[start : start + _CHUNK])
    return found


def far_starts(known: Known, predicted: Values, aim: Aim, n: int, seed: int, file: Path) -> Starts:
    """Draw held-out sequences from the half whose prediction is farther from the target."""
    if not len(known.held_out):
        raise InputError(
            "no real sequence is left that neither guide, judge nor generator learned from",
            file=file,
            expected="some in the test part of the guide's split, to be edited",
            remedy="Give sequences of your own to start from: --start S.fa",
        )
    away = aim.distance(predicted)
    far = np.flatnonzero((away >= np.median(away)) & (away > aim.tolerance))
    if not len(far):
        far = np.arange(len(away))
    rng = np.random.default_rng([seed, 11])
    rows = known.held_out[np.sort(rng.choice(far, min(n, len(far)), replace=False))]
    return Starts(known.codes[rows], known.names[rows].tolist(), known.measured[rows])


def read_starts(path: str | Path, length: int, judge: Reader | None, most: int) -> Starts:
    """Read sequences to edit from FASTA; the judge must not have learned from them."""
    names: list[str] = []
    rows: list[Codes] = []
    for name, codes in read_fasta(path):
        if len(codes) != length or (codes >= N_CODE).any():
            raise InputError(
                "a sequence that the guide cannot start from",
                file=path,
                record=name,
                found=f"{len(codes):,} bases, {int((codes >= N_CODE).sum()):,} of them N",
                expected=f"{length:,} bases of A, C, G and T",
            )
        names.append(name)
        rows.append(codes)
        if len(rows) > most:
            raise ConfigError(
                "too many sequences to start from", file=path, expected=f"at most {most:,}"
            )
    if not rows:
        raise InputError("no sequences", file=path)
    starts = np.stack(rows)
    if judge is not None:
        _refuse_learned(path, hashes_of(starts), names, judge)
    return Starts(starts, names, np.full(len(rows), np.nan))


def _refuse_learned(path: str | Path, keys: list[str], names: list[str], judge: Reader) -> None:
    learned = all_keys(judge.run.ledger, "sequence")
    seen = [name for name, key in zip(names, keys, strict=True) if key in learned]
    if seen:
        raise LeakError(
            "the judge has learned from sequences to start from",
            file=path,
            record=", ".join(seen[:5]),
            found=f"{len(seen):,} of {len(names):,}",
            expected="none: it would judge what it knows",
            remedy="Leave them out, or name another judge",
        )


def _measured(data: Dataset, guide: Reader, aim: Aim) -> Values:
    """Give what was measured of each example on the guide's scale, as far as the dataset knows."""
    info = data.targets.get(guide.target)
    if info is None or info.kind != guide.task or info.classes != guide.classes:
        return np.full(len(data), np.nan)
    values = data.target(guide.target).astype(np.float64)
    if guide.task == "multiclass":
        return np.where(np.isnan(values), np.nan, values == aim.output)
    return values
