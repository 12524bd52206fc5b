"""What is asked of in-silico mutagenesis."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from exprimo.core.config import Config
from exprimo.core.errors import ConfigError
from exprimo.scoring.sequences import Average

WayName = Literal["auto", "local", "whole"]


class Machine(Config):
    """Where it is computed; effects do not depend on it beyond rounding."""

    device: str = "auto"
    """``auto``, ``cpu``, ``cuda``, ``cuda:1``."""
    threads: int | None = Field(None, ge=1)
    """CPU threads; unset: all."""


class MutagenesisConfig(Config):
    """The complete settings of one table of effects."""

    model: str
    """A Run's folder, or a pretrained model."""
    dataset: str | None = None
    """Windows that are stored already; else they are cut from a genome."""
    fasta: str | None = None
    """The genome."""
    genes: str | None = None
    """The annotation."""
    gene: tuple[str, ...] = ()
    """Only these genes."""
    tss: str = "canonical"
    """``canonical``, ``most5prime``, or a table of TSSs."""
    chrom_style: str = "auto"
    """``auto``, or a table: name in the annotation, name in the genome."""
    positions: tuple[int, int] | None = None
    """First position and the one behind the last, relative to the TSS in gene orientation (the
    TSS base is 0, upstream is negative); unset: the whole window."""
    around: int | None = Field(None, ge=0)
    """Or so many bases to either side of the TSS, as far as the window reaches."""
    way: WayName = "auto"
    """``local``: recompute only what a change can reach; ``whole``: predict every mutant whole;
    ``auto``: local where the network is a chain of local layers."""
    memory: int = Field(1024, ge=64)
    """MiB that the computation may take besides the network."""
    tracks: tuple[str, ...] = ()
    """Which tracks; none: all of a small model."""
    track_table: str | None = None
    """The table that describes them."""
    bins: int | Literal["all"] = 3
    """Bins around the TSS over which a backbone's tracks are averaged."""
    upstream: int | None = Field(None, ge=0)
    """Bases before the TSS in the window, where the model does not say it."""
    average: Average = Average()
    """Readings of a window that are averaged, of a backbone."""
    precision: Literal["fp32", "bf16"] = "fp32"
    """Of a backbone's arithmetic; effects of single bases are finer than bf16."""
    machine: Machine = Machine()
    """Where it is computed."""

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.dataset is None) == (self.fasta is None):
            raise ConfigError(
                "windows come either from a dataset or from a genome",
                found="both" if self.dataset else "neither",
                remedy="Give a dataset, or --fasta with --genes",
            )
        if self.fasta is not None and self.genes is None:
            raise ConfigError(
                "a genome alone does not say where genes start",
                file=self.fasta,
                remedy="Give the annotation too: --genes",
            )
        if self.positions is not None and self.around is not None:
            raise ConfigError("give either positions or around, not both")
        if self.positions is not None and self.positions[0] >= self.positions[1]:
            raise ConfigError(
                "positions go from a smaller to a larger number",
                record="positions",
                found=f"{self.positions[0]}:{self.positions[1]}",
            )
        return self
