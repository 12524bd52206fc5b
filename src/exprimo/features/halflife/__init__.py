"""What goes with the half-life of an mRNA: features of its transcript, or measurements."""

from exprimo.features.halflife.gene_features import (
    HalflifeChoice,
    HalflifeInput,
    annotated_features,
    feature_columns,
    measured_features,
)
from exprimo.features.halflife.transcripts import FEATURES, LABELS, transcript_features

__all__ = [
    "FEATURES",
    "LABELS",
    "HalflifeChoice",
    "HalflifeInput",
    "annotated_features",
    "feature_columns",
    "measured_features",
    "transcript_features",
]
