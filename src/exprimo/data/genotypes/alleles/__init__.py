"""Alleles made comparable: kinds that can be used, REF against the genome, one form for each."""

from exprimo.data.genotypes.alleles.kinds import allele_kinds
from exprimo.data.genotypes.alleles.normalise import normalise_allele
from exprimo.data.genotypes.alleles.prepare import Preparation
from exprimo.data.genotypes.alleles.reference import OnMismatch, resolve_reference

__all__ = [
    "OnMismatch",
    "Preparation",
    "allele_kinds",
    "normalise_allele",
    "resolve_reference",
]
