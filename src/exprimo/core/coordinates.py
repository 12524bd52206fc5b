"""Positions on chromosomes: 0-based, half-open, forward strand, everywhere inside Exprimo."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from exprimo.core.errors import InputError, MismatchError

_ROMAN = re.compile(r"(?=.)X{0,3}(IX|IV|V?I{0,3})")
_MITOCHONDRIAL = {"m", "mt", "mito", "mtdna", "mitochondrion"}


class Interval(NamedTuple):
    """A stretch of a chromosome: ``start`` is 0-based and inside, ``end`` is outside.

    Examples
    --------
    >>> Interval("chr1", 10, 25, "-").length
    15
    """

    chrom: str
    start: int
    end: int
    strand: str = "+"

    @property
    def length(self) -> int:
        return self.end - self.start


def promoter_interval(
    chrom: str, tss: int, strand: str, *, upstream: int, downstream: int
) -> Interval:
    """Give the window around a TSS; the TSS base is the first downstream base.

    On the plus strand the window is ``[tss - upstream, tss + downstream)``; on the minus strand
    it is mirrored, so that in gene orientation the TSS base has index ``upstream`` on both.

    Examples
    --------
    >>> promoter_interval("I", 100, "+", upstream=10, downstream=5)
    Interval(chrom='I', start=90, end=105, strand='+')
    >>> promoter_interval("I", 100, "-", upstream=10, downstream=5)
    Interval(chrom='I', start=96, end=111, strand='-')
    """
    if upstream < 0 or downstream < 0 or upstream + downstream == 0:
        raise InputError(
            "a window needs a positive length",
            found=f"upstream {upstream}, downstream {downstream}",
            expected="two numbers >= 0, not both 0",
        )
    if strand not in ("+", "-"):
        raise InputError("a window needs a strand", found=repr(strand), expected="'+' or '-'")
    if strand == "-":
        return Interval(chrom, tss - downstream + 1, tss + upstream + 1, "-")
    return Interval(chrom, tss - upstream, tss + downstream, "+")


def _roman(text: str) -> int:
    values = {"I": 1, "V": 5, "X": 10}
    total = 0
    for letter, following in zip(text, [*text[1:], ""], strict=True):
        value = values[letter]
        total += -value if following and values[following] > value else value
    return total


def _bare(name: str) -> str:
    return name[3:] if name.lower().startswith("chr") and len(name) > 3 else name


def _plain_name(name: str, numerals: set[str]) -> str:
    bare = _bare(name)
    if bare.lower() in _MITOCHONDRIAL:
        return "MT"
    if bare in numerals:
        return str(_roman(bare))
    return bare


def _roman_numerals(names: Iterable[str]) -> set[str]:
    """Pick the names that are roman numerals: of one letter only beside one of several."""
    numerals = {bare for name in names if _ROMAN.fullmatch(bare := _bare(name))}
    values = [_roman(name) for name in numerals if len(name) > 1]
    if not values:
        return set()
    # X is ten in yeast, which has a IX, and the sex chromosome in C. elegans, which ends at V.
    return numerals if max(values) > 5 else numerals - {"X"}


def _guessed(our_names: list[str], their_names: list[str]) -> dict[str, str]:
    """Match equal names first, then equal but for ``chr``, then by number or mitochondrion."""
    exact, by_bare, by_plain = set(our_names), dict[str, str](), dict[str, str]()
    our_numerals, their_numerals = _roman_numerals(our_names), _roman_numerals(their_names)
    for name in our_names:
        by_bare.setdefault(_bare(name), name)
        by_plain.setdefault(_plain_name(name, our_numerals), name)
    mapping = {}
    for name in their_names:
        match = name if name in exact else by_bare.get(_bare(name))
        match = match or by_plain.get(_plain_name(name, their_numerals))
        if match is not None:
            mapping[name] = match
    return mapping


def _check_table(mapping: Mapping[str, str], our_names: list[str], our_file: str) -> None:
    known, taken = set(our_names), dict[str, str]()
    for their, our in mapping.items():
        if our not in known:
            raise MismatchError(
                f"the table of chromosome names leads to a name that {our_file} does not have",
                record=f"chromosome {their}",
                found=our,
                expected=", ".join(our_names[:5]),
                remedy="Correct the table, or leave the name out of it",
            )
        if our in taken:
            raise MismatchError(
                "the table of chromosome names makes two chromosomes one",
                record=f"chromosome {our}",
                found=f"{taken[our]} and {their}",
                expected="one name for each",
                remedy="Correct the table",
            )
        taken[our] = their


def reconcile_chromosomes(
    ours: Iterable[str],
    theirs: Iterable[str],
    *,
    table: Mapping[str, str] | None = None,
    our_file: str = "the first file",
    their_file: str = "the second file",
) -> dict[str, str]:
    """Map each name in ``theirs`` that has a counterpart to the name in ``ours``.

    ``chr1``, ``1``, ``I``, ``chrI`` and the mitochondrial spellings count as equal. A ``table``
    (their name -> our name) replaces the guess; it may send no name to one that is not ours, nor
    two to the same. Names without a counterpart are left out; no overlap at all is an error that
    shows the heads of both.

    Examples
    --------
    >>> reconcile_chromosomes(["I", "Mito"], ["chrI", "chrM", "chr2micron"])
    {'chrI': 'I', 'chrM': 'Mito'}
    """
    our_names, their_names = list(dict.fromkeys(ours)), list(dict.fromkeys(theirs))
    if table is not None:
        mapping = {name: table[name] for name in their_names if name in table}
        _check_table(mapping, our_names, our_file)
    else:
        mapping = _guessed(our_names, their_names)
    if not mapping and their_names:
        raise MismatchError(
            f"no chromosome name of {their_file} occurs in {our_file}",
            found=", ".join(their_names[:5]),
            expected=", ".join(our_names[:5]),
            remedy="Give a two-column table (their name, our name) with --chrom-style FILE",
        )
    return mapping
