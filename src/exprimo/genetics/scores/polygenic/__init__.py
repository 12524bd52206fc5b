"""Polygenic scores of a gene: all variants by their marginal effects, or clumped ones."""

from exprimo.genetics.scores.polygenic.config import PolygenicConfig
from exprimo.genetics.scores.polygenic.effects import SetEffects, effects_of_sets
from exprimo.genetics.scores.polygenic.linear import LinearScore
from exprimo.genetics.scores.polygenic.thresholding import fit_polygenic

__all__ = ["LinearScore", "PolygenicConfig", "SetEffects", "effects_of_sets", "fit_polygenic"]
