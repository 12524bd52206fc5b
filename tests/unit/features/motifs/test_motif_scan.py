"""The scan: a plain loop over windows, another package's hits, N, strands, and speed."""

from __future__ import annotations

import time

import numpy as np
import pytest

from exprimo.core.errors import InputError
from exprimo.core.sequence import Codes, encode, reverse_complement
from exprimo.data.motifs import MotifMatrix
from exprimo.features.motifs import log_odds, scan
from exprimo.features.motifs.kernels import LANES
from exprimo.features.motifs.scores import STEP, in_steps

UNIFORM = np.full(4, 0.25)


def word(name: str, letters: str) -> MotifMatrix:
    """Make a motif that is one word."""
    return MotifMatrix(name, "", np.eye(4)[encode(letters)], UNIFORM)


def drawn(rng: np.random.Generator, n: int, low: int = 3, high: int = 20) -> list[MotifMatrix]:
    """Draw motifs of many widths."""
    widths = rng.integers(low, high, n)
    return [
        MotifMatrix(f"m{i}", "", rng.dirichlet([0.4] * 4, width), UNIFORM, 50)
        for i, width in enumerate(widths)
    ]


def plain(row: Codes, steps: np.ndarray, limit: float) -> tuple[int | None, int, int, int]:
    """Give best score in steps, position, strand and sites of one sequence, window by window."""
    width = len(steps)
    best, position, strand, sites = None, -1, 0, 0
    for at in range(len(row) - width + 1):
        window = row[at : at + width]
        if (window > 3).any():
            continue
        plus = int(steps[np.arange(width), window].sum())
        minus = int(steps[np.arange(width), reverse_complement(window)].sum())
        here = max(plus, minus)
        sites += here * STEP >= limit - STEP / 2
        if best is None or here > best:
            best, position, strand = here, at, 1 if plus >= minus else -1
    return best, position, strand, sites


@pytest.mark.parametrize("n_motifs", [1, LANES, LANES + 3])
def test_every_number_equals_that_of_a_plain_loop(n_motifs: int) -> None:
    rng = np.random.default_rng(n_motifs)
    motifs = drawn(rng, n_motifs)
    codes = rng.integers(0, 4, (5, 60)).astype(np.uint8)
    codes[1, 10:13] = 4
    codes[2, ::7] = 4
    codes[3] = 4
    background = [0.3, 0.2, 0.2, 0.3]
    found = scan(codes, motifs, background=background, pvalue=0.02)
    assert found.n_sites.sum() > 5 * n_motifs / 2
    for column, motif in enumerate(motifs):
        steps = in_steps(log_odds(motif, np.array(background)))
        for row in range(len(codes)):
            best, position, strand, sites = plain(codes[row], steps, found.threshold[column])
            assert found.position[row, column] == position
            assert found.strand[row, column] == strand
            assert found.n_sites[row, column] == sites
            assert found.present[row, column] == (sites > 0)
            if best is None:
                assert np.isnan(found.score[row, column])
            else:
                assert found.score[row, column] == pytest.approx(best * STEP, abs=1e-4)


def test_sites_where_they_were_put() -> None:
    codes = np.stack(
        [encode(text) for text in ("CCGATAAGCC", "CCCCTTATCC", "GATAAGGATA", "CCGATNAGCC")]
    )
    found = scan(codes, [word("GATA", "GATAAG")], background=UNIFORM, pvalue=0.001)
    assert found.position[:, 0].tolist()[:3] == [2, 3, 0]
    assert found.strand[:, 0].tolist()[:3] == [1, -1, 1]
    assert found.n_sites[:, 0].tolist() == [1, 1, 1, 0]
    # One position only is free of N for all six bases: none, so there is no score at all.
    assert np.isnan(found.score[3, 0])
    assert (found.position[3, 0], found.strand[3, 0]) == (-1, 0)


def test_the_last_window_counts_and_nothing_beyond_it() -> None:
    motifs = [word("end", "GATAAG"), word("longer", "GATAAGCC"), word("too long", "A" * 13)]
    found = scan(encode("CCCCCCGATAAG")[None], motifs, background=UNIFORM, pvalue=0.001)
    assert found.position[0, 0] == 6
    assert found.n_sites[0].tolist() == [1, 0, 0]
    assert np.isnan(found.score[0, 2])


def test_a_palindrome_counts_once_and_overlapping_sites_each() -> None:
    motifs = [word("palindrome", "GAATTC"), word("run", "AAAAAA")]
    codes = np.stack([encode("CCGAATTCCC"), encode("CAAAAAAAAC")])
    found = scan(codes, motifs, background=UNIFORM, pvalue=0.001)
    assert found.n_sites.tolist() == [[1, 0], [0, 3]]
    assert found.strand[0, 0] == 1


def test_a_sequence_and_its_reverse_complement_have_the_same_sites() -> None:
    rng = np.random.default_rng(3)
    motifs = drawn(rng, 20, low=6)
    codes = rng.choice(5, (30, 200), p=[0.24, 0.24, 0.24, 0.24, 0.04]).astype(np.uint8)
    one, other = (
        scan(rows, motifs, background=UNIFORM, pvalue=1e-3)
        for rows in (codes, np.ascontiguousarray(reverse_complement(codes)))
    )
    np.testing.assert_array_equal(one.score, other.score)
    np.testing.assert_array_equal(one.n_sites, other.n_sites)
    forward = scan(codes, motifs, background=UNIFORM, pvalue=1e-3, both_strands=False)
    assert (forward.n_sites <= one.n_sites).all()
    assert forward.n_sites.sum() < one.n_sites.sum()
    assert set(np.unique(forward.strand)) <= {0, 1}


