"""Which alleles are plain letters, and what the others are called where they are left out."""

from __future__ import annotations

import re
from collections.abc import Sequence

PLAIN = "plain"
SYMBOLIC = "symbolic allele"
OVERLAPPED = "allele *, deleted by a variant before it"
BREAKEND = "breakend"
NOT_LETTERS = "allele with other letters than A, C, G, T, N"
ONE_ALLELE = "no second allele in the file"
NO_CHROMOSOME = "chromosome that the genome does not have"
REF_MISMATCH = "REF is not the genome's"

_SINGLE = frozenset("ACGTN")
_LETTERS = re.compile(r"[ACGTN]+")
_NONE = {"0", ".", ""}


def allele_kinds(ref: str, alts: Sequence[str]) -> list[str]:
    """Give the kind of each ALT of a record; only `PLAIN` ones are used.

    Letters count in upper case. A REF of other letters makes all its ALTs unusable.

    Examples
    --------
    >>> allele_kinds("A", ["T", "*", "<DEL>", "A[chr2:5["])[1:]
    ['allele *, deleted by a variant before it', 'symbolic allele', 'breakend']
    """
    if not _plain(ref):
        return [ONE_ALLELE if ref in _NONE else NOT_LETTERS] * len(alts)
    return [_kind(alt) for alt in alts]


def _plain(allele: str) -> bool:
    # Most alleles are one letter, and this is asked of every allele of a file.
    return allele in _SINGLE or _LETTERS.fullmatch(allele) is not None


def _kind(alt: str) -> str:
    if _plain(alt):
        return PLAIN
    if alt in _NONE:
        return ONE_ALLELE
    if alt in ("*", "<*>", "<*:DEL>"):
        return OVERLAPPED
    if "[" in alt or "]" in alt or alt[0] == "." or alt[-1] == ".":
        return BREAKEND
    return SYMBOLIC if alt[0] == "<" else NOT_LETTERS
