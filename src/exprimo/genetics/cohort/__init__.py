"""People matched by name over genotypes, expression and covariates, and what lies near a gene."""

from exprimo.genetics.cohort.cohort import Cohort, open_cohort, open_cohort_of
from exprimo.genetics.cohort.folds import folds_of
from exprimo.genetics.cohort.preparing import PreparedFolds, prepare_folds, prepared
from exprimo.genetics.cohort.strands import read_strands
from exprimo.genetics.cohort.swaps import SwapCheck, check_swaps
from exprimo.genetics.cohort.tissues import open_tissues, shared_folds
from exprimo.genetics.cohort.windows import CisWindow, cis_windows, refuse_untestable

__all__ = [
    "CisWindow",
    "Cohort",
    "PreparedFolds",
    "SwapCheck",
    "check_swaps",
    "cis_windows",
    "folds_of",
    "open_cohort",
    "open_cohort_of",
    "open_tissues",
    "prepare_folds",
    "prepared",
    "read_strands",
    "refuse_untestable",
    "shared_folds",
]
