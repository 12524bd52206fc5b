"""What is asked of personal predictions, as it stands in the manifest of unfinished work."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from exprimo.core.config import Config
from exprimo.scoring.sequences import Average


class Machine(Config):
    """Where it is computed; predictions depend on it by rounding alone."""

    device: str = "auto"
    """``auto``, ``cpu``, ``cuda``, ``cuda:1``."""
    threads: int | None = Field(None, ge=1)
    """CPU threads; unset: all."""


class Window(Config):
    """The window of one gene, and its distinct haplotypes."""

    gene_id: str
    """The gene."""
    chrom: str
    """As the genome names it."""
    tss: int = Field(ge=0)
    """0-based position of the TSS base."""
    strand: Literal["+", "-"]
    """Of the gene."""
    distinct: int = Field(0, ge=0)
    """How many different haplotypes people have."""
    digest: str = ""
    """Of those, in order: another one tells that genome or genotypes were exchanged."""


class Piece(Config):
    """Some haplotypes of one window."""

    window: int = Field(ge=0)
    """Number of the window."""
    first: int = Field(ge=0)
    """First haplotype."""
    end: int = Field(ge=1)
    """Behind the last."""


class PersonalConfig(Config):
    """Everything that the predictions depend on."""

    model: str
    """A Run's folder, or a pretrained model."""
    genotypes: str
    """VCF, BCF, or the prefix of a PLINK trio."""
    fasta: str
    """The genome."""
    samples: tuple[str, ...] | None = None
    """Names of the people, in order; unset: all."""
    on_ref_mismatch: Literal["error", "skip", "swap"] = "error"
    """What to do where REF is not what the genome has."""
    chrom_style: str = "auto"
    """``auto``, or a table: name in the files, name in the genome."""
    unphased: Literal["error", "mixture"] | int = "error"
    """What to do where phase is needed and not known."""
    seed: int = 0
    """Of random phasings."""
    tracks: tuple[str, ...] = ()
    """Which tracks; none: all of a small model."""
    track_table: str | None = None
    """The table that describes them."""
    bins: int | Literal["all"] = 3
    """Bins around the TSS, which are averaged."""
    upstream: int | None = Field(None, ge=0)
    """Bases before the TSS in the window, where the model does not say it."""
    average: Average = Average()
    """Readings of a window that are averaged."""
    precision: Literal["auto", "fp32", "bf16"] = "fp32"
    """Of the network's arithmetic."""
    windows: tuple[Window, ...] = ()
    """The genes."""
    shards: tuple[tuple[Piece, ...], ...] = ()
    """What is computed together."""
    machine: Machine = Machine()
    """Where."""
