"""Propose sequences for a target, and have another model judge them."""

from exprimo.generate.design.design import Designed, generate_design

__all__ = ["Designed", "generate_design"]
