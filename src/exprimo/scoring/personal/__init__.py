"""Predictions for people: what each person's two haplotypes of a gene's window give."""

from exprimo.scoring.personal.cost import PersonalCost
from exprimo.scoring.personal.personal import PersonalPredictions, personal, plan_personal

__all__ = ["PersonalCost", "PersonalPredictions", "personal", "plan_personal"]
