"""What a simulated world is made of: one typed config per part, a docstring per field."""

from __future__ import annotations

import zlib
from typing import Literal

import numpy as np
from pydantic import Field, PositiveFloat, field_validator

from exprimo.core.config import Config
from exprimo.simulate.chromatin.config import CellsConfig
from exprimo.simulate.individuals.config import IndividualsConfig

WorldSize = Literal["small", "large"]


class GenomeConfig(Config):
    """Chromosomes, base composition and repeats."""

    chromosomes: int = Field(default=5, ge=1)
    """Number of chromosomes, named 1, 2, ...; each holds fewer genes than the one before."""
    gc_mean: float = Field(default=0.42, gt=0.2, lt=0.8)
    """Mean fraction of G and C over the genome."""
    gc_sd: float = Field(default=0.05, ge=0, le=0.1)
    """Standard deviation of that fraction along a chromosome."""
    gc_memory: float = Field(default=0.95, ge=0, lt=1)
    """Correlation of the GC fraction of neighbouring genes (isochores)."""
    promoter_gc_excess: float = Field(default=0.05, ge=0, le=0.15)
    """How much more GC the sequence around a TSS has than its neighbourhood."""
    cpg_loss: float = Field(default=0.7, ge=0, le=1)
    """Share of CG pairs between genes that have decayed to TG or CA."""
    spacer_median: int = Field(default=700, ge=50)
    """Median length in bases of the sequence between two genes' own stretches."""
    repeat_families: int = Field(default=12, ge=0)
    """Number of kinds of interspersed repeat."""
    repeats_per_spacer: float = Field(default=0.6, ge=0)
    """Mean number of repeat copies between two genes."""
    repeat_divergence: tuple[float, float] = (0.03, 0.25)
    """Smallest and largest share of bases in which a repeat copy differs from its kind."""
    telomere: int = Field(default=500, ge=0)
    """Number of unknown bases (N) at either end of a chromosome."""


class TranscriptConfig(Config):
    """Gene structure; lengths are medians of log-normal distributions, in bases."""

    upstream: int = Field(default=1000, ge=800)
    """Bases before the canonical TSS that belong to this gene alone."""
    utr5_median: int = Field(default=110, ge=40)
    """5'UTR length."""
    codons_median: int = Field(default=280, ge=60)
    """Length of the coding sequence in codons, start and stop included."""
    utr3_median: int = Field(default=350, ge=60)
    """3'UTR length."""
    introns_mean: float = Field(default=3.5, ge=0)
    """Mean number of introns of a coding gene."""
    intron_median: int = Field(default=150, ge=60)
    """Intron length."""
    noncoding_share: float = Field(default=0.04, ge=0, lt=1)
    """Share of genes without a coding sequence (lncRNA)."""
    second_transcript_share: float = Field(default=0.3, ge=0, le=1)
    """Share of coding genes with a second transcript: other TSS, shorter 3'UTR."""


class FamilyConfig(Config):
    """Paralogous genes."""

    paralog_share: float = Field(default=0.4, ge=0, lt=1)
    """Share of genes that belong to a family of two or more."""
    size_mean: float = Field(default=5.0, gt=2)
    """Mean number of genes in such a family."""
    size_max: int = Field(default=12, ge=2)
    """Largest family."""
    divergence: tuple[float, float] = (0.05, 0.20)
    """Smallest and largest share of bases in which a copy differs from the family's founder."""
    tandem_share: float = Field(default=0.3, ge=0, le=1)
    """Share of copies that lie beside their founder; the others lie anywhere."""
    expression_sd: float = Field(default=1.3, ge=0)
    """SD, in log2 units, of what relatives share in expression beyond their motifs."""


