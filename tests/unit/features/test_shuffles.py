"""Dinucleotide shuffles: what is kept, and that the rest is uniform."""

from __future__ import annotations

from collections import Counter
from itertools import permutations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare

from exprimo.core.errors import InputError
from exprimo.core.sequence import decode, encode
from exprimo.features.shuffles import dinucleotide_shuffle


def dinucleotides(text: str) -> Counter[str]:
    return Counter(text[at : at + 2] for at in range(len(text) - 1))


@settings(max_examples=80, deadline=None, derandomize=True)
@given(text=st.text(alphabet="ACGTN", max_size=60), seed=st.integers(0, 2**32))
def test_dinucleotides_ends_and_ns_are_kept(text: str, seed: int) -> None:
    for row in dinucleotide_shuffle(encode(text), 3, seed):
        shuffled = decode(row)
        assert dinucleotides(shuffled) == dinucleotides(text)
        assert [at for at, x in enumerate(shuffled) if x == "N"] == [
            at for at, x in enumerate(text) if x == "N"
        ]
        for old, new in zip(text.split("N"), shuffled.split("N"), strict=True):
            assert (old[:1], old[-1:]) == (new[:1], new[-1:])
            assert dinucleotides(old) == dinucleotides(new)


@pytest.mark.parametrize("text", ["AACAGATA", "GATTACAGA", "CACGAGTCTA", "AAGAACACA"])
def test_every_possible_sequence_is_equally_likely(text: str) -> None:
    middle = {"".join(p) for p in permutations(text[1:-1])}
    possible = sorted(
        word
        for word in (text[0] + m + text[-1] for m in middle)
        if dinucleotides(word) == dinucleotides(text)
    )
    assert len(possible) > 2
    n = 400 * len(possible)
    drawn = Counter(decode(row) for row in dinucleotide_shuffle(encode(text), n, seed=1))
    assert set(drawn) == set(possible)
    assert chisquare([drawn[word] for word in possible]).pvalue > 0.001


def test_the_seed_decides_and_more_shuffles_continue_fewer() -> None:
    codes = np.random.default_rng(5).integers(0, 4, 300).astype(np.uint8)
    ten = dinucleotide_shuffle(codes, 10, seed=7)
    np.testing.assert_array_equal(ten, dinucleotide_shuffle(codes, 10, seed=7))
    np.testing.assert_array_equal(ten[:3], dinucleotide_shuffle(codes, 3, seed=7))
    assert (ten != dinucleotide_shuffle(codes, 10, seed=8)).any()


def test_a_long_sequence_is_really_shuffled() -> None:
    codes = np.random.default_rng(6).integers(0, 4, 2000).astype(np.uint8)
    (row,) = dinucleotide_shuffle(codes, 1, seed=0)
    assert 0.2 < (row == codes).mean() < 0.3
    assert codes is not row


def test_the_input_is_left_alone() -> None:
    codes = encode("ACGTTGCAAC" * 10)
    before = codes.copy()
    dinucleotide_shuffle(codes, 5, seed=0)
    np.testing.assert_array_equal(codes, before)


@pytest.mark.parametrize("text", ["", "A", "ACG", "NNNN", *map("".join, product("AC", repeat=2))])
def test_where_nothing_can_move_nothing_does(text: str) -> None:
    assert [decode(row) for row in dinucleotide_shuffle(encode(text), 2, seed=0)] == [text] * 2


def test_a_table_of_sequences_and_zero_shuffles_are_refused() -> None:
    with pytest.raises(InputError, match="one sequence at a time"):
        dinucleotide_shuffle(encode("ACGT")[None], 1, seed=0)
    with pytest.raises(InputError, match="at least one shuffle"):
        dinucleotide_shuffle(encode("ACGT"), 0, seed=0)
