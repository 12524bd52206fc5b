"""What the network that answers a study looks at, by several methods."""

from exprimo.studies.interpretation.config import Interpretation
from exprimo.studies.interpretation.run import check_sources, interpret_study

__all__ = ["Interpretation", "check_sources", "interpret_study"]
