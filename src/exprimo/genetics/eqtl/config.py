"""Settings of cis-eQTL mapping."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator

from exprimo.core.config import Config
from exprimo.data.phenotypes.transforms import TransformName


class EqtlConfig(Config):
    """How cis-eQTLs are mapped."""

    upstream: int = Field(1_000_000, ge=0)
    """Bases before the TSS: lower positions, or where strands are known, along the gene."""
    downstream: int = Field(1_000_000, ge=0)
    """Bases behind the TSS."""
    maf: float = Field(0.01, ge=0, le=0.5)
    """Leave out variants whose minor allele is rarer among the people."""
    min_count: float = Field(1.0, ge=0)
    """Leave out variants with fewer copies of the minor allele."""
    permutations: int = Field(1000, ge=0)
    """Of people, for each gene; 0: none, so no significance across variants of a gene."""
    correction: Literal["storey", "bh"] = "storey"
    """Across genes: Storey's q-values, or Benjamini-Hochberg."""
    fdr: float = Field(0.05, gt=0, lt=1)
    """False discovery rate at which a gene is called an eGene."""
    nominal: bool = True
    """Write every pair of variant and gene."""
    conditional: bool = True
    """Look for further, conditionally independent signals of the eGenes."""
    most_signals: int = Field(20, ge=1)
    """Of one gene."""
    transforms: tuple[TransformName, ...] = ()
    """Of expression, in this order; within folds fitted on the training people."""
    hidden: Annotated[int, Field(ge=0)] | Literal["auto"] = 0
    """Hidden factors of expression among the covariates, likewise; ``auto``: by permutation. They
    are made of all genes, so that they have seen a little of the gene that is tested."""
    seed: int = Field(0, ge=0)
    """Of the permutations."""

    @field_validator("permutations")
    @classmethod
    def _enough(cls, value: int) -> int:
        if 0 < value < 20:
            raise ValueError("at least 20 permutations, or 0 for none: a beta is fitted to them")
        return value
