"""Haplotypes as a dataset: one example per gene, person and haplotype, or per gene and person."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from exprimo.core.dataset import SEQUENCES, write_dataset
from exprimo.core.dataset.spooled import SpooledRows
from exprimo.features.haplotypes.window import PlannedWindow

if TYPE_CHECKING:
    from exprimo.features.haplotypes.writing.build import PlannedGene

Per = Literal["copy", "person"]
TARGET = "expression"
# Sequences in memory at a time, bytes.
CHUNK_BYTES = 1 << 26
# Examples in memory at a time.
_EXAMPLES = 1 << 16


class _Some(NamedTuple):
    """Some examples of one window.

    Attributes
    ----------
    who
        Person, copy and phasing of each, (examples, 3); the copy is -1 where both are read.
    rows
        The plan's number of each example's sequence: one array per input.
    """

    who: npt.NDArray[np.intp]
    rows: tuple[npt.NDArray[np.intp], ...]


def write_haplotype_dataset(
    out: Path,
    origin: dict[str, Any],
    windows: Iterable[PlannedGene],
    samples: Sequence[str],
    values: pd.DataFrame | None,
    skipped: Mapping[str, int],
    *,
    per: Per = "copy",
) -> int:
    """Write examples and their sequences as the windows come; give the number of examples.

    Examples, and which sequence each has, wait on disk: memory does not grow with them, but for
    four bytes of expression each.

    Parameters
    ----------
    values
        Expression, genes x people, or None.
    skipped
        Counts that grow while windows come; stored in the provenance at the end.
    per
        ``copy``, or ``person``: then both copies are inputs of one example.
    """
    inputs = SEQUENCES if per == "person" else SEQUENCES[:1]
    measured: list[npt.NDArray[np.float32]] = []
    with write_dataset(out, origin) as dataset:
        with dataset.parts(inputs) as parts:
            for gene, plan in windows:
                numbers = [_Numbers(plan, parts.inputs[name]) for name in inputs]
                for some in _some(plan, per):
                    parts.examples.append(_examples(gene, plan, some.who, samples))
                    for known, rows in zip(numbers, some.rows, strict=True):
                        known.append(rows)
                    if values is not None:
                        measured.append(_measured(values, gene.gene_id, some.who, samples))
            n_examples = parts.examples.n
        if values is not None:
            dataset.target(TARGET, np.concatenate(measured), kind="regression")
        origin["skipped"] = dict(skipped)
    return n_examples


def existing(plan: PlannedWindow) -> npt.NDArray[np.intp]:
    """Give person, copy and phasing of each sequence that there is, (examples, 3)."""
    return np.argwhere(plan.index >= 0)


def _some(plan: PlannedWindow, per: Per) -> Iterator[_Some]:
    """Give the examples of a window in order, some at a time."""
    people, copies, phasings = plan.index.shape
    step = max(1, _EXAMPLES // (copies * phasings))
    for begin in range(0, people, step):
        index = plan.index[begin : begin + step].astype(np.intp)
        if per == "copy":
            who = np.argwhere(index >= 0)
            rows: tuple[npt.NDArray[np.intp], ...] = (index[index >= 0],)
        else:
            one, other = index[:, 0], index[:, 1]
            there = (one >= 0) | (other >= 0)
            # Of one copy alone the mean of both is what that copy gives.
            rows = (
                np.where(one >= 0, one, other)[there],
                np.where(other >= 0, other, one)[there],
            )
            who = np.insert(np.argwhere(there), 1, -1, axis=1)
        if len(who):
            who[:, 0] += begin
            yield _Some(who, rows)


class _Numbers:
    """The sequences of one window as rows of one input: each is built when first needed."""

    def __init__(self, plan: PlannedWindow, rows: SpooledRows) -> None:
        self._plan, self._rows = plan, rows
        self._number = np.full(plan.n_distinct, -1, np.int64)

    def append(self, wanted: npt.NDArray[np.intp]) -> None:
        distinct = np.unique(wanted)
        new = distinct[self._number[distinct] < 0].astype(np.int64)
        step = max(1, CHUNK_BYTES // self._plan.length)
        for begin in range(0, len(new), step):
            some = new[begin : begin + step]
            self._number[some] = self._rows.numbers(self._plan.build(some))
        self._rows.append(self._number[wanted])


def _examples(
    gene: Any, plan: PlannedWindow, who: npt.NDArray[np.intp], samples: Sequence[str]
) -> pd.DataFrame:
    people = np.asarray(samples, dtype=object)[who[:, 0]]
    window = plan.region.window
    name = gene.gene_id + ":" + people
    columns: dict[str, Any] = {"example_id": name, "gene_id": gene.gene_id, "individual": people}
    if (who[:, 1] >= 0).all():
        haplotype = np.array(["1", "2"], dtype=object)[who[:, 1]]
        columns |= {"example_id": name + ":" + haplotype, "haplotype": haplotype}
    columns |= {
        "chrom": window.chrom,
        "start": window.start,
        "end": window.end,
        "strand": window.strand,
        "tss": int(gene.tss),
        "clipped": plan.region.clipped,
    }
    if plan.index.shape[2] > 1:
        phasing = (who[:, 2] + 1).astype(str).astype(object)
        columns["example_id"] = columns["example_id"] + ":" + phasing
        columns["phasing"] = phasing
    return pd.DataFrame(columns)


def _measured(
    values: pd.DataFrame, gene: str, who: npt.NDArray[np.intp], samples: Sequence[str]
) -> npt.NDArray[np.float32]:
    """Give the expression of each example's person, (examples,)."""
    columns = values.columns.get_indexer(pd.Index(samples))
    of_gene = values.loc[gene].to_numpy(np.float32)
    return np.where(columns >= 0, of_gene[columns], np.float32(np.nan))[who[:, 0]]
