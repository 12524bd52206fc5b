"""Haplotypes as a dataset: one example per gene, person and haplotype."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from exprimo.core.dataset import write_dataset
from exprimo.core.sequence import Codes
from exprimo.features.haplotypes.window import PlannedWindow

if TYPE_CHECKING:
    from exprimo.features.haplotypes.writing.build import PlannedGene

TARGET = "expression"
# Sequences in memory at a time, bytes.
CHUNK_BYTES = 1 << 26


def write_haplotype_dataset(
    out: Path,
    origin: dict[str, Any],
    windows: Iterable[PlannedGene],
    samples: Sequence[str],
    values: pd.DataFrame | None,
    skipped: Mapping[str, int],
) -> int:
    """Write examples and their sequences as the windows come; give the number of examples.

    Parameters
    ----------
    values
        Expression, genes x people, or None.
    skipped
        Counts that grow while windows come; stored in the provenance at the end.
    """
    tables: list[pd.DataFrame] = []
    with write_dataset(out, origin) as dataset:

        def sequences() -> Iterator[Codes]:
            for gene, plan in windows:
                copies = existing(plan)
                tables.append(_examples(gene, plan, copies, samples))
                yield from _sequences(plan, copies)
            # How many copies people have is known when their genotypes were read, and the
            # writer compares the number of rows with that of the examples at the end.
            dataset.examples(pd.concat(tables, ignore_index=True))

        dataset.input("sequence", sequences())
        table = pd.concat(tables, ignore_index=True)
        if values is not None:
            rows = values.index.get_indexer(pd.Index(table["gene_id"]))
            columns = values.columns.get_indexer(pd.Index(table["individual"]))
            measured = values.to_numpy(np.float32)[rows, columns]
            dataset.target(TARGET, measured, kind="regression")
        origin["skipped"] = dict(skipped)
    return len(table)


def existing(plan: PlannedWindow) -> npt.NDArray[np.intp]:
    """Give person, copy and phasing of each sequence that there is, (examples, 3)."""
    return np.argwhere(plan.index >= 0)


def _examples(
    gene: Any, plan: PlannedWindow, copies: npt.NDArray[np.intp], samples: Sequence[str]
) -> pd.DataFrame:
    people = np.asarray(samples, dtype=object)[copies[:, 0]]
    haplotype = np.array(["1", "2"], dtype=object)[copies[:, 1]]
    window = plan.region.window
    columns = {
        "example_id": gene.gene_id + ":" + people + ":" + haplotype,
        "gene_id": gene.gene_id,
        "individual": people,
        "haplotype": haplotype,
        "chrom": window.chrom,
        "start": window.start,
        "end": window.end,
        "strand": window.strand,
        "tss": int(gene.tss),
        "clipped": plan.region.clipped,
    }
    if plan.index.shape[2] > 1:
        phasing = (copies[:, 2] + 1).astype(str).astype(object)
        columns["example_id"] = columns["example_id"] + ":" + phasing
        columns["phasing"] = phasing
    return pd.DataFrame(columns)


def _sequences(plan: PlannedWindow, copies: npt.NDArray[np.intp]) -> Iterator[Codes]:
    rows = plan.index[tuple(copies.T)]
    step = max(1, CHUNK_BYTES // plan.length)
    for begin in range(0, len(rows), step):
        wanted, place = np.unique(rows[begin : begin + step], return_inverse=True)
        yield plan.build(wanted.astype(np.int64))[place]
