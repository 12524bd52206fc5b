"""Who may learn from whom: split strategies, homology groups, counted overlaps."""

from exprimo.splits.homology import HomologyGroups, homology_groups, sequence_groups
from exprimo.splits.homology_settings import HomologySettings
from exprimo.splits.names import STRATEGIES, default_strategy, held_out_units
from exprimo.splits.overlap import Overlaps, count_overlaps
from exprimo.splits.resampling import resampling_groups
from exprimo.splits.strategies import DEFAULT_FRACTIONS, make_split

__all__ = [
    "DEFAULT_FRACTIONS",
    "STRATEGIES",
    "HomologyGroups",
    "HomologySettings",
    "Overlaps",
    "count_overlaps",
    "default_strategy",
    "held_out_units",
    "homology_groups",
    "make_split",
    "resampling_groups",
    "sequence_groups",
]
