"""What is asked of the scoring of variants."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from exprimo.core.config import Config
from exprimo.scoring.sequences import Average
from exprimo.scoring.variants.plan import Center
from exprimo.scoring.variants.scores import ScoreKind


class Machine(Config):
    """Where it is computed; the scores do not depend on it."""

    device: str = "auto"
    """``auto``, ``cpu``, ``cuda``, ``cuda:1``."""
    threads: int | None = Field(None, ge=1)
    """CPU threads; unset: all."""


class VariantsConfig(Config):
    """The complete settings of one table of scores."""

    model: str
    """A Run's folder, or a pretrained model."""
    variants: str
    """The list of variants."""
    fasta: str
    """The genome."""
    genes: str | None = None
    """The annotation; needed for windows around TSSs."""
    gene: tuple[str, ...] = ()
    """Only these genes."""
    tss: str = "canonical"
    """``canonical``, ``most5prime``, or a table of TSSs."""
    chrom_style: str = "auto"
    """``auto``, or a table: name in the file, name in the genome."""
    on_ref_mismatch: Literal["error", "skip", "swap"] = "error"
    """What to do where REF is not what the genome has."""
    center: Center = "tss"
    """What stands in the middle of a window."""
    score: ScoreKind = "difference"
    """Which score."""
    tracks: tuple[str, ...] = ()
    """Which tracks; none: all of a small model."""
    track_table: str | None = None
    """The table that describes them."""
    bins: int | Literal["all"] = 3
    """Bins around the anchor."""
    upstream: int | None = Field(None, ge=0)
    """Bases before the TSS in the window, where the model does not say it."""
    average: Average = Average()
    """Readings of a window that are averaged."""
    precision: Literal["auto", "fp32", "bf16"] = "fp32"
    """Of the network's arithmetic."""
    way: Literal["auto", "whole"] = "auto"
    """``auto`` follows a substitution through a `cnn`; ``whole`` reads every window whole."""
    background: str | None = None
    """Scores of common variants that quantiles are taken against."""
    shard_size: int | None = Field(None, ge=1)
    """Pairs of variant and window in a shard; unset: by the length of the window."""
    machine: Machine = Machine()
    """Where it is computed."""
