"""Judge predictions: pure functions of (observed, predicted, group); no torch, no files."""

from exprimo.evaluate.intervals import METRICS, bootstrap
from exprimo.evaluate.paired import (
    difference_between_test_sets,
    paired_difference,
    unpaired_difference,
)
from exprimo.evaluate.results import Difference, Estimate, JudgedSet
from exprimo.evaluate.threshold import choose_threshold

__all__ = [
    "METRICS",
    "Difference",
    "Estimate",
    "JudgedSet",
    "bootstrap",
    "choose_threshold",
    "difference_between_test_sets",
    "paired_difference",
    "unpaired_difference",
]
