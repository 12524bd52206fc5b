"""What is asked of genotypes and expression besides the models."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator

from exprimo.core.config import Config
from exprimo.genetics.scores.fitting.config import Method
from exprimo.genetics.stacking.config import MEMBERS, METAS, Design, Member, Meta


class Association(Config):
    """How eQTLs are mapped, and what stands beside the models; without expression nothing is."""

    run: bool = True
    """Map, fine-map, score, stack and compare; ``false`` leaves all of it out."""
    upstream: int = Field(1_000_000, ge=0)
    """Bases before the TSS whose variants are used, along the chromosome (lower positions)."""
    downstream: int = Field(1_000_000, ge=0)
    """Bases behind the TSS."""
    maf: float = Field(0.01, ge=0, le=0.5)
    """Leave out variants whose minor allele is rarer."""
    permutations: int = Field(1000, ge=20)
    """Of people, for each gene."""
    fdr: float = Field(0.05, gt=0, lt=1)
    """False discovery rate at which a gene is called an eGene."""
    folds: int = Field(5, ge=2)
    """Folds of people in which every predictor is fitted and judged."""
    stack_genes: int | None = Field(None, ge=1)
    """How many genes scores, heritability and stack are fitted on, drawn by the seed; unset: all.
    This is what takes time."""
    cis_features: tuple[Method, ...] = ("p+t", "elastic_net")
    """Scores on cis-genotypes that are features of the stack beside the models' predictions, made
    anew within the training people of each fold; none: the models alone."""
    members: tuple[Member, ...] = Field(MEMBERS, min_length=1)
    """Learners of the stack."""
    metas: tuple[Meta, ...] = METAS
    """How the stack puts them together."""
    design: Design = "gene"
    """``gene``: each gene across people; ``genes``: all genes in one model; ``people-by-genes``."""
    top: Literal["auto"] | Annotated[int, Field(ge=1)] = "auto"
    """Variants of a gene, by model and by p, whose overlap is counted. ``auto``: for each model as
    many as are less than half of the variants of a gene in its window (median), from 1 to 50."""
    loci: int = Field(4, ge=0)
    """Genes that are drawn: those with the strongest eQTLs."""
    motifs: str | None = None
    """Motifs in MEME format; unset: candidates are not looked through for them."""
    motif_p: float = Field(1e-4, gt=0, lt=1)
    """A word that good a random place has with this chance: from there on it counts as a site."""
    candidates: int = Field(50, ge=1)
    """Variants listed for experiments."""

    @field_validator("members", "metas", "cis_features")
    @classmethod
    def _each_once(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(value)) != len(value):
            raise ValueError("a learner is named twice")
        return value
