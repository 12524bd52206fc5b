"""GC and CpG content: how far base composition alone goes."""

from __future__ import annotations

import numpy as np

from exprimo.core.config import Config
from exprimo.core.predictor import Batch
from exprimo.features.composition import composition
from exprimo.models.baselines.baseline import Floats
from exprimo.models.baselines.linear import LinearBaseline
from exprimo.models.zoo import ModelSpec, Task


class GcContentConfig(Config):
    """GC content has no options."""


def features(batch: Batch) -> Floats:
    """Give GC content, its square, and what `composition` says of CpG, (batch, 4)."""
    values = composition(batch["sequence"])
    return np.column_stack([values, values[:, 0] ** 2])


def build(config: GcContentConfig, task: Task, classes: tuple[str, ...] = ()) -> LinearBaseline:
    """Make the unfitted baseline."""
    return LinearBaseline(features, task, classes)


SPEC = ModelSpec(
    name="gc_content",
    kind="baseline",
    config=GcContentConfig,
    build=build,
    inputs=("sequence",),
    tasks=("regression", "classification", "multiclass"),
    summary="linear in GC content, its square, CpG content and the CpG ratio",
    citation="CpG ratio: Gardiner-Garden & Frommer 1987",
    imbalance=("class_weights", "oversample", "downsample"),
)
