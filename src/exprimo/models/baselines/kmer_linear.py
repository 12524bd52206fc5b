"""A linear model on k-mer counts: the sequence rival that is hard to beat on few examples."""

from __future__ import annotations

import numpy as np
from pydantic import Field

from exprimo.core.config import Config
from exprimo.core.predictor import Batch
from exprimo.features.kmers import count_kmers
from exprimo.models.baselines.baseline import Floats
from exprimo.models.baselines.linear import LinearBaseline
from exprimo.models.zoo import ModelSpec, Task


class KmerLinearConfig(Config):
    """Options of the k-mer linear model."""

    k: int = Field(5, ge=1, le=7)
    """Length of the k-mers; 5 gives 1,024 features."""
    canonical: bool = False
    """Count a k-mer and its reverse complement as one."""


def build(config: KmerLinearConfig, task: Task, classes: tuple[str, ...] = ()) -> LinearBaseline:
    """Make the unfitted baseline."""

    def features(batch: Batch) -> Floats:
        counts = count_kmers(batch["sequence"], config.k, canonical=config.canonical)
        return counts.astype(np.float64)

    return LinearBaseline(features, task, classes)


SPEC = ModelSpec(
    name="kmer_linear",
    kind="baseline",
    config=KmerLinearConfig,
    build=build,
    inputs=("sequence",),
    tasks=("regression", "classification", "multiclass"),
    summary="ridge or logistic regression on 5-mer counts, penalty chosen on validation",
    citation="Hoerl & Kennard 1970; Ghandi et al. 2014 for k-mers as regulatory features",
    imbalance=("class_weights", "oversample", "downsample"),
)
