"""What a network learns of the training part before its first epoch."""

from exprimo.training.before.pretext import freeze_pretext, learn_pretext, learned_first
from exprimo.training.before.statistics import input_statistics

__all__ = ["freeze_pretext", "input_statistics", "learn_pretext", "learned_first"]
