"""Generators of sequences: fit them, draw from them, see what that is worth."""

from exprimo.generate.fidelity import Checked, generate_check
from exprimo.generate.fitting import generate_fit
from exprimo.generate.folder import Generator
from exprimo.generate.sampling import Sampled, generate_sample

__all__ = ["Checked", "Generator", "Sampled", "generate_check", "generate_fit", "generate_sample"]
