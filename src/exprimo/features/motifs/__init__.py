"""Binding sites: scores, exact thresholds, and the scan of many sequences."""

from exprimo.features.motifs.changes import MotifChange, motif_changes
from exprimo.features.motifs.scan import MotifScan, scan
from exprimo.features.motifs.scores import (
    ScoreDistribution,
    base_frequencies,
    log_odds,
    score_distribution,
)

__all__ = [
    "MotifChange",
    "MotifScan",
    "ScoreDistribution",
    "base_frequencies",
    "log_odds",
    "motif_changes",
    "scan",
    "score_distribution",
]
