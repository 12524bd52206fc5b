"""Which rows of two tables are one variant, and whether they count the same allele."""

from exprimo.genetics.alleles.ids import told_by_ids
from exprimo.genetics.alleles.matching import Ambiguous, Matched, match_variants
from exprimo.genetics.alleles.pairing import nothing_matched, one_to_one, pair_rows
from exprimo.genetics.alleles.relation import Relation, allele_key, relate, relations

__all__ = [
    "Ambiguous",
    "Matched",
    "Relation",
    "allele_key",
    "match_variants",
    "nothing_matched",
    "one_to_one",
    "pair_rows",
    "relate",
    "relations",
    "told_by_ids",
]
