"""The same variants in two tables, and whether they count the same allele."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from exprimo.core.coordinates import reconcile_chromosomes
from exprimo.core.errors import MismatchError
from exprimo.genetics.overlap.alleles import relations

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
    pairs = _pairs_by_place(mine, other, files) if by_place else _pairs_by_id(mine, other)
    relation = relations(pairs)
    untold = (pairs[["ref", "alt", "their_ref", "their_alt"]] == "").any(axis=1).to_numpy()
    sign = np.where(untold, 1, relation.sign)
    fits = sign != 0
    unclear = fits & (relation.palindromic | untold)
    kept = fits & ~unclear if ambiguous == "drop" else fits
    counts = {
        "alleles differ": _of(pairs, "theirs", ~fits),
        "ambiguous alleles": _of(pairs, "theirs", unclear),
    }
    table = pairs[["mine", "theirs"]].assign(
        sign=sign, rank=relation.other_strand * 2 + (sign < 0), strand=relation.other_strand
    )[kept]
    table, counts["several partners"] = _one_to_one(table)
    counts["swapped alleles"] = int((table["sign"] < 0).sum())
    counts["other strand"] = int(table["strand"].sum())
    counts["matched"] = len(table)
    if table.empty:
        raise _nothing_matched(mine, other, counts, files)
    table = table.sort_values("mine")
    return Matched(
        table["mine"].to_numpy(dtype=np.intp),
        table["theirs"].to_numpy(dtype=np.intp),
        table["sign"].to_numpy(dtype=np.float64),
        counts,
    )


def _pairs_by_place(
    mine: pd.DataFrame, theirs: pd.DataFrame, files: tuple[str, str]
) -> pd.DataFrame:
    names = reconcile_chromosomes(
        mine["chrom"].unique(), theirs["chrom"].unique(), our_file=files[0], their_file=files[1]
    )
    renamed = theirs.assign(chrom=theirs["chrom"].map(names)).dropna(subset=["chrom"])
    return _merged(mine, renamed, ["chrom", "pos"])


def _pairs_by_id(mine: pd.DataFrame, theirs: pd.DataFrame) -> pd.DataFrame:
    return _merged(
        mine[mine["variant_id"] != ""], theirs[theirs["variant_id"] != ""], ["variant_id"]
    )


def _merged(mine: pd.DataFrame, theirs: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    left = mine[[*keys, "ref", "alt"]].assign(mine=mine.index)
    right = theirs[[*keys, "ref", "alt"]].rename(columns={"ref": "their_ref", "alt": "their_alt"})
    return left.merge(right.assign(theirs=theirs.index), on=keys)


def _one_to_one(table: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """Keep the best fit of each row; rows that then still have two partners are left out."""
    for side in ("theirs", "mine"):
        table = table[table["rank"] == table.groupby(side)["rank"].transform("min")]
    twice = table.duplicated("theirs", keep=False) | table.duplicated("mine", keep=False)
    return table[~twice], int(table.loc[twice, "theirs"].nunique())


def _of(pairs: pd.DataFrame, side: str, chosen: npt.NDArray[np.bool_]) -> int:
    return int(pairs.loc[chosen, side].nunique())


def _nothing_matched(
    mine: pd.DataFrame, theirs: pd.DataFrame, counts: dict[str, int], files: tuple[str, str]
) -> MismatchError:
    def head(table: pd.DataFrame) -> str:
        rows = table.head(2).astype(str).to_dict("records")
        return ", ".join(
            f"{row['variant_id'] or '(no id)'} at "
            + ":".join(row[name] for name in ("chrom", "pos", "ref", "alt"))
            for row in rows
        )

    lost = ", ".join(f"{reason}: {count:,}" for reason, count in counts.items() if count)
    return MismatchError(
        "no variant of one table is in the other" + (f" ({lost})" if lost else ""),
        file=files[1],
        found=head(theirs),
        expected=f"variants of {files[0]}, such as {head(mine)}",
        remedy="Check that both are of one genome build",
    )
