"""Three classes or more: metrics of probabilities, and who was taken for whom."""

from exprimo.evaluate.multiclass.confusion import binary_confusion, confusion_matrix
from exprimo.evaluate.multiclass.metrics import MULTICLASS_METRICS, most_likely

__all__ = ["MULTICLASS_METRICS", "binary_confusion", "confusion_matrix", "most_likely"]
