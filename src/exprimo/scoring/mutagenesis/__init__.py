"""The effect of every single-base change in a window."""

from exprimo.scoring.mutagenesis.mutagenesis import Mutated, mutagenesis
from exprimo.scoring.mutagenesis.writing import Mutagenesis, read_arrays

__all__ = ["Mutagenesis", "Mutated", "mutagenesis", "read_arrays"]
