"""What a generator must beat: Markov models and dinucleotide shuffles of the training sequences."""

from exprimo.generate.reference.markov import MarkovModel
from exprimo.generate.reference.rivals import RIVALS, Rival, fit_rivals

__all__ = ["RIVALS", "MarkovModel", "Rival", "fit_rivals"]
