"""What haplotypes and variants do: the promoter component of every window that is carried.

A window's component is that of `exprimo.simulate.regulation.sites` for its own sequence. Nothing is
assumed to add up: two variants of one haplotype act as they do together.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from exprimo.core.sequence import Codes
from exprimo.simulate.config import RegulationConfig
from exprimo.simulate.individuals.haplotypes import (
    Anchor,
    GeneHaplotypes,
    gene_haplotypes,
    without_anchor,
)
from exprimo.simulate.individuals.variants import Allele, Variants
from exprimo.simulate.regulation.motifs import Motif
from exprimo.simulate.regulation.sites import promoter_component, scan, site_effects

Values = npt.NDArray[np.float64]
# Sums of the same sites in another order differ by rounding.
ROUNDING = 1e-9


class Site(NamedTuple):
    """One site of a window."""

    factor: str
    offset: int
    """Of its first base from the TSS, in gene orientation."""
    end: int
    orientation: int
    score: float
    effect: float


class GeneEffects(NamedTuple):
    """What the variants of a chromosome do to its genes."""

    cis: Values
    """Promoter component of each gene and haplotype, shape (genes, haplotypes)."""
    reference: Values
    """That of the reference, shape (genes,)."""
    variants: pd.DataFrame
    """variant (number), gene (row), factor, what, effect, in_site: variants within a window."""


def gene_effects(
    codes: Codes,
    variants: Variants,
    anchors: Sequence[Anchor],
    motifs: dict[str, Motif],
    regulation: RegulationConfig,
) -> GeneEffects:
    """Score every distinct window that people carry, and each variant alone.

    Parameters
    ----------
    codes
        The chromosome.
    anchors
        One per gene, in order.
    """
    people = [gene_haplotypes(codes, variants, anchor) for anchor in anchors]
    firsts = np.cumsum([0, *(len(one.windows) for one in people)])
    length = regulation.upstream + regulation.downstream
    joined = b"".join(window for one in people for window in one.windows)
    windows = np.frombuffer(joined, dtype=np.uint8).reshape(-1, length)
    sites = scan(windows, motifs, regulation)
    sites["effect"] = site_effects(sites, motifs, regulation)
    component = promoter_component(sites, len(windows))
    cis = np.stack(
        [component[first + one.carried] for first, one in zip(firsts, people, strict=False)]
    )
    table = _listed(people, firsts, anchors, variants, component)
    _say_what(table, variants, anchors, _sites_of(sites, motifs))
    return GeneEffects(cis, component[firsts[:-1]], table.drop(columns=["window", "alone"]))


def _listed(
    people: Sequence[GeneHaplotypes],
    firsts: npt.NDArray[np.int64],
    anchors: Sequence[Anchor],
    variants: Variants,
    component: Values,
) -> pd.DataFrame:
    """List the variants of all windows, each with the change of the component it makes alone."""
    number = np.concatenate([one.variants for one in people])
    gene = np.repeat(np.arange(len(people)), [one.variants.size for one in people])
    window = firsts[gene]
    alone = window + np.concatenate([one.alone for one in people])
    low, high = np.array([anchor.span for anchor in anchors], dtype=np.int64)[gene].T
    # Beyond the window, a variant is there only in what another variant's deletion draws in.
    inside = (variants.starts[number] < high) & (variants.ends[number] > low)
    inside |= alone != window
    table = pd.DataFrame({"variant": number, "gene": gene, "window": window, "alone": alone})
    table["effect"] = component[alone] - component[window]
    kept: pd.DataFrame = table[inside].reset_index(drop=True)
    return kept


def _sites_of(sites: pd.DataFrame, motifs: dict[str, Motif]) -> dict[int, list[Site]]:
    found: dict[int, list[Site]] = {}
    widths = sites["factor"].map({name: motif.width for name, motif in motifs.items()})
    sites = sites.assign(end=sites["offset"] + widths)
    columns = ("gene", "factor", "offset", "end", "orientation", "score", "effect")
    for gene, *site in zip(*(sites[name].tolist() for name in columns), strict=True):
        found.setdefault(gene, []).append(Site(*site))
    return found


def _say_what(
    table: pd.DataFrame,
    variants: Variants,
    anchors: Sequence[Anchor],
    sites: dict[int, list[Site]],
) -> None:
    """Add to a table of variants whether they lie in a site, and whose sites they change."""
    effect = table["effect"].to_numpy()
    table["effect"] = np.where(np.abs(effect) > ROUNDING, effect, 0.0)
    factors, whats, inside = [], [], []
    columns = ("variant", "gene", "window", "alone", "effect")
    for row in zip(*(table[name].tolist() for name in columns), strict=True):
        variant, gene, window, alone, change = row
        before, after = sites.get(window, []), sites.get(alone, [])
        acting = [site for site in before if site.effect != 0]
        allele, anchor = variants.alleles[variant], anchors[gene]
        inside.append(any(_touches(allele, anchor, site) for site in acting))
        factor, what = ("", "none") if change == 0 else _changed(before, after)
        factors.append(factor)
        whats.append(what)
    table["factor"], table["what"], table["in_site"] = factors, whats, inside


def _touches(variant: Allele, anchor: Anchor, site: Site) -> bool:
    """Tell whether a variant changes a base of a site, or inserts bases into it."""
    begin, end, _ = without_anchor(variant)
    low, high = begin - anchor.tss, end - anchor.tss
    if anchor.strand == "-":
        low, high = 1 - high, 1 - low
    return low < site.end and high > site.offset


def _changed(before: Sequence[Site], after: Sequence[Site]) -> tuple[str, str]:
    """Name the factor whose sites a variant changes most, and what becomes of them.

    A site that only lies elsewhere than before was moved; that comes of an indel beside it.
    """
    best, what, most = "", "none", (False, 0.0)
    for factor in sorted({site.factor for site in (*before, *after)}):
        own = [site for site in before if site.factor == factor]
        new = [site for site in after if site.factor == factor]
        kinds = [Counter((site.orientation, site.score) for site in some) for some in (own, new)]
        change = sum(site.effect for site in new) - sum(site.effect for site in own)
        size = (kinds[0] != kinds[1], abs(change))
        if size[1] > ROUNDING and size > most:
            best, most = factor, size
            strength = [sum(abs(site.effect) for site in some) for some in (own, new)]
            gained = strength[1] > strength[0]
            what = ("makes" if gained else "breaks") if size[0] else "moves"
    return best, what
