"""The study kind ``promoter-halflife``: is a gene high or low, told from promoter and half-life?"""

from exprimo.studies.halflife.config import HalflifeStudy
from exprimo.studies.halflife.run import HalflifeResult, run_halflife_study

__all__ = ["HalflifeResult", "HalflifeStudy", "run_halflife_study"]
