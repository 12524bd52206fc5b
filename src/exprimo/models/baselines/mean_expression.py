"""Mean expression: how far a gene's read count alone goes, without looking at its DNA.

The rival of labels that come from counts: a test finds changes more easily where there are more
reads, so a label can be told from expression even where the promoter says nothing of the change.
"""

from __future__ import annotations

import numpy as np

from exprimo.core.config import Config
from exprimo.core.predictor import Batch
from exprimo.models.baselines.baseline import Floats
from exprimo.models.baselines.linear import LinearBaseline
from exprimo.models.zoo import ModelSpec, Task


class MeanExpressionConfig(Config):
    """Mean expression has no options."""


def features(batch: Batch) -> Floats:
    """Give log10(mean count + 1) and its square, (batch, 2)."""
    level = batch["mean_expression"].astype(np.float64)
    return np.column_stack([level, level**2])


def build(
    config: MeanExpressionConfig, task: Task, classes: tuple[str, ...] = ()
) -> LinearBaseline:
    """Make the unfitted baseline."""
    return LinearBaseline(features, task, classes, inputs=("mean_expression",))


SPEC = ModelSpec(
    name="mean_expression",
    kind="baseline",
    config=MeanExpressionConfig,
    build=build,
    inputs=("mean_expression",),
    tasks=("regression", "classification", "multiclass"),
    summary="linear in the mean expression and its square; no sequence",
    citation="the rival of labels made from counts",
    imbalance=("class_weights", "oversample", "downsample"),
)
