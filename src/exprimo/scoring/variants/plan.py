"""Which variant is put into which window."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from exprimo.core.coordinates import promoter_interval
from exprimo.scoring.variants.windows.alleles import Alleles
from exprimo.scoring.variants.windows.edits import Ints

Center = Literal["variant", "tss"]
PLACE_COLUMNS = ["gene_id", "chrom", "anchor", "strand"]


class Plan(NamedTuple):
    """Pairs of a variant and the window that it is put into, window by window.

    Attributes
    ----------
    places
        Windows: gene_id ("" where there is none), chrom, anchor (0-based forward position),
        strand. Only those that a variant meets.
    place, variant
        Rows of ``places`` and of the list of variants, (pairs,), ordered by place, then along
        the chromosome.
    n_outside
        Variants that meet no window.
    """

    places: pd.DataFrame
    place: Ints
    variant: Ints
    n_outside: int


def plan_around_tss(
    sites: pd.DataFrame, alleles: Alleles, tss: pd.DataFrame, *, upstream: int, downstream: int
) -> Plan:
    """Pair each gene's window with the variants that change a base of it.

    Parameters
    ----------
    sites
        Variants: column chrom, as the genome names it.
    alleles
        The same variants, without the bases that both alleles share.
    tss
        Columns gene_id, chrom, tss (0-based), strand.
    upstream, downstream
        Bases before the TSS, and from the TSS base on.

    Examples
    --------
    >>> sites = pd.DataFrame({"chrom": "I", "start": [3, 8, 20], "ref": "A", "alt": "G"})
    >>> genes = pd.DataFrame({"gene_id": ["g"], "chrom": ["I"], "tss": [9], "strand": ["-"]})
    >>> plan = plan_around_tss(sites, Alleles.of(sites), genes, upstream=4, downstream=2)
    >>> plan.variant, plan.n_outside
    (array([1]), 2)
    """
    reach = {
        strand: promoter_interval("", 0, strand, upstream=upstream, downstream=downstream)
        for strand in "+-"
    }
    low = (tss["tss"] + tss["strand"].map({s: r.start for s, r in reach.items()})).to_numpy(
        np.int64
    )
    high = low + upstream + downstream
    of_site = sites["chrom"].to_numpy()
    chroms = tss["chrom"].to_numpy()
    place: list[Ints] = []
    variant: list[Ints] = []
    for chrom in pd.unique(tss["chrom"]):
        rows = np.flatnonzero(of_site == chrom)
        if not len(rows):
            continue
        genes = np.flatnonzero(chroms == chrom)
        gene, found = _meeting(alleles.take(rows), low[genes], high[genes])
        place.append(genes[gene])
        variant.append(rows[found])
    return _ordered(
        tss.rename(columns={"tss": "anchor"}),
        np.concatenate(place or [_NONE]),
        np.concatenate(variant or [_NONE]),
        alleles,
    )


def plan_around_variants(sites: pd.DataFrame, tss: pd.DataFrame | None = None) -> Plan:
    """Give each variant a window around its own first base, on the forward strand.

    Variants that begin at one base share a window.

    Parameters
    ----------
    sites
        Variants: columns chrom, start (0-based).
    tss
        Columns gene_id, chrom, tss: the nearest gene's id stands beside each window.

    Examples
    --------
    >>> sites = pd.DataFrame({"chrom": "I", "start": [3, 3, 20]})
    >>> genes = pd.DataFrame({"gene_id": ["a", "b"], "chrom": "I", "tss": [5, 30]})
    >>> plan = plan_around_variants(sites, genes)
    >>> plan.place, plan.places["gene_id"].tolist()
    (array([0, 0, 1]), ['a', 'b'])
    """
    keys = sites[["chrom", "start"]]
    groups = keys.groupby(["chrom", "start"], sort=False).ngroup().to_numpy(np.int64)
    places = keys.drop_duplicates().reset_index(drop=True).rename(columns={"start": "anchor"})
    places["strand"] = "+"
    places["gene_id"] = "" if tss is None else _nearest(places, tss)
    variant = np.argsort(groups, kind="stable").astype(np.int64)
    return Plan(places[PLACE_COLUMNS], groups[variant].astype(np.int64), variant, 0)


_NONE: Ints = np.zeros(0, dtype=np.int64)


def _meeting(alleles: Alleles, low: Ints, high: Ints) -> tuple[npt.NDArray[np.intp], Ints]:
    """Pair windows ``[low, high)`` of one chromosome with the variants that change them.

    An insertion before the first base or behind the last one changes nothing within.
    """
    order = np.argsort(alleles.start, kind="stable")
    start = alleles.start[order]
    first = np.searchsorted(start, low - int(alleles.n_ref.max(initial=0)), "right")
    count = np.searchsorted(start, high, "left") - first
    window = np.repeat(np.arange(len(low)), count)
    within = np.arange(len(window)) - np.repeat(np.cumsum(count) - count, count)
    candidate = first[window] + within
    meets = start[candidate] + alleles.n_ref[order][candidate] > low[window]
    return window[meets], order[candidate[meets]]


def _ordered(places: pd.DataFrame, place: Ints, variant: Ints, alleles: Alleles) -> Plan:
    order = np.lexsort((variant, alleles.start[variant], place))
    place, variant = place[order], variant[order]
    used, renumbered = np.unique(place, return_inverse=True)
    n_outside = len(alleles.start) - len(np.unique(variant))
    kept = places.iloc[used][PLACE_COLUMNS].reset_index(drop=True)
    return Plan(kept, renumbered.astype(np.int64), variant, n_outside)


def _nearest(places: pd.DataFrame, tss: pd.DataFrame) -> npt.NDArray[np.object_]:
    """Name the gene whose TSS is nearest, of two the one before; "" on a chromosome without."""
    found = np.full(len(places), "", dtype=object)
    chroms = places["chrom"].to_numpy()
    for chrom, genes in tss.groupby("chrom", sort=False):
        rows = np.flatnonzero(chroms == chrom)
        ordered = genes.sort_values("tss", kind="stable")
        starts = ordered["tss"].to_numpy(np.int64)
        at = places["anchor"].to_numpy(np.int64)[rows]
        behind = np.clip(np.searchsorted(starts, at), 0, len(starts) - 1)
        before = np.maximum(behind - 1, 0)
        nearer = np.abs(starts[behind] - at) < np.abs(starts[before] - at)
        found[rows] = ordered["gene_id"].to_numpy()[np.where(nearer, behind, before)]
    return found
