"""What neighbouring bases say about the order of the channels, and where they say nothing."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest

from exprimo.data.foreign import ChannelEvidence, PairCounts
from exprimo.data.foreign.one_hot import channel_codes


def chain(rare: dict[tuple[int, int], float], seed: int = 1) -> np.ndarray:
    """Draw sequences in which some neighbours are rarer than their bases make likely."""
    rng = np.random.default_rng(seed)
    weights = np.ones((4, 4))
    for (first, second), share in rare.items():
        weights[first, second] = share
    cumulated = np.cumsum(weights / weights.sum(axis=1, keepdims=True), axis=1)
    rows, length = 100, 2000
    codes = np.zeros((rows, length), dtype=np.uint8)
    draws = rng.random((rows, length))
    for at in range(1, length):
        codes[:, at] = (draws[:, at, None] > cumulated[codes[:, at - 1]]).sum(axis=1)
    return codes


def weigh(codes: np.ndarray, channels: str) -> ChannelEvidence:
    pairs = PairCounts()
    pairs.add(codes)
    return ChannelEvidence.weigh(pairs, channels)


@pytest.fixture(scope="module")
def vertebrate() -> np.ndarray:
    return chain({(1, 2): 0.3, (3, 0): 0.8})


def test_pairs_are_counted_within_stretches_of_known_bases() -> None:
    pairs = PairCounts()
    pairs.add(np.array([[0, 1, 4, 1, 2], [3, 3, 3, 0, 4]], dtype=np.uint8))
    assert pairs.counts[0, 1] == pairs.counts[1, 2] == pairs.counts[3, 0] == 1
    assert pairs.counts[3, 3] == 2
    assert pairs.counts.sum() == 5


def test_the_right_order_fits(vertebrate: np.ndarray) -> None:
    found = weigh(vertebrate, "ACGT")
    assert found.verdict == "fits"
    assert found.ratios["CG"] < 0.5
    assert "Channels ACGT fit" in found.sentence("ACGT")


@pytest.mark.parametrize("true", ["".join(order) for order in permutations("ACGT")])
def test_every_wrong_order_that_moves_the_rare_pair_is_found(
    vertebrate: np.ndarray, true: str
) -> None:
    # A file with channels in the order `true`, read as ACGT.
    channel_of = np.argsort(channel_codes(true)).astype(np.uint8)
    found = weigh(channel_of[vertebrate], "ACGT")
    if true[1:3] == "CG":  # A and T exchanged at most: the rare pair stays
        assert found.verdict == "fits"
    elif true[0] == "G" and true[3] == "C":  # the rare pair reads TA, which may be rare itself
        assert found.verdict == "not told"
    else:
        assert (found.verdict, found.better) == ("contradicts", true)
        assert true in found.sentence("ACGT")


def test_a_strand_reversed_without_its_complement_is_found(vertebrate: np.ndarray) -> None:
    assert weigh(vertebrate[:, ::-1], "ACGT").verdict == "contradicts"


@pytest.mark.parametrize("rare", [{}, {(1, 2): 0.8}, {(3, 0): 0.4}, {(1, 2): 0.4, (2, 1): 0.4}])
def test_genomes_in_which_nothing_can_be_told(rare: dict[tuple[int, int], float]) -> None:
    found = weigh(chain(rare), "ACGT")
    assert (found.verdict, found.sentence("ACGT")) == ("not told", "")


def test_few_bases_tell_nothing(vertebrate: np.ndarray) -> None:
    assert weigh(vertebrate[:5], "ACGT").verdict == "not told"
