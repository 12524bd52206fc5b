"""Genotypes of people: readers of VCF, BCF, PLINK 1 and PLINK 2 behind one view."""

from exprimo.data.genotypes.open import open_genotypes
from exprimo.data.genotypes.view import Block, Genotypes

__all__ = ["Block", "Genotypes", "open_genotypes"]
