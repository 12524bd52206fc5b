"""Read generated sequences, and distinct ones of a dataset; refuse what cannot be compared."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from exprimo.core.dataset import Dataset, TargetInfo
from exprimo.core.dataset.generated import Generated, read_stamp
from exprimo.core.errors import InputError, MismatchError
from exprimo.core.sequence import N_CODE, Codes, decode
from exprimo.data.fasta import read_fasta

_CHUNK = 4096
_FASTA = (".fa", ".fasta", ".fa.gz", ".fasta.gz")

Rows = npt.NDArray[np.int64]


class Sample(NamedTuple):
    """Generated sequences.

    Attributes
    ----------
    path
        The file.
    codes
        One row per sequence, (n, length), without N.
    stamp
        What a dataset says of its generator; None for FASTA.
    target, asked
        What was asked of each: the target and its values (n,), or None.
    """

    path: Path
    codes: Codes
    stamp: Generated | None
    target: TargetInfo | None = None
    asked: npt.NDArray[np.float32] | None = None

    @property
    def is_fasta(self) -> bool:
        return self.path.name.endswith(_FASTA)


class Distinct(NamedTuple):
    """Distinct sequences of some examples: ``rows`` holds the first example of each."""

    codes: Codes
    rows: Rows


def read_sample(path: str | Path) -> Sample:
    """Read a dataset made by `generate_sample`, or any FASTA."""
    source = Path(path)
    if source.name.endswith(_FASTA):
        sample = Sample(source, _read_fasta(source), None)
    else:
        draw = "exprimo generate sample GEN -n N -o S.h5"
        Dataset.open(source, remedy=f"Draw one: {draw}").close()
        stamp = read_stamp(source)
        if stamp is None:
            raise InputError(
                "a dataset whose sequences were not generated",
                file=source,
                expected=f"one made by: {draw}",
                remedy="Sequences from elsewhere can be checked as FASTA",
            )
        with Dataset.open(source) as data:
            codes = data.rows("sequence", np.arange(len(data), dtype=np.int64))
            info = next(iter(data.targets.values()), None)
            sample = Sample(source, codes, stamp, info, data.target(info.name) if info else None)
    _refuse_unknown(sample)
    return sample


def distinct_sequences(data: Dataset, rows: Rows) -> Distinct:
    """Read the distinct sequences of some examples; those with N are left out."""
    stored, first = np.unique(data.index("sequence")[rows], return_index=True)
    length = data.inputs["sequence"].shape[0]
    chunks = [np.empty((0, length), np.uint8)]
    for start in range(0, data.inputs["sequence"].n_distinct, _CHUNK):
        wanted = stored[(stored >= start) & (stored < start + _CHUNK)] - start
        if len(wanted):
            chunks.append(data.distinct("sequence", start, start + _CHUNK)[wanted])
    codes = np.concatenate(chunks)
    whole = (codes < N_CODE).all(axis=1)
    return Distinct(codes[whole], rows[first[whole]])


def refuse_other_length(sample: Sample, data: Dataset) -> None:
    """Refuse sequences of another length than the dataset's."""
    if "sequence" not in data.inputs:
        raise MismatchError("a dataset without sequences", file=data.path)
    length = data.inputs["sequence"].shape[0]
    if sample.codes.shape[1] != length:
        raise MismatchError(
            "generated sequences of another length than the dataset's",
            file=sample.path,
            found=f"{sample.codes.shape[1]:,} bases",
            expected=f"{length:,} bases, as in {data.path}",
            remedy="Give the dataset that the generator was fitted on",
        )


def _read_fasta(path: Path) -> Codes:
    rows: list[Codes] = []
    for name, codes in read_fasta(path):
        if rows and len(codes) != len(rows[0]):
            raise InputError(
                "generated sequences of mixed lengths",
                file=path,
                record=name,
                found=f"{len(codes):,} bases",
                expected=f"{len(rows[0]):,}, as the first has",
            )
        rows.append(codes)
    if not rows:
        raise InputError("no sequences", file=path)
    return np.stack(rows)


def _refuse_unknown(sample: Sample) -> None:
    with_n = np.flatnonzero((sample.codes >= N_CODE).any(axis=1))
    if len(with_n):
        row = int(with_n[0])
        raise InputError(
            "generated sequences with unknown bases",
            file=sample.path,
            record=f"sequence {row + 1}",
            found=f"{len(with_n):,} with N or another ambiguity code, such as "
            f"{decode(sample.codes[row, :60])}",
            expected="A, C, G and T",
            remedy="A generator makes no N; leave such sequences out",
        )
