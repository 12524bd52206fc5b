"""Histone signal: tracks (BigWig, bedGraph, reads in BED or BAM) and stacks that are binned."""

from exprimo.data.signals.binned import read_binned
from exprimo.data.signals.binned_cell import BinnedCell
from exprimo.data.signals.gene_sequences import GeneSequences, read_gene_sequences
from exprimo.data.signals.open import open_signal
from exprimo.data.signals.track import SignalFile

__all__ = [
    "BinnedCell",
    "GeneSequences",
    "SignalFile",
    "open_signal",
    "read_binned",
    "read_gene_sequences",
]
