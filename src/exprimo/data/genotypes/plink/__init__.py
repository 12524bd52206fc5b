"""PLINK files: trios of genotypes, variants and people."""

from exprimo.data.genotypes.plink.genotypes import PlinkGenotypes
from exprimo.data.genotypes.plink.plink1 import Plink1Bed
from exprimo.data.genotypes.plink.plink2 import Plink2Pgen

__all__ = ["Plink1Bed", "Plink2Pgen", "PlinkGenotypes"]
