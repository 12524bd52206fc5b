"""Training the published networks: Exprimo against a plain PyTorch program.

    python -m benchmarks training [--examples 5000] [--length 2000] [--threads 2] [--models A,B]
        [--genes 16000] [--window 20000]

Networks of promoter and half-life (`halflife_cnn`, `xpresso`, `contrast`): see
`_halflife_training`.

Promoter classifiers: each model's preset ``published``, and the same network as a plain program
would train it (``rivals/published_promoter_nets.py``), each in a process of its own, on random
sequences with random labels, with equal batches. A network's rate is that of the median batch
behind the first one, everything included: reading, one-hot, forward, backward, update. Trees are
timed as a whole, behind the features or the columns that they are grown on: ``cnn_xgboost`` as 20
epochs of its network at the measured rate, and its trees. With one thread, seconds are those of
the process.

The plain transformer keeps every attention weight, 31 GiB a layer for a batch of 256, so both
are measured at a batch of 4.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks import _halflife_training
from exprimo.core.dataset import write_dataset

# Examples per batch; batches that are timed, or rounds of boosting.
MODELS = {
    "cnn2d": (256, 8),
    "cnn_bilstm": (256, 3),
    "transformer": (4, 2),
    "onehot_xgboost": (256, 100),
    "cnn_xgboost": (256, 8),
}
_EPOCHS = 20
_SPEED, _MEMORY = 2.0, 5.0
_RIVAL = "benchmarks.rivals.published_promoter_nets"
_OURS = "from benchmarks.training import ours; import sys; ours(*sys.argv[1:])"


class _EnoughError(Exception):
    """Raised to leave training once it was timed."""


def ours(model: str, path: str, batch: str, batches: str, threads: str, precision: str) -> None:
    """Train a preset as ``exprimo train`` does, until it was timed; print JSON."""
    from exprimo.training import TrainConfig, fitting, loop, train_run

    clock = time.process_time if threads == "1" else time.perf_counter
    wanted, marks, found = int(batches), [], {}
    load, hybrid, baseline = loop.load_batch, fitting.fit_hybrid, fitting.fit_baseline

    def timed_load(*arguments: Any) -> Any:
        marks.append(clock())
        if len(marks) > wanted + 1 and model != "cnn_xgboost":
            raise _EnoughError
        loaded = load(*arguments)
        # One byte a base as read, one float a base and letter as the network takes it.
        found["sequence_bytes"] = loaded["sequence"].nbytes * (1 + 16)
        return loaded

    def timed(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any) -> None:
            started = clock()
            function(*arguments)
            found["tree_seconds"] = clock() - started
            raise _EnoughError

        return call

    loop.load_batch = timed_load
    fitting.fit_hybrid, fitting.fit_baseline = timed(hybrid), timed(baseline)
    trees = {"rounds": wanted, "patience": 0} if model == "onehot_xgboost" else {}
    fit = {"imbalance": "none"} if trees else {"batch_size": int(batch)}
    if model == "cnn_xgboost":
        fit |= {"epochs": 1}
    config = TrainConfig.checked(
        {
            "dataset": path,
            "model": model,
            "preset": "published",
            "split": "random",
            "fit": fit,
            "options": trees,
            "machine": {"device": "cpu", "threads": int(threads), "precision": precision},
        }
    )
    with tempfile.TemporaryDirectory() as folder, contextlib.suppress(_EnoughError):
        train_run(config, Path(folder) / "run")
    if marks:
        steps = np.diff(marks)[1 : wanted + 1]
        found["examples_per_s"] = int(batch) / float(np.median(steps))
    print(json.dumps(found))


def write_data(folder: Path, examples: int, length: int) -> tuple[Path, Path]:
    """Write the same random sequences as our dataset, and as the training part of it for NumPy."""
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 4, (examples, length), dtype=np.uint8)
    labels = rng.integers(0, 2, examples)
    with write_dataset(folder / "D.h5", {}) as out:
        out.examples(pd.DataFrame({"example_id": [f"e{i}" for i in range(examples)]}))
        out.input("sequence", [codes])
        out.target("y", labels.astype(float), kind="classification")
    kept = round(0.8 * examples)
    np.savez(folder / "D.npz", codes=codes[:kept], labels=labels[:kept])
    return folder / "D.h5", folder / "D.npz"


def measure(command: Sequence[str]) -> dict[str, float]:
    """Run one measurement in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", *command], check=True, capture_output=True, text=True
    )
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def rate(found: dict[str, float], n_train: int, model: str) -> float:
    """Give examples per second; for trees those of the whole fit."""
    if model == "onehot_xgboost":
        return n_train / found["tree_seconds"]
    if model == "cnn_xgboost":
        shown = _EPOCHS * n_train
        return shown / (shown / found["examples_per_s"] + found["tree_seconds"])
    return found["examples_per_s"]


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a row per model: rates, and bytes held for sequences."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks training")
    parser.add_argument("--examples", type=int, default=5_000)
    parser.add_argument("--length", type=int, default=2_000)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--genes", type=int, default=16_000)
    parser.add_argument("--window", type=int, default=20_000)
    parser.add_argument("--models", default=",".join((*MODELS, *_halflife_training.CASES)))
    options = parser.parse_args(arguments)
    wanted = options.models.split(",")
    unknown = sorted(set(wanted) - set(MODELS) - set(_halflife_training.CASES))
    if unknown:
        parser.error(f"no such model: {', '.join(unknown)}")
    classifiers = [model for model in wanted if model in MODELS]
    if classifiers:
        print_classifiers(classifiers, options.examples, options.length, options.threads)
    rest = [model for model in wanted if model not in MODELS]
    _halflife_training.print_rows(rest, options.genes, options.window, options.threads, measure)


def print_classifiers(models: Sequence[str], examples: int, length: int, threads: int) -> None:
    """Measure the promoter classifiers and print a row of each."""
    print(
        f"{examples:,} sequences of {length:,} bp, {threads} threads; "
        f"targets: {_SPEED:g} x the rate, 1/{_MEMORY:g} of the bytes"
    )
    heads = ("plain", "fp32", "ratio", "auto", "ratio", "plain MiB", "ours MiB", "ratio")
    print(f"{'examples/s':16}" + "".join(f"{head:>10}" for head in heads))
    with tempfile.TemporaryDirectory() as folder:
        path, arrays = write_data(Path(folder), examples, length)
        for model in models:
            batch, batches = MODELS[model]
            sizes = [str(batch), str(batches), str(threads)]
            plain = measure(["-m", _RIVAL, model, str(arrays), *sizes])
            found = [
                measure(["-c", _OURS, model, str(path), *sizes, precision])
                for precision in ("fp32", "auto")
            ]
            print(row(model, plain, found, round(0.8 * examples), length), flush=True)


def row(
    model: str, plain: dict[str, float], found: list[dict[str, float]], n: int, length: int
) -> str:
    """Write one line of the table."""
    theirs = rate(plain, n, model)
    cells = [f"{theirs:.3g}"]
    for one in found:
        mine = rate(one, n, model)
        cells += [f"{mine:.3g}", f"{mine / theirs:.1f}"]
    # The trees' matrix holds one byte a base.
    held = found[0].get("sequence_bytes", n * length)
    ratio = plain["sequence_bytes"] / held
    cells += [f"{plain['sequence_bytes'] / 2**20:.0f}", f"{held / 2**20:.1f}", f"{ratio:.1f}"]
    return f"{model:16}" + "".join(f"{cell:>10}" for cell in cells)


if __name__ == "__main__":
    main()
