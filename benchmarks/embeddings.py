"""HyenaDNA embeddings of 20 kb: sequences a second, beside the plain form, in one run.

    python -m benchmarks embeddings [--bases 20000] [--batch 2] [--threads 1] [--rounds 5]

The configuration of hyenadna-small-32k with random weights. Both contenders get the same weights,
tokens, threads and allocator setting (the one that training and ``exprimo embed`` use), and one
unmeasured warm-up; then they run in turn. The plain form is `rivals/plain_hyenadna.py`: complex
transforms of twice the length, and filters made anew on each call. The median of the rounds' ratios
counts, so that a busy moment of the machine does not.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from collections.abc import Sequence
from pathlib import Path

OURS, PLAIN = "exprimo", "plain HyenaDNA"
WANTED_RATIO = 1.5
LARGEST_DIFFERENCE = 1e-4
NAME = "hyenadna-small-32k"


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the comparison and print it; fail if we differ, or are slower than promised."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks embeddings")
    parser.add_argument("--bases", type=int, default=20_000)
    parser.add_argument("--batch", type=int, default=2)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path, help="write the numbers there, too")
    options = parser.parse_args(arguments)
    # Before the libraries read it.
    os.environ["OMP_NUM_THREADS"] = str(options.threads)
    seconds, cpu, difference = compare(
        options.bases, options.batch, options.threads, options.rounds
    )
    show(seconds, cpu, difference, options)
    if options.json:
        facts = {"seconds": seconds, "cpu_seconds": cpu, "largest_difference": difference}
        options.json.write_text(json.dumps(facts, indent=1))
    if difference > LARGEST_DIFFERENCE:
        raise SystemExit(f"the numbers differ by {difference:.1e} of the largest")
    if ratio(seconds) < WANTED_RATIO:
        raise SystemExit(f"less than {WANTED_RATIO} times as fast as the plain form")


def compare(
    bases: int, batch: int, threads: int, rounds: int
) -> tuple[dict[str, list[float]], dict[str, list[float]], float]:
    """Time both in turn: seconds and processor seconds by name, and how far they differ."""
    import numpy as np
    import torch

    from benchmarks.rivals.plain_hyenadna import plain_hyenadna
    from exprimo.models.pretrained.hyenadna import CHECKPOINTS, HyenaBackbone, HyenaNetwork
    from exprimo.models.pretrained.hyenadna.network import to_tokens
    from exprimo.training.machine import keep_memory, use_threads

    keep_memory()
    use_threads(threads)
    torch.manual_seed(0)
    network = HyenaNetwork(CHECKPOINTS[NAME]).eval()
    backbone = HyenaBackbone(network, name=NAME, digest="random")
    codes = np.random.default_rng(0).integers(0, 4, (batch, bases), dtype=np.uint8)
    state = {name: value.detach() for name, value in network.state_dict().items()}
    tokens = to_tokens(torch.from_numpy(codes))

    @torch.inference_mode()
    def plain() -> object:
        return plain_hyenadna(state, tokens, network.config.n_layer)[:, 1:-1].numpy()

    contenders = {OURS: lambda: backbone.embed({"sequence": codes}), PLAIN: plain}
    expected = np.asarray(contenders[PLAIN]())
    difference = float(np.abs(contenders[OURS]() - expected).max() / np.abs(expected).max())
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    cpu: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, run in contenders.items():
            began, worked = time.perf_counter(), time.process_time()
            run()
            seconds[name].append(time.perf_counter() - began)
            cpu[name].append(time.process_time() - worked)
    return seconds, cpu, difference


def ratio(seconds: dict[str, list[float]]) -> float:
    """Give the median over rounds of how many times as long the plain form takes."""
    return statistics.median(p / o for p, o in zip(seconds[PLAIN], seconds[OURS], strict=True))


def show(
    seconds: dict[str, list[float]],
    cpu: dict[str, list[float]],
    difference: float,
    options: argparse.Namespace,
) -> None:
    """Print medians, ranges and ratios."""
    print(
        f"{NAME}, random weights, {options.batch} sequences of {options.bases:,} bases, "
        f"{options.threads} thread(s), {options.rounds} rounds"
    )
    for name, times in seconds.items():
        spread = f"{min(times):.2f}-{max(times):.2f}"
        print(
            f"  {name:16s} {statistics.median(times) / options.batch:7.2f} s a sequence "
            f"({spread} s a round; processor {statistics.median(cpu[name]):.2f} s)"
        )
    print(f"  ratio {ratio(seconds):.2f} (processor time {ratio(cpu):.2f})")
    print(f"  largest difference, relative to the largest number: {difference:.1e}")


if __name__ == "__main__":
    main()
