"""The study of individuals: personal sequences, and what a model says of their expression."""

from exprimo.studies.individual.config import IndividualStudy
from exprimo.studies.individual.run import IndividualResult, run_individual_study

__all__ = ["IndividualResult", "IndividualStudy", "run_individual_study"]
