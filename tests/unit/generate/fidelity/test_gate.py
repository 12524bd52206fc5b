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
