"""Score distributions: every word enumerated, another package's thresholds, cases by hand."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from exprimo.core.errors import InputError
from exprimo.core.sequence import encode
from exprimo.data.motifs import MotifMatrix
from exprimo.features.motifs.scores import (
    STEP,
    base_frequencies,
    in_steps,
    log_odds,
    score_distribution,
)

UNIFORM = np.full(4, 0.25)
SKEWED = np.array([0.3, 0.2, 0.15, 0.35])


def drawn(seed: int, width: int, n_sites: float | None = 50.0) -> MotifMatrix:
    """Draw a motif of a given width."""
    probabilities = np.random.default_rng(seed).dirichlet([0.4] * 4, width)
    return MotifMatrix(f"m{seed}", "", probabilities, UNIFORM, n_sites)


@pytest.mark.parametrize("background", [UNIFORM, SKEWED], ids=["uniform", "skewed"])
@pytest.mark.parametrize("width", [1, 2, 3, 4, 5, 6])
def test_pvalues_equal_those_of_all_words(width: int, background: np.ndarray) -> None:
    motif = drawn(width, width)
    bits = log_odds(motif, background)
    words = np.array(list(product(range(4), repeat=width)))
    steps = in_steps(bits)[np.arange(width), words].sum(axis=1)
    exact = bits[np.arange(width), words].sum(axis=1)
    chance = background[words].prod(axis=1)
    found = score_distribution(motif, background)
    for score in np.unique(steps)[::-1][:300]:
        expected = chance[steps >= score].sum()
        assert found.pvalue(score * STEP) == pytest.approx(expected, rel=1e-9)
        # Halfway between two lattice points only higher scores count.
        above = chance[steps > score].sum()
        assert found.pvalue((score + 0.5) * STEP) == pytest.approx(above, rel=1e-9)
    # Unrounded scores differ by half a step per position at most.
    slack = width * STEP / 2 + 1e-9
    for score in np.sort(exact)[::-7]:
        low, high = (chance[exact >= score + shift].sum() for shift in (slack, -slack))
        assert low - 1e-12 <= found.pvalue(score) <= high + 1e-12
    for pvalue in (0.5, 0.1, 0.01, 1e-3, 1e-4):
        limit = found.threshold(pvalue)
        rare = [s * STEP for s in np.unique(steps) if chance[steps >= s].sum() <= pvalue]
        assert limit == pytest.approx(min(rare, default=np.inf))


def test_scores_worked_out_by_hand() -> None:
    motif = MotifMatrix("h", "", np.array([[1.0, 0, 0, 0], [0, 0.5, 0.5, 0]]), UNIFORM, 10)
    # (1 * 10 + 0.1 * 0.25) / 10.1 over 0.25, and (0 * 10 + 0.025) / 10.1 over 0.25.
    sure, never = np.log2(10.025 / 10.1 / 0.25), np.log2(0.025 / 10.1 / 0.25)
    half = np.log2(5.025 / 10.1 / 0.25)
    np.testing.assert_allclose(
        log_odds(motif, UNIFORM), [[sure, never, never, never], [never, half, half, never]]
    )
    found = score_distribution(motif, UNIFORM)
    assert found.pvalue(sure + half - 0.01) == pytest.approx(2 / 16)
    assert found.pvalue(never + half - 0.01) == pytest.approx(1 - 2 * 3 / 16)
    assert found.pvalue(2 * never - 0.01) == 1
    assert found.pvalue(sure + half + 0.01) == 0
    assert np.isnan(found.pvalue(np.nan))
    assert found.threshold(2 / 16) == pytest.approx(sure + half, abs=2 * STEP)
    assert found.threshold(1 / 16) == np.inf


# Motifs of 8, 11 and 17 positions from numpy's default_rng(5), 50 sites, pseudo-count 0.1;
# thresholds by Biopython 1.88 (Bio.motifs ... distribution(precision=10**4).threshold_fpr(1e-4)),
# whose lattice is its own.
BIOPYTHON = {8: 10.19831, 11: 10.63259, 17: 3.44930}


def biopython_motifs() -> dict[int, MotifMatrix]:
    """Draw the motifs of `BIOPYTHON` again."""
    rng = np.random.default_rng(5)
    motifs = {}
    for width in (6, 8, 11, 17):
        rounded = np.round(rng.dirichlet([0.3] * 4, width), 3)
        probabilities = rounded / rounded.sum(axis=1, keepdims=True)
        motifs[width] = MotifMatrix(f"w{width}", "", probabilities, UNIFORM, 50)
    return motifs


@pytest.mark.parametrize("width", BIOPYTHON)
def test_thresholds_agree_with_biopython(width: int) -> None:
    found = score_distribution(biopython_motifs()[width], [0.3, 0.2, 0.2, 0.3])
    assert found.pvalue(BIOPYTHON[width] + 0.005) <= 1e-4 < found.pvalue(BIOPYTHON[width] - 0.005)
    # Ours is the lowest score from there on that a word has.
    assert BIOPYTHON[width] - 0.005 < found.threshold(1e-4) < BIOPYTHON[width] + 0.1


def test_scores_in_single_precision_keep_their_pvalue() -> None:
    found = score_distribution(drawn(3, 18, n_sites=20_000), UNIFORM)
    steps = found.lowest + np.arange(len(found.tail))
    np.testing.assert_array_equal(found.pvalue((steps * STEP).astype(np.float32)), found.tail)


def test_a_site_count_that_is_not_given_is_twenty() -> None:
    known, unknown = drawn(1, 4, 20.0), drawn(1, 4, None)
    np.testing.assert_array_equal(log_odds(known, UNIFORM), log_odds(unknown, UNIFORM))


def test_base_frequencies_are_those_of_both_strands() -> None:
    codes = np.stack([encode("AAAAAACNNN"), encode("AAAAAACNNN")])
    # 12 A and 2 C with one of each base added: A and T together 14, C and G 4, of 18.
    np.testing.assert_allclose(base_frequencies(codes), [14 / 36, 4 / 36, 4 / 36, 14 / 36])


@pytest.mark.parametrize("background", [[0.5, 0.5, 0, 0], [0.25] * 3, [1, 1, 1, 1], [np.nan] * 4])
def test_backgrounds_that_are_none(background: list[float]) -> None:
    with pytest.raises(InputError, match="not a background"):
        score_distribution(drawn(0, 4), background)


@pytest.mark.parametrize("pseudocount", [0.0, -1.0, np.nan, np.inf])
def test_a_pseudocount_is_needed(pseudocount: float) -> None:
    with pytest.raises(InputError, match="pseudo-count above 0"):
        log_odds(drawn(0, 4), UNIFORM, pseudocount)
