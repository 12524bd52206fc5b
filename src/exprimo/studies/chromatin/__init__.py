"""The study kind ``chromatin``: expression in unseen cell types from histone marks."""

from exprimo.studies.chromatin.config import ChromatinStudy
from exprimo.studies.chromatin.run import ChromatinResult, run_chromatin_study

__all__ = ["ChromatinResult", "ChromatinStudy", "run_chromatin_study"]
