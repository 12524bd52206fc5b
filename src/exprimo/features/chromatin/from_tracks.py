"""Examples from an annotation and a grid of tracks: every gene in every cell type."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pandas as pd

from exprimo.core.dataset import write_dataset
from exprimo.core.errors import FormatError, MismatchError
from exprimo.core.files.provenance import describe_origin
from exprimo.core.progress import Task, task, track
from exprimo.core.sequence import Codes
from exprimo.data.annotation import Annotation, read_annotation
from exprimo.data.fasta import Genome
from exprimo.data.signals import open_signal
from exprimo.data.signals.track_table import TrackGrid
from exprimo.features.build_summary import TargetValues
from exprimo.features.chromatin.assembly import Assembly
from exprimo.features.chromatin.bins import bin_windows, gene_bins
from exprimo.features.chromatin.expression import read_expression
from exprimo.features.chromatin.scales import library_factor, scale_expression, scale_signal
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
from exprimo.features.genome_fit import check_genome_fits
from exprimo.features.join_targets import JoinedTargets, join_targets
from exprimo.features.promoter_sites import (
    OFF_GENOME,
    TSS_RULES,
    of_biotype,
    reconcile,
    tss_sites,
    with_targets,
)
from exprimo.features.windows import cut_windows

_OFF_TRACKS = "on a chromosome that no track of the first cell type has"


@dataclass
class _Placed:
    """Genes with their TSSs, on an assembly."""

    sites: pd.DataFrame
    assembly: Assembly
    joined: JoinedTargets | None
    dropped: dict[str, int]
    facts: dict[str, Any]
    notes: list[str]


def build_from_tracks(choice: ChromatinChoice, grid: TrackGrid, genes: Path) -> Built:
    """Write a dataset of every gene in every cell type, ordered by cell type, then gene."""
    with ExitStack() as stack:
        genome = stack.enter_context(Genome.open(choice.fasta)) if choice.fasta else None
        placed = _place(choice, grid, genes, genome)
        sites, cells = placed.sites, grid.cells
        examples = _examples(choice, placed, cells)
        targets = _targets(choice, placed, cells)
        reader = _SignalReader(choice, grid, placed)
        given = [choice.fasta, genes, choice.expression, choice.gene_names, choice.chrom_style]
        sources = [*given, choice.tss, *grid.files.values()]
        origin = describe_origin(
            track(_files(sources), "Taking checksums"),
            builder="dataset chromatin",
            settings=_settings(choice, grid),
            dropped=placed.dropped,
            library=reader.factors,
            lacking=reader.lacking,
            **placed.facts,
        )
        with write_dataset(choice.out, origin) as dataset:
            spool = stack.enter_context(Spool(choice.out.parent))
            contents = Contents(
                examples,
                [Stretch(cell, len(sites)) for cell in cells],
                grid.marks,
                reader.signal(),
                reader.contexts,
                _sequences(genome, sites, choice, spool, len(cells)) if genome else None,
                targets,
            )
            write_contents(dataset, contents)
    notes = [*placed.notes, *reader.notes()]
    if count := int(examples["clipped"].sum()) // len(cells):
        notes.append(f"{count:,} windows leave their chromosome: signal 0 there, and flagged")
    return Built(len(examples), choice.bins, cells, grid.marks, targets, placed.dropped, notes)


def _place(choice: ChromatinChoice, grid: TrackGrid, genes: Path, genome: Genome | None) -> _Placed:
    annotation = read_annotation(genes)
    joined = None
    if choice.expression is not None:
        cells = list(grid.cells)
        joined = join_targets(
            annotation, choice.expression, cells, choice.gene_names, read_expression
        )
    facts: dict[str, Any] = {"annotation": {"format": annotation.format, **annotation.notes}}
    notes, dropped = [], dict[str, int]()
    if genome is not None:
        chroms = reconcile(annotation.chromosomes, genome, choice.chrom_style, annotation.source)
        annotation = annotation.with_chromosomes(chroms)
        dropped[OFF_GENOME] = annotation.notes["genes_off_genome"]
        fit = check_genome_fits(annotation, genome)
        facts |= {"chromosomes": chroms, "genome_fit": fit.facts()}
        notes.append(f"Annotation and genome: {fit}")
    names = genome or (annotation.source, annotation.chromosomes)
    assembly = Assembly.of(names, choice.chrom_style)
    annotation = _on_tracks(annotation, assembly, grid, dropped)
    # What reads sites asks a genome for names, lengths and path, which an assembly has as well.
    ground = genome or cast(Genome, assembly)
    style = choice.chrom_style if genome else "auto"
    dropped.setdefault(OFF_GENOME, 0)
    sites = tss_sites(annotation, ground, choice.tss, style, dropped)
    on_tracks = sites["chrom"].isin(assembly.names)
    dropped[_OFF_TRACKS] += int((~on_tracks).sum())
    sites = sites[on_tracks].reset_index(drop=True)
    sites = of_biotype(sites, annotation, choice.biotype, dropped)
    if joined is not None:
        sites = with_targets(sites, joined, dropped)
        facts["gene_names"] = joined.counts
        notes.append(joined.note)
    assembly.require_inside(sites)
    return _Placed(sites, assembly, joined, dropped, facts, notes)


def _on_tracks(
    annotation: Annotation, assembly: Assembly, grid: TrackGrid, dropped: dict[str, int]
) -> Annotation:
    """Keep the genes on chromosomes that the tracks of the first cell type have."""
    found: dict[str, str] = {}
    for mark in grid.marks:
        with open_signal(grid.files[grid.cells[0], mark]) as opened:
            found |= assembly.names_in(opened, annotation.chromosomes)
    kept = annotation.with_chromosomes({name: name for name in found})
    dropped[_OFF_TRACKS] = kept.notes["genes_off_genome"]
    assembly.names = [name for name in assembly.names if name in found]
    return kept


class _SignalReader:
    """Read the tracks cell type by cell type, and remember what is told afterwards."""

    def __init__(self, choice: ChromatinChoice, grid: TrackGrid, placed: _Placed) -> None:
        self._choice, self._grid, self._placed = choice, grid, placed
        self.contexts = Contexts()
        self.factors: dict[str, float] = {}
        self.lacking: dict[str, int] = {}

    def signal(self) -> Iterator[Signal]:
        """Give (genes, marks, bins) of each cell type, which is all that is in memory."""
        grid, n_genes = self._grid, len(self._placed.sites)
        with task("Reading tracks", len(grid.files)) as bar:
            for cell in grid.cells:
                values = np.empty((n_genes, len(grid.marks), self._choice.bins), dtype=np.float32)
                for at, mark in enumerate(grid.marks):
                    values[:, at] = self._bins(cell, mark, bar)
                yield self.contexts.passing(cell, values)

    def _bins(self, cell: str, mark: str, bar: Task) -> npt.NDArray[np.float32]:
        choice, placed = self._choice, self._placed
        record = f"cell type {cell}, mark {mark}"
        with open_signal(self._grid.files[cell, mark]) as opened:
            names = placed.assembly.names_in(opened, placed.sites["chrom"].unique())
            if lost := int((~placed.sites["chrom"].isin(list(names))).sum()):
                self.lacking[f"{cell} {mark}"] = lost
            placed.assembly.require_inside(placed.sites)
            values = gene_bins(opened, placed.sites, names, choice.bins, choice.bin_size)
            self._refuse_infinite(values, placed, opened.path, record)
            self._refuse_beyond(values, choice, placed, opened.path, record)
            if choice.library_size:
                n_bases = _bases(opened.chromosomes) or placed.assembly.n_bases
                factor = library_factor(opened.kind, opened.total(), n_bases, record=record)
                self.factors[f"{cell} {mark}"] = factor
                values *= np.float32(factor)
                self._refuse_infinite(values, placed, opened.path, f"{record}, library size")
        bar.advance(note=record)
        return scale_signal(values, choice.scale, record=record)

    def _refuse_infinite(
        self, values: npt.NDArray[np.float32], placed: _Placed, path: Path, record: str
    ) -> None:
        whole = np.isfinite(values).all(axis=1)
        if not whole.all():
            raise FormatError(
                "signal that is no finite number",
                file=path,
                record=f"{record}, gene {placed.sites['gene_id'].iloc[int(np.argmin(whole))]}",
                remedy="Make the track anew",
            )

    def _refuse_beyond(
        self,
        values: npt.NDArray[np.float32],
        choice: ChromatinChoice,
        placed: _Placed,
        path: Path,
        record: str,
    ) -> None:
        """Refuse signal behind the end of a chromosome: the track is of another genome build."""
        windows = bin_windows(placed.sites, choice.bins, choice.bin_size)
        length = placed.sites["chrom"].map(placed.assembly.lengths).to_numpy(np.float64)
        first = windows["start"].to_numpy()[:, None] + np.arange(choice.bins) * choice.bin_size
        minus = (placed.sites["strand"] == "-").to_numpy(np.bool_)
        first[minus] = first[minus, ::-1]
        # NaN, a length that no file knows, compares as false.
        outside = (first >= length[:, None]) & (values != 0)
        if outside.any():
            gene = int(np.argmax(outside.any(axis=1)))
            chrom = str(placed.sites["chrom"].iloc[gene])
            raise MismatchError(
                "a track has signal behind the end of a chromosome",
                file=path,
                record=f"{record}, chromosome {chrom}",
                found=f"signal beyond base {placed.assembly.lengths[chrom]:,}",
                expected="a track of the same genome build",
                remedy="Give the genome that the track was made on, or the track of this genome",
            )

    def notes(self) -> list[str]:
        if not self.lacking:
            return []
        name, count = max(self.lacking.items(), key=lambda item: item[1])
        return [
            f"{len(self.lacking):,} tracks lack a chromosome: signal 0 there "
            f"(of {count:,} genes in {name})"
        ]


def _bases(chromosomes: dict[str, int | None]) -> int | None:
    lengths = [length for length in chromosomes.values() if length is not None]
    return sum(lengths) if len(lengths) == len(chromosomes) else None


def _sequences(
    genome: Genome, sites: pd.DataFrame, choice: ChromatinChoice, spool: Spool, n_cells: int
) -> Iterator[Codes]:
    """Cut the window of each gene once, and give them anew for each cell type."""
    upstream = choice.bins // 2 * choice.bin_size
    downstream = choice.bins * choice.bin_size - upstream
    with task("Cutting windows", len(sites)) as bar:
        windows = cut_windows(genome, sites, upstream=upstream, downstream=downstream, chunk=256)
        for cut in windows:
            spool.append(cut.codes)
            bar.advance(len(cut.codes))
    for _ in range(n_cells):
        yield from spool.rows(0, len(spool))


def _examples(choice: ChromatinChoice, placed: _Placed, cells: tuple[str, ...]) -> pd.DataFrame:
    sites = placed.sites
    windows = bin_windows(sites, choice.bins, choice.bin_size)
    genes = pd.DataFrame(
        {
            "gene_id": sites["gene_id"],
            "cell_type": "",
            **windows,
            "tss": sites["tss"],
            "clipped": placed.assembly.leaves(windows),
        }
    )
    # Names that only repeat the id would cost disk and tell nothing.
    for name in ("gene_name", "target_gene_id"):
        if name in sites and (sites[name] != sites["gene_id"]).any():
            genes[name] = sites[name]
    examples = pd.concat([genes] * len(cells), ignore_index=True)
    examples["cell_type"] = np.repeat(np.array(cells, dtype=object), len(genes))
    examples.insert(0, "example_id", example_ids(examples["cell_type"], examples["gene_id"]))
    return examples


def _targets(
    choice: ChromatinChoice, placed: _Placed, cells: tuple[str, ...]
) -> dict[str, TargetValues]:
    if placed.joined is None:
        return {}
    table = placed.joined.values.loc[placed.sites["gene_id"]]
    empty = [cell for cell in cells if table[cell].isna().all()]
    if empty:
        raise MismatchError(
            "a cell type without any expression",
            file=choice.expression,
            record=f"cell type {empty[0]}",
            expected="a value for some gene",
            remedy="Build a dataset of such cell types of its own, without --expression",
        )
    values = table[list(cells)].to_numpy(np.float64).T.ravel()
    scaled = scale_expression(values, choice.expression_scale, record=str(choice.expression))
    return {"expression": TargetValues("regression", scaled)}


def _settings(choice: ChromatinChoice, grid: TrackGrid) -> dict[str, Any]:
    return {
        "bins": choice.bins, "bin_size": choice.bin_size, "scale": choice.scale,
        "library_size": choice.library_size, "expression_scale": choice.expression_scale,
        "cells": list(grid.cells), "marks": list(grid.marks), "tss": str(choice.tss),
        "chrom_style": str(choice.chrom_style), "biotype": choice.biotype,
    }  # fmt: skip


def _files(given: list[Any]) -> list[str | Path]:
    """Keep what is a file and not the name of a choice."""
    return [name for name in given if name is not None and str(name) not in ("auto", *TSS_RULES)]
