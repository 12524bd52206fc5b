"""What was measured of people: expression, gene by person."""

from exprimo.data.phenotypes.expression_bed import PersonalExpression, read_expression_bed

__all__ = ["PersonalExpression", "read_expression_bed"]
