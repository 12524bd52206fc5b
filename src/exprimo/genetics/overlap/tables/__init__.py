"""Tables that are compared: found by file, read by what their columns mean."""

from exprimo.genetics.overlap.tables.columns import (
    CREDIBLE_ROLES,
    EQTL_ROLES,
    SCORE,
    SCORE_ROLES,
    find_columns,
)
from exprimo.genetics.overlap.tables.reading import read_credible_sets, read_eqtl, read_scores

__all__ = [
    "CREDIBLE_ROLES",
    "EQTL_ROLES",
    "SCORE",
    "SCORE_ROLES",
    "find_columns",
    "read_credible_sets",
    "read_eqtl",
    "read_scores",
]
