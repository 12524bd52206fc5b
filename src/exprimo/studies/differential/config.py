"""What a differential-promoter study is made of."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from exprimo.core.config import Config
from exprimo.labels import DgeConfig
from exprimo.studies.benchmarking import ComparisonConfig

OtherTarget = Literal["direction", "three_way", "lfc"]
Strategy = Literal["class_weights", "focal", "oversample", "downsample"]

SHUFFLES = "dinucleotide_shuffle"
"""The negative control among generators: shuffled promoters of changed genes."""

MODELS = ("cnn2d", "cnn_bilstm", "transformer", "onehot_xgboost", "cnn_xgboost", "cnn")


class CountSource(Config):
    """Raw counts and what is known of their samples."""

    files: tuple[str, ...] = Field(min_length=1)
    """One table of counts, or several of the same genes: matrices, HTSeq folders or archives,
    folders of salmon or kallisto."""
    samples: str
    """The sample sheet."""
    round_fractions: bool = False
    """Round estimated counts."""
    transcripts: str | None = None
    """For salmon and kallisto: transcripts and their genes, or a GTF."""
    ignore_version: bool = False
    """Drop the versions of transcript ids."""

    @field_validator("files", mode="before")
    @classmethod
    def _one_alone(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else value


class Promoters(Config):
    """Promoters, cut from a genome."""

    fasta: str
    """The genome."""
    genes: str
    """GTF, GFF3 or BED."""
    upstream: int = Field(2000, ge=0)
    """Bases before the TSS."""
    downstream: int = Field(0, ge=0)
    """Bases from the TSS on."""
    tss: str = "canonical"
    """canonical, most5prime, or a table of your own."""
    gene_names: str | None = None
    """Two-column table that joins the gene names of counts and annotation."""
    chrom_style: str = "auto"
    """auto, or a two-column table (annotation's name, genome's name)."""

    @model_validator(mode="after")
    def _some_bases(self) -> Self:
        if self.upstream + self.downstream == 0:
            raise ValueError("upstream and downstream are both 0: no base would be read")
        return self


class PromoterComparison(ComparisonConfig):
    """Models × splits on changed against unchanged genes."""

    models: tuple[str, ...] = MODELS
    """Names from ``exprimo models``; majority, gc_content, kmer_linear and mean_expression are
    added."""
    splits: tuple[str, ...] = Field(("homology", "chromosome"), min_length=1)
    """Strategies to compare, the headline first."""


class ImbalanceComparison(Config):
    """Ways of treating the rarer class, compared on the first split."""

    strategies: tuple[Strategy, ...] = ("class_weights", "focal", "oversample", "downsample")
    """What is compared with doing nothing, by weights or resampling."""
    generators: tuple[str, ...] = (SHUFFLES, "gan", "diffusion")
    """What else is: as many sequences as balance the classes, drawn from a generator of changed
    promoters, or shuffles of these as a control. Empty, and no strategies: no comparison."""
    models: tuple[str, ...] = ("cnn", "kmer_linear")
    """Which models; each must be among those of the benchmark."""
    seeds: int = Field(3, ge=1)
    """Trainings of each network and treatment. Of one nothing is said of how seeds differ; two say
    so little that their intervals seldom decide anything."""
    generator_minutes: float | None = Field(None, gt=0)
    """Time to fit each generator; unset, and no steps either: 10. Drawing takes about as long at
    most, unless that needs fewer than 10 passes of a diffusion."""
    generator_steps: int | None = Field(None, ge=5)
    """Updates of each generator instead of minutes: the same on every machine."""
    generator_passes: int | None = Field(None, ge=1)
    """Passes when a diffusion draws; unset: as many as it usually takes, or as time allows."""
    generator_options: dict[str, dict[str, Any]] = Field(default_factory=dict)
    """Options by generator, such as ``diffusion = {channels = 64}``; see exprimo generate fit."""

    @model_validator(mode="after")
    def _one_budget(self) -> Self:
        if self.generator_minutes is not None and self.generator_steps is not None:
            raise ValueError("give generator_minutes or generator_steps, not both")
        return self

    @property
    def compares(self) -> bool:
        """Tell whether there is anything to hold against doing nothing."""
        return bool(self.strategies or self.generators)


class OtherTargets(Config):
    """What else is asked of the same promoters."""

    also: tuple[OtherTarget, ...] = ("direction", "three_way", "lfc")
    """direction: up against down among changed genes; three_way: down, none, up; lfc: the
    shrunken log2 fold change."""
    models: tuple[str, ...] = ("cnn",)
    """Which models."""


class MotifComparison(Config):
    """Motifs in changed promoters against matched ones."""

    file: str | None = None
    """Motifs in MEME format; unset leaves the comparison out."""
    match_on: tuple[Literal["gc", "mean_expression"], ...] = Field(
        ("gc", "mean_expression"), min_length=1
    )
    """What controls are matched on."""
    pvalue: float = Field(1e-4, gt=0, lt=1)
    """Chance of a site at a random position."""


class DifferentialStudy(Config):
    """From counts to promoters. Paths are relative to this file. Run it with: exprimo run FILE"""

    kind: Literal["differential-promoter"] = "differential-promoter"
    """What this file describes."""
    out: str = "results"
    """The folder to write: dge/, dataset.h5, labels/, benchmark/, report.html."""
    question: str = ""
    """What the report asks in its first line; unset: made from the contrast."""
    truth: str | None = None
    """The truth folder of a simulated world; the report then says what could be reached."""
    counts: CountSource
    """Raw counts and samples."""
    dge: DgeConfig
    """How differential expression is tested and called; see exprimo dge -h."""
    promoters: Promoters
    """Promoters, cut from a genome."""
    benchmark: PromoterComparison = PromoterComparison()
    """What is compared."""
    imbalance: ImbalanceComparison = ImbalanceComparison()
    """Ways of treating the rarer class."""
    targets: OtherTargets = OtherTargets()
    """What else is asked."""
    motifs: MotifComparison = MotifComparison()
    """Motif enrichment."""
