"""The chromosomes that annotation, genome and tracks have in common, under one name each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from exprimo.core.coordinates import reconcile_chromosomes
from exprimo.core.errors import MismatchError
from exprimo.data.fasta import Genome
from exprimo.data.names import read_chromosome_names
from exprimo.data.signals import SignalFile


@dataclass
class Assembly:
    """Chromosomes as the dataset names them: as the FASTA does, else as the annotation does.

    Attributes
    ----------
    path
        The file whose names these are.
    names
        Chromosomes.
    lengths
        Their lengths in bases, where some file knows them.
    table
        A user's own table of names: name here -> name in a track; None to guess.
    n_bases
        Length of the whole genome, where there is a FASTA.
    """

    path: Path
    names: list[str]
    lengths: dict[str, int] = field(default_factory=dict)
    table: Mapping[str, str] | None = None
    n_bases: int | None = None

    @classmethod
    def of(cls, source: Genome | tuple[Path, list[str]], chrom_style: str | Path) -> Assembly:
        """Begin with a genome, or with a file and the chromosomes that it names."""
        table = None if chrom_style == "auto" else read_chromosome_names(chrom_style)
        if isinstance(source, Genome):
            lengths = dict(source.lengths)
            return cls(source.path, list(source.names), lengths, table, sum(lengths.values()))
        path, names = source
        return cls(path, list(names), {}, table)

    def names_in(self, track: SignalFile, chroms: Iterable[str]) -> dict[str, str]:
        """Map chromosomes to their names in a track, and learn or check their lengths.

        Chromosomes that the track does not have are left out; none at all is an error that shows
        the heads of both. Rows of the user's table that lead elsewhere do not count.

        Raises
        ------
        MismatchError
            A chromosome has another length: the track was made with another genome build.
        """
        ours = list(dict.fromkeys(chroms))
        theirs = track.chromosomes
        rows = self.table or {}
        usable = {our: rows[our] for our in ours if rows.get(our) in theirs}
        found = reconcile_chromosomes(
            theirs,
            ours,
            table=usable or None,
            our_file=str(track.path),
            their_file=str(self.path),
        )
        for our, their in found.items():
            length = theirs[their]
            if length is None:
                continue
            if self.lengths.setdefault(our, length) != length:
                raise MismatchError(
                    "a chromosome has another length than in the other files",
                    file=track.path,
                    record=f"chromosome {their}",
                    found=f"{length:,} bases",
                    expected=f"{self.lengths[our]:,} bases",
                    remedy="Take genome and tracks of the same build, or leave the chromosome out "
                    "of a table of names (--chrom-style FILE)",
                )
        return found

    def leaves(self, windows: pd.DataFrame) -> pd.Series[bool]:
        """Tell which windows (chrom, start, end) leave their chromosome, as far as is known."""
        length = windows["chrom"].map(self.lengths).fillna(np.inf)
        return (windows["start"] < 0) | (windows["end"] > length)

    def require_inside(self, sites: pd.DataFrame) -> None:
        """Refuse sites (gene_id, chrom, tss) beyond the end of their chromosome."""
        length = sites["chrom"].map(self.lengths).fillna(np.inf)
        beyond = (sites["tss"] >= length).to_numpy(np.bool_)
        if beyond.any():
            first = sites[beyond].iloc[0]
            raise MismatchError(
                f"{int(beyond.sum()):,} TSSs lie beyond the end of their chromosome",
                record=f"gene {first['gene_id']} at {first['chrom']}:{first['tss'] + 1:,}",
                expected=f"at most {self.lengths[first['chrom']]:,}",
                remedy="Take annotation and signal of the same genome build",
            )
