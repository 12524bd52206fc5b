"""A benchmark that is killed and resumed ends as one that never was."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from exprimo.core.files.atomic import partial_path
from exprimo.core.run import Run

pytestmark = pytest.mark.slow

# 38 batches: two networks are finished, the third is in its second epoch of seven.
DYING = """
import os, signal, sys
from exprimo.cli.main import main
from exprimo.training import loop
whole, calls = loop.load_batch, 0
def load_or_die(*arguments):
    global calls
    calls += 1
    if calls == 38:
        os.kill(os.getpid(), signal.SIGKILL)
    return whole(*arguments)
loop.load_batch = load_or_die
main()
"""


def test_a_killed_benchmark_resumes_to_the_same_tables(
    command: Any, promoters: Path, benchmarked: Path, tmp_path: Path
) -> None:
    out = tmp_path / "B"
    line = ["run", benchmarked / "config.toml", "-o", out]
    died = subprocess.run(
        [sys.executable, "-c", DYING, *map(str, line)],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        check=False,
    )
    assert died.returncode == -signal.SIGKILL
    assert not out.exists()
    runs = partial_path(out) / "runs"
    hidden = [path for path in runs.iterdir() if path.name.startswith(".")]
    finished = [path for path in runs.iterdir() if not path.name.startswith(".")]
    # Nine baselines and two networks are whole; the third network has its state of one epoch.
    assert len(finished) == 9 + 2
    assert [path.name for path in hidden if path.is_dir()] == [".cnn-chromosome-s0.partial"]
    assert (runs / ".cnn-chromosome-s0.partial" / "state-0.safetensors").exists()
    assert "did not finish" in command("predict", out, promoters, "-o", tmp_path / "P.tsv").message
    assert "--resume" in command(*line).message
    before = {path.name: (path / "metrics.json").stat().st_mtime_ns for path in finished}
    done = command(*line, "--resume")
    assert (done.code, done.err) == (0, "")
    for name, written in before.items():
        assert (out / "runs" / name / "metrics.json").stat().st_mtime_ns == written
    for name in ("table.tsv", "paired.tsv", "learning_curve.tsv"):
        assert (out / name).read_bytes() == (benchmarked / name).read_bytes(), name
    for entry in json.loads((benchmarked / "benchmark.json").read_text())["runs"]:
        ours, theirs = (Run.open(folder / entry["folder"]) for folder in (out, benchmarked))
        pd.testing.assert_frame_equal(ours.predictions(), theirs.predictions())
    left = [path.name for path in out.rglob(".*")]
    assert left == []
    assert [path.name for path in tmp_path.iterdir()] == ["B"]
