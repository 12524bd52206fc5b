"""K-mer counts against Counter."""

from __future__ import annotations

from collections import Counter
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exprimo.core.errors import InputError
from exprimo.core.sequence import encode
from exprimo.features.kmers import count_kmers, count_kmers_binned, kmer_names

COMPLEMENT = str.maketrans("ACGT", "TGCA")
dna = st.text(alphabet="ACGTN", max_size=40)


def naive(text: str, k: int, first: int = 0, stop: int | None = None) -> Counter[str]:
    stop = len(text) if stop is None else stop
    words = (text[at : at + k] for at in range(first, min(stop, len(text) - k + 1)))
    return Counter(word for word in words if "N" not in word)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(text=dna, k=st.integers(1, 4))
def test_counts_equal_counter(text: str, k: int) -> None:
    counts = count_kmers(encode(text)[None], k)[0]
    assert counts.tolist() == [naive(text, k)[name] for name in kmer_names(k)]


@settings(max_examples=60, deadline=None, derandomize=True)
@given(text=dna, k=st.integers(1, 4))
def test_canonical_counts_add_both_strands(text: str, k: int) -> None:
    found = naive(text, k)
    names = kmer_names(k, canonical=True)
    expected = [
        sum(found[word] for word in {name, name.translate(COMPLEMENT)[::-1]}) for name in names
    ]
    assert count_kmers(encode(text)[None], k, canonical=True)[0].tolist() == expected


@settings(max_examples=40, deadline=None, derandomize=True)
@given(text=dna, k=st.integers(1, 3), bin_size=st.integers(1, 50))
def test_a_kmer_belongs_to_the_bin_in_which_it_begins(text: str, k: int, bin_size: int) -> None:
    counts = count_kmers_binned(encode(text)[None], k, bin_size)[0]
    starts = range(0, max(1, len(text)), bin_size)
    assert counts.shape == (4**k, len(starts))
    for column, start in enumerate(starts):
        expected = naive(text, k, start, start + bin_size)
        assert counts[:, column].tolist() == [expected[name] for name in kmer_names(k)]


def test_rows_are_counted_apart() -> None:
    codes = np.stack([encode("AAAA"), encode("CGCG")])
    counts = count_kmers(codes, 2)
    names = kmer_names(2)
    assert counts[0, names.index("AA")] == 3
    assert counts[1, names.index("CG")] == 2
    assert counts.sum() == 6


def test_names_are_lexicographic_and_canonical_ones_cover_both_strands() -> None:
    assert kmer_names(2)[:5] == ["AA", "AC", "AG", "AT", "CA"]
    for k, size in ((1, 2), (2, 10), (3, 32), (4, 136)):
        names = kmer_names(k, canonical=True)
        assert len(names) == size
        assert names == sorted(names)
        both = {*names, *(name.translate(COMPLEMENT)[::-1] for name in names)}
        assert both == {"".join(letters) for letters in product("ACGT", repeat=k)}


def test_a_sequence_shorter_than_k_has_no_kmers() -> None:
    assert count_kmers(encode("AC")[None], 3).sum() == 0


@pytest.mark.parametrize("k", [0, 11])
def test_an_impossible_length_is_refused(k: int) -> None:
    with pytest.raises(InputError, match="cannot count k-mers"):
        count_kmers(encode("ACGT")[None], k)


def test_an_empty_bin_is_refused() -> None:
    with pytest.raises(InputError, match="a bin holds at least one base"):
        count_kmers_binned(encode("ACGT")[None], 1, 0)
