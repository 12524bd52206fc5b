"""Enformer at its published size: seconds a window, what a variant costs, memory, equal numbers.

    python -m benchmarks enformer [--threads 1] [--rounds 3] [--precision fp32] [--port PYTHON]

Random weights; all 5,313 tracks in all bins, then one changed base with 3 bins and 4 tracks.
``--port`` names the Python of an environment that has enformer-pytorch (see
`rivals/enformer_port.py`): it gets the same weights, bases, threads and allocator setting, in a
process of its own that runs before ours, and its numbers are compared with ours before its time
counts.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

WANTED_SHARED = 2.0
LARGEST_DIFFERENCE = {"fp32": 1e-4, "bf16": 0.5}
LARGEST_GIB = 8.0
_TRACKS = 64


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print; fail where numbers differ, or less is kept than promised."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks enformer")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--precision", choices=["fp32", "bf16"], default="fp32")
    parser.add_argument("--port", help="Python of an environment with enformer-pytorch")
    parser.add_argument("--json", type=Path, help="write the numbers there, too")
    options = parser.parse_args(arguments)
    # Before the libraries read it.
    os.environ["OMP_NUM_THREADS"] = str(options.threads)
    facts = measure(options.threads, options.rounds, options.precision, options.port)
    show(facts, options)
    if options.json:
        options.json.write_text(json.dumps(facts, indent=1))
    if facts.get("difference", 0) > LARGEST_DIFFERENCE[options.precision]:
        raise SystemExit("the numbers differ")
    if facts["gib"] > LARGEST_GIB:
        raise SystemExit(f"more than {LARGEST_GIB:.0f} GiB")
    if facts["whole"] < WANTED_SHARED * facts["variant"]:
        raise SystemExit(f"a variant is not {WANTED_SHARED:.0f} times as cheap as a window")


def measure(threads: int, rounds: int, precision: Any, port: str | None) -> dict[str, Any]:
    """Give medians in seconds, memory in GiB, and how far the port's numbers are."""
    import numpy as np
    import torch

    from exprimo.models.pretrained.enformer import (
        EnformerBackbone,
        EnformerConfig,
        random_enformer,
    )
    from exprimo.training.machine import keep_memory, use_threads

    keep_memory()
    use_threads(threads)
    network = random_enformer(EnformerConfig())
    drawn = np.random.default_rng(0)
    codes = drawn.integers(0, 4, (1, network.config.window), dtype=np.uint8)
    facts: dict[str, Any] = {}
    theirs: Any = None
    if port:
        with tempfile.TemporaryDirectory() as folder:
            torch.save(network.state_dict(), Path(folder) / "weights.bin")
            theirs = run_port(port, Path(folder), codes[0], threads, precision, rounds)
    backbone = EnformerBackbone(network, name="enformer", digest="random", precision=precision)
    if theirs is not None:
        bins = slice(0, backbone.n_bins)
        ours = backbone.predict_tracks({"sequence": codes}, range(_TRACKS), bins)[0].T
        spread = float(theirs["tracks"].std())
        facts["difference"] = float(np.abs(ours - theirs["tracks"]).max()) / spread
        facts["port"] = statistics.median(theirs["seconds"].tolist())
        facts["port_gib"] = int(theirs["kib"]) / 2**20
    others = [drawn.integers(0, 4, codes.shape, dtype=np.uint8) for _ in range(rounds)]
    facts["whole"] = timed([lambda one=one: backbone.tracks({"sequence": one}) for one in others])
    changed = []
    for step in range(rounds):
        variant = others[-1].copy()
        place = network.config.window // 2 + 300 * (step + 1)
        variant[0, place] = (variant[0, place] + 1) % 4
        changed.append(variant)
    middle = backbone.n_bins // 2
    near = slice(middle - 1, middle + 2)
    facts["variant"] = timed(
        [
            lambda one=one: backbone.predict_tracks({"sequence": one}, range(4), near)
            for one in changed
        ]
    )
    status = Path("/proc/self/status").read_text(encoding="ascii")
    facts["gib"] = int(status.split("VmHWM:")[1].split()[0]) / 2**20
    return facts


def run_port(
    python: str, folder: Path, codes: Any, threads: int, precision: str, rounds: int
) -> Any:
    """Let the port compute the same, in its own environment."""
    import numpy as np

    np.save(folder / "codes.npy", codes)
    script = Path(__file__).parent / "rivals" / "enformer_port.py"
    given = ["weights.bin", "codes.npy", "out.npz", str(threads), precision, str(rounds)]
    command = [python, str(script), *given]
    subprocess.run(command, check=True, cwd=folder, capture_output=True)
    with np.load(folder / "out.npz") as found:
        return dict(found)


def timed(runs: Sequence[Callable[[], object]]) -> float:
    """Give the median of the seconds."""
    seconds = []
    for run in runs:
        began = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - began)
    return statistics.median(seconds)


def show(facts: dict[str, Any], options: argparse.Namespace) -> None:
    """Print what was measured."""
    print(
        f"Enformer, 196,608 bases, random weights, {options.precision}, "
        f"{options.threads} thread(s), {options.rounds} rounds"
    )
    print(f"  a window, all tracks and bins      {facts['whole']:7.1f} s")
    print(f"  one base changed, 4 tracks, 3 bins {facts['variant']:7.1f} s")
    print(f"  memory                             {facts['gib']:7.1f} GiB")
    if "port" in facts:
        print(
            f"  enformer-pytorch, a window         {facts['port']:7.1f} s "
            f"({facts['port'] / facts['whole']:.1f} times ours), {facts['port_gib']:.1f} GiB"
        )
        print(f"  largest difference of tracks, in their spreads: {facts['difference']:.1e}")


if __name__ == "__main__":
    main()