class Factor(Config):
    """One transcription factor: how often its motif is planted and what a site does there.

    Offsets are those of the site's first base (in gene orientation) from the TSS: -35 lies 35
    bases upstream. A site acts only within ``reach``; its effect is
    ``effect * occupancy * exp(-distance / decay) * (forward or reverse)``.
    """

    name: str
    """Name of the factor and of its motif."""
    effect: float
    """Change of log2 expression by one perfect site at full weight."""
    rate: float = Field(ge=0)
    """Mean number of sites planted in a promoter."""
    planted: tuple[int, int] = (-480, -10)
    """Half-open range of offsets in which sites are planted."""
    elsewhere: float = Field(default=0.0, ge=0)
    """Mean number of further sites planted anywhere, either way round."""
    reach: tuple[int, int] = (-500, 100)
    """Half-open range of offsets in which a site acts."""
    decay: float | None = Field(default=None, gt=0)
    """Distance in bases over which the effect falls to 1/e; none: it does not fall."""
    forward: float = 1.0
    """Weight of a site that reads along the gene."""
    reverse: float = 1.0
    """Weight of a site that reads against the gene."""
    partner: str | None = None
    """Factor whose site must follow this one on the same strand; alone, neither acts."""
    spacing: tuple[int, int] = (4, 8)
    """Half-open range of the gap in bases between the two sites of a pair."""
    paired_share: float = Field(default=0.5, ge=0, le=1)
    """Share of this factor's planted sites that are planted with their partner."""


# Few and strong, so that a small network learns them from 4,000 training promoters; how a site
# counts depends on its place, strand or neighbour, so that counting words does not suffice.
FACTORS = (
    Factor(name="PROX", effect=2.4, rate=1.8, decay=300.0),
    Factor(name="REPR", effect=-2.0, rate=1.2, reach=(-350, 100)),
    Factor(
        name="CORE",
        effect=2.5,
        rate=0.8,
        planted=(-36, -30),
        reach=(-40, -24),
        reverse=0.0,
        elsewhere=0.8,
    ),
    Factor(name="LEAD", effect=2.4, rate=1.2, partner="MATE", paired_share=0.7),
    Factor(name="MATE", effect=0.0, rate=0.3),
)


class RegulationConfig(Config):
    """Motifs, and the promoter window in which they act."""

    upstream: int = Field(default=500, ge=100)
    """First base of the acting window, upstream of the canonical TSS."""
    downstream: int = Field(default=100, ge=0)
    """End of the acting window; the TSS base is the first downstream base."""
    width: int = Field(default=9, ge=6)
    """Motif length in bases."""
    consensus_probability: float = Field(default=0.96, gt=0.25, lt=1)
    """Probability of the preferred base at each position of a motif."""
    threshold: float = Field(default=0.6, gt=0, lt=1)
    """Share of the best log-odds score from which on a sequence counts as a site."""
    weakest_occupancy: float = Field(default=0.6, ge=0, le=1)
    """Occupancy of a site just at the threshold; a perfect site has 1."""
    factors: tuple[Factor, ...] = FACTORS
    """The transcription factors."""


class StabilityConfig(Config):
    """Half-life: log2 hours as a weighted sum of standardised features of the mRNA."""

    hours: float = Field(default=6.0, gt=0)
    """Half-life of an average gene."""
    utr5_length: float = -0.12
    """Weight of the log length of the 5'UTR; weights are log2 hours per standard deviation."""
    utr5_gc: float = -0.16
    """Weight of the GC fraction of the 5'UTR."""
    cds_length: float = -0.16
    """Weight of the log length of the coding sequence."""
    cds_gc: float = 0.16
    """Weight of the GC fraction of the coding sequence."""
    utr3_length: float = -0.28
    """Weight of the log length of the 3'UTR."""
    utr3_gc: float = 0.08
    """Weight of the GC fraction of the 3'UTR."""
    junction_density: float = 0.36
    """Weight of the number of exon junctions per kilobase of coding sequence."""
    measurement_sd: float = Field(default=0.3, ge=0)
    """SD, in log2 units, of the error of a measured half-life."""
    missing_share: float = Field(default=0.1, ge=0, lt=1)
    """Share of coding genes without a measured half-life."""


class ExpressionConfig(Config):
    """Expression: what the parts add up to, and what blurs it. All in log2 units."""

    baseline: float = 5.0
    """Expression of a gene without any regulation."""
    noise_sd: float = Field(default=0.8, ge=0)
    """SD of what no feature explains."""
    missing_share: float = Field(default=0.02, ge=0, lt=1)
    """Share of genes without a measured expression."""


