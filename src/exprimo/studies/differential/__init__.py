"""The study kind ``differential-promoter``: counts to changed genes to their promoters."""

from exprimo.studies.differential.config import DifferentialStudy
from exprimo.studies.differential.run import DifferentialResult, run_differential_study

__all__ = ["DifferentialResult", "DifferentialStudy", "run_differential_study"]