def test_chance_sites_are_as_many_as_the_pvalue_says() -> None:
    """Random sequence of known composition: 2 strands times windows times p, less the lattice."""
    rng = np.random.default_rng(8)
    background = np.array([0.35, 0.15, 0.15, 0.35])
    codes = rng.choice(4, (200, 1000), p=background).astype(np.uint8)
    motifs = drawn(rng, 40, low=10, high=16)
    found = scan(codes, motifs, background=background, pvalue=1e-3)
    windows = 200 * sum(1000 - len(motif.probabilities) + 1 for motif in motifs)
    assert found.n_sites.sum() / windows == pytest.approx(2e-3, rel=0.06)
    assert not found.without_sites


def test_the_sequences_themselves_are_the_default_background() -> None:
    rng = np.random.default_rng(2)
    codes = rng.choice(4, (50, 400), p=[0.4, 0.1, 0.1, 0.4]).astype(np.uint8)
    motifs = [word("AT", "ATATTAAT"), word("GC", "GCCGGGCC")]
    found = scan(codes, motifs, pvalue=1e-3)
    np.testing.assert_allclose(found.background, [0.4, 0.1, 0.1, 0.4], atol=0.01)
    uniform = scan(codes, motifs, background=UNIFORM, pvalue=1e-3)
    # What is common in such sequence needs a better match.
    assert found.n_sites[:, 0].sum() < uniform.n_sites[:, 0].sum()
    assert found.n_sites[:, 1].sum() >= uniform.n_sites[:, 1].sum()


def test_a_motif_too_short_for_the_pvalue_is_named() -> None:
    motifs = [word("short", "GATAA"), word("long", "GATAAGGA")]
    found = scan(encode("CCGATAAGGACC")[None], motifs, background=UNIFORM, pvalue=1e-4)
    assert found.without_sites == ("short",)
    assert found.present[0].tolist() == [False, True]
    assert found.score[0, 0] > 0


# Biopython 1.88 (Bio.motifs, counts normalised with pseudo-counts of 0.1 * background, both
# strands, background .3 .2 .2 .3) on sequences drawn with default_rng(5) after the motifs of
# widths 6, 8, 11, 17 there: best score of the first three sequences, and all sites at p < 1e-4
# in 200 sequences of 1,000 bases.
# fmt: off
BIOPYTHON_BEST = [
    [6.4739, 6.5954, 6.1455, 0.0022],
    [8.6876, 8.7587, 8.4205, -5.3281],
    [8.0150, 7.3178, 9.5186, -1.3912],
]
BIOPYTHON_SITES = [0, 41, 28, 42]
# fmt: on


def test_scores_and_sites_agree_with_biopython() -> None:
    rng = np.random.default_rng(5)
    background = np.array([0.3, 0.2, 0.2, 0.3])
    motifs = []
    for width in (6, 8, 11, 17):
        rounded = np.round(rng.dirichlet([0.3] * 4, width), 3)
        probabilities = rounded / rounded.sum(axis=1, keepdims=True)
        motifs.append(MotifMatrix(f"w{width}", "", probabilities, background, 50))
    codes = rng.choice(4, size=(200, 1000), p=background).astype(np.uint8)
    found = scan(codes, motifs, background=background)
    np.testing.assert_allclose(found.score[:3], BIOPYTHON_BEST, atol=0.01)
    assert found.n_sites.sum(axis=0).tolist() == BIOPYTHON_SITES


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"codes": np.zeros(9, dtype=np.uint8)}, r"not sequences.*shape \(9,\)"),
        ({"codes": np.zeros((2, 9))}, "not sequences.*float64"),
        ({"motifs": []}, "no motif"),
        ({"motifs": [word("a", "GATA"), word("a", "GATT")]}, "names that differ.*a, a"),
        ({"pvalue": 0.0}, "not a probability"),
        ({"background": [0.5, 0.5, 0.0, 0.0]}, "not a background"),
    ],
)
def test_what_cannot_be_scanned(change: dict[str, object], message: str) -> None:
    given = {"codes": np.zeros((2, 9), dtype=np.uint8), "motifs": [word("a", "GATA")], **change}
    codes, motifs = given.pop("codes"), given.pop("motifs")
    with pytest.raises(InputError, match=message):
        scan(codes, motifs, **given)  # type: ignore[arg-type]  # wrong on purpose


def test_no_sequences_give_empty_arrays() -> None:
    found = scan(np.zeros((0, 50), dtype=np.uint8), [word("a", "GATA")])
    assert found.score.shape == found.present.shape == (0, 1)
    short = scan(np.zeros((2, 0), dtype=np.uint8), [word("a", "GATA")])
    assert np.isnan(short.score).all()


@pytest.mark.slow
def test_a_thousand_promoters_and_eighty_motifs_take_seconds() -> None:
    """A fiftieth of 5,000 promoters of 2 kb and 800 motifs, which took 11 s on one core."""
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 4, (1000, 2000)).astype(np.uint8)
    motifs = drawn(rng, 80, low=6, high=20)
    scan(codes[:1], motifs[:1])
    start = time.process_time()
    scan(codes, motifs)
    assert time.process_time() - start < 3
