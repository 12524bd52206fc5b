"""Personal sequences: what a person's variants make of a window, each distinct one once."""

from exprimo.features.haplotypes.edits import apply_variants
from exprimo.features.haplotypes.one_variant import OneVariantWindows, one_variant_windows
from exprimo.features.haplotypes.phase import Unphased
from exprimo.features.haplotypes.window import (
    PlannedWindow,
    WindowHaplotypes,
    plan_window,
    window_haplotypes,
)
from exprimo.features.haplotypes.writing import HaplotypeSummary, gene_sites, haplotypes

__all__ = [
    "HaplotypeSummary",
    "OneVariantWindows",
    "PlannedWindow",
    "Unphased",
    "WindowHaplotypes",
    "apply_variants",
    "gene_sites",
    "haplotypes",
    "one_variant_windows",
    "plan_window",
    "window_haplotypes",
]
