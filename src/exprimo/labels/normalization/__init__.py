"""Size factors: how deeply each sample was sequenced, gene by gene where lengths differ."""

from exprimo.labels.normalization.iterative import iterative_size_factors
from exprimo.labels.normalization.ratios import length_factors, size_factors

__all__ = ["iterative_size_factors", "length_factors", "size_factors"]
