"""Resident memory while training, at 1 × and 10 × the examples.

    python -m benchmarks memory [--examples 4000] [--length 2000]

Each size trains one epoch of a small ``cnn`` in a process of its own. Measured is the peak of
anonymous memory (page cache of the dataset belongs to the kernel and is given back at need), over
the whole command and from the first step of training on; the search for homologous sequences
before it needs memory in proportion to their number.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from exprimo.core.dataset import write_dataset

_CHILD = """
import json, sys, threading, time
from pathlib import Path
from exprimo.training import TrainConfig, train_run
def anonymous():
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("RssAnon"):
            return int(line.split()[1]) / 1024
from exprimo.training import run as training
peaks, phase, stop = {"split": 0.0, "training": 0.0}, ["split"], threading.Event()
def watch():
    while not stop.wait(0.02):
        peaks[phase[0]] = max(peaks[phase[0]], anonymous())
fit = training.fit_model
def fit_and_note(*arguments):
    phase[0] = "training"
    return fit(*arguments)
training.fit_model = fit_and_note
threading.Thread(target=watch, daemon=True).start()
config = TrainConfig.checked({
    "dataset": sys.argv[1], "model": "cnn",
    "split": {"strategy": "random"},
    "fit": {"epochs": 1, "batch_size": 32},
    "options": {"channels": 8, "stem_channels": 8, "hidden": 16, "stem_pool": 16},
    "machine": {"device": "cpu", "threads": 2},
})
train_run(config, sys.argv[2])
stop.set()
print(json.dumps(peaks))
"""


def make_dataset(path: Path, examples: int, length: int) -> float:
    """Write random sequences with a target; return bytes on disk per base."""
    rng = np.random.default_rng(0)
    step = 2000

    def chunks():
        for start in range(0, examples, step):
            yield rng.integers(0, 4, (min(step, examples - start), length), dtype=np.uint8)

    with write_dataset(path, {}) as out:
        out.examples(pd.DataFrame({"example_id": [f"e{i}" for i in range(examples)]}))
        out.input("sequence", chunks())
        out.target("y", rng.normal(size=examples), kind="regression")
    return path.stat().st_size / (examples * length)


def measure(examples: int, length: int) -> dict[str, float]:
    """Train once in a fresh process and return its peak."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "D.h5"
        per_base = make_dataset(path, examples, length)
        done = subprocess.run(
            [sys.executable, "-c", _CHILD, str(path), str(Path(folder) / "run")],
            check=True,
            capture_output=True,
            text=True,
        )
        peaks = json.loads(done.stdout.splitlines()[-1])
    return {
        "examples": examples,
        "data_mib": examples * length / 2**20,
        "bytes_per_base": per_base,
        "split_mib": peaks["split"],
        "training_mib": peaks["training"],
    }


def main(arguments: Sequence[str] = ()) -> None:
    """Measure both sizes and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=int, default=4000)
    parser.add_argument("--length", type=int, default=2000)
    wanted = parser.parse_args(list(arguments))
    sizes = [measure(n, wanted.length) for n in (wanted.examples, 10 * wanted.examples)]
    heads = ("examples", "data MiB", "split MiB", "train MiB", "bytes/base")
    print("".join(f"{head:>12}" for head in heads))
    for row in sizes:
        print(
            f"{row['examples']:>12,}{row['data_mib']:>12.0f}{row['split_mib']:>12.0f}"
            f"{row['training_mib']:>12.0f}{row['bytes_per_base']:>12.4f}"
        )
    grown = sizes[1]["training_mib"] - sizes[0]["training_mib"]
    data = sizes[1]["data_mib"] - sizes[0]["data_mib"]
    print(f"the peak of training grew by {grown:.0f} MiB while the data grew by {data:.0f} MiB")


if __name__ == "__main__":
    main(sys.argv[1:])
