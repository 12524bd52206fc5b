"""How each kind of model is fitted that is not a network alone."""

from exprimo.training.kinds.baseline import fit_baseline, shown_rows, stream_of
from exprimo.training.kinds.hybrid import fit_hybrid

__all__ = ["fit_baseline", "fit_hybrid", "shown_rows", "stream_of"]
