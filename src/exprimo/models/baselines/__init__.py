"""Baselines: what a network must beat."""

from exprimo.models.baselines.baseline import Baseline, Stream

__all__ = ["Baseline", "Stream"]
