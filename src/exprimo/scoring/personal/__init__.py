"""Predictions for people: what each person's two haplotypes of a gene's window give."""

from exprimo.scoring.personal.personal import PersonalPredictions, personal

__all__ = ["PersonalPredictions", "personal"]
