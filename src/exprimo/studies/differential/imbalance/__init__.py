"""Does treating the rarer class help? Weights, resampling and generated promoters against none."""

from exprimo.studies.differential.imbalance.compare import compare_imbalance, heeds
from exprimo.studies.differential.imbalance.judging import METRICS

__all__ = ["METRICS", "compare_imbalance", "heeds"]
