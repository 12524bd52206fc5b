"""Opened files and the haplotypes that they give, one gene at a time."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from exprimo.core.errors import MismatchError
from exprimo.core.sequence import Codes
from exprimo.data.fasta import Genome
from exprimo.data.genotypes import Genotypes, open_genotypes
from exprimo.data.names import read_chromosome_names
from exprimo.features.haplotypes import PlannedWindow, plan_window
from exprimo.scoring.personal.config import PersonalConfig, Window
from exprimo.scoring.personal.spool import CodeFile
from exprimo.scoring.sequences import SequenceModel, open_sequence_model

_ID_BYTES = 8
# Windows are built so many bases at a time when all that is wanted are their ids.
_BASES = 1 << 24


class Sources(NamedTuple):
    """Genome, genotypes and model, open."""

    config: PersonalConfig
    genome: Genome
    genotypes: Genotypes
    model: SequenceModel

    def window(self, window: Window) -> PlannedWindow:
        """Find who has which haplotype of a gene's window."""
        return plan_window(
            self.genome,
            self.genotypes,
            window.chrom,
            window.tss,
            window.strand,
            upstream=self.model.upstream,
            downstream=self.model.downstream,
            unphased=self.config.unphased,
            seed=self.config.seed,
        )

    @property
    def length(self) -> int:
        """Bases of a window."""
        return self.model.upstream + self.model.downstream

    def with_config(self, **changes: Any) -> Sources:
        """Give the same files with other settings."""
        return self._replace(config=self.config.model_copy(update=changes))

    def close(self) -> None:
        """Let go of the files."""
        self.genotypes.close()
        self.genome.close()


def open_sources(config: PersonalConfig) -> Sources:
    """Open everything that a worker reads."""
    genome = Genome.open(config.fasta)
    try:
        genotypes = open_people(config, genome)
        return Sources(config, genome, genotypes, open_model(config))
    except BaseException:
        genome.close()
        raise


@contextmanager
def opened_files(config: PersonalConfig) -> Iterator[tuple[Genome, Genotypes]]:
    """Open genome and genotypes, and let go of them at the end."""
    with Genome.open(config.fasta) as genome, open_people(config, genome) as genotypes:
        yield genome, genotypes


def open_people(config: PersonalConfig, genome: Genome) -> Genotypes:
    """Open the genotypes of those who were asked for."""
    style = config.chrom_style
    return open_genotypes(
        Path(config.genotypes),
        samples=config.samples,
        genome=genome,
        on_ref_mismatch=config.on_ref_mismatch,
        chrom_table=None if style == "auto" else read_chromosome_names(style),
    )


def open_model(config: PersonalConfig) -> SequenceModel:
    """Open the model that was asked for."""
    return open_sequence_model(
        config.model,
        tracks=config.tracks,
        track_table=config.track_table,
        bins=config.bins,
        upstream=config.upstream,
        average=config.average,
        device=config.machine.device,
        threads=config.machine.threads,
        precision=config.precision,
    )


def named_haplotypes(found: PlannedWindow, kept: CodeFile | None = None) -> npt.NDArray[Any]:
    """Name each distinct haplotype by its sequence, text (distinct,): equal ones are called alike.

    The name is 16 hexadecimal digits of the BLAKE2b digest of its codes, in gene orientation.
    With ``kept`` the codes are stored there, in pieces of one window.
    """
    step = max(1, _BASES // max(1, found.length))
    names: list[str] = []
    for first in range(0, found.n_distinct, step):
        codes = found.build(np.arange(first, min(first + step, found.n_distinct)))
        names += _names(codes)
        if kept is not None:
            kept.add(codes)
    if kept is not None:
        kept.end_window()
    return np.array(names, dtype=f"U{2 * _ID_BYTES}")


def _names(codes: Codes) -> list[str]:
    return [hashlib.blake2b(row.tobytes(), digest_size=_ID_BYTES).hexdigest() for row in codes]


def digest_of(ids: npt.NDArray[Any]) -> str:
    """Fold the names of a window's haplotypes, in order, into one."""
    return hashlib.blake2b("".join(ids).encode(), digest_size=_ID_BYTES).hexdigest()


def check_planned(sources: Sources, window: Window, ids: npt.NDArray[Any]) -> None:
    """Refuse haplotypes that are not those of the plan."""
    if len(ids) != window.distinct or digest_of(ids) != window.digest:
        raise MismatchError(
            "people have other haplotypes here than when the work was planned",
            file=sources.genotypes.path,
            record=f"gene {window.gene_id}",
            found=f"{len(ids):,} distinct ones",
            expected=f"{window.distinct:,}, digest {window.digest}",
            remedy="Give every worker the same genome and genotypes, and leave them as they are",
        )
