"""Lists of variants to be scored: from VCF, BCF, PLINK, tables and ids."""

from exprimo.data.genotypes.sites.read import Sites, read_sites

__all__ = ["Sites", "read_sites"]
