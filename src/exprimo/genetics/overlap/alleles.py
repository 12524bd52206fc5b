"""Where `exprimo.genetics.alleles` was before; names kept for those who import them from here."""

from exprimo.genetics.alleles.relation import relate

__all__ = ["relate"]
