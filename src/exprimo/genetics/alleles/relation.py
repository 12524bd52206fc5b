"""How the alleles of two tables stand to each other: the same, swapped, on the other strand."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

_COMPLEMENT = str.maketrans("ACGT", "TGCA")


class Relation(NamedTuple):
    """Relation of pairs of alleles, row by row.

    Attributes
    ----------
    sign
        1 where ALT is the same allele, -1 where REF and ALT are swapped, 0 where the alleles are
        of different variants. int8, (rows,).
    other_strand
        True where they fit only as complements. bool, (rows,).
    palindromic
        True for A/T and C/G, whose letters do not tell the strand. bool, (rows,).
    """

    sign: npt.NDArray[np.int8]
    other_strand: npt.NDArray[np.bool_]
    palindromic: npt.NDArray[np.bool_]


def relate(ref: str, alt: str, their_ref: str, their_alt: str) -> tuple[int, bool, bool]:
    """Compare one pair of alleles with another: sign, other strand, palindromic.

    Only single bases are tried as complements: the other strand's form of an insertion or deletion
    has another position.

    Examples
    --------
    >>> relate("A", "G", "A", "G"), relate("A", "G", "G", "A"), relate("A", "G", "T", "C")
    ((1, False, False), (-1, False, False), (1, True, False))
    >>> relate("A", "T", "T", "A"), relate("A", "G", "A", "C")
    ((-1, False, True), (0, False, False))
    """
    single = len(ref) == len(alt) == len(their_ref) == len(their_alt) == 1
    palindromic = single and ref.translate(_COMPLEMENT) == alt
    if (ref, alt) == (their_ref, their_alt):
        return 1, False, palindromic
    if (ref, alt) == (their_alt, their_ref):
        return -1, False, palindromic
    if single:
        turned = their_ref.translate(_COMPLEMENT), their_alt.translate(_COMPLEMENT)
        if (ref, alt) == turned:
            return 1, True, False
        if (ref, alt) == turned[::-1]:
            return -1, True, False
    return 0, False, False


def relations(pairs: pd.DataFrame) -> Relation:
    """Compare ``ref, alt`` with ``their_ref, their_alt`` in each row of a table."""
    columns = ["ref", "alt", "their_ref", "their_alt"]
    code = pairs.groupby(columns, sort=False, dropna=False).ngroup().to_numpy()
    distinct = pairs[columns].drop_duplicates().to_numpy()
    found = [relate(*row) for row in distinct.tolist()]
    table = np.array(found, dtype=np.int8).reshape(-1, 3)[code]
    return Relation(table[:, 0], table[:, 1].astype(bool), table[:, 2].astype(bool))


def allele_key(ref: str, alt: str) -> tuple[str, str]:
    """Give what is the same for swapped alleles, and for single bases of the other strand.

    Examples
    --------
    >>> allele_key("T", "C"), allele_key("G", "A"), allele_key("CT", "C")
    (('A', 'G'), ('A', 'G'), ('C', 'CT'))
    """
    ways = [(ref, alt), (alt, ref)]
    if len(ref) == len(alt) == 1:
        ways += [(one.translate(_COMPLEMENT), two.translate(_COMPLEMENT)) for one, two in ways]
    return min(ways)
