"""Weights of scores: tables of any kind, matched with the variants of a file."""

from exprimo.genetics.scores.weights.harmonise import Matches, harmonise
from exprimo.genetics.scores.weights.read import read_weights
from exprimo.genetics.scores.weights.table import ALL, Weights

__all__ = ["ALL", "Matches", "Weights", "harmonise", "read_weights"]
