"""Cis-eQTLs: variants near a gene against its expression over people."""

from exprimo.genetics.eqtl.config import EqtlConfig
from exprimo.genetics.eqtl.map import EqtlMap, map_eqtl
from exprimo.genetics.eqtl.mapping import MappedPeople, map_cohort
from exprimo.genetics.eqtl.projection import Projection, projection
from exprimo.genetics.eqtl.statistics.association import Associations, Prepared, associate, prepare
from exprimo.genetics.eqtl.statistics.beta import BetaFit, fit_beta
from exprimo.genetics.eqtl.statistics.significance import QValues, q_values

__all__ = [
    "Associations",
    "BetaFit",
    "EqtlConfig",
    "EqtlMap",
    "MappedPeople",
    "Prepared",
    "Projection",
    "QValues",
    "associate",
    "fit_beta",
    "map_cohort",
    "map_eqtl",
    "prepare",
    "projection",
    "q_values",
]
