"""What a promoter-halflife study is made of."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from exprimo.core.config import Config
from exprimo.studies.benchmarking import ComparisonConfig
from exprimo.studies.sequence import PromoterSource

Preset = Literal["controlled", "published"]

# Rows of the table: name -> model of the zoo and the options that make the row.
ROWS: dict[str, tuple[str, dict[str, str]]] = {
    "promoter + encoded half-life": ("halflife_cnn", {"halflife": "encoded"}),
    "promoter + half-life": ("halflife_cnn", {"halflife": "raw"}),
    "half-life alone": ("halflife_cnn", {"dna": "none", "halflife": "raw"}),
    "promoter alone": ("halflife_cnn", {"halflife": "none"}),
    "cnn_only": ("cnn_only", {}),
    "autoencoder_xgboost": ("autoencoder_xgboost", {}),
    "lstm": ("lstm", {}),
}
HALFLIFE_ALONE = "half-life alone"


class GeneSource(PromoterSource):
    """Genes of a genome: promoters, and half-life features of their transcripts."""

    upstream: int = Field(10_000, ge=0)
    """Bases before the TSS."""
    downstream: int = Field(10_000, ge=0)
    """Bases from the TSS on."""
    halflife_table: str | None = None
    """A table of features per gene in place of the eight of each transcript."""


class StoredGenes(Config):
    """Genes in HDF5 files that hold one-hot promoters, half-life features and labels."""

    train: str
    """The file of training genes; or the only file, without val and test."""
    val: str | None = None
    """The file of validation genes; the parts then are the first split, ``column:part``."""
    test: str | None = None
    """The file of test genes."""
    target: str | None = None
    """Key of the target; unset: label or detectionFlagInt."""
    channels: str = "ACGT"
    """What the four one-hot channels stand for, in order."""

    @model_validator(mode="after")
    def _all_parts_or_one(self) -> Self:
        if (self.val is None) != (self.test is None):
            raise ValueError("give val and test both, or train alone")
        return self


class Embeddings(Config):
    """What a pretrained network makes of the promoters, in place of their bases."""

    model: str
    """A backbone, such as hyenadna-small-32k or hyenadna-small-32k:FILE."""
    bin: int = Field(128, ge=1)
    """Bases over which embeddings are averaged."""
    dtype: Literal["float16", "float32"] = "float16"
    """How they are stored; float32 where a number does not fit into float16."""


class HalflifeComparison(ComparisonConfig):
    """Rows × splits; the rows differ in what they read, and in nothing else that can be helped."""

    above: Literal["median", "none"] | float = "median"  # type: ignore[assignment]  # None cannot be written in TOML, and unset is the median here
    """Learn whether expression is above the ``median`` of the training part, or above a value;
    ``none``: learn the target as it is."""
    models: tuple[str, ...] = tuple(ROWS)
    """Rows of the table, and further models."""
    splits: tuple[str, ...] = Field(("homology", "chromosome", "random"), min_length=1)
    """Strategies to compare; the strictest answers. Unset: those that the dataset allows, and
    before them the parts that it brings, ``column:part``."""
    rivals: tuple[str, ...] = (HALFLIFE_ALONE,)
    """Rows that the others must beat, beside the baselines."""


class Interpretation(Config):
    """What the network that reads both looks at, over the test genes of the strictest split."""

    row: str = "promoter + half-life"
    """The row that is explained."""
    examples: int = Field(1000, ge=10)
    """Most test genes to explain."""
    smooth: int = Field(25, ge=1)
    """Width in bases of the moving mean over the profile, odd."""
    layer: str = "first_dense"
    """The layer that is mapped."""

    @field_validator("smooth")
    @classmethod
    def _odd(cls, value: int) -> int:
        if value % 2 == 0:
            raise ValueError("give an odd number of bases, so that the mean has a middle")
        return value


class HalflifeStudy(Config):
    """A study of promoters and half-life. Paths are relative to this file.

    Run it with: exprimo run FILE
    """

    kind: Literal["promoter-halflife"] = "promoter-halflife"
    """What this file describes."""
    out: str = "results"
    """The folder to write: dataset.h5, benchmark/, interpretation/, report.html."""
    question: str = ""
    """What the report asks in its first line; unset: made from the rows."""
    genes: GeneSource | None = None
    """Genes from a genome; or give [hdf5], or dataset."""
    hdf5: StoredGenes | None = None
    """Genes from HDF5 files."""
    dataset: str | None = None
    """A dataset with ``sequence`` and ``halflife`` that was built before, an .h5 file."""
    embeddings: Embeddings | None = None
    """Read promoters through a pretrained network; unset: read their bases."""
    preset: Preset = "controlled"
    """``controlled``: one trunk and one budget for all rows; ``published``: each as its source
    has it."""
    benchmark: HalflifeComparison = HalflifeComparison()
    """What is compared."""
    interpretation: Interpretation = Interpretation()
    """What is explained."""
    truth: str | None = None
    """The truth folder of a simulated world: ceilings, and where motifs were planted."""

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        given = [name for name in ("genes", "hdf5", "dataset") if getattr(self, name)]
        if len(given) != 1:
            raise ValueError(
                "a study needs exactly one of [genes], [hdf5] and dataset, "
                f"and {' and '.join(given) or 'none'} is given"
            )
        return self

    @model_validator(mode="after")
    def _published_reads_embeddings(self) -> Self:
        if self.preset == "published" and self.embeddings is None:
            raise ValueError(
                "the published rows read embeddings: add [embeddings], or preset = 'controlled'"
            )
        return self
