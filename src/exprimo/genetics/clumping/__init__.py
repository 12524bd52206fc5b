"""LD clumping: one variant stands for those that are linked with it."""

from exprimo.genetics.clumping.calls import Planes, block_calls, hard_calls, pack_calls
from exprimo.genetics.clumping.command import Clumped, clump_associations
from exprimo.genetics.clumping.greedy import ClumpConfig, Clumps, clump
from exprimo.genetics.clumping.linkage import linkage_r2
from exprimo.genetics.clumping.links import Links, clump_ranked, link_variants
from exprimo.genetics.clumping.table import clump_genotypes, clump_table

__all__ = [
    "ClumpConfig",
    "Clumped",
    "Clumps",
    "Links",
    "Planes",
    "block_calls",
    "clump",
    "clump_associations",
    "clump_genotypes",
    "clump_ranked",
    "clump_table",
    "hard_calls",
    "link_variants",
    "linkage_r2",
    "pack_calls",
]
