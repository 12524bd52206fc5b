"""What files of genotypes, variants and expression by person are, and what is wrong with them."""

from exprimo.data.check.genotypes.expression_bed import expression_bed_facts, is_expression_bed
from exprimo.data.check.genotypes.genotype_facts import plink_facts, vcf_facts
from exprimo.data.check.genotypes.kind import binary_genotype_kind, lists_variants, trio_kind
from exprimo.data.check.genotypes.site_facts import site_list_facts

__all__ = [
    "binary_genotype_kind",
    "expression_bed_facts",
    "is_expression_bed",
    "lists_variants",
    "plink_facts",
    "site_list_facts",
    "trio_kind",
    "vcf_facts",
]
