"""Baselines: what a network must beat."""

from exprimo.models.baselines.baseline import Baseline, ClassWeights, Stream

__all__ = ["Baseline", "ClassWeights", "Stream"]
