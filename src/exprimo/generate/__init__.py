"""Generators of sequences: fit them, draw from them."""

from exprimo.generate.fitting import generate_fit
from exprimo.generate.folder import Generator
from exprimo.generate.sampling import Sampled, generate_sample

__all__ = ["Generator", "Sampled", "generate_fit", "generate_sample"]
