"""Variants as edits of a reference, applied as ``bcftools consensus`` applies them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from exprimo.core.errors import InputError, MismatchError
from exprimo.core.sequence import Codes, decode, encode, reverse_complement
from exprimo.features.haplotypes.kernels import Edits, fill_windows, which_apply

Integers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


class Variants(NamedTuple):
    """Alleles as arrays, in order of position; positions 0-based on the forward strand.

    Attributes
    ----------
    start, end
        The reference allele is ``[start, end)``.
    anchored
        An insertion or deletion whose alleles begin with the same base, which it leaves alone.
    grows
        ALT is longer than REF.
    edits
        What changes: ``[first, last)`` is replaced by some bases.
    """

    start: Integers
    end: Integers
    anchored: Flags
    grows: Flags
    ref: Codes
    edits: Edits


def prepare_variants(starts: npt.ArrayLike, refs: Sequence[str], alts: Sequence[str]) -> Variants:
    """Take alleles apart: what they share is no part of the edit.

    Of a shared first base, the rest is compared from the right first, then from the left, so
    that an indel in a repeat is where left-aligned files put it.
    """
    start = np.asarray(starts, dtype=np.int64).reshape(-1)
    if (np.diff(start) < 0).any():
        raise InputError("variants are not in order of position", remedy="Sort them by position")
    if not all(refs) or not all(alts):
        raise InputError("an allele without letters", expected="at least one base each")
    parts = [_trimmed(ref, alt) for ref, alt in zip(refs, alts, strict=True)]
    ref_size = np.fromiter(map(len, refs), np.int64, len(start))
    alt_size = np.fromiter(map(len, alts), np.int64, len(start))
    numbers = np.array([part[:2] for part in parts], dtype=np.int64).reshape(-1, 2)
    middle = [part[2] for part in parts]
    edits = Edits(
        start + numbers[:, 0],
        start + ref_size - numbers[:, 1],
        encode("".join(middle)),
        offsets([len(one) for one in middle]),
        False,
    )
    return Variants(
        start,
        start + ref_size,
        np.array([part[3] for part in parts], dtype=np.bool_),
        alt_size > ref_size,
        encode("".join(refs)),
        edits,
    )


def _trimmed(ref: str, alt: str) -> tuple[int, int, str, bool]:
    """Give bases shared on the left and on the right, what ALT has between, and if anchored."""
    if len(ref) == len(alt) == 1:
        return 0, 0, alt, False
    left = int(ref[0] == alt[0])
    right, most = 0, min(len(ref), len(alt)) - left
    while right < most and ref[-1 - right] == alt[-1 - right]:
        right += 1
    most -= right
    begin = left
    while left < begin + most and ref[left] == alt[left]:
        left += 1
    kept_ref, kept_alt = len(ref) - left - right, len(alt) - left - right
    anchored = bool(begin) and len(ref) != len(alt) and min(kept_ref, kept_alt) == 0
    return left, right, alt[left : len(alt) - right], anchored


def offsets(sizes: Sequence[int] | Integers) -> Integers:
    """Give where each of some lists begins when they are written one behind the other, and the end.

    Examples
    --------
    >>> offsets([2, 0, 3]).tolist()
    [0, 2, 2, 5]
    """
    return np.concatenate([[0], np.cumsum(np.asarray(sizes, dtype=np.int64))]).astype(np.int64)


def ref_matches(variants: Variants, codes: Codes, begin: int) -> Flags:
    """Tell for each variant whether REF is what the reference has, (variants,).

    Parameters
    ----------
    codes, begin
        A stretch of the reference that holds all of them, forward, and where it begins.
    """
    size = variants.end - variants.start
    within = (variants.start >= begin) & (variants.end <= begin + len(codes))
    place = np.repeat(variants.start - begin - offsets(size)[:-1], size) + np.arange(size.sum())
    equal = codes[np.clip(place, 0, max(len(codes) - 1, 0))] == variants.ref
    wrong = np.bincount(np.repeat(np.arange(len(size)), size), ~equal, len(size))
    fits: Flags = within & (wrong == 0)
    return fits


def towards_gene(edits: Edits, low: int, high: int, minus: bool) -> Edits:
    """Count edits from the beginning of ``[low, high)`` in the direction of the gene."""
    if not minus:
        return edits._replace(first=edits.first - low, last=edits.last - low)
    return Edits(
        high - edits.last,
        high - edits.first,
        reverse_complement(edits.alt),
        len(edits.alt) - edits.alt_at,
        True,
    )


def apply_variants(
    codes_ref: Codes,
    ref_start: int,
    starts: npt.ArrayLike,
    refs: Sequence[str],
    alts: Sequence[str],
) -> Codes:
    """Give one haplotype: a stretch of reference with the variants that it carries.

    Equal to ``bcftools consensus``. In order of position, a variant is left out where its
    reference allele reaches into that of one applied before. One exception: an insertion or
    deletion behind an anchor base may share that base with what was applied before, unless that
    was an insertion.

    Parameters
    ----------
    codes_ref
        Codes of the reference, (length,), forward strand.
    ref_start
        0-based position of its first base.
    starts, refs, alts
        0-based first base of each REF, and the alleles, in order of position.

    Returns
    -------
    Codes
        The edited stretch, forward strand; its length is what the indels make of it.

    Examples
    --------
    >>> reference = encode("AACCGGTT")
    >>> decode(apply_variants(reference, 100, [101, 103, 105], ["A", "CG", "G"], ["T", "C", "GA"]))
    'ATCCGATT'
    """
    variants = prepare_variants(starts, refs, alts)
    matches = ref_matches(variants, codes_ref, ref_start)
    if not matches.all():
        bad = int(np.argmin(matches))
        low, high = (int(x) - ref_start for x in (variants.start[bad], variants.end[bad]))
        raise MismatchError(
            "REF is not what the reference has there",
            record=f"variant at base {variants.start[bad] + 1}",
            found=refs[bad],
            expected=decode(codes_ref[max(low, 0) : high]) or "a variant within the stretch",
        )
    every = np.arange(len(variants.start))
    kept = every[which_apply(every, np.array([0, len(every)]), *variants[:4])]
    edits = variants.edits
    gained = int((np.diff(edits.alt_at) - (edits.last - edits.first))[kept].sum())
    out = np.empty((1, len(codes_ref) + gained), dtype=np.uint8)
    inside = towards_gene(edits, ref_start, ref_start + len(codes_ref), False)
    # The first base of the stretch is the origin: nothing lies before it.
    shift = np.zeros(1, dtype=np.int64)
    fill_windows(codes_ref, inside, kept, np.array([0, len(kept)]), np.arange(1), shift, out)
    haplotype: Codes = out[0]
    return haplotype
