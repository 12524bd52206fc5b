"""Chromatin around the TSS: bins, scales, context of a cell type, k-mers, and the builder."""

from exprimo.data.signals.track_table import Track
from exprimo.features.chromatin.bins import bin_windows, gene_bins
from exprimo.features.chromatin.build import dataset_chromatin
from exprimo.features.chromatin.context import CellContext, cell_context, context_labels
from exprimo.features.chromatin.kmer_bins import (
    attach_kmer_bins,
    choose_vocabulary,
    count_kmer_bins,
    kmer_bin_names,
)

__all__ = [
    "CellContext",
    "Track",
    "attach_kmer_bins",
    "bin_windows",
    "cell_context",
    "choose_vocabulary",
    "context_labels",
    "count_kmer_bins",
    "dataset_chromatin",
    "gene_bins",
    "kmer_bin_names",
]
