"""Scores of genes fitted and judged over folds of people."""

from exprimo.genetics.scores.fitting.config import ScoresConfig
from exprimo.genetics.scores.fitting.fit import FittedScores, fit_scores, training_ledger
from exprimo.genetics.scores.fitting.gene import GeneScores, Judged, fit_gene, fit_sets, judge

__all__ = [
    "FittedScores",
    "GeneScores",
    "Judged",
    "ScoresConfig",
    "fit_gene",
    "fit_scores",
    "fit_sets",
    "judge",
    "training_ledger",
]
