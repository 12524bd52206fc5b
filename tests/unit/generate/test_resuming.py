"""A fit that was killed ends the same as one that was not; a budget in minutes settles in steps."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest
import torch

from exprimo.core.dataset import Dataset
from exprimo.core.errors import InputError, MismatchError, TrainingError
from exprimo.core.files.atomic import partial_path
from exprimo.core.progress import Task
from exprimo.generate import Generator, generate_fit
from exprimo.generate.config import GenerateConfig, GeneratorFit
from exprimo.generate.families.masked_diffusion import MaskedDiffusion
from exprimo.generate.family import Layout
from exprimo.generate.fitting.loop import fit_family
from exprimo.generate.material import find_split, gather
from exprimo.generate.registry import get_family
from exprimo.models.stored import read_tensors


class Killed(BaseException):
    """Stands for a kill: no one catches it."""


def _kill_after(monkeypatch: pytest.MonkeyPatch, steps: int) -> None:
    learn, count = MaskedDiffusion.update, itertools.count(1)

    def update(self: MaskedDiffusion, codes: Any, condition: Any) -> dict[str, float]:
        if next(count) > steps:
            raise Killed
        return learn(self, codes, condition)

    monkeypatch.setattr(MaskedDiffusion, "update", update)


@pytest.mark.parametrize("killed_at", [3, 13, 20])
def test_a_resumed_fit_ends_as_an_unbroken_one(
    killed_at: int, motifs: Path, tiny: dict[str, Any], tmp_path: Path
) -> None:
    unbroken = generate_fit(motifs, tmp_path / "A", condition="y", **tiny)
    with pytest.MonkeyPatch.context() as patch:
        _kill_after(patch, killed_at - 1)
        with pytest.raises(Killed):
            generate_fit(motifs, tmp_path / "B", condition="y", **tiny)
    assert not (tmp_path / "B").exists()
    # Nothing is left before the first checkpoint, at step 5.
    assert partial_path(tmp_path / "B").exists() == (killed_at > 5)
    if killed_at > 5:
        with pytest.raises(InputError, match="--resume"):
            generate_fit(motifs, tmp_path / "B", condition="y", **tiny)
        with pytest.raises(MismatchError, match=r"condition: None instead of 'y'"):
            generate_fit(motifs, tmp_path / "B", resume=True, **tiny)
        with pytest.raises(MismatchError, match=r"seed: 1 instead of 0"):
            generate_fit(motifs, tmp_path / "B", condition="y", seed=1, resume=True, **tiny)
    resumed = generate_fit(motifs, tmp_path / "B", condition="y", resume=True, **tiny)
    ours, _ = read_tensors(unbroken.weights_path)
    theirs, _ = read_tensors(resumed.weights_path)
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)
    columns = ["step", "loss", "watched_loss"]
    assert unbroken.history()[columns].equals(resumed.history()[columns])
    assert not list(resumed.path.glob("state*"))


def test_a_finished_fit_is_given_back(motifs: Path, tiny: dict[str, Any], tmp_path: Path) -> None:
    made = generate_fit(motifs, tmp_path / "G", **tiny)
    before = made.weights_path.stat().st_mtime_ns
    again = generate_fit(motifs, tmp_path / "G", resume=True, **tiny)
    assert again.weights_path.stat().st_mtime_ns == before
    with pytest.raises(InputError, match="already exists"):
        generate_fit(motifs, tmp_path / "G", **tiny)


def test_a_stored_config_replays(motifs: Path, tiny: dict[str, Any], tmp_path: Path) -> None:
    made = generate_fit(motifs, tmp_path / "G", **tiny)
    config = made.config.model_dump(exclude={"kind", "dataset"})
    again = generate_fit(motifs, tmp_path / "H", **config)
    ours, theirs = (read_tensors(one.weights_path)[0] for one in (made, again))
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)


def _fitted(motifs: Path, state: Path, fit: GeneratorFit, seconds_a_step: float) -> tuple[Any, Any]:
    """Fit with a clock that goes on by as much with each look as two looks make a step."""
    config = GenerateConfig.checked({"dataset": str(motifs), "split": "random", "fit": fit})
    with Dataset.open(motifs) as data:
        sequences = gather(data, config, find_split(data, config))
    spec, device = get_family("diffusion"), torch.device("cpu")
    layout = Layout(48, sequences.conditioning, device, "fp32")
    torch.manual_seed(0)
    family = spec.build(spec.options.checked({"channels": 8, "blocks": 1}), layout)
    ticks = itertools.count(0.0, seconds_a_step)
    return fit_family(
        family, sequences, fit, seed=0, device=device, state_path=state, bar=Task("", None),
        clock=lambda: next(ticks),
    )  # fmt: skip


def test_minutes_become_steps_that_replay_to_the_same_weights(motifs: Path, tmp_path: Path) -> None:
    settled = {"batch_size": 8, "schedule": "decay", "warm_up": 5, "average": 0.9, "every": 1000}
    # A second a step: 78% of a minute are 47 steps, four fifths of 58 steps in all.
    in_time = GeneratorFit(minutes=1.0, **settled)
    weights, progress = _fitted(motifs, tmp_path / "a.safetensors", in_time, 1.0)
    assert (progress.step, progress.steps) == (58, 58)
    replayed, _ = _fitted(
        motifs, tmp_path / "b.safetensors", GeneratorFit(steps=58, **settled), 9.0
    )
    assert all(torch.equal(weights[name], replayed[name]) for name in weights)


def test_the_weights_that_fit_the_watched_examples_best_are_kept(
    motifs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = iter([1.0, 0.5, 0.9, 0.8])
    monkeypatch.setattr(
        MaskedDiffusion, "loss", lambda self, codes, condition: torch.full((len(codes),), level[0])
    )
    level = [0.0]
    kept: list[dict[str, torch.Tensor]] = []
    learn = MaskedDiffusion.update

    def update(self: MaskedDiffusion, codes: Any, condition: Any) -> dict[str, float]:
        if len(kept) % 5 == 0:
            level[0] = next(told)
        kept.append({})
        return learn(self, codes, condition)

    monkeypatch.setattr(MaskedDiffusion, "update", update)
    fit = GeneratorFit(steps=20, every=5, batch_size=8, average=0.5)
    _, progress = _fitted(motifs, tmp_path / "s.safetensors", fit, 0.1)
    assert (progress.best_step, progress.best_loss) == (10, 0.5)
    assert [row["watched_loss"] for row in progress.history] == pytest.approx([1.0, 0.5, 0.9, 0.8])


def test_a_loss_that_is_not_finite_is_told(
    motifs: Path, tiny: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(MaskedDiffusion, "update", lambda *_: {"loss": float("nan")})
    with pytest.raises(TrainingError, match="step 1: the loss is not finite"):
        generate_fit(motifs, tmp_path / "G", **tiny)
    assert not partial_path(tmp_path / "G").exists()


def test_a_generator_that_is_not_there_or_not_one(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such generator"):
        Generator.open(tmp_path / "G")
    (tmp_path / "D").mkdir()
    with pytest.raises(InputError, match="provenance"):
        Generator.open(tmp_path / "D")
