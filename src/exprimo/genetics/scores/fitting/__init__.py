"""Scores of genes fitted and judged over folds of people."""

from exprimo.genetics.scores.fitting.config import ScoresConfig
from exprimo.genetics.scores.fitting.fit import FittedScores, fit_scores, training_ledger
from exprimo.genetics.scores.fitting.gene import GeneScores, Judged, fit_gene, judge

__all__ = [
    "FittedScores",
    "GeneScores",
    "Judged",
    "ScoresConfig",
    "fit_gene",
    "fit_scores",
    "judge",
    "training_ledger",
]
