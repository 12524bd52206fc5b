"""Windows: orientation, edges, order, and agreement with a naive loop."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exprimo.core.coordinates import promoter_interval
from exprimo.core.errors import InputError, MismatchError
from exprimo.core.sequence import decode, encode
from exprimo.data.fasta import Genome
from exprimo.features import windows as module
from exprimo.features.windows import cut_intervals, cut_windows, one_hot

#          0123456789012345678901
CHROM_I = "ACGTTGCATTAGGCCATAACGG"
CHROM_II = "TTTTTCCCCC"
COMPLEMENT = str.maketrans("ACGTN", "TGCAN")

WriteGenome = Callable[..., Path]


def sites(*rows: tuple[str, int, str]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["chrom", "tss", "strand"])


def letters(genome: Genome, tss: pd.DataFrame, **sizes: int) -> list[str]:
    return [decode(row) for part in cut_windows(genome, tss, **sizes) for row in part.codes]


@pytest.fixture
def genome(write_genome: WriteGenome) -> Iterator[Genome]:
    with Genome.open(write_genome({"I": CHROM_I, "II": CHROM_II})) as opened:
        yield opened


def test_both_strands_match_strings_cut_by_hand(genome: Genome) -> None:
    tss = sites(("I", 8, "+"), ("I", 9, "-"))
    # TSS bases: CHROM_I[8] = T, and CHROM_I[9] = T, which reads A on the minus strand.
    assert letters(genome, tss, upstream=3, downstream=4) == ["GCATTAG", "CCTAATG"]


def test_minus_window_extends_upstream_to_the_right(genome: Genome) -> None:
    # TSS base is CHROM_I[8] = T, so A in gene orientation, at index 5; CHROM_I[9:14] = TAGGC
    # lies upstream and reads GCCTA.
    assert letters(genome, sites(("I", 8, "-")), upstream=5, downstream=2) == ["GCCTAAT"]


def test_tss_base_has_index_upstream_on_both_strands(genome: Genome) -> None:
    tss = sites(*[("I", at, strand) for at in range(5, 15) for strand in "+-"])
    found = [row[4] for row in letters(genome, tss, upstream=4, downstream=1)]
    expected = [
        CHROM_I[at] if strand == "+" else CHROM_I[at].translate(COMPLEMENT)
        for _, at, strand in tss.itertuples(index=False)
    ]
    assert found == expected


def test_windows_past_the_ends_are_padded_and_flagged(genome: Genome) -> None:
    tss = sites(("II", 1, "+"), ("II", 1, "-"), ("II", 8, "+"), ("II", 8, "-"), ("II", 5, "+"))
    (part,) = cut_windows(genome, tss, upstream=3, downstream=4)
    assert [decode(row) for row in part.codes] == [
        "NNTTTTT",
        "AAAAANN",
        "CCCCCNN",
        "NNGGGGG",
        "TTTCCCC",
    ]
    assert part.clipped.tolist() == [True, True, True, True, False]


def test_a_window_wholly_outside_is_all_n(genome: Genome) -> None:
    intervals = pd.DataFrame({"chrom": ["II", "II"], "start": [-9, 40], "end": [-5, 44]})
    (part,) = cut_intervals(genome, intervals)
    assert part.codes.tolist() == [[4] * 4] * 2
    assert part.clipped.all()


def test_rows_keep_the_callers_order_across_chunks_and_chromosomes(genome: Genome) -> None:
    tss = sites(("II", 5, "+"), ("I", 8, "+"), ("II", 5, "-"), ("I", 9, "+"), ("II", 6, "+"))
    parts = list(cut_windows(genome, tss, upstream=1, downstream=2, chunk=2))
    assert [len(part.codes) for part in parts] == [2, 2, 1]
    rows = [decode(row) for part in parts for row in part.codes]
    assert rows == ["TCC", "ATT", "GGA", "TTA", "CCC"]


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    tss=st.lists(
        st.tuples(st.sampled_from(["I", "II"]), st.integers(0, 24), st.sampled_from("+-")),
        min_size=1,
        max_size=12,
    ),
    upstream=st.integers(0, 12),
    downstream=st.integers(1, 30),
    chunk=st.integers(1, 5),
    room=st.sampled_from([0, 15, 1 << 20]),
    seek=st.sampled_from([0, 1 << 20]),
)
def test_equals_a_naive_loop_however_bases_are_read(
    tmp_path_factory: pytest.TempPathFactory,
    tss: list[tuple[str, int, str]],
    upstream: int,
    downstream: int,
    chunk: int,
    room: int,
    seek: int,
) -> None:
    chromosomes = {"I": CHROM_I.replace("GG", "GN"), "II": CHROM_II}
    fasta = tmp_path_factory.mktemp("genome") / "g.fa"
    fasta.write_text("".join(f">{name}\n{text}\n" for name, text in chromosomes.items()))

    expected, clipped = [], []
    for chrom, at, strand in tss:
        window = promoter_interval(chrom, at, strand, upstream=upstream, downstream=downstream)
        text = chromosomes[chrom]
        row = "".join(text[p] if 0 <= p < len(text) else "N" for p in range(*window[1:3]))
        expected.append(row if strand == "+" else row.translate(COMPLEMENT)[::-1])
        clipped.append(window.start < 0 or window.end > len(text))

    with pytest.MonkeyPatch.context() as patch, Genome.open(fasta) as genome:
        patch.setattr(module, "_KEPT_BASES", room)
        patch.setattr(module, "_SEEK_BASES", seek)
        parts = list(
            cut_windows(genome, sites(*tss), upstream=upstream, downstream=downstream, chunk=chunk)
        )
    assert [decode(row) for part in parts for row in part.codes] == expected
    assert [flag for part in parts for flag in part.clipped.tolist()] == clipped


def test_an_interval_without_strand_is_read_forward(genome: Genome) -> None:
    intervals = pd.DataFrame({"chrom": ["I"], "start": [2], "end": [6]})
    (part,) = cut_intervals(genome, intervals)
    assert decode(part.codes[0]) == CHROM_I[2:6]


def test_no_rows_give_no_windows(genome: Genome) -> None:
    assert list(cut_windows(genome, sites(), upstream=2, downstream=2)) == []


def test_a_window_without_length_is_refused(genome: Genome) -> None:
    with pytest.raises(InputError, match="a window needs a positive length"):
        cut_windows(genome, sites(("I", 3, "+")), upstream=0, downstream=0)


def test_intervals_of_different_length_are_refused(genome: Genome) -> None:
    intervals = pd.DataFrame({"chrom": ["I", "I"], "start": [0, 5], "end": [4, 10]})
    with pytest.raises(InputError, match=r"row 2.*Found: 5\. Expected: 4"):
        cut_intervals(genome, intervals)


def test_an_unknown_strand_is_refused(genome: Genome) -> None:
    with pytest.raises(MismatchError, match=r"row 1.*Found: '\.'"):
        cut_windows(genome, sites(("I", 3, "+"), ("I", 3, ".")), upstream=1, downstream=1)


def test_an_unknown_chromosome_is_refused(genome: Genome) -> None:
    with pytest.raises(MismatchError, match="chrI"):
        list(cut_windows(genome, sites(("chrI", 3, "+")), upstream=1, downstream=1))


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_one_hot_equals_a_dictionary(dtype: type) -> None:
    codes = np.stack([encode("ACGTN"), encode("NNTAC")])
    vectors = {"A": [1, 0, 0, 0], "C": [0, 1, 0, 0], "G": [0, 0, 1, 0], "T": [0, 0, 0, 1]}
    expected = [
        np.array([vectors.get(letter, [0, 0, 0, 0]) for letter in decode(row)]).T for row in codes
    ]
    encoded = one_hot(codes, dtype)
    assert encoded.dtype == dtype
    np.testing.assert_array_equal(encoded, expected)


@pytest.mark.parametrize("upstream", [2**24, 10_000_000_000, 10**20])
def test_an_absurd_window_is_refused_before_memory_is_asked_for(
    genome: Genome, upstream: int
) -> None:
    with pytest.raises(
        InputError, match=f"longer than Exprimo can use. Found: upstream {upstream}"
    ):
        cut_windows(genome, sites(("I", 3, "+")), upstream=upstream, downstream=1)
