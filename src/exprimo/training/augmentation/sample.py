"""A sample of generated sequences: may this run learn from it, and which of it is positive?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from exprimo.core.dataset import Dataset, TargetInfo
from exprimo.core.dataset.generated import (
    NOT_CHECKED,
    Generated,
    check_command,
    contents_digest,
    read_stamp,
)
from exprimo.core.errors import ConfigError, InputError, LeakError, MismatchError
from exprimo.core.ledger import Unit, keys_of
from exprimo.core.sequence import canonical_hashes
from exprimo.core.split import Split
from exprimo.training.batches import Rows
from exprimo.training.config import AugmentConfig
from exprimo.training.objective.cut import Cut

Keys = Mapping[Unit, frozenset[str]]

_PASSED = "passed"
_CHUNK_BASES = 1 << 22


class Positives(NamedTuple):
    """What of a sample can be learned from as positives.

    Attributes
    ----------
    rows
        Examples of the sample, in order.
    other
        How many were asked for something else.
    equal
        How many stand in the validation or test part, on either strand.
    usual
        The class or value by which more positives are asked for.
    """

    rows: Rows
    other: int
    equal: int
    usual: str


def open_sample(path: str) -> Dataset:
    """Open a sample; say how one is made where there is none."""
    if path.endswith((".fa", ".fasta", ".fa.gz", ".fasta.gz")):
        raise InputError(
            "a FASTA does not say what its generator learned from",
            file=path,
            expected="an .h5 file with a generator's stamp and ledger",
            remedy="Draw them with: exprimo generate sample GEN -n N -o S.h5",
        )
    return Dataset.open(
        path,
        remedy="Draw one: exprimo generate fit D.h5 --like RUN --label 1 -o GEN, "
        f"then exprimo generate sample GEN -n N -o {Path(path).name}",
    )


def read_sample(config: AugmentConfig, sample: Dataset, dataset: Dataset) -> Generated:
    """Read the stamp of a sample; refuse what was not generated, copies, and another sample."""
    path = sample.path
    if config.sha256 not in (None, sample.sha256):
        raise MismatchError(
            "not the sample that this run was started with",
            file=path,
            record="augment.sha256",
            found=sample.sha256[:12],
            expected=str(config.sha256)[:12],
            remedy="Give that sample, or start a new run without augment.sha256",
        )
    stamp = read_stamp(path)
    if stamp is None:
        raise InputError(
            "these sequences were not generated",
            file=path,
            expected="a file with a generator's stamp and ledger",
            remedy="Draw one with: exprimo generate sample GEN -n N -o S.h5",
        )
    if not config.insist:
        _refuse_unproven(stamp, sample, dataset)
    mine, theirs = dataset.inputs["sequence"], sample.inputs.get("sequence")
    if theirs is None or theirs.shape != mine.shape:
        raise MismatchError(
            "generated sequences of another length than the dataset's",
            file=path,
            found="no sequences" if theirs is None else f"{theirs.shape[0]:,} bases",
            expected=f"{mine.shape[0]:,} bases, as in {dataset.path}",
            remedy="Draw from a generator that was fitted on this dataset",
        )
    return stamp


def _refuse_unproven(stamp: Generated, sample: Dataset, dataset: Dataset) -> None:
    if stamp.fidelity == _PASSED:
        if stamp.judged != contents_digest(sample.path):
            raise InputError(
                "these sequences are not those that were checked",
                file=sample.path,
                found="contents that changed after the check",
                expected=_PASSED,
                remedy=f"Check them again: {check_command(sample.path, dataset.path)}",
            )
        return
    if stamp.fidelity == NOT_CHECKED:
        raise InputError(
            "nobody has checked whether these sequences are copies",
            file=sample.path,
            found=NOT_CHECKED,
            expected=_PASSED,
            remedy=f"Check them: {check_command(sample.path, dataset.path)}. "
            "Or learn from them unchecked: --insist",
        )
    reasons = stamp.figures.get("reasons", ())
    told = "; ".join(map(str, reasons)) if isinstance(reasons, (list, tuple)) else str(reasons)
    raise InputError(
        "these sequences failed the check for copies and collapse",
        file=sample.path,
        found=f"{stamp.fidelity}: {told}" if told else stamp.fidelity,
        expected=_PASSED,
        remedy="Fit a generator for fewer steps or on more examples. "
        "Or learn from them in spite of it: --insist",
    )


def held_out_keys(dataset: Dataset, split: Split) -> Keys:
    """Collect the keys of the validation and test part."""
    return keys_of(dataset, np.concatenate([split.rows("val"), split.rows("test")]))


def refuse_leaks(stamp: Generated, sample: Dataset, held: Keys, split: Split) -> None:
    """Refuse a generator that learned from what this split holds out; nothing overrides it."""
    leaks = stamp.ledger.leaks(held, split.held_out)
    if not leaks:
        return
    worst = max(leaks, key=lambda leak: len(leak.keys))
    total = len({(leak.unit, key) for leak in leaks for key in leak.keys})
    raise LeakError(
        f"leak: the {worst.fitted} learned from examples that validate or test this run",
        file=sample.path,
        record=f"{worst.unit} {', '.join(worst.keys[:5])}",
        found=f"{total:,} shared keys ({', '.join(sorted({leak.unit for leak in leaks}))})",
        expected="none, because the split holds them out",
        remedy="Fit the generator on the same split: exprimo generate fit D.h5 --like RUN -o GEN",
    )


def find_positives(sample: Dataset, target: TargetInfo, cut: Cut | None, held: Keys) -> Positives:
    """Find what was asked for as a positive; leave out what equals a validation or test example."""
    told = sample.targets.get(target.name)
    if told is None or told.kind != target.kind:
        others = ", ".join(f"{name} ({info.kind})" for name, info in sample.targets.items())
        raise MismatchError(
            "nothing says that these sequences were asked for as positives",
            file=sample.path,
            found=f"asked for by {others}" if others else "asked for by nothing",
            expected=f"asked for by {target.name} ({target.kind})",
            remedy=f"Fit a generator with --condition {target.name}, or of one class with "
            f"--target {target.name} --label 1",
        )
    asked = sample.target(target.name)
    high = _is_high(asked, cut, sample.path)
    rows = np.flatnonzero(high)
    if not len(rows):
        raise MismatchError(
            "these sequences were asked for as negatives",
            file=sample.path,
            record=target.name,
            found=f"asked for {_range_of(asked)}",
            expected="1" if cut is None else f"above {cut.value:g}",
            remedy="Draw positives: exprimo generate sample GEN --target "
            f"{'1' if cut is None else 'VALUE'} -n N -o S.h5",
        )
    known = held["sequence"]
    equal = np.array([key in known for key in _keys_by_row(sample, rows)], dtype=bool)
    usual = "1" if cut is None else f"{float(np.median(asked[rows])):g}"
    return Positives(rows[~equal], int((~high).sum()), int(equal.sum()), usual)


def _is_high(asked: npt.NDArray[np.float32], cut: Cut | None, file: Path) -> npt.NDArray[np.bool_]:
    if cut is None:
        return np.asarray(asked == 1)
    if cut.by_cell is not None:
        raise ConfigError(
            "a generated sequence has no cell type, so a cut by cell type cannot call it high",
            file=file,
            record="above",
            found="cell-median",
            expected="median, or a value",
        )
    return np.asarray(cut.high(asked) == 1)


def _range_of(values: npt.NDArray[np.float32]) -> str:
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    return f"{low:g}" if low == high else f"{low:g} to {high:g}"


def _keys_by_row(sample: Dataset, rows: Rows) -> Iterator[str]:
    """Hash the sequence of each example, some at a time."""
    step = max(1, _CHUNK_BASES // sample.inputs["sequence"].shape[0])
    for start in range(0, len(rows), step):
        yield from canonical_hashes(sample.rows("sequence", rows[start : start + step]))
