"""Counts: a matrix in one file, one HTSeq file per sample, or quantified transcripts."""

from exprimo.data.counts.joining import join_counts
from exprimo.data.counts.quantifications import (
    check_quantified,
    holds_quantifications,
    read_quantifications,
)
from exprimo.data.counts.reader import read_counts
from exprimo.data.counts.table import Counts, refuse_empty_samples
from exprimo.data.counts.transcripts import TranscriptGenes, read_transcript_genes

__all__ = [
    "Counts",
    "TranscriptGenes",
    "check_quantified",
    "holds_quantifications",
    "join_counts",
    "read_counts",
    "read_quantifications",
    "read_transcript_genes",
    "refuse_empty_samples",
]
