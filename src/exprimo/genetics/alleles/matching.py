"""The same variants in two tables, and whether they count the same allele."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from exprimo.core.coordinates import reconcile_chromosomes
from exprimo.genetics.alleles.pairing import nothing_matched, one_to_one, pair_rows

Ambiguous = Literal["drop", "keep"]
_KEYS = ["variant_id", "chrom", "pos", "ref", "alt"]


class Matched(NamedTuple):
    """Pairs of rows that are one variant.

    Attributes
    ----------
    ours, theirs
        (pairs,): rows, by position in the tables; each at most once.
    sign
        (pairs,): 1 where both count the same allele, -1 where theirs counts the other.
    counts
        How rows were matched or why not -> rows.
    """

    ours: npt.NDArray[np.intp]
    theirs: npt.NDArray[np.intp]
    sign: npt.NDArray[np.float64]
    counts: dict[str, int]


def match_variants(
    ours: pd.DataFrame,
    theirs: pd.DataFrame,
    *,
    ambiguous: Ambiguous = "drop",
    files: tuple[str, str] = ("the first table", "the second table"),
) -> Matched:
    """Match variants by chrom, pos and alleles, swapped or on the other strand; else by id.

    Parameters
    ----------
    ours, theirs
        With ``variant_id, chrom, pos`` (from 1; -1 not told), ``ref, alt`` ("" not told).
    ambiguous
        What to do where it cannot be told which allele is counted: A/T and C/G, whose letters are
        those of either strand, and rows matched by id without alleles. ``"keep"`` takes A/T and
        C/G by their letters; right where both tables are of the forward strand, or where signs
        do not matter.
    files
        Their names, for messages.

    Examples
    --------
    >>> ours = pd.DataFrame({"variant_id": ["a", "b"], "chrom": "1", "pos": [5, 9],
    ...                      "ref": ["A", "C"], "alt": ["G", "G"]})
    >>> theirs = ours.assign(chrom="chr1", ref=["G", "C"], alt=["A", "G"])
    >>> found = match_variants(ours, theirs)
    >>> found.ours.tolist(), found.sign.tolist(), found.counts["ambiguous alleles"]
    ([0], [-1.0], 1)
    """
    mine = ours[_KEYS].reset_index(drop=True)
    other = theirs[_KEYS].reset_index(drop=True)
    by_place = bool((mine["pos"] > 0).all() and (other["pos"] > 0).all())
    pairs = _by_place(mine, other, files) if by_place else _by_id(mine, other)
    fits = (pairs["sign"] != 0).to_numpy()
    unclear = fits & (pairs["palindromic"] | pairs["untold"]).to_numpy()
    kept = fits & ~unclear if ambiguous == "drop" else fits
    counts = {
        "alleles differ": int(pairs.loc[~fits, "theirs"].nunique()),
        "ambiguous alleles": int(pairs.loc[unclear, "theirs"].nunique()),
    }
    table, counts["several partners"] = one_to_one(pairs[kept])
    counts["swapped alleles"] = int((table["sign"] < 0).sum())
    counts["other strand"] = int(table["other_strand"].sum())
    counts["matched"] = len(table)
    if table.empty:
        raise nothing_matched(mine, other, files, counts)
    table = table.sort_values("mine")
    return Matched(
        table["mine"].to_numpy(dtype=np.intp),
        table["theirs"].to_numpy(dtype=np.intp),
        table["sign"].to_numpy(dtype=np.float64),
        counts,
    )


def _by_place(mine: pd.DataFrame, theirs: pd.DataFrame, files: tuple[str, str]) -> pd.DataFrame:
    names = reconcile_chromosomes(
        mine["chrom"].unique(), theirs["chrom"].unique(), our_file=files[0], their_file=files[1]
    )
    renamed = theirs.assign(chrom=theirs["chrom"].map(names)).dropna(subset=["chrom"])
    return pair_rows(mine, renamed, ["chrom", "pos"])


def _by_id(mine: pd.DataFrame, theirs: pd.DataFrame) -> pd.DataFrame:
    return pair_rows(
        mine[mine["variant_id"] != ""], theirs[theirs["variant_id"] != ""], ["variant_id"]
    )
