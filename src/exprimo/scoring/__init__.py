"""A trained model and inputs give numbers."""

from exprimo.scoring.evaluate import Evaluation, evaluate
from exprimo.scoring.predict import Predicted, predict
from exprimo.scoring.resolve import Resolved, resolve_model

__all__ = ["Evaluation", "Predicted", "Resolved", "evaluate", "predict", "resolve_model"]
