"""What goes with a label: covariates before any model, and motifs against matched controls."""

from exprimo.evaluate.association.covariates import examine_labels, prevalence
from exprimo.evaluate.association.enrichment import enrichment
from exprimo.evaluate.association.matching import Matched, matched_controls

__all__ = ["Matched", "enrichment", "examine_labels", "matched_controls", "prevalence"]
