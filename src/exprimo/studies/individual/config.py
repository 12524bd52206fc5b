"""What a study of individuals is made of."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from exprimo.core.config import Config
from exprimo.studies.individual.association.config import Association


class People(Config):
    """Whose genotypes are read, and what was measured of them."""

    genotypes: str
    """VCF or BCF with its index, or PLINK files (the prefix, or one of them)."""
    samples: str | None = None
    """A file with a name a line; unset: everybody who has a genotype, and expression if given."""
    expression: str | None = None
    """Expression BED: #chr, start, end, gene_id, then a column for each person."""
    covariates: str | None = None
    """A table with a row or a column for each person; what it explains is taken off expression."""
    unphased: Literal["error", "mixture"] | int = "error"
    """Where phase is not known: refuse; a ``mixture`` of one-variant effects; or so many random
    phasings."""


class Genes(Config):
    """Which genes, on which genome."""

    fasta: str
    """The genome of the genotypes."""
    genes: str
    """Annotation: GTF, GFF3 or BED."""
    tss: str = "canonical"
    """``canonical``, ``most5prime``, or a table gene_id, chrom, tss, strand."""
    only: tuple[str, ...] = ()
    """Genes by id or name; unset: by ``which``."""
    which: Literal["held-out", "all"] = "held-out"
    """``held-out``: where the first model is a run, only genes that it did not learn from."""
    chrom_style: str = "auto"
    """``auto``, or a table: name in the other files, name in the genome."""


class Models(Config):
    """Which models read the personal sequences."""

    answer: str = Field(min_length=1)
    """The MODEL that the study asks about: a run's folder, NAME or NAME:FILE."""
    beside: dict[str, str] = Field(default_factory=dict)
    """Further models by the name that they have in the report, such as an untrained control."""
    tracks: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """Tracks of a model by its name (``answer``, or one of ``beside``); several are averaged."""


class Reading(Config):
    """How sequences are read."""

    bins: int | Literal["all"] = 3
    """Bins around the TSS that are averaged, of a model with tracks along the window."""
    strands: bool = False
    """Average both strands, of such a model."""
    shifts: int = Field(0, ge=0, le=64)
    """Average the window and its shifts by up to so many bases either way."""
    precision: Literal["auto", "fp32", "bf16"] = "fp32"
    """bf16 is faster and hides small differences between alleles."""
    on_ref_mismatch: Literal["error", "skip", "swap"] = "error"
    """Where REF of a variant is not what the genome has."""


class Variants(Config):
    """Which variants are scored."""

    file: str | None = None
    """VCF or a table; unset: those of the genotypes."""
    top: int = Field(50, ge=1)
    """Variants listed in the report, by the size of their effect."""


class IndividualStudy(Config):
    """A study of people's genotypes and expression. Paths are relative to this file.

    Run it with: exprimo run FILE
    """

    kind: Literal["individual"] = "individual"
    """What this file describes."""
    out: str = "results"
    """The folder to write: models/NAME/people.parquet and variants.parquet, genes.tsv,
    people.tsv, top.tsv, association/, egenes.tsv, predictors.tsv, report.html."""
    question: str = ""
    """What the report asks in its first line; unset: made from the files."""
    people: People
    """Whose genotypes, and their expression."""
    genes: Genes
    """Which genes, on which genome."""
    models: Models
    """Which models."""
    reading: Reading = Reading()
    """How sequences are read."""
    variants: Variants = Variants()
    """Which variants are scored."""
    association: Association = Association()
    """eQTLs, fine-mapping, scores, stack, overlap and candidates, where there is expression."""
    threads: int | None = Field(None, ge=1)
    """CPU threads; unset: all."""
    seed: int = Field(0, ge=0)
    """Seed of intervals, permutations and random phasings."""
    truth: str | None = None
    """The truth folder of a simulated world: which variants act, and how."""
