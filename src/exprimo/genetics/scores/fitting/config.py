"""Settings of fitted scores."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from exprimo.core.config import Config
from exprimo.data.phenotypes.transforms import TransformName
from exprimo.genetics.scores.polygenic.config import PolygenicConfig

Method = Literal["baseline", "p+t", "elastic_net"]


class ScoresConfig(Config):
    """How scores of genes are fitted and judged."""

    models: tuple[Method, ...] = Field(default=("baseline", "p+t", "elastic_net"), min_length=1)
    """``baseline``: all variants by their marginal effects; ``p+t``: clumping and thresholding;
    ``elastic_net``: PredictDB's scheme."""

    upstream: int = Field(default=1_000_000, ge=0)
    """Bases before the TSS whose variants are used: lower positions, or where strands are known,
    along the gene."""

    downstream: int = Field(default=1_000_000, ge=0)
    """Bases behind the TSS whose variants are used."""

    maf: float = Field(default=0.01, ge=0, le=0.5)
    """Variants with a rarer minor allele are left out."""

    folds: int = Field(default=5, ge=2)
    """Outer folds of people; each is predicted by weights of the others."""

    folds_file: Path | None = None
    """A table sample, fold in place of random folds."""

    seed: int = 0
    """Of the folds."""

    gene: tuple[str, ...] = ()
    """Only these genes; empty: all."""

    transforms: tuple[TransformName, ...] = ()
    """Of expression, in this order, fitted on the training people of each fold."""

    hidden: Annotated[int, Field(ge=0)] | Literal["auto"] = 0
    """Hidden factors of expression among the covariates, likewise; ``auto``: by permutation. They
    are made of all genes, so that they have seen a little of the gene that is tested."""

    polygenic: PolygenicConfig = PolygenicConfig()
    """Thresholds of the baseline score and of P+T."""

    inner_folds: int = Field(default=10, ge=2)
    """Folds of the training people by which the elastic net's penalty is chosen."""

    heritability: bool = True
    """Estimate cis-heritability beside the scores, from all people: a description of what is
    reachable, not a predictor."""
