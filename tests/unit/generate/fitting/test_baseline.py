"""A fit that learned nothing says so."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import exprimo
from exprimo.core.progress import show_progress
from exprimo.generate.conditioning import Conditioning
from exprimo.generate.fitting.baseline import random_loss
from exprimo.generate.material import TrainingSequences


def _sequences(codes: np.ndarray, watched: list[int]) -> TrainingSequences:
    of = np.arange(len(codes))
    none = Conditioning("none")
    return TrainingSequences(codes, of, None, none, of, np.array(watched, np.int64), None, {})


def test_random_loss_by_hand() -> None:
    # Learned: 12 of A, 4 of each other base, and one more of each. Watched: A alone, as one more.
    learned = np.array([[0] * 12 + [1] * 4 + [2] * 4 + [3] * 4], np.uint8)
    codes = np.concatenate([learned, np.zeros((1, 24), np.uint8)])
    shares, own = np.array([13, 5, 5, 5]) / 28, np.array([25, 1, 1, 1]) / 28
    wanted = -(own * np.log(shares)).sum()
    assert random_loss(_sequences(codes, [1])) == pytest.approx(wanted)
    assert random_loss(_sequences(codes, [])) is None


class _Shown:
    """Keep what a bar is called."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def start(self, description: str, total: int | None) -> object:
        self.names.append(description)
        return None

    def advance(self, task: object, steps: int, note: str) -> None: ...

    def finish(self, task: object) -> None: ...


def test_a_fit_that_learned_nothing_says_so(
    motifs: Path, tiny: dict[str, Any], tmp_path: Path
) -> None:
    shown = _Shown()
    with show_progress(shown):
        made = exprimo.generate_fit(motifs, tmp_path / "GEN", **tiny)
    facts = made.provenance
    assert facts["random_loss"] == pytest.approx(np.log(4), abs=0.01)
    assert facts["watched_loss"] > facts["random_loss"] - 0.001
    assert any(note.startswith("no better than drawing bases at random") for note in facts["notes"])
    assert "Fitting diffusion, steps" in shown.names
