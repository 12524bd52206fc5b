"""A haplotype equals what bcftools consensus writes, whatever stands next to what."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from exprimo.core.sequence import decode, encode
from exprimo.features.haplotypes import apply_variants

Consensus = Callable[[str, Sequence[Any]], list[list[str]]]


@st.composite
def chromosomes(draw: st.DrawFn) -> tuple[str, list[tuple[Any, ...]]]:
    """Letters and crowded records: SNPs, indels with an anchor and without, several ALT."""
    alphabet = draw(st.sampled_from(["ACGT", "AC"]))
    bases = st.text(alphabet, min_size=1, max_size=5)
    letters = draw(st.text(alphabet, min_size=12, max_size=60))
    starts = sorted(draw(st.lists(st.integers(0, len(letters) - 1), min_size=1, max_size=14)))
    sites: list[tuple[Any, ...]] = []
    for start in starts:
        size = draw(st.sampled_from([1, 1, 1, 2, 3, 5]))
        ref = letters[start : start + size]
        alts = []
        for _ in range(draw(st.integers(1, 2))):
            shape = draw(st.sampled_from(["any", "snp", "behind anchor"]))
            tail = draw(bases)
            alt = {"any": tail, "snp": tail[0] + ref[1:], "behind anchor": ref[0] + tail[1:]}[shape]
            if alt != ref and alt not in alts:
                alts.append(alt)
        if alts:
            copy = st.integers(0, len(alts))
            sites.append((start, ref, tuple(alts), (f"{draw(copy)}|{draw(copy)}",)))
    return letters, sites


def carried(sites: Sequence[Any], person: int, copy: int) -> tuple[list[int], list[str], list[str]]:
    """Give starts, REFs and ALTs that one copy carries."""
    found = []
    for start, ref, alts, genotypes in sites:
        number = int(genotypes[person].split("|")[copy])
        if number:
            found.append((start, ref, alts[number - 1]))
    return [f[0] for f in found], [f[1] for f in found], [f[2] for f in found]


@settings(max_examples=150, deadline=None)
@given(chromosomes())
def test_crowded_variants_are_applied_as_bcftools_does(
    consensus: Consensus, world: tuple[str, list[tuple[Any, ...]]]
) -> None:
    letters, sites = world
    if not sites:
        return
    expected = consensus(letters, sites)
    for copy in (0, 1):
        found = apply_variants(encode(letters), 0, *carried(sites, 0, copy))
        assert decode(found) == expected[0][copy]


def test_a_stretch_knows_where_it_begins() -> None:
    codes = encode("ACGTACGTAC")
    whole = apply_variants(codes, 0, [5, 7], ["C", "T"], ["CTT", "A"])
    part = apply_variants(codes[3:], 3, [5, 7], ["C", "T"], ["CTT", "A"])
    np.testing.assert_array_equal(whole[3:], part)
