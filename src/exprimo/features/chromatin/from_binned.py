"""Examples from files of signal that is in bins already."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, cast

import numpy as np
import numpy.typing as npt
import pandas as pd

from exprimo.core.dataset import write_dataset
from exprimo.core.errors import ConfigError, MismatchError
from exprimo.core.files.provenance import describe_origin
from exprimo.core.progress import track
from exprimo.core.sequence import Codes
from exprimo.data.annotation import read_annotation, read_tss_table, tss_table
from exprimo.data.annotation.identifiers import strip_version
from exprimo.data.annotation.tss import TssRule
from exprimo.data.names import GeneNames, read_gene_names
from exprimo.data.signals import BinnedCell, GeneSequences, read_binned, read_gene_sequences
from exprimo.data.signals.binned import file_stem
from exprimo.data.textfile import require_file
from exprimo.features.build_summary import TargetValues
from exprimo.features.chromatin.expression import read_expression
from exprimo.features.chromatin.scales import scale_expression, scale_signal
from exprimo.features.chromatin.spool import Spool
from exprimo.features.chromatin.writing import (
    Built,
    ChromatinChoice,
    Contents,
    Contexts,
    Signal,
    Stretch,
    example_ids,
    write_contents,
)
from exprimo.features.join_targets import read_by_gene
from exprimo.features.promoter_sites import TSS_RULES

_NO_SEQUENCE = "no sequence"
_NO_ROW = "not in the table of expression"
_AT_ONCE = 1024

Mask = npt.NDArray[np.bool_]


class BinnedFile(NamedTuple):
    """A file of binned signal, and the cell type that it is of, if the user says so.

    Examples
    --------
    >>> BinnedFile.parse("E003:train.csv")
    BinnedFile(cell='E003', path=PosixPath('train.csv'))
    """

    cell: str | None
    path: Path

    @classmethod
    def parse(cls, text: str | Path) -> BinnedFile:
        """Read ``FILE`` or ``CELL:FILE``; a file of the whole name counts as a file."""
        cell, colon, file = str(text).partition(":")
        if not colon or Path(text).exists():
            return cls(None, Path(text))
        if not cell.strip() or not file:
            raise ConfigError(
                "not a binned file", record="--binned", found=str(text), expected="CELL:FILE"
            )
        return cls(cell.strip(), Path(file))


@dataclass
class _Collected:
    """What was read of all cell types, without the signal, which is in the spool."""

    marks: tuple[str, ...] = ()
    n_bins: int = 0
    cells: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    genes: list[npt.NDArray[Any]] = field(default_factory=list)
    expression: list[Signal | None] = field(default_factory=list)
    labels: list[Signal | None] = field(default_factory=list)
    notes: dict[str, None] = field(default_factory=dict)
    unknown: int = 0  # genes of the table of expression that no file has

    def add(self, found: BinnedCell, path: Path) -> Signal:
        """Take one cell type; give its signal with the marks in the order of the first one."""
        if not self.marks:
            self.marks, self.n_bins = found.marks, found.values.shape[2]
        if found.values.shape[2] != self.n_bins:
            raise MismatchError(
                "cell types with different numbers of bins",
                file=path,
                record=f"cell type {found.cell}",
                found=found.values.shape[2],
                expected=self.n_bins,
            )
        odd = sorted({*self.marks} ^ {*found.marks})
        if odd:
            raise MismatchError(
                "cell types with different marks",
                file=path,
                record=f"cell type {found.cell}, mark {odd[0]}",
                found=", ".join(found.marks),
                expected=", ".join(self.marks),
                remedy="Choose the marks that all cell types have with --marks",
            )
        self.cells.append(found.cell)
        self.files.append(file_stem(path))
        self.genes.append(np.array([strip_version(gene) for gene in found.genes], dtype=object))
        self.expression.append(found.expression)
        self.labels.append(found.label)
        if found.note:
            self.notes[found.note] = None
        return found.values[:, [found.marks.index(mark) for mark in self.marks]]

    def examples(self) -> pd.DataFrame:
        """Give gene_id and cell_type of everything that was read.

        Where a cell type stands in several files, ``file`` tells their parts of it apart.
        """
        counts = [len(genes) for genes in self.genes]
        cells = np.repeat(np.array(self.cells, dtype=object), counts)
        every = pd.DataFrame({"gene_id": np.concatenate(self.genes), "cell_type": cells})
        if len(set(self.cells)) < len(self.cells):
            every["file"] = np.repeat(np.array(self.files, dtype=object), counts)
        return every

    def own(self, values: list[Signal | None]) -> Signal | None:
        """Join a target of the files, NaN for cell types that have none; None if none has."""
        if all(one is None for one in values):
            return None
        gaps = [np.full(len(genes), np.nan, dtype=np.float32) for genes in self.genes]
        return np.concatenate(
            [gap if one is None else one for one, gap in zip(values, gaps, strict=True)]
        )


def build_from_binned(
    choice: ChromatinChoice, files: Sequence[BinnedFile], sequences: Path | None
) -> Built:
    """Write a dataset of the genes and cell types of binned files, in the order of the files."""
    dropped: dict[str, int] = {}
    given = [*(one.path for one in files), choice.genes, choice.expression, choice.gene_names]
    tss = None if choice.tss in TSS_RULES else choice.tss
    sources = [name for name in (*given, sequences, tss) if name is not None]
    for source in sources:
        require_file(source, "a file of this dataset")
    origin = describe_origin(
        track(sources, "Taking checksums"), builder="dataset chromatin", dropped=dropped
    )
    letters = read_gene_sequences(sequences) if sequences else None
    with ExitStack() as stack:
        dataset = stack.enter_context(write_dataset(choice.out, origin))
        spool = stack.enter_context(Spool(choice.out.parent))
        read = _read(choice, files, spool)
        every = read.examples()
        keep, positions = _with_sequence(every, letters, read.n_bins, sequences, dropped)
        targets, keep = _targets(choice, read, every, keep, dropped)
        origin["settings"] = _settings(choice, read, letters)
        origin["gene_names"] = {"not_in_binned_files": read.unknown}
        counts = [len(genes) for genes in read.genes]
        edges = np.cumsum([0, *counts])
        stretches = [
            Stretch(cell, int(keep[start:stop].sum()))
            for cell, start, stop in zip(read.cells, edges[:-1], edges[1:], strict=True)
        ]
        examples, unplaced = _placed(choice, every[keep].reset_index(drop=True))
        contexts = Contexts()
        contents = Contents(
            examples,
            stretches,
            read.marks,
            _signal(spool, read.cells, edges, keep, contexts),
            contexts,
            _sequences(letters, positions[keep]) if letters else None,
            {name: TargetValues(found.kind, found.values[keep]) for name, found in targets.items()},
        )
        write_contents(dataset, contents)
    notes = [*read.notes]
    if unplaced:
        notes.append(f"{unplaced:,} genes not in the annotation: kept without a place")
    cells = tuple(dict.fromkeys(read.cells))
    return Built(
        len(examples), read.n_bins, cells, read.marks, dict(contents.targets), dropped, notes
    )


def _read(choice: ChromatinChoice, files: Sequence[BinnedFile], spool: Spool) -> _Collected:
    read = _Collected()
    for file in track(files, "Reading bins"):
        for found in read_binned(file.path, cell=file.cell, marks=choice.marks or None):
            signal = read.add(found, file.path)
            record = f"{file.path}, cell type {found.cell}"
            spool.append(scale_signal(signal, choice.scale, record=record))
    return read


def _signal(
    spool: Spool,
    cells: Sequence[str],
    edges: npt.NDArray[np.int64],
    keep: Mask,
    contexts: Contexts,
) -> Iterator[Signal]:
    for cell, start, stop in zip(cells, edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        at = start
        for chunk in spool.rows(start, stop):
            yield contexts.passing(cell, chunk[keep[at : at + len(chunk)]])
            at += len(chunk)


def _with_sequence(
    every: pd.DataFrame,
    letters: GeneSequences | None,
    n_bins: int,
    path: Path | None,
    dropped: dict[str, int],
) -> tuple[Mask, npt.NDArray[np.intp]]:
    """Tell which examples have a sequence, and where it is."""
    if letters is None:
        return np.ones(len(every), dtype=np.bool_), np.zeros(0, dtype=np.intp)
    if letters.codes.shape[1] % n_bins:
        raise MismatchError(
            "sequences do not divide into the bins of the signal",
            file=path,
            found=f"{letters.codes.shape[1]:,} bases and {n_bins:,} bins",
            expected="a whole number of bases a bin",
        )
    ids = pd.Index([strip_version(gene) for gene in letters.genes])
    repeated = ids[ids.duplicated()]
    if len(repeated):
        raise MismatchError("a gene has two sequences", file=path, record=f"gene {repeated[0]}")
    positions = ids.get_indexer(pd.Index(every["gene_id"]))
    keep = positions >= 0
    if not keep.any():
        raise MismatchError(
            "no gene of the binned files has a sequence",
            file=path,
            found=", ".join(ids[:5]),
            expected=", ".join(every["gene_id"].head(5)),
        )
    dropped[_NO_SEQUENCE] = int((~keep).sum())
    return keep, positions


def _sequences(letters: GeneSequences, positions: npt.NDArray[np.intp]) -> Iterator[Codes]:
    for start in range(0, len(positions), _AT_ONCE):
        yield letters.codes[positions[start : start + _AT_ONCE]]


def _targets(
    choice: ChromatinChoice,
    read: _Collected,
    every: pd.DataFrame,
    keep: Mask,
    dropped: dict[str, int],
) -> tuple[dict[str, TargetValues], Mask]:
    targets = {}
    expression, label = read.own(read.expression), read.own(read.labels)
    if choice.expression is not None:
        if expression is not None:
            raise ConfigError(
                "expression stands in the binned files and in a table",
                found=str(choice.expression),
                remedy="Leave --expression out",
            )
        table = _table(choice, read, every)
        listed = every["gene_id"].isin(table.dropna(how="all").index).to_numpy(np.bool_)
        dropped[_NO_ROW] = int((keep & ~listed).sum())
        keep = keep & listed
        rows = table.index.get_indexer(pd.Index(every["gene_id"]))
        columns = table.columns.get_indexer(pd.Index(every["cell_type"]))
        expression = np.where(listed, table.to_numpy()[rows, columns], np.nan).astype(np.float32)
    if expression is not None:
        record = str(choice.expression or "the binned files")
        scaled = scale_expression(expression, choice.expression_scale, record=record)
        targets["expression"] = TargetValues("regression", scaled)
    if label is not None:
        targets["label"] = TargetValues("classification", label)
    for name, found in targets.items():
        if np.isnan(found.values[keep]).all():
            raise MismatchError("no example has a value", record=f"target {name}")
    return targets, keep


def _table(choice: ChromatinChoice, read: _Collected, every: pd.DataFrame) -> pd.DataFrame:
    """Read expression by gene and cell type, with genes named as in the binned files."""
    assert choice.expression is not None
    table = read_by_gene(choice.expression, list(dict.fromkeys(read.cells)), read_expression)
    genes = every["gene_id"].unique()
    if choice.gene_names is None and not table.index.isin(genes).any():
        raise MismatchError(
            "no gene of the table of expression is in the binned files",
            file=choice.expression,
            found=", ".join(table.index[:5]),
            expected=", ".join(genes[:5]),
            remedy="Give a two-column table of names with --gene-names FILE",
        )
    given = choice.gene_names
    pairs = read_gene_names(given) if given else GeneNames((), choice.expression)
    found = pairs.translate(table.index, into=genes)
    read.unknown = len(found.missing) + len(found.ambiguous)
    if read.unknown:
        first = (found.missing or found.ambiguous)[0]
        read.notes[
            f"{read.unknown:,} genes of {choice.expression.name} are not in the binned files "
            f"(such as {first})"
        ] = None
    kept = table[table.index.isin(list(found.mapping))]
    return kept.set_axis(kept.index.map(found.mapping), axis=0)


def _placed(choice: ChromatinChoice, every: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """Name the examples and, with an annotation, place them; count the genes without a place."""
    every.insert(0, "example_id", example_ids(every["cell_type"], every["gene_id"]))
    if choice.genes is None:
        return every, 0
    annotation = read_annotation(choice.genes)
    if choice.tss in TSS_RULES:
        table = tss_table(annotation, cast(TssRule, choice.tss))
    else:
        table = read_tss_table(choice.tss)
        table["gene_id"] = table["gene_id"].map(strip_version)
    places = table.drop_duplicates("gene_id").set_index("gene_id").reindex(every["gene_id"])
    unplaced = places["chrom"].isna().to_numpy(np.bool_)
    if unplaced.all():
        raise MismatchError(
            f"no gene of the binned files is in the annotation {annotation.source}",
            found=", ".join(every["gene_id"].head(5)),
            expected=", ".join(annotation.genes["gene_id"].head(5)),
        )
    tss = places["tss"].to_numpy(np.float64)
    placed = every.assign(
        chrom=places["chrom"].fillna("").to_numpy(str),
        strand=places["strand"].fillna("").to_numpy(str),
        tss=np.where(np.isnan(tss), -1, tss).astype(np.int64),
    )
    return placed, int(every["gene_id"][unplaced].nunique())


def _settings(
    choice: ChromatinChoice, read: _Collected, letters: GeneSequences | None
) -> dict[str, Any]:
    return {
        "bins": read.n_bins, "bin_size": letters.codes.shape[1] // read.n_bins if letters else None,
        "scale": choice.scale, "expression_scale": choice.expression_scale, "library_size": False,
        "cells": list(dict.fromkeys(read.cells)), "marks": list(read.marks), "tss": str(choice.tss),
    }  # fmt: skip
