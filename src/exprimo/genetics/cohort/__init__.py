"""People matched by name over genotypes, expression and covariates, and what lies near a gene."""

from exprimo.genetics.cohort.cohort import Cohort, open_cohort
from exprimo.genetics.cohort.folds import folds_of
from exprimo.genetics.cohort.preparing import prepared
from exprimo.genetics.cohort.swaps import SwapCheck, check_swaps
from exprimo.genetics.cohort.tissues import open_tissues, shared_folds
from exprimo.genetics.cohort.windows import CisWindow, cis_windows

__all__ = [
    "CisWindow",
    "Cohort",
    "SwapCheck",
    "check_swaps",
    "cis_windows",
    "folds_of",
    "open_cohort",
    "open_tissues",
    "prepared",
    "shared_folds",
]
