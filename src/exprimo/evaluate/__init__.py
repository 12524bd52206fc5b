"""Judge predictions: pure functions of (observed, predicted, group); no torch, no files."""

from exprimo.evaluate.intervals import METRICS, bootstrap
from exprimo.evaluate.paired import (
    difference_between_test_sets,
    difference_over_seeds,
    paired_difference,
    unpaired_difference,
)
from exprimo.evaluate.results import Difference, Estimate, JudgedSet, SeededDifference
from exprimo.evaluate.threshold import choose_threshold

__all__ = [
    "METRICS",
    "Difference",
    "Estimate",
    "JudgedSet",
    "SeededDifference",
    "bootstrap",
    "choose_threshold",
    "difference_between_test_sets",
    "difference_over_seeds",
    "paired_difference",
    "unpaired_difference",
]
