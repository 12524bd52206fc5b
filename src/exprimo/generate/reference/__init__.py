"""What a generator must beat: Markov models and dinucleotide shuffles of the training sequences."""

from exprimo.generate.reference.markov import MarkovModel
from exprimo.generate.reference.rivals import RIVALS, SHUFFLE, Rival, fit_rivals
from exprimo.generate.reference.shuffled import Shuffled, write_shuffles

__all__ = [
    "RIVALS",
    "SHUFFLE",
    "MarkovModel",
    "Rival",
    "Shuffled",
    "fit_rivals",
    "write_shuffles",
]
