"""Fit a generator: the loop, its averaged weights, its state."""

from exprimo.generate.fitting.fit import fit_generator, generate_fit

__all__ = ["fit_generator", "generate_fit"]
