"""A cohort examined: missingness, frequencies, heterozygosity, relatives, components."""

from exprimo.data.genotypes.cohort.components import Components, principal_components
from exprimo.data.genotypes.cohort.hardy import hardy_weinberg_p
from exprimo.data.genotypes.cohort.kinship import related_pairs
from exprimo.data.genotypes.cohort.summary import CohortSummary, summarise_cohort
from exprimo.data.genotypes.cohort.tally import variant_statistics
from exprimo.data.genotypes.cohort.thinning import unlinked

__all__ = [
    "CohortSummary",
    "Components",
    "hardy_weinberg_p",
    "principal_components",
    "related_pairs",
    "summarise_cohort",
    "unlinked",
    "variant_statistics",
]
