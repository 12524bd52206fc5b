"""Weights matched with the variants of a file: swapped alleles turned, complements resolved."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from exprimo.genetics.alleles import relate

Palindromic = Literal["drop", "keep"]

MATCHED = "matched"
SWAPPED = "matched, alleles swapped"
COMPLEMENT = "matched on the other strand"
PALINDROMIC = "A/T or C/G: the strand is not known"
OTHER_ALLELES = "other alleles at its place"
SEVERAL = "several variants fit"
ABSENT = "no such variant"


class Matches(NamedTuple):
    """Weights that have a variant.

    Attributes
    ----------
    weight_row, variant_row
        (matches,): rows of the table of weights, and of the variants.
    swapped
        (matches,): whether the effect allele is the variant's REF, so that it has 2 - dosage
        copies.
    counts
        What became of weights -> how many. Those without any variant at their place are not
        counted: another part of the file may have it.
    met, outcomes
        Rows of the weights that were counted, and what became of each.
    """

    weight_row: npt.NDArray[np.int64]
    variant_row: npt.NDArray[np.int64]
    swapped: npt.NDArray[np.bool_]
    counts: Mapping[str, int]
    met: npt.NDArray[np.int64]
    outcomes: tuple[str, ...]


def harmonise(
    weights: pd.DataFrame, variants: pd.DataFrame, *, palindromic: Palindromic = "drop"
) -> Matches:
    """Match weights with variants at the same place, or of the same id where no place is known.

    Parameters
    ----------
    weights
        ``chrom, pos`` (1-based, 0: not known), ``effect_allele, other_allele`` ("" not known),
        ``variant_id``.
    variants
        ``chrom, start`` (0-based), ``ref, alt, variant_id``; chromosomes named as in the weights.
    palindromic
        What to do with A/T and C/G, whose letters do not tell the strand: leave them out, or take
        them to be on the strand of the file.

    Examples
    --------
    >>> weights = pd.DataFrame({"chrom": "1", "pos": [5, 9], "effect_allele": ["A", "A"],
    ...                         "other_allele": ["G", "T"], "variant_id": ["a", "b"]})
    >>> variants = pd.DataFrame({"chrom": "1", "start": [4, 8], "ref": ["A", "A"],
    ...                          "alt": ["G", "T"], "variant_id": ["x", "y"]})
    >>> found = harmonise(weights, variants)
    >>> found.weight_row.tolist(), found.swapped.tolist(), dict(found.counts)
    ([0], [True], {'matched, alleles swapped': 1, 'A/T or C/G: the strand is not known': 1})
    """
    pairs = _pairs(weights, variants)
    outcomes: list[str] = []
    rows, columns, turned = [], [], []
    met = []
    for row, group in _by_weight(pairs):
        met.append(row)
        outcome, column, swap = _choose(group, palindromic)
        outcomes.append(outcome)
        if column >= 0:
            rows.append(row)
            columns.append(column)
            turned.append(swap)
    return Matches(
        np.array(rows, dtype=np.int64),
        np.array(columns, dtype=np.int64),
        np.array(turned, dtype=np.bool_),
        dict(Counter(outcomes)),
        np.array(met, dtype=np.int64),
        tuple(outcomes),
    )


_Pair = tuple[int, str, str, str, str]


def _pairs(weights: pd.DataFrame, variants: pd.DataFrame) -> pd.DataFrame:
    """Pair weights with what may be theirs: row, column, and both pairs of alleles."""
    ours = variants[["ref", "alt"]].assign(
        column=np.arange(len(variants)),
        chrom=variants["chrom"].to_numpy(object),
        pos=variants["start"].to_numpy(np.int64) + 1,
        variant_id=variants["variant_id"].to_numpy(object),
    )
    theirs = weights[["effect_allele", "other_allele"]].assign(
        row=np.arange(len(weights)),
        chrom=weights["chrom"].to_numpy(object),
        pos=weights["pos"].to_numpy(np.int64),
        variant_id=weights["variant_id"].to_numpy(object),
    )
    placed = theirs["pos"] > 0
    kept = ["row", "column", "effect_allele", "other_allele", "ref", "alt"]
    by_place = theirs[placed].merge(ours, on=["chrom", "pos"])[kept]
    by_id = theirs[~placed].merge(ours, on="variant_id")[kept]
    return pd.concat([by_place, by_id]).sort_values(["row", "column"], kind="stable")


def _by_weight(pairs: pd.DataFrame) -> list[tuple[int, list[_Pair]]]:
    grouped: dict[int, list[_Pair]] = {}
    columns = ("row", "column", "effect_allele", "other_allele", "ref", "alt")
    for row, *pair in zip(*(pairs[name].tolist() for name in columns), strict=True):
        grouped.setdefault(row, []).append(tuple(pair))
    return list(grouped.items())


def _choose(candidates: list[_Pair], palindromic: Palindromic) -> tuple[str, int, bool]:
    """Choose among variants at a place: the outcome, the variant (-1: none), whether swapped."""
    fits: list[tuple[int, bool, bool, bool]] = []
    for column, effect, other, ref, alt in candidates:
        if not other:
            other = ref if effect == alt else alt
            if effect not in (ref, alt):
                continue
        sign, turned, strandless = relate(ref, alt, other, effect)
        if sign:
            fits.append((column, sign < 0, turned, strandless))
    # As the letters stand before the other strand: at a place with A/G and A/C both may fit.
    plain = [fit for fit in fits if not fit[2]]
    fits = plain or fits
    if not fits:
        return OTHER_ALLELES, -1, False
    if len(fits) > 1:
        return SEVERAL, -1, False
    column, swapped, turned, strandless = fits[0]
    if strandless and palindromic == "drop":
        return PALINDROMIC, -1, False
    if turned:
        return COMPLEMENT, column, swapped
    return SWAPPED if swapped else MATCHED, column, swapped
