"""How far what judges a model lies from what it learned from."""

from exprimo.splits.novelty.outside import Outside, outside_training

__all__ = ["Outside", "outside_training"]
