"""Any model that reads DNA as one thing: codes of a window in, tracks by bins out."""

from exprimo.scoring.sequences.average import Average
from exprimo.scoring.sequences.model import SequenceModel
from exprimo.scoring.sequences.opening import open_sequence_model

__all__ = ["Average", "SequenceModel", "open_sequence_model"]
