"""What was measured of people: expression, gene by person, and covariates."""

from exprimo.data.phenotypes.covariates import Covariates, people_of_covariates, read_covariates
from exprimo.data.phenotypes.expression_bed import PersonalExpression, read_expression_bed
from exprimo.data.phenotypes.hidden_factors import HiddenFactors, fit_hidden_factors
from exprimo.data.phenotypes.matrix import gene_places, read_expression_matrix
from exprimo.data.phenotypes.tissues import people_by_tissue, read_tissues, tissue_files
from exprimo.data.phenotypes.transforms import TRANSFORMS, TransformName, fit_transforms

__all__ = [
    "TRANSFORMS",
    "Covariates",
    "HiddenFactors",
    "PersonalExpression",
    "TransformName",
    "fit_hidden_factors",
    "fit_transforms",
    "gene_places",
    "people_by_tissue",
    "people_of_covariates",
    "read_covariates",
    "read_expression_bed",
    "read_expression_matrix",
    "read_tissues",
    "tissue_files",
]
