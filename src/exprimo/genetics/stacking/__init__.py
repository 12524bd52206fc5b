"""Stacks of learners on features of people, nested and out of fold."""

from exprimo.genetics.stacking.config import MEMBERS, METAS, StackConfig
from exprimo.genetics.stacking.designs import GenePredictions, stack_genes
from exprimo.genetics.stacking.inputs.tables import Features, read_feature_table
from exprimo.genetics.stacking.nested import Rows, Stacked, stack_rows
from exprimo.genetics.stacking.stack import StackDone, stack

__all__ = [
    "MEMBERS",
    "METAS",
    "Features",
    "GenePredictions",
    "Rows",
    "StackConfig",
    "StackDone",
    "Stacked",
    "read_feature_table",
    "stack",
    "stack_genes",
    "stack_rows",
]
