"""The files of a world: tables and motifs, in the formats that a user would bring."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from exprimo.core.coordinates import Interval
from exprimo.simulate.regulation.motifs import Motif


def write_lines(path: Path, lines: Iterable[str]) -> None:
    """Write text lines, ended by newlines on every system."""
    with path.open("w", encoding="utf-8", newline="\n") as handle:
        handle.writelines(f"{line}\n" for line in lines)


def write_table(path: Path, table: pd.DataFrame) -> None:
    """Write a TSV; missing values are empty fields, numbers have four decimals."""
    table.to_csv(path, sep="\t", index=False, float_format="%.4f", lineterminator="\n")


def write_counts(
    path: Path, gene_ids: Sequence[str], samples: Sequence[str], counts: npt.NDArray[np.int64]
) -> None:
    """Write read counts as TSV: gene_id, then one column per sample; whole numbers."""
    table = pd.DataFrame(counts, columns=list(samples))
    table.insert(0, "gene_id", list(gene_ids))
    write_table(path, table)


def write_repeats(path: Path, repeats: Iterable[tuple[str, Interval]]) -> None:
    """Write repeat copies as BED6."""
    lines = (f"{at.chrom}\t{at.start}\t{at.end}\t{kind}\t0\t{at.strand}" for kind, at in repeats)
    write_lines(path, lines)


def write_motifs(path: Path, motifs: Iterable[Motif]) -> None:
    """Write motifs in MEME's minimal text format."""
    lines = [
        "MEME version 4",
        "",
        "ALPHABET= ACGT",
        "",
        "strands: + -",
        "",
        "Background letter frequencies",
        "A 0.25 C 0.25 G 0.25 T 0.25",
        "",
    ]
    for motif in motifs:
        lines += [
            f"MOTIF {motif.name}",
            f"letter-probability matrix: alength= 4 w= {motif.width} nsites= 1000 E= 0",
        ]
        lines += [" ".join(f"{value:.6f}" for value in row) for row in motif.probabilities]
        lines.append("")
    write_lines(path, lines)
