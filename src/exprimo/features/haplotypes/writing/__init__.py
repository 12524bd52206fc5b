"""Haplotypes of genes into files: a dataset or FASTA."""

from exprimo.features.haplotypes.writing.build import HaplotypeSummary, haplotypes
from exprimo.features.haplotypes.writing.sites import gene_sites

__all__ = ["HaplotypeSummary", "gene_sites", "haplotypes"]
