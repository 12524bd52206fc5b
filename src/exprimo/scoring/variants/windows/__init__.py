"""Windows with and without a variant, and which of their bins show the same DNA."""

from exprimo.scoring.variants.windows.alleles import Alleles
from exprimo.scoring.variants.windows.bins import Partners, partner_bins
from exprimo.scoring.variants.windows.cutting import VariantWindows, unknown_in, variant_windows
from exprimo.scoring.variants.windows.edits import Edits, Ints

__all__ = [
    "Alleles",
    "Edits",
    "Ints",
    "Partners",
    "VariantWindows",
    "partner_bins",
    "unknown_in",
    "variant_windows",
]
