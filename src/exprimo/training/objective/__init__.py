"""What training makes small, and what it shows where classes are unequal."""

from exprimo.training.objective.imbalance import Balance, balance_of, check_imbalance
from exprimo.training.objective.losses import Objective

__all__ = ["Balance", "Objective", "balance_of", "check_imbalance"]
