"""People scored by weights."""

from exprimo.genetics.scores.scoring.adding import Sums
from exprimo.genetics.scores.scoring.people import ScoredPeople, score_people

__all__ = ["ScoredPeople", "Sums", "score_people"]
