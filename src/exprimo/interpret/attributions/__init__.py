"""Contributions of inputs to a model's output: one method a file, the engine, and the store."""

from exprimo.interpret.attributions.store import ATTRIBUTIONS_FILE, Attributions

__all__ = ["ATTRIBUTIONS_FILE", "Attributions"]