class ConditionsConfig(Config):
    """RNA-seq of two conditions, control and treated, between which one factor's activity changes.

    A count is negative binomial with mean mu and variance mu + alpha mu²; alpha follows the trend
    ``extra_poisson / mu + asymptotic_dispersion`` (Love, Huber & Anders 2014).
    """

    differential: Literal["factor", "random", "none"] = "factor"
    """What the log2 fold change of a gene is: what the factor's sites tell; the same values dealt
    out at random, so that no promoter tells them; or 0 for every gene."""
    factor: str = "LEAD"
    """Name of the transcription factor whose activity changes."""
    activity: float = Field(default=0.0, ge=0)
    """Its activity in the treated condition relative to control; 1: unchanged, 0: lost."""
    reach: tuple[int, int] = (-250, 100)
    """Half-open range of offsets in which its sites feel the change, as when a cofactor is lost
    that it needs near the TSS. Where most genes changed, no normalisation would hold."""
    background_sd: float = Field(default=0.1, ge=0)
    """SD of a change in log2 that every gene has and no motif tells."""
    samples: int = Field(default=4, ge=1)
    """Number of samples of each condition."""
    reads_per_gene: float = Field(default=600.0, gt=0)
    """Mean depth of a library: expected reads divided by the number of genes."""
    depth_sd: float = Field(default=0.3, ge=0, le=2)
    """SD of the natural log of the depth over the libraries."""
    extra_poisson: float = Field(default=2.0, ge=0)
    """Dispersion of a gene with a mean count of 1, above that of the most expressed genes (a1)."""
    asymptotic_dispersion: float = Field(default=0.03, gt=0)
    """Dispersion of the most expressed genes (a0)."""
    dispersion_sd: float = Field(default=0.4, ge=0, le=3)
    """SD of the natural log of a gene's dispersion around the trend."""
    silent_share: float = Field(default=0.15, ge=0, lt=1)
    """Share of genes that are off in the cells that were sequenced, whatever their promoter."""
    silent_mean: tuple[PositiveFloat, PositiveFloat] = (0.01, 3.0)
    """Smallest and largest mean count of such a gene, log-uniform."""

    @field_validator("reach", "silent_mean")
    @classmethod
    def _ordered(cls, value: tuple[float, float]) -> tuple[float, float]:
        if value[0] >= value[1]:
            raise ValueError("give the smaller number first")
        return value


class WorldConfig(Config):
    """A whole simulated world."""

    genes: int = Field(default=5000, ge=20)
    """Number of genes."""
    genome: GenomeConfig = GenomeConfig()
    """Chromosomes, base composition and repeats."""
    transcripts: TranscriptConfig = TranscriptConfig()
    """Gene structure."""
    families: FamilyConfig = FamilyConfig()
    """Paralogous genes."""
    regulation: RegulationConfig = RegulationConfig()
    """Motifs and what they do."""
    stability: StabilityConfig = StabilityConfig()
    """Half-life."""
    expression: ExpressionConfig = ExpressionConfig()
    """Expression."""
    conditions: ConditionsConfig = ConditionsConfig()
    """RNA-seq counts of two conditions."""
    cells: CellsConfig = CellsConfig()
    """Cell types and their histone marks; none unless asked for."""
    individuals: IndividualsConfig = IndividualsConfig()
    """People, their genotypes and their expression; none unless asked for."""


def world_config(size: WorldSize) -> WorldConfig:
    """Give the config of a named size.

    Examples
    --------
    >>> world_config("small").genes, world_config("large").genes
    (5000, 20000)
    """
    if size == "small":
        return WorldConfig()
    return WorldConfig(
        genes=20_000,
        genome=GenomeConfig(chromosomes=12, spacer_median=1500),
        transcripts=TranscriptConfig(introns_mean=6.0, intron_median=300),
    )


def random_stream(seed: int, part: str) -> np.random.Generator:
    """Give one part of the world its own random numbers.

    A part that is added later, or that draws more numbers, then leaves the others as they were.

    Examples
    --------
    >>> random_stream(0, "genome").integers(9) == random_stream(0, "genome").integers(9)
    np.True_
    """
    return np.random.default_rng([seed, zlib.crc32(part.encode())])
