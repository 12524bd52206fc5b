"""Tables in, arrays out: windows, k-mers, shuffles, and the builders of datasets."""

from exprimo.features.build_features import dataset_features
from exprimo.features.build_gene_hdf5 import dataset_hdf5
from exprimo.features.build_promoters import dataset_promoters
from exprimo.features.build_summary import BuildSummary
from exprimo.features.build_table import dataset_table
from exprimo.features.chromatin import dataset_chromatin

__all__ = [
    "BuildSummary",
    "dataset_chromatin",
    "dataset_features",
    "dataset_hdf5",
    "dataset_promoters",
    "dataset_table",
]
