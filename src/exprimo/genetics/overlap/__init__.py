"""What variants ranked by a model share with variants ranked by association."""

from exprimo.genetics.overlap.command import Overlap, overlap
from exprimo.genetics.overlap.measure import ColumnOverlap
from exprimo.genetics.overlap.sources import (
    COLUMN_SOURCES,
    P_VALUE,
    column_sources,
    refuse_p_values,
    with_column_sources,
)

__all__ = [
    "COLUMN_SOURCES",
    "P_VALUE",
    "ColumnOverlap",
    "Overlap",
    "column_sources",
    "overlap",
    "refuse_p_values",
    "with_column_sources",
]
