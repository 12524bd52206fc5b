"""Windows around starts, and which chromosome is which."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exprimo.core.coordinates import Interval, promoter_interval, reconcile_chromosomes
from exprimo.core.errors import InputError, MismatchError
from exprimo.core.sequence import decode, encode, reverse_complement

YEAST = ["I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X"]
YEAST += ["XI", "XII", "XIII", "XIV", "XV", "XVI", "Mito"]
UCSC_YEAST = [f"chr{name}" for name in YEAST[:-1]] + ["chrM"]
WORM = ["I", "II", "III", "IV", "V", "X", "MtDNA"]
HUMAN = [str(n) for n in range(1, 23)] + ["X", "Y", "MT"]


def _cut(chromosome: str, window: Interval) -> str:
    codes = encode(chromosome[window.start : window.end])
    return decode(codes if window.strand == "+" else reverse_complement(codes))


def test_windows_on_both_strands_read_in_gene_orientation() -> None:
    #             0         1         2
    #             0123456789012345678901234
    chromosome = "TTTTTACCGATGTTTTTTTTTTTTT"
    mirrored = decode(reverse_complement(encode(chromosome)))
    plus = promoter_interval("1", 9, "+", upstream=4, downstream=3)
    minus = promoter_interval("1", len(chromosome) - 1 - 9, "-", upstream=4, downstream=3)
    assert _cut(chromosome, plus) == "ACCGATG"  # the start base A stands at index 4
    assert _cut(mirrored, minus) == "ACCGATG"


@settings(max_examples=60, derandomize=True, deadline=None)
@given(
    tss=st.integers(50, 149),
    strand=st.sampled_from("+-"),
    upstream=st.integers(0, 40),
    downstream=st.integers(0, 40),
)
def test_the_start_base_has_index_upstream(
    tss: int, strand: str, upstream: int, downstream: int
) -> None:
    if upstream + downstream == 0:
        downstream = 1
    window = promoter_interval("1", tss, strand, upstream=upstream, downstream=downstream)
    assert window.length == upstream + downstream
    positions = np.arange(window.start, window.end)
    in_gene_order = positions if strand == "+" else positions[::-1]
    if downstream:
        assert in_gene_order[upstream] == tss
    else:
        assert abs(int(in_gene_order[-1]) - tss) == 1


@pytest.mark.parametrize(("upstream", "downstream"), [(0, 0), (-1, 5), (5, -1)])
def test_a_window_without_length_is_refused(upstream: int, downstream: int) -> None:
    with pytest.raises(InputError, match=f"upstream {upstream}, downstream {downstream}"):
        promoter_interval("1", 5, "+", upstream=upstream, downstream=downstream)


@pytest.mark.parametrize("strand", [".", "", "-1"])
def test_a_gene_without_strand_is_not_taken_for_plus(strand: str) -> None:
    with pytest.raises(InputError, match="needs a strand"):
        promoter_interval("1", 5, strand, upstream=1, downstream=1)


def test_yeast_roman_names_meet_ucsc_and_arabic_ones() -> None:
    assert reconcile_chromosomes(YEAST, UCSC_YEAST) == dict(zip(UCSC_YEAST, YEAST, strict=True))
    arabic = [f"chr{n}" for n in range(1, 17)] + ["MT"]
    assert reconcile_chromosomes(YEAST, arabic) == dict(zip(arabic, YEAST, strict=True))
    assert reconcile_chromosomes(arabic, YEAST) == dict(zip(YEAST, arabic, strict=True))


def test_x_is_ten_in_yeast_and_a_sex_chromosome_elsewhere() -> None:
    assert reconcile_chromosomes(YEAST, ["2", "10"]) == {"2": "II", "10": "X"}
    assert reconcile_chromosomes(WORM, ["chr1", "chrX", "chr10"]) == {"chr1": "I", "chrX": "X"}
    human = reconcile_chromosomes(HUMAN, ["chr10", "chrX", "chrM", "chrUn_1"])
    assert human == {"chr10": "10", "chrX": "X", "chrM": "MT"}


def test_a_part_of_the_yeast_chromosomes_is_enough() -> None:
    # Without a IX nothing shows that X is ten, but it is X in both.
    assert reconcile_chromosomes(YEAST, ["chrII", "chrX"]) == {"chrII": "II", "chrX": "X"}


def test_one_name_of_several_letters_shows_that_names_are_roman() -> None:
    arabic = [f"chr{n}" for n in range(1, 17)]
    assert reconcile_chromosomes(arabic, ["XV"]) == {"XV": "chr15"}
    # Beside fifteen, X is ten; beside four it may be the sex chromosome.
    assert reconcile_chromosomes(arabic, ["XV", "X"]) == {"XV": "chr15", "X": "chr10"}
    assert reconcile_chromosomes(arabic, ["IV", "X", "I"]) == {"IV": "chr4", "I": "chr1"}


@pytest.mark.parametrize("name", ["IIX", "VX", "IIII", "chr", "chrUn"])
def test_letters_that_make_no_numeral_are_names(name: str) -> None:
    assert reconcile_chromosomes(["1", "8", "15", "4"], [name, "1"]) == {"1": "1"}


def test_a_lone_i_is_not_taken_for_one() -> None:
    with pytest.raises(MismatchError):
        reconcile_chromosomes(["I"], ["1"])


@pytest.mark.parametrize("name", ["chrM", "MT", "Mito", "chrMT", "MtDNA", "mitochondrion", "M"])
def test_mitochondrial_spellings_are_one(name: str) -> None:
    assert reconcile_chromosomes(["1", "Mt"], [name]) == {name: "Mt"}


def test_equal_names_win_over_guesses() -> None:
    assert reconcile_chromosomes(["1", "chr1"], ["chr1", "1"]) == {"chr1": "chr1", "1": "1"}
    assert reconcile_chromosomes(["Chr1"], ["chr1", "CHR1"]) == {"chr1": "Chr1", "CHR1": "Chr1"}


def test_a_table_replaces_the_guess() -> None:
    table = {"NC_1": "I", "NC_9": "absent"}  # a name that is not used may lead anywhere
    assert reconcile_chromosomes(["I", "II"], ["NC_1", "II"], table=table) == {"NC_1": "I"}


def test_no_overlap_shows_the_heads_of_both() -> None:
    with pytest.raises(MismatchError) as caught:
        reconcile_chromosomes(
            ["1", "2"], ["scaffold_1", "scaffold_2"], our_file="g.fa", their_file="a.gtf"
        )
    message = str(caught.value)
    for part in ("a.gtf", "g.fa", "scaffold_1, scaffold_2", "1, 2", "--chrom-style FILE"):
        assert part in message


def test_nothing_to_reconcile_is_no_error() -> None:
    assert reconcile_chromosomes(["1"], []) == {}


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"a": "I", "b": "III"}, r"chromosome b: .*g\.fa does not have\. Found: III"),
        ({"a": "I", "b": "I"}, r"chromosome I: .*two chromosomes one\. Found: a and b"),
    ],
)
def test_a_wrong_table_is_refused(table: dict[str, str], message: str) -> None:
    with pytest.raises(MismatchError, match=message):
        reconcile_chromosomes(["I", "II"], ["a", "b", "c"], table=table, our_file="g.fa")
    assert reconcile_chromosomes(["I", "II"], ["a", "c"], table=table) == {"a": "I"}
