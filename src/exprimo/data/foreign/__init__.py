"""Files of other projects: genes with one-hot promoters and half-life features in HDF5."""

from exprimo.data.foreign.channel_order import ChannelEvidence, PairCounts
from exprimo.data.foreign.gene_hdf5 import GeneHdf5, looks_like_gene_hdf5
from exprimo.data.foreign.gene_table import GeneTable, read_gene_table, settle_labels

__all__ = [
    "ChannelEvidence",
    "GeneHdf5",
    "GeneTable",
    "PairCounts",
    "looks_like_gene_hdf5",
    "read_gene_table",
    "settle_labels",
]
