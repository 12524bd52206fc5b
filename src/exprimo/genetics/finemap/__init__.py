"""Fine-mapping: which variants of a region are causal."""

from exprimo.genetics.finemap.credible_sets import CredibleSet
from exprimo.genetics.finemap.genes import FinemapConfig, FineMapped, finemap_eqtl, finemap_window
from exprimo.genetics.finemap.ld_check import LdCheck, check_ld
from exprimo.genetics.finemap.signals import SIGNALS_FILE
from exprimo.genetics.finemap.summary import SummaryMapped, finemap_summary
from exprimo.genetics.finemap.susie import (
    PRESETS,
    Program,
    Susie,
    SusieSettings,
    preset,
    susie,
    susie_rss,
)

__all__ = [
    "PRESETS",
    "SIGNALS_FILE",
    "CredibleSet",
    "FineMapped",
    "FinemapConfig",
    "LdCheck",
    "Program",
    "SummaryMapped",
    "Susie",
    "SusieSettings",
    "check_ld",
    "finemap_eqtl",
    "finemap_summary",
    "finemap_window",
    "preset",
    "susie",
    "susie_rss",
]
