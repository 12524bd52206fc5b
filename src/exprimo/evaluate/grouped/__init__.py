"""How well a model does within each cell type, within each gene, and across people."""

from exprimo.evaluate.grouped.people import AcrossPeople, across_people
from exprimo.evaluate.grouped.within import (
    FEWEST_LABELS,
    centred_by,
    correlation_within,
    mean_over_labels,
    within_each,
)

__all__ = [
    "FEWEST_LABELS",
    "AcrossPeople",
    "across_people",
    "centred_by",
    "correlation_within",
    "mean_over_labels",
    "within_each",
]
