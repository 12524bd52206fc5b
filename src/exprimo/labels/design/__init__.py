"""Designs of experiments: formulas, model matrices, contrasts, replicates."""

from exprimo.labels.design.coding import Term
from exprimo.labels.design.contrasts import Contrast, contrast_vector, default_contrast
from exprimo.labels.design.formula import Formula, parse_formula
from exprimo.labels.design.matrix import (
    DesignMatrix,
    check_full_rank,
    design_matrix,
    model_matrix,
    reduced_of,
)
from exprimo.labels.design.replicates import cell_sizes, cells, check_replicates, is_group_model

__all__ = [
    "Contrast",
    "DesignMatrix",
    "Formula",
    "Term",
    "cell_sizes",
    "cells",
    "check_full_rank",
    "check_replicates",
    "contrast_vector",
    "default_contrast",
    "design_matrix",
    "is_group_model",
    "model_matrix",
    "parse_formula",
    "reduced_of",
]
