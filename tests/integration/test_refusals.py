"""Wrong settings, full disks, foreign checkpoints, rival writers: refused, nothing half-written."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from exprimo.core.files.atomic import write_lock
from exprimo.simulate import SimulatedWorld


@pytest.mark.parametrize(
    ("setting", "near"),
    [("fit.epocs=3", "epochs"), ("machine.thread=1", "threads"), ("options.chanels=8", "channels")],
)
def test_an_unknown_setting(
    command: Any, promoters: Path, out: Path, setting: str, near: str, untouched: Any
) -> None:
    with untouched(out):
        refused = command("train", promoters, "--threads", 1, "--set", setting, "-o", out / "R")
    refused.assert_says("unknown key", setting.split("=")[0].split(".")[1], f"mean {near}?")


def test_an_unknown_key_in_a_study(command: Any, tmp_path: Path, untouched: Any) -> None:
    study = tmp_path / "study.toml"
    study.write_text('kind = "sequence"\ndataset = "D.h5"\n[benchmark]\nsead = 3\n')
    with untouched(tmp_path):
        refused = command("run", study)
    refused.assert_says(study, "benchmark.sead", "mean seed?")
    with untouched(tmp_path):
        command("run", study, "--set", "kind=sequenze").assert_says(study, "mean sequence?")


LIMITED = (
    "import resource, sys\n"
    "from exprimo.cli.main import main\n"
    "resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv.pop(1)),) * 2)\n"
    "main()\n"
)


def limited(size: int, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run a command that may write no file beyond ``size`` bytes, as on a disk that is full."""
    return subprocess.run(
        [sys.executable, "-c", LIMITED, str(size), *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"},
    )


def assert_full_disk(ended: subprocess.CompletedProcess[str], *parts: object) -> None:
    assert ended.returncode == 2, ended
    assert ended.stdout == ""
    assert ended.stderr.count("\n") == 1, ended.stderr
    for part in ("exprimo: ", "the disk is full", "Free some space", *parts):
        assert str(part) in ended.stderr


@pytest.mark.slow
def test_a_full_disk_while_a_dataset_is_built(
    world: SimulatedWorld, out: Path, untouched: Any
) -> None:
    with untouched(out):
        ended = limited(
            30_000, "dataset", "promoters", "--fasta", world.genome, "--genes", world.genes,
            "-o", out / "D.h5",
        )  # fmt: skip
    assert_full_disk(ended, out / "D.h5")


@pytest.mark.slow
def test_a_full_disk_while_a_model_is_trained(promoters: Path, out: Path, untouched: Any) -> None:
    with untouched(out):
        ended = limited(
            20_000, "train", promoters, "--threads", 1, "--device", "cpu", "--epochs", 1,
            "--split", "random", "--set", "options.channels=8", "-o", out / "R",
        )  # fmt: skip
    assert_full_disk(ended, out, "safetensors")


def spoil_header(run: Path, key: str, value: str) -> None:
    from safetensors import safe_open
    from safetensors.numpy import load_file, save_file

    path = run / "model.safetensors"
    with safe_open(path, framework="np") as file:
        header = dict(file.metadata())
    assert key in header
    save_file(load_file(path), path, metadata={**header, key: value})


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [("alphabet", "ACTGN", "another alphabet"), ("format_version", "99", "newer Exprimo")],
)
def test_a_checkpoint_that_cannot_be_read_safely(
    command: Any, trained: Path, promoters: Path, tmp_path: Path, out: Path,
    key: str, value: str, said: str, untouched: Any) -> None:  # fmt: skip
    run = shutil.copytree(trained, tmp_path / "spoiled")
    spoil_header(run, key, value)
    with untouched(out):
        refused = command("predict", run, promoters, "--threads", 1, "-o", out / "P.parquet")
    refused.assert_says(run / "model.safetensors", said, value)


def test_a_checkpoint_cut_short(
    command: Any, trained: Path, promoters: Path, tmp_path: Path, out: Path, untouched: Any
) -> None:
    run = shutil.copytree(trained, tmp_path / "spoiled")
    weights = run / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    with untouched(out):
        refused = command("predict", run, promoters, "--threads", 1, "-o", out / "P.parquet")
    refused.assert_says(weights, "cut short")


def test_a_dataset_of_a_newer_format_or_cut_short(
    command: Any, promoters: Path, tmp_path: Path, out: Path, untouched: Any
) -> None:
    import h5py

    copy = tmp_path / "D.h5"
    copy.write_bytes(promoters.read_bytes())
    with h5py.File(copy, "r+") as file:
        file.attrs["format_version"] = 99
    with untouched(out):
        refused = command("train", copy, "--threads", 1, "-o", out / "R")
    refused.assert_says(copy, "newer Exprimo", "99", "pip install --upgrade exprimo")
    copy.write_bytes(promoters.read_bytes()[:-5000])
    with untouched(out):
        refused = command("train", copy, "--threads", 1, "-o", out / "R")
    refused.assert_says(copy, "cut short")


HOLD = (
    "import sys\n"
    "from exprimo.core.dataset import write_dataset\n"
    "with write_dataset(sys.argv[1], {}):\n"
    "    print('writing', flush=True)\n"
    "    sys.stdin.readline()\n"
    "    raise SystemExit\n"
)


def test_a_dataset_that_another_process_is_writing(
    command: Any, build: Any, files: dict[str, Path], out: Path, untouched: Any
) -> None:
    dataset = out / "D.h5"
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(dataset)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as other:  # fmt: skip
        assert other.stdout is not None
        assert other.stdout.readline() == "writing\n"
        try:
            build(files).assert_says(dataset, f"process {other.pid}", "Wait")
            with untouched(out):
                refused = command("train", dataset, "--threads", 1, "-o", out / "R")
            refused.assert_says(dataset, f"process {other.pid}", "another process is writing")
        finally:
            other.communicate("\n")
    assert list(out.iterdir()) == []


def test_a_run_that_another_process_is_writing(
    command: Any, promoters: Path, out: Path, untouched: Any
) -> None:
    with write_lock(out / "R"), untouched(out):
        refused = command("predict", out / "R", promoters, "--threads", 1, "-o", out / "P.tsv")
        refused.assert_says(out / "R", f"process {os.getpid()}")
        refused = command("train", promoters, "--threads", 1, "-o", out / "R")
        refused.assert_says(out / "R", f"process {os.getpid()}")


def test_output_that_already_exists(
    command: Any, world: SimulatedWorld, promoters: Path, trained: Path, out: Path, untouched: Any
) -> None:
    (out / "D.h5").write_text("mine")
    (out / "R").mkdir()
    (out / "R" / "mine.txt").write_text("mine")
    cases: list[tuple[object, ...]] = [
        (
            "dataset", "promoters", "--fasta", world.genome, "--genes", world.genes,
            "-o", out / "D.h5",
        ),
        ("train", promoters, "--threads", 1, "-o", out / "R"),
        ("benchmark", promoters, "--threads", 1, "-o", out / "R"),
        ("simulate", out / "R"),
        ("demo", "-o", out / "R"),
        ("init", "sequence", "-o", out / "D.h5"),
        ("run", trained / "config.toml", "-o", out / "R"),
    ]  # fmt: skip
    for case in cases:
        with untouched(out):
            refused = command(*case)
        refused.assert_says("already exists", "Choose another output")
