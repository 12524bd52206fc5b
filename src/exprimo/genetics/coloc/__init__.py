"""From expression to a trait: colocalisation, and association of predicted expression."""

from exprimo.genetics.associations import Associations, read_associations
from exprimo.genetics.coloc.bayes_factors import (
    Colocalisation,
    colocalise_factors,
    log_bayes_factors,
)
from exprimo.genetics.coloc.colocalise import Colocalised, colocalise
from exprimo.genetics.coloc.predicted import Predicted, predicted_association
from exprimo.genetics.coloc.traits import Trait
from exprimo.genetics.coloc.twas import Twas, twas

__all__ = [
    "Associations",
    "Colocalisation",
    "Colocalised",
    "Predicted",
    "Trait",
    "Twas",
    "colocalise",
    "colocalise_factors",
    "log_bayes_factors",
    "predicted_association",
    "read_associations",
    "twas",
]
