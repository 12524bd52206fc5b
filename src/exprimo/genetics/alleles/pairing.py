"""Rows of two tables that may be one variant, and the choice among them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from exprimo.core.errors import MismatchError
from exprimo.genetics.alleles.relation import relations

ALLELES = ("ref", "alt", "their_ref", "their_alt")


def pair_rows(mine: pd.DataFrame, theirs: pd.DataFrame, keys: Sequence[str]) -> pd.DataFrame:
    """Pair rows with equal keys, and say how their alleles stand to each other.

    Parameters
    ----------
    mine, theirs
        With the keys and ``ref, alt`` ("" not told).
    keys
        Columns such as chrom and pos, or variant_id.

    Returns
    -------
    DataFrame
        ``mine, theirs`` (index values), the alleles of both, ``sign`` (0 where the alleles are
        of other variants; 1 where one table does not tell them), ``other_strand, palindromic``
        as `Relation` has them, and ``untold``.

    Examples
    --------
    >>> mine = pd.DataFrame({"id": ["a", "b"], "ref": ["A", "C"], "alt": ["G", "T"]})
    >>> theirs = pd.DataFrame({"id": ["b", "a"], "ref": ["T", ""], "alt": ["C", ""]})
    >>> pair_rows(mine, theirs, ["id"])[["mine", "theirs", "sign", "untold"]].to_numpy().tolist()
    [[0, 1, 1, True], [1, 0, -1, False]]
    """
    left = mine[[*keys, "ref", "alt"]].assign(mine=mine.index)
    right = theirs[[*keys, "ref", "alt"]].rename(columns={"ref": "their_ref", "alt": "their_alt"})
    pairs = left.merge(right.assign(theirs=theirs.index), on=list(keys))
    pairs = pairs[["mine", "theirs", *ALLELES]]
    relation = relations(pairs)
    untold = (pairs[list(ALLELES)] == "").any(axis=1).to_numpy()
    return pairs.assign(
        sign=np.where(untold, 1, relation.sign).astype(np.int8),
        other_strand=relation.other_strand & ~untold,
        palindromic=relation.palindromic & ~untold,
        untold=untold,
    )


def one_to_one(pairs: pd.DataFrame, *, unique_mine: bool = True) -> tuple[pd.DataFrame, int]:
    """Keep the best fit of each row; rows that then still have two partners are left out.

    As the letters stand goes before the other strand, the same order before swapped alleles.

    Parameters
    ----------
    pairs
        From `pair_rows`, with alleles that fit.
    unique_mine
        Whether one of mine may have one partner only.

    Returns
    -------
    The pairs, and how many of theirs were left out.
    """
    rank = pairs["other_strand"].astype(int) * 2 + (pairs["sign"] < 0)
    pairs = pairs.assign(rank=rank)
    for side in ("theirs", "mine") if unique_mine else ("theirs",):
        pairs = pairs[pairs["rank"] == pairs.groupby(side)["rank"].transform("min")]
    twice = pairs.duplicated("theirs", keep=False)
    if unique_mine:
        twice |= pairs.duplicated("mine", keep=False)
    left = pairs[~twice].drop(columns="rank").reset_index(drop=True)
    return left, int(pairs.loc[twice, "theirs"].nunique())


def nothing_matched(
    mine: pd.DataFrame,
    theirs: pd.DataFrame,
    files: tuple[str, str],
    counts: Mapping[str, int] | None = None,
) -> MismatchError:
    """Make the error of two tables that share no variant; it shows the heads of both."""
    lost = ", ".join(f"{reason}: {n:,}" for reason, n in (counts or {}).items() if n)
    return MismatchError(
        "no variant of one table is in the other" + (f" ({lost})" if lost else ""),
        file=files[1],
        found=_head(theirs),
        expected=f"variants of {files[0]}, such as {_head(mine)}",
        remedy="Check that both are of one genome build, and that the columns were found: name "
        "them where they were not",
    )


def _head(table: pd.DataFrame) -> str:
    columns = ["variant_id", "chrom", "pos", "ref", "alt"]
    return ", ".join(
        f"{name or '(no id)'} at {chrom or '?'}:{pos}:{ref}:{alt}"
        for name, chrom, pos, ref, alt in table.head(2)[columns].to_numpy().tolist()
    )
