"""Whether generated sequences are copies: edit distances, nearest neighbours, the gate."""

from exprimo.generate.fidelity.memorisation.edit_distance import edit_distance
from exprimo.generate.fidelity.memorisation.gate import Gate, judge
from exprimo.generate.fidelity.memorisation.neighbours import Neighbours, nearest_training

__all__ = ["Gate", "Neighbours", "edit_distance", "judge", "nearest_training"]
