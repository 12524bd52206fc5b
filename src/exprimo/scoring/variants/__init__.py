"""What variants do to a prediction: windows of both alleles, scores, quantiles, tables."""

from exprimo.scoring.variants.background import Background
from exprimo.scoring.variants.scoring import ScoredVariants, variants

__all__ = ["Background", "ScoredVariants", "variants"]
