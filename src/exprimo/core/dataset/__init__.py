"""The Dataset: one HDF5 file of examples, inputs and targets."""

from exprimo.core.dataset.reader import Dataset, InputInfo, TargetInfo
from exprimo.core.dataset.variables import (
    COLUMNS,
    INPUTS,
    SEQUENCES,
    ColumnSpec,
    InputSpec,
    TargetKind,
)
from exprimo.core.dataset.writer import DatasetWriter, write_dataset

__all__ = [
    "COLUMNS",
    "INPUTS",
    "SEQUENCES",
    "ColumnSpec",
    "Dataset",
    "DatasetWriter",
    "InputInfo",
    "InputSpec",
    "TargetInfo",
    "TargetKind",
    "write_dataset",
]
