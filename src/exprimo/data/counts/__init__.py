"""Count tables: a matrix in one file, or one HTSeq file per sample."""

from exprimo.data.counts.reader import read_counts
from exprimo.data.counts.table import Counts

__all__ = ["Counts", "read_counts"]
