"""How well a model does within each cell type, and within each gene."""

from exprimo.evaluate.grouped.within import (
    FEWEST_LABELS,
    centred_by,
    correlation_within,
    mean_over_labels,
    within_each,
)

__all__ = [
    "FEWEST_LABELS",
    "centred_by",
    "correlation_within",
    "mean_over_labels",
    "within_each",
]
