"""Tables that are compared, read by what their columns mean."""

from exprimo.genetics.overlap.tables.columns import CREDIBLE_ROLES, SCORE, SCORE_ROLES
from exprimo.genetics.overlap.tables.reading import read_credible_sets, read_eqtl, read_scores

__all__ = [
    "CREDIBLE_ROLES",
    "SCORE",
    "SCORE_ROLES",
    "read_credible_sets",
    "read_eqtl",
    "read_scores",
]
