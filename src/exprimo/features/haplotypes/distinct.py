"""Distinct haplotypes: by what people carry first, then by the sequence itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from exprimo.data.genotypes.view import MISSING, NO_COPY, Genotypes
from exprimo.features.haplotypes.edits import Flags, Integers, offsets
from exprimo.features.haplotypes.fingerprints import same_windows
from exprimo.features.haplotypes.kernels import origins, touching, which_apply
from exprimo.features.haplotypes.phase import carried_copies, existing_copies, require_phase
from exprimo.features.haplotypes.region import Region

OVERLAPPING = "overlaps a variant applied before on the same haplotype"
MISSING_GENOTYPE = "missing genotype, read as reference"
SECOND_COPY = "on a second copy, of a person who has one copy at another variant of the window"
_APPLIED_COLUMNS = ["variant_id", "chrom", "start", "ref", "alt"]
# People at a time whose carried variants are counted.
_PEOPLE = 1024


class HaplotypeLists(NamedTuple):
    """Variants of each haplotype (see `kernels`), and how far its edited bases are moved."""

    members: Integers
    at: Integers
    shift: Integers


class Distinct(NamedTuple):
    """What `PlannedWindow` says of a window, without the region."""

    index: npt.NDArray[np.int32]  # type: ignore[assignment]  # a field, not the method of tuples
    weights: npt.NDArray[np.float32] | None
    applied: pd.DataFrame
    skipped: dict[str, int]
    contains_unknown: Flags
    lists: HaplotypeLists


def distinct_haplotypes(
    region: Region, genotypes: Genotypes, unphased: object, seed: int, upstream: int, length: int
) -> Distinct:
    """Find the distinct windows of all copies, and which copy has which."""
    samples, block = genotypes.samples, region.block
    if isinstance(unphased, int):
        phasings = carried_copies(block, samples, region.window.chrom, phasings=unphased, seed=seed)
    else:
        require_phase(block, region.relevant, samples, genotypes.path)
        phasings = iter([block.alleles == 1])
    packed = [_packed(carried) for carried in phasings]
    rows, inverse = _unique_rows(np.concatenate(packed))
    which, members = np.nonzero(
        np.unpackbits(rows, axis=1, count=len(block.variants)).view(np.bool_)
    )
    at = offsets(np.bincount(which, minlength=len(rows)))
    kept = which_apply(members, at, *region.variants[:4])
    copies = np.bincount(inverse, minlength=len(rows))
    overlapping = int(copies[which[~kept & region.inside[members]]].sum()) // len(packed)
    lists, contains_unknown, place, effective = _merged(
        region, *_selected(members, at, kept), upstream, length
    )
    index = _index(place[inverse], len(packed), block.alleles.shape[1])
    index[~existing_copies(block)] = -1
    index, order = _by_first_carrier(index)
    skipped = {MISSING_GENOTYPE: int((block.alleles[region.inside] == MISSING).sum())}
    skipped[OVERLAPPING] = overlapping
    skipped[SECOND_COPY] = _on_lost_copies(region)
    return Distinct(
        index,
        None,
        _applied(region, effective[order], index[..., 0]),
        {reason: count for reason, count in skipped.items() if count},
        contains_unknown[order],
        _picked(lists, order),
    )


def one_by_one(region: Region, samples: Sequence[str], upstream: int, length: int) -> Distinct:
    """Take the reference and each variant alone, weighted by dosage.

    The mean over the two copies of a prediction f, were effects to add up, is
    f(reference) + sum over variants of dosage / copies x (f(variant alone) - f(reference)).
    """
    block = region.block
    alone = np.flatnonzero(region.inside)
    at = np.concatenate([[0], np.arange(len(alone) + 1)])
    lists, unknown, place, effective = _merged(region, alone, at, upstream, length)
    copies = existing_copies(block).sum(axis=1)
    # Of each variant by itself: a man has one X, and both copies of what X shares with Y.
    counted = 2 - (block.alleles[region.inside] == NO_COPY).sum(axis=2)
    dosage = np.nan_to_num(block.dosage()[region.inside])
    share = np.zeros(dosage.shape)
    np.divide(dosage, counted, out=share, where=counted > 0)
    weights = np.zeros((len(unknown), len(samples)), dtype=np.float32)
    np.add.at(weights, place[1:], share)
    weights[place[0]] += 1 - share.sum(axis=0)
    weights[:, copies == 0] = np.nan
    carriers = (dosage > 0).sum(axis=1)
    table = region.block.variants.loc[region.inside, _APPLIED_COLUMNS]
    changing = np.asarray(effective.any(axis=0))[region.inside] & (carriers > 0)
    missing = int((block.alleles[region.inside] == MISSING).sum())
    return Distinct(
        np.full((len(samples), 2, 1), -1, dtype=np.int32),
        np.ascontiguousarray(weights.T),
        table.assign(n_carriers=carriers)[changing].reset_index(drop=True),
        {MISSING_GENOTYPE: missing} if missing else {},
        unknown,
        lists,
    )


def _on_lost_copies(region: Region) -> int:
    """Count ALT alleles on copies that are left out since another variant says there is none."""
    lost = ~existing_copies(region.block)
    return int((region.block.alleles[region.inside][:, lost] == 1).sum())


def _packed(carried: Flags) -> npt.NDArray[np.uint8]:
    """Pack (variants, samples, 2) into bits, (samples * 2, bytes)."""
    variants, samples, _ = carried.shape
    return np.packbits(carried.reshape(variants, samples * 2), axis=0).T


def _unique_rows(rows: npt.NDArray[np.uint8]) -> tuple[npt.NDArray[np.uint8], Integers]:
    """Give the distinct rows, and which of them each row is."""
    if not rows.shape[1]:
        return rows[:1], np.zeros(len(rows), dtype=np.int64)
    whole = np.ascontiguousarray(rows).view(np.dtype((np.void, rows.shape[1]))).reshape(-1)
    _, first, inverse = np.unique(whole, return_index=True, return_inverse=True)
    return rows[first], inverse.reshape(-1).astype(np.int64)


def _selected(members: Integers, at: Integers, kept: Flags) -> tuple[Integers, Integers]:
    """Leave members out of their lists."""
    return members[kept], offsets(kept.astype(np.int64))[at]


def _merged(
    region: Region, members: Integers, at: Integers, upstream: int, length: int
) -> tuple[HaplotypeLists, Flags, Integers, Flags]:
    """Merge haplotypes whose windows are equal.

    Returns
    -------
    lists, contains_unknown, place, effective
        Of the distinct ones; which of them each one given is, (haplotypes,); and which variants
        change its window, (distinct, variants).
    """
    edits, origin = region.edits, region.origin
    shift = upstream - origins(members, at, edits, origin)
    touched = touching(members, at, edits, origin, shift, length)
    members, at = _selected(members, at, touched)
    effective = np.zeros((len(at) - 1, len(region.variants.start)), dtype=np.bool_)
    effective[np.repeat(np.arange(len(at) - 1), np.diff(at)), members] = True
    rows, place = _unique_rows(np.packbits(effective, axis=1))
    first = np.zeros(len(rows), dtype=np.int64)
    first[place[::-1]] = np.arange(len(place))[::-1]
    lists = _picked(HaplotypeLists(members, at, shift), first)
    shift = upstream - origins(lists.members, lists.at, edits, origin)
    lists = lists._replace(shift=shift)
    leader, unknown = same_windows(
        region.reference, edits, lists.members, lists.at, lists.shift, length
    )
    leaders, number = np.unique(leader, return_inverse=True)
    return (
        _picked(lists, leaders),
        unknown[leaders],
        number.reshape(-1)[place],
        effective[first[leaders]],
    )


def _picked(lists: HaplotypeLists, rows: Integers) -> HaplotypeLists:
    """Take some haplotypes."""
    sizes = np.diff(lists.at)[rows]
    place = np.repeat(lists.at[rows] - offsets(sizes)[:-1], sizes) + np.arange(sizes.sum())
    return HaplotypeLists(lists.members[place], offsets(sizes), lists.shift[rows])


def _index(place: Integers, phasings: int, samples: int) -> npt.NDArray[np.int32]:
    """Shape the row of each copy as (samples, 2, phasings)."""
    return np.moveaxis(place.reshape(phasings, samples, 2), 0, 2).astype(np.int32)


def _by_first_carrier(
    index: npt.NDArray[np.int32],
) -> tuple[npt.NDArray[np.int32], Integers]:
    """Number sequences in the order in which people have them; drop those of nobody."""
    present = index[index >= 0]
    rows, first = np.unique(present, return_index=True)
    order = rows[np.argsort(first, kind="stable")].astype(np.int64)
    number = np.full(int(index.max(initial=0)) + 2, -1, dtype=np.int32)
    number[order] = np.arange(len(order), dtype=np.int32)
    return number[index], order  # the last entry, at -1, stays -1


def _applied(region: Region, effective: Flags, first: npt.NDArray[np.int32]) -> pd.DataFrame:
    """Count the people who carry each variant that changes someone's window."""
    counts = np.zeros(len(region.variants.start), dtype=np.int64)
    padded = np.concatenate([effective, np.zeros((1, effective.shape[1]), dtype=np.bool_)])
    for begin in range(0, len(first), _PEOPLE):
        rows = first[begin : begin + _PEOPLE]
        counts += (padded[rows[:, 0]] | padded[rows[:, 1]]).sum(axis=0)
    table = region.block.variants[_APPLIED_COLUMNS].assign(n_carriers=counts)
    return table[counts > 0].reset_index(drop=True)
