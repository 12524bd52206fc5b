"""Settings of the cell types of a world: histone marks, and what expression makes of them."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from exprimo.core.config import Config


class Mark(Config):
    """One histone mark: where it lies about a gene, and what its height follows.

    Positions are bases from the canonical TSS in gene orientation. A mark's height at the middle
    of its place is ``level * exp(response * z + scatter * N(0, 1))`` reads per step, where z is
    what it follows.
    """

    name: str
    """Name of the mark, as in the names of its files."""
    follows: Literal["activation", "repression", "transcription", "nothing"]
    """Which standardised state of gene and cell sets the height."""
    shape: Literal["peak", "flanks", "body", "domains"]
    """A bell at ``offset``; two, ``offset`` up- and downstream; the gene from ``offset`` to its
    end; or domains of ``width`` that know nothing of genes."""
    offset: int = 0
    """Where the bell's middle lies, or where the body's part begins."""
    width: int = Field(default=150, gt=0)
    """SD of the bell in bases; mean length of a domain."""
    level: float = Field(gt=0)
    """Height where what it follows is 0."""
    response: float = Field(default=0.0, ge=0)
    """Change of the natural log of the height per unit of what it follows."""
    scatter: float = Field(default=0.3, ge=0)
    """SD of the natural log of the height that nothing explains, by gene and cell."""


# The five marks that DeepChrome read (Singh et al. 2016). The repressive one lies away from the
# active one, to be told from it, and not farther, because genes lie some four kilobases apart here.
# Offsets are middles of bins of 100 bases that are counted from the TSS.
MARKS = (
    Mark(
        name="H3K4me3",
        follows="activation",
        shape="peak",
        offset=350,
        width=150,
        level=8.0,
        response=1.1,
        scatter=0.2,
    ),
    Mark(
        name="H3K4me1",
        follows="activation",
        shape="flanks",
        offset=1250,
        width=250,
        level=1.5,
        response=0.4,
        scatter=0.6,
    ),
    Mark(
        name="H3K36me3",
        follows="transcription",
        shape="body",
        offset=500,
        level=0.4,
        response=0.4,
        scatter=0.9,
    ),
    Mark(
        name="H3K27me3",
        follows="repression",
        shape="peak",
        offset=-850,
        width=350,
        level=6.0,
        response=1.0,
        scatter=0.2,
    ),
    Mark(name="H3K9me3", follows="nothing", shape="domains", width=4000, level=1.5),
)


class CellsConfig(Config):
    """Cell types: their factors, the states of their genes, and their histone marks."""

    cell_types: int = Field(default=0, ge=0)
    """Number of cell types; 0: none, and no files of them."""
    activity: tuple[float, float] = (0.2, 1.8)
    """Smallest and largest activity of a factor in a cell type, uniform."""
    unmarked: tuple[str, ...] = ("CORE",)
    """Factors whose sites act on expression, equally in every cell, without changing a mark."""
    unmarked_weight: float = Field(default=0.5, ge=0)
    """What their sites count here, relative to their effect elsewhere."""
    state_sd: float = Field(default=0.7, ge=0)
    """SD of the state of a gene in a cell that no sequence tells; that of the sequence is 1."""
    activation_gain: float = Field(default=2.5, gt=0)
    """Steepness of the logistic function from activation to openness."""
    repression_gain: float = Field(default=3.0, gt=0)
    """Steepness of the logistic function from repression to silencing."""
    repression_threshold: float = 0.3
    """Repression at which silencing is half complete."""
    silencing: float = Field(default=0.9, ge=0, le=1)
    """Share of an open gene's expression that complete silencing takes away."""
    range: float = Field(default=7.0, ge=0)
    """Log2 expression of a fully open gene above one that is closed."""
    baseline: float = 1.0
    """Log2 expression of a closed gene."""
    noise_sd: float = Field(default=0.8, ge=0)
    """SD in log2 of what nothing explains."""
    marks: tuple[Mark, ...] = MARKS
    """The histone marks."""
    step: int = Field(default=50, ge=10)
    """Bases over which a track's reads are counted."""
    background: float = Field(default=0.15, gt=0)
    """Reads per step where there is no mark, in a library of mean depth."""
    depth_sd: float = Field(default=0.5, ge=0, le=2)
    """SD of the natural log of the depth over the cell types, the same for all marks of one."""
    efficiency_sd: float = Field(default=0.4, ge=0, le=2)
    """SD of the natural log of how well a mark is enriched, by cell type and mark."""

    @field_validator("cell_types")
    @classmethod
    def _more_than_one(cls, value: int) -> int:
        if value == 1:
            raise ValueError("give 0 or at least 2 cell types")
        return value

    @model_validator(mode="after")
    def _named_apart(self) -> Self:
        names = [mark.name for mark in self.marks]
        if len(set(names)) != len(names) or not names:
            raise ValueError("give one or more marks of different names")
        if not 0 <= self.activity[0] <= self.activity[1]:
            raise ValueError("give the smaller activity first, and none below 0")
        return self
