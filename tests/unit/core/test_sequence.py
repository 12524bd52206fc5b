"""Codes of bases, and the algebra of strands."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exprimo.core.errors import FormatError
from exprimo.core.sequence import ALPHABET, canonical_hashes, decode, encode, reverse_complement

DNA = st.text(ALPHABET, max_size=60)
few = settings(max_examples=60, derandomize=True, deadline=None)


@few
@given(DNA)
def test_letters_survive_the_round_trip(text: str) -> None:
    codes = encode(text)
    assert codes.dtype == np.uint8
    assert decode(codes) == text


@few
@given(DNA)
def test_reversing_twice_gives_the_sequence_back(text: str) -> None:
    codes = encode(text)
    np.testing.assert_array_equal(reverse_complement(reverse_complement(codes)), codes)


@few
@given(DNA, DNA)
def test_a_joined_sequence_reverses_into_its_reversed_halves(left: str, right: str) -> None:
    whole = decode(reverse_complement(encode(left + right)))
    assert whole == decode(reverse_complement(encode(right))) + decode(
        reverse_complement(encode(left))
    )


@few
@given(DNA)
def test_reversing_exchanges_a_with_t_and_c_with_g(text: str) -> None:
    other = decode(reverse_complement(encode(text)))
    for base, partner in ("AT", "CG", "GC", "TA", "NN"):
        assert text.count(base) == other.count(partner)


def test_reversing_works_on_the_last_axis_of_many() -> None:
    many = np.stack([encode("AACG"), encode("TTTN")])
    assert [decode(row) for row in reverse_complement(many)] == ["CGTT", "NAAA"]


def test_lower_case_rna_and_ambiguity_are_read() -> None:
    assert decode(encode("acgtunRYSWKMBDHV")) == "ACGTTN" + "N" * 10
    assert encode(b"ACGT").tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize(("text", "base", "letter"), [("ACX", "3", "X"), ("-", "1", "-")])
def test_another_letter_is_named_with_its_place(text: str, base: str, letter: str) -> None:
    with pytest.raises(FormatError, match=f"base {base}: not a DNA letter. Found: '{letter}'"):
        encode(text)


def test_a_letter_outside_latin_is_refused() -> None:
    with pytest.raises(FormatError, match="base 2"):
        encode("Aβ")


@few
@given(st.text("ACGTN", min_size=8, max_size=8))
def test_both_strands_have_one_hash(text: str) -> None:
    codes = encode(text)
    pair = canonical_hashes(np.stack([codes, reverse_complement(codes)]))
    assert pair[0] == pair[1]
    assert len(pair[0]) == 16


def test_different_promoters_have_different_hashes() -> None:
    rng = np.random.default_rng(1)
    many = np.unique(rng.integers(0, 4, (500, 30)).astype(np.uint8), axis=0)
    assert len(set(canonical_hashes(many))) == len(many)
    reversed_only = np.stack([encode("AACG"), encode("GCAA"), encode("TTGC")])
    assert len(set(canonical_hashes(reversed_only))) == 2  # GCAA pairs with TTGC only


def test_padding_does_not_change_the_hash_of_either_strand() -> None:
    bare = canonical_hashes(np.stack([encode("ACNGG")]))
    padded = np.stack([encode("ACNGGN"), encode("NACNGG"), encode("CCNGTN"), encode("NCCNGT")])
    assert set(canonical_hashes(padded)) == set(bare)
    assert canonical_hashes(np.stack([encode("NN")])) != bare
    assert canonical_hashes(np.stack([encode("ACGG")])) != bare
