"""What was measured of people: expression, gene by person, and covariates."""

from exprimo.data.phenotypes.covariates import Covariates, read_covariates
from exprimo.data.phenotypes.expression_bed import PersonalExpression, read_expression_bed

__all__ = ["Covariates", "PersonalExpression", "read_covariates", "read_expression_bed"]
