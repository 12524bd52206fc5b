"""A process that is killed outright leaves nothing half-written under the name that was asked."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from exprimo.generate import generate_fit, generate_sample
from exprimo.models.stored import read_tensors

FIT: dict[str, Any] = {
    "split": "random",
    "machine": {"threads": 1},
    "options": {"channels": 8, "blocks": 1},
    "fit": {"steps": 160, "every": 20, "batch_size": 8},
}
WORDS: list[str | int] = [
    word
    for name, value in (("split", "random"), ("threads", 1), ("steps", 160))
    for word in (f"--{name}", value)
]
for _setting in ("options.channels=8", "options.blocks=1", "fit.every=20", "fit.batch_size=8"):
    WORDS += ["--set", _setting]


def _kill_when(begun: Callable[[], bool], *words: object) -> None:
    """Start ``exprimo generate`` in a process of its own; SIGKILL as soon as ``begun`` is so."""
    with subprocess.Popen(
        [sys.executable, "-m", "exprimo", "generate", *map(str, words)], stdout=subprocess.DEVNULL
    ) as process:
        while not begun():
            try:
                process.wait(0.01)
            except subprocess.TimeoutExpired:
                continue
            pytest.fail(f"ended with {process.returncode} before it could be killed")
        process.kill()


@pytest.mark.slow
def test_a_killed_fit_and_a_killed_sample_leave_nothing_half_written(
    motifs: Path, tmp_path: Path
) -> None:
    unbroken = generate_fit(motifs, tmp_path / "A", condition="y", **FIT)
    state = tmp_path / ".GEN.partial" / "state.safetensors"
    fit = ("fit", motifs, "--condition", "y", *WORDS, "-o", tmp_path / "GEN")
    _kill_when(state.exists, *fit)
    assert not (tmp_path / "GEN").exists()
    resumed = generate_fit(motifs, tmp_path / "GEN", condition="y", resume=True, **FIT)
    ours, theirs = (read_tensors(one.weights_path)[0] for one in (unbroken, resumed))
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)
    losses = [one.history().drop(columns="seconds") for one in (unbroken, resumed)]
    assert losses[0].equals(losses[1])
    assert not state.parent.exists()

    partial, wanted = tmp_path / ".S.partial.fa", tmp_path / "S.fa"
    sample = ("sample", resumed.path, "-n", 20_000, "--threads", 1, "-o", wanted)
    _kill_when(lambda: partial.exists() and partial.stat().st_size > 0, *sample)
    assert not wanted.exists()
    for path in (wanted, tmp_path / "T.fa"):
        generate_sample(resumed.path, path, n=300, threads=1)
    assert wanted.read_bytes() == (tmp_path / "T.fa").read_bytes()
    assert not partial.exists()
