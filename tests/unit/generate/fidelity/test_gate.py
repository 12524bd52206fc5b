"""The gate: copies, near copies and collapse are caught; fresh draws pass."""

from __future__ import annotations

import numpy as np
import pytest

from exprimo.core.errors import InputError
from exprimo.core.sequence import Codes
from exprimo.generate.fidelity.measures import variety_of
from exprimo.generate.fidelity.memorisation import Gate, judge, nearest_training
from exprimo.generate.fidelity.memorisation.gate import Evidence, Variety

LENGTH = 60
WORD = [3, 2, 0, 1, 3, 1, 0, 3]


def _world(n: int, rng: np.random.Generator) -> Codes:
    """Draw sequences with uneven bases and a motif at one place in half of them."""
    codes = rng.choice(4, (n, LENGTH), p=[0.3, 0.2, 0.2, 0.3]).astype(np.uint8)
    codes[rng.random(n) < 0.5, 20:28] = WORD
    return codes


def _evidence(codes: Codes, training: Codes) -> Evidence:
    known = {row.tobytes() for row in training}
    copies = sum(row.tobytes() in known for row in codes)
    distances = nearest_training(codes[:300], training).distance
    return Evidence(copies, len(codes), distances, variety_of(codes))


def _gate(made: Codes, training: Codes, real: Codes) -> Gate:
    return judge(_evidence(made, training), _evidence(real, training))


def _mutated(codes: Codes, share: float, rng: np.random.Generator) -> Codes:
    shift = (rng.random(codes.shape) < share) * rng.integers(1, 4, codes.shape)
    return ((codes + shift) % 4).astype(np.uint8)


def test_fresh_draws_of_the_true_process_pass() -> None:
    verdicts = []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        verdicts.append(_gate(_world(300, rng), _world(1000, rng), _world(300, rng)).verdict)
    assert verdicts.count("passed") >= 19


@pytest.mark.parametrize(("share", "part"), [(0.0, "copies"), (0.02, "near_copies")])
def test_copies_and_copies_with_mutations_are_caught(share: float, part: str) -> None:
    rng = np.random.default_rng(1)
    training, real = _world(1000, rng), _world(300, rng)
    made = _mutated(training[rng.choice(1000, 300, replace=False)], share, rng)
    gate = _gate(made, training, real)
    assert gate.verdict == "failed"
    assert not gate.figures[part]["passed"]
    assert gate.figures["near_copies"]["share"] > 0.95
    assert gate.figures["near_copies"]["held_out_share"] <= 0.01


def test_a_few_copies_among_fresh_draws_are_caught() -> None:
    rng = np.random.default_rng(2)
    training, real = _world(1000, rng), _world(300, rng)
    made = _world(300, rng)
    made[:30] = _mutated(training[:30], 0.02, rng)
    gate = _gate(made, training, real)
    assert gate.verdict == "failed"
    assert len(gate.reasons) == 1
    assert gate.figures["near_copies"]["share"] == pytest.approx(0.1, abs=0.02)


@pytest.mark.parametrize(("modes", "share"), [(1, 0.02), (20, 0.02), (20, 0.0)])
def test_a_collapsed_set_is_caught(modes: int, share: float) -> None:
    rng = np.random.default_rng(3)
    training, real = _world(1000, rng), _world(300, rng)
    made = _mutated(np.repeat(_world(modes, rng), 300 // modes, axis=0), share, rng)
    gate = _gate(made, training, real)
    assert gate.verdict == "failed"
    assert not gate.figures["collapse"]["passed"]
    assert gate.figures["copies"]["passed"]


def test_the_probability_of_near_copies_is_one_of_chance() -> None:
    rng = np.random.default_rng(4)
    same = Variety(100, 100, 0.7, np.arange(100))
    pvalues = []
    for _ in range(400):
        made, real = rng.integers(0, 10**9, 400), rng.integers(0, 10**9, 200)
        found = judge(Evidence(0, 400, made, same), Evidence(0, 200, real, same))
        pvalues.append(found.figures["near_copies"]["pvalue"])
    assert np.mean(np.array(pvalues) <= 0.1) < 0.15
    assert np.mean(np.array(pvalues) <= 0.5) > 0.3


def test_copies_that_real_sequences_share_are_no_fault() -> None:
    variety = Variety(100, 100, 0.7, np.arange(100))
    real = Evidence(30, 100, np.r_[np.zeros(30, int), np.arange(30, 100)], variety)
    assert judge(real, real).verdict == "passed"


def test_too_few_sequences_are_refused() -> None:
    few = Evidence(0, 10, np.arange(10), Variety(10, 10, 0.7, np.arange(10)))
    with pytest.raises(InputError, match="too few"):
        judge(few, few)


def _near_gate(near: int, n: int = 400, n_real: int = 400) -> Gate:
    """Judge ``near`` copies among sequences that are farther than all held-out ones."""
    same, real = Variety(100, 100, 0.7, np.arange(100)), np.arange(100, 100 + n_real)
    made = np.r_[np.zeros(near, int), np.full(n - near, 10**6)]
    return judge(Evidence(0, n, made, same), Evidence(0, n_real, real, same))


@pytest.mark.parametrize(("n", "n_real"), [(400, 400), (1000, 100), (60, 5000)])
def test_the_least_count_that_is_seen_is_where_the_verdict_turns(n: int, n_real: int) -> None:
    least = _near_gate(0, n, n_real).figures["near_copies"]["least_seen"]
    assert _near_gate(least - 1, n, n_real).verdict == "passed"
    assert _near_gate(least, n, n_real).verdict == "failed"


def test_the_least_exact_copies_that_are_seen_by_hand() -> None:
    # All k copies are generated ones: p = C(400, k) / C(800, k), below 0.001 first at k = 10.
    copies = _near_gate(0).figures["copies"]
    assert copies["least_seen"] == 10


def test_nothing_is_nearer_than_held_out_copies() -> None:
    variety = Variety(100, 100, 0.7, np.arange(100))
    real = Evidence(30, 100, np.r_[np.zeros(30, int), np.arange(30, 100)], variety)
    assert judge(real, real).figures["near_copies"]["least_seen"] is None
