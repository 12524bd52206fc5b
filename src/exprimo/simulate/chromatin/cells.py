"""The cell types of a world, from the sites of its genes to the files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from exprimo.core.progress import task
from exprimo.simulate.chromatin.bigwig import write_track
from exprimo.simulate.chromatin.config import CellsConfig
from exprimo.simulate.chromatin.states import Values, draw_states
from exprimo.simulate.chromatin.tracks import (
    Steps,
    draw_domains,
    draw_reads,
    draw_scales,
    footprint,
    lay_over,
    mark_heights,
)
from exprimo.simulate.chromatin.truth import (
    cell_ceilings,
    cell_table,
    chromatin_table,
    expression_table,
    gene_states,
)
from exprimo.simulate.config import WorldConfig, random_stream
from exprimo.simulate.files import write_table
from exprimo.simulate.genome.annotation import NamedGene

SIGNAL = "signal"
EXPRESSION = "cell_expression.tsv"
TRACKS = "tracks.tsv"


class Cells(NamedTuple):
    """What was written about the cell types."""

    counts: dict[str, int]
    """How many cell types, and how many genes of each state, all cell types together."""
    ceilings: dict[str, float]
    """As `exprimo.simulate.chromatin.truth.cell_ceilings` gives them."""


def write_cells(
    folder: Path,
    seed: int,
    genes: Sequence[NamedGene],
    sites: pd.DataFrame,
    components: pd.DataFrame,
    lengths: Mapping[str, int],
    config: WorldConfig,
) -> Cells:
    """Write expression, histone marks and the truth of every cell type of a world.

    Parameters
    ----------
    folder
        Of the world; it has a folder ``truth``.
    genes
        In genome order.
    sites
        As `exprimo.simulate.regulation.sites.regulate` gives them.
    components
        As `exprimo.simulate.expression.add_up` gives them.
    lengths
        Length of each chromosome in bases.
    """
    wanted = config.cells
    states = draw_states(seed, sites, components, config)
    heights = mark_heights(seed, states, wanted)
    scales = draw_scales(seed, states.names, wanted)
    gene_ids = [one.gene_id for one in genes]
    write_table(folder / EXPRESSION, expression_table(gene_ids, states))
    write_table(folder / "truth" / "cells.tsv", cell_table(states, scales))
    table = chromatin_table(gene_ids, states, heights)
    write_table(folder / "truth" / "chromatin.tsv", table)
    _write_signal(
        folder / SIGNAL, seed, genes, heights, scales, Steps(wanted.step, lengths), wanted
    )
    write_table(folder / TRACKS, _track_table(scales.index.tolist(), wanted))
    named, counted = gene_states(states.openness, states.silencing), {}
    for name in ("active", "bivalent", "repressed", "quiet"):
        counted[f"{name}_states"] = int((named == name).sum())
    counts = {"cell_types": wanted.cell_types, **counted}
    return Cells(counts, cell_ceilings(states.expected, states.observed))


def _track_table(cells: Sequence[str], config: CellsConfig) -> pd.DataFrame:
    """List the tracks: cell_type, mark, file (beside the table)."""
    pairs = [(cell, mark.name) for cell in cells for mark in config.marks]
    return pd.DataFrame(
        {
            "cell_type": [cell for cell, _ in pairs],
            "mark": [mark for _, mark in pairs],
            "file": [f"{SIGNAL}/{cell}.{mark}.bw" for cell, mark in pairs],
        }
    )


def _write_signal(
    folder: Path,
    seed: int,
    genes: Sequence[NamedGene],
    heights: Mapping[str, Values],
    scales: pd.DataFrame,
    steps: Steps,
    config: CellsConfig,
) -> None:
    """Write one BigWig per cell type and mark; one track is held at a time."""
    folder.mkdir()
    with task("Writing histone marks", len(scales) * len(config.marks)) as bar:
        for mark in config.marks:
            covered = footprint(mark, genes, steps)
            for number, cell in enumerate(scales.index):
                if mark.name in heights:
                    marked = lay_over(covered, heights[mark.name][:, number], steps)
                else:
                    stream = random_stream(seed, f"cells.domains.{cell}.{mark.name}")
                    marked = draw_domains(stream, mark, steps)
                stream = random_stream(seed, f"cells.reads.{cell}.{mark.name}")
                depth, efficiency = float(scales["depth"][cell]), float(scales[mark.name][cell])
                reads = draw_reads(stream, marked, depth, efficiency, config)
                write_track(folder / f"{cell}.{mark.name}.bw", reads, steps)
                bar.advance(note=f"{cell} {mark.name}")
