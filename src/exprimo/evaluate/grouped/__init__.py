"""How well a model does within each cell type, within each gene, and across people."""

from exprimo.evaluate.grouped.against_training import r2_against_training
from exprimo.evaluate.grouped.genes_and_people import GenesAndPeople, judge_genes, score_genes
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
    "GenesAndPeople",
    "across_people",
    "centred_by",
    "correlation_within",
    "judge_genes",
    "mean_over_labels",
    "r2_against_training",
    "score_genes",
    "within_each",
]
