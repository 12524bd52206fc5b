"""Settings of the people of a world: ancestry, variants, what they do, and covariates."""

from __future__ import annotations

from typing import Self

from pydantic import Field, field_validator, model_validator

from exprimo.core.config import Config

_FEWEST = 10


class IndividualsConfig(Config):
    """People: their ancestry, their variants, and how expression follows them."""

    people: int = Field(default=0, ge=0)
    """Number of people; 0: none, and no files of them."""
    population_size: float = Field(default=10_000.0, gt=0)
    """Effective number of people of each population, constant over time (N)."""
    mutation_rate: float = Field(default=1.25e-8, gt=0, le=1e-5)
    """Mutations per base and generation (mu)."""
    recombination_rate: float = Field(default=3e-9, ge=0, le=1e-5)
    """Crossings-over per base and generation (r). The human mean is 1e-8, but most of it falls on
    hotspots, of which there are none here; between them it is lower."""
    groups_fst: float = Field(default=0.02, ge=0, le=0.5)
    """Expected FST of the two groups, which split from one population; 0: one population."""
    group_share: float = Field(default=0.5, gt=0, lt=1)
    """Share of the people who belong to the first group."""
    indel_share: float = Field(default=0.1, ge=0, lt=1)
    """Share of the mutations that insert or delete bases."""
    indel_mean: float = Field(default=3.0, ge=1)
    """Mean length of an insertion or deletion in bases (geometric)."""
    indel_max: int = Field(default=20, ge=1, le=100)
    """Longest insertion or deletion."""
    chromosomes: tuple[str, ...] = ()
    """Names of the chromosomes that vary; none given: all."""
    causal_share: float = Field(default=0.5, ge=0, le=1)
    """Share of the genes that get causal variants beside those that arise by chance."""
    causal_mean: float = Field(default=1.5, ge=1)
    """Mean number of causal variants of such a gene."""
    makes_share: float = Field(default=0.4, ge=0, le=1)
    """Share of them that make a site; the others break one."""
    causal_frequency: tuple[float, float] = (0.05, 0.95)
    """Smallest and largest frequency of the alternate allele of a causal variant."""
    least_effect: float = Field(default=0.3, ge=0)
    """Least part in log2 expression of a site that is chosen to be broken or made."""
    heritability: float = Field(default=0.2, ge=0, lt=1)
    """Mean over genes of the share of variance that cis variants explain; 0: no variant acts."""
    heritability_sd: float = Field(default=0.12, ge=0)
    """SD of that share over the genes (beta-distributed)."""
    noise_sd: tuple[float, float] = (0.15, 2.0)
    """Least and largest SD in log2 of what neither cis variants nor covariates explain. A gene
    whose variants do too little, or too much, for its heritability within them has another one."""
    covariate_effect: float = Field(default=0.3, ge=0)
    """SD over genes of a standardised covariate's effect, in units of the gene's noise SD."""
    group_effect: float = Field(default=0.2, ge=0)
    """SD over genes of the difference of the groups' means, in units of the gene's noise SD."""
    plink: bool = False
    """Whether the genotypes are also written as a PLINK 1 trio."""

    @field_validator("people")
    @classmethod
    def _enough(cls, value: int) -> int:
        if 0 < value < _FEWEST:
            raise ValueError(f"give 0 or at least {_FEWEST} people")
        return value

    @model_validator(mode="after")
    def _possible(self) -> Self:
        low, high = self.causal_frequency
        if not 0 < low < high < 1:
            raise ValueError("give the smaller frequency first, both between 0 and 1")
        if not 0 < self.noise_sd[0] <= self.noise_sd[1]:
            raise ValueError("give the smaller noise_sd first, both above 0")
        if self.heritability_sd**2 >= self.heritability * (1 - self.heritability) > 0:
            raise ValueError("no share of that mean has so large an SD: lower heritability_sd")
        return self
