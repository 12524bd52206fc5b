"""Markov models against chains whose probabilities are known."""

from __future__ import annotations

import numpy as np
import pytest

from exprimo.core.errors import ConfigError, InputError
from exprimo.core.sequence import Codes
from exprimo.features.kmers import count_kmers
from exprimo.generate.reference import RIVALS, MarkovModel, fit_rivals


def _chain(n: int, length: int, order: int, rng: np.random.Generator) -> Codes:
    """Draw from a chain of some order whose every context has its own probabilities."""
    table = rng.dirichlet(np.full(4, 0.7), 4**order).cumsum(axis=1)[:, :3]
    codes = rng.integers(0, 4, (n, length + 50)).astype(np.uint8)
    for at in range(order, codes.shape[1]):
        context = codes[:, at - order : at] @ 4 ** np.arange(order)[::-1]
        codes[:, at] = (rng.random(n)[:, None] > table[context]).sum(axis=1)
    return np.ascontiguousarray(codes[:, 50:])


def _share(codes: Codes, k: int) -> np.ndarray:
    counts = count_kmers(codes, k).sum(axis=0)
    return counts / counts.sum()


@pytest.mark.parametrize("order", [1, 2, 4])
def test_samples_have_the_words_of_a_known_chain(order: int) -> None:
    rng = np.random.default_rng(order)
    learned = _chain(2000, 100, order, rng)
    drawn = MarkovModel.fit(learned, order=order, by_position=False).sample(2000, rng)
    wanted, found = _share(learned, order + 1), _share(drawn, order + 1)
    assert np.abs(found - wanted).sum() < 0.08  # 1,024 words counted 190 times each
    if order > 1:  # a chain that is too short does not tell the words
        low = MarkovModel.fit(learned, order=order - 1, by_position=False).sample(2000, rng)
        assert np.abs(_share(low, order + 1) - wanted).sum() > 0.1


def test_a_chain_by_position_knows_where_words_stand() -> None:
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 4, (3000, 30)).astype(np.uint8)
    has = rng.random(3000) < 0.6
    codes[has, 10:16] = [3, 0, 3, 0, 0, 3]
    drawn = MarkovModel.fit(codes, order=5, by_position=True).sample(3000, rng)
    there = (drawn[:, 10:16] == [3, 0, 3, 0, 0, 3]).all(axis=1).mean()
    assert there == pytest.approx(0.6, abs=0.05)
    plain = MarkovModel.fit(codes, order=5, by_position=False).sample(3000, rng)
    assert (plain[:, 10:16] == [3, 0, 3, 0, 0, 3]).all(axis=1).mean() < 0.15


def test_smoothing_is_as_stated() -> None:
    codes = np.array([[0, 1], [0, 1], [0, 2]], np.uint8)
    model = MarkovModel.fit(codes, order=1, by_position=True)
    # Order 0 at the second base: (0, 2, 1, 0) and 4 spread evenly, over 3 + 4.
    lower = np.array([1, 3, 2, 1]) / 7
    assert model.tables[0, 0] == pytest.approx((np.array([0, 2, 1, 0]) + 4 * lower) / 7)
    # After C nothing was seen: what order 0 says.
    assert model.tables[0, 1] == pytest.approx(lower)
    assert model.start[0][0] == pytest.approx(np.array([4, 1, 1, 1]) / 7)


def test_rivals_keep_length_and_are_reproducible() -> None:
    codes = np.random.default_rng(0).integers(0, 4, (60, 20)).astype(np.uint8)
    for name, make in fit_rivals(codes).items():
        one, other = (make(5, np.random.default_rng(3)) for _ in range(2))
        assert name in RIVALS
        assert one.shape == (5, 20)
        assert one.max() < 4
        assert (one == other).all()


def test_bad_input_is_refused() -> None:
    codes = np.zeros((3, 4), np.uint8)
    with pytest.raises(ConfigError, match="order"):
        MarkovModel.fit(codes, order=99, by_position=False)
    with pytest.raises(InputError, match="too short"):
        MarkovModel.fit(codes, order=4, by_position=False)
    with pytest.raises(InputError, match="N"):
        MarkovModel.fit(np.full((3, 9), 4, np.uint8), order=2, by_position=False)
