"""Generators: few passes of masked diffusion against a thousand steps, in time and in quality.

    python -m benchmarks generate [--threads 2] [--seeds 6] [-n 500] -o DIR
    python -m benchmarks generate --generator GEN --dataset D.h5 -o DIR

Time: the default sampler (``diffusion``, 50 passes) and the published one
(``diffusion-published``, 1,000 random steps) draw 16 sequences of 2,000 bp, 50 passes of each,
with the same threads, precision and warm-up; three rounds in turn, of which the median counts,
scaled to 1,000 sequences. Two networks of equal shape (channels, blocks, multiply-adds per base),
and each as it is by default. Peak memory is that of a process of its own. Wanted: 10 times as
fast.

Quality: one fitted generator draws in its usual passes, one base per pass, and in 1,000 steps:
each step tells every hidden base with a chance of one over the steps that are left, which is the
ancestral sampling of the process that hides them. The three are compared with held-out sequences
by their 4-mers at each position, in several seeds; wanted is a difference to 1,000 steps that is
no larger than chance makes it. Without ``--generator`` a small one is fitted on promoters (80 bp)
of a simulated world.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from scipy import stats
from torch import Tensor

import exprimo
from exprimo.core.dataset import Dataset
from exprimo.core.sequence import Codes
from exprimo.generate.conditioning import Conditioning
from exprimo.generate.family import Family, Layout
from exprimo.generate.fidelity.measures import position_kmers
from exprimo.generate.fidelity.reading import distinct_sequences
from exprimo.generate.folder import Generator
from exprimo.generate.networks.masked_denoiser import MASK
from exprimo.generate.reference.rivals import SHUFFLE, fit_rivals
from exprimo.generate.registry import get_family
from exprimo.generate.stored import Loaded, load_generator
from exprimo.models.network import autocast
from exprimo.training.config import MachineConfig
from exprimo.training.machine import prepare

_THOUSAND = 1000
_SEQUENCES, _PASSES, _ROUNDS, _TARGET = 16, 50, 3, 10.0
_CHUNK = 500
_PEAK = "from benchmarks.generate import print_peak; import sys; print_peak(*sys.argv[1:])"
_FLOOR, _RIVAL = "held-out, the other half", "Markov 5 by position"


class Timed(NamedTuple):
    """A sampler to time: its family, the options of its network, what it is called."""

    name: str
    family: str
    options: dict[str, Any]


# Eight blocks of a 5-wide and a 1-wide convolution read as much as eight of two 3-wide ones.
EQUAL = (
    Timed("diffusion", "diffusion", {"channels": 128, "blocks": 8}),
    Timed("published, as large", "diffusion-published", {"channels": 128, "blocks": 8}),
)
TIMED = (*EQUAL, Timed("published", "diffusion-published", {}))


class _EnoughError(Exception):
    """Raised to leave a sampler once it was timed."""


def build(timed: Timed, length: int, threads: int) -> tuple[Family, int]:
    """Build an untrained network; give it with the passes that its sampler makes."""
    (device, *_), precision, _ = prepare(MachineConfig(device="cpu", threads=threads))
    spec = get_family(timed.family)
    torch.manual_seed(0)
    layout = Layout(length, Conditioning(), device, precision)
    family: Family = spec.build(spec.options.checked(timed.options), layout)
    return family, spec.steps(length) if spec.steps else 1


def seconds_per_pass(family: Family, n: int, passes: int, steps: int) -> float:
    """Time the first passes of drawing ``n`` sequences in ``steps``."""
    made = 0

    def count(*_: Any) -> None:
        nonlocal made
        made += 1
        if made > passes:
            raise _EnoughError

    hook = family.module.register_forward_pre_hook(count)
    began = time.perf_counter()
    with contextlib.suppress(_EnoughError):
        family.sample(n, None, steps=steps, guidance=1.0)
    seconds = time.perf_counter() - began
    hook.remove()
    return seconds / min(made, passes)


def print_peak(which: str, length: str, threads: str) -> None:
    """Draw a few passes and print the peak of resident memory in MiB."""
    family, steps = build(TIMED[int(which)], int(length), int(threads))
    seconds_per_pass(family, _SEQUENCES, 3, steps)
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    (peak,) = (int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
    print(peak / 1024)


def multiply_adds(family: Family) -> int:
    """Count what the convolutions multiply per base and pass."""
    convolutions = (m for m in family.module.modules() if isinstance(m, torch.nn.Conv2d))
    return sum(one.weight.numel() for one in convolutions)


def time_samplers(length: int, threads: int) -> list[dict[str, Any]]:
    """Time all samplers in turn; give a row of each."""
    built = [build(one, length, threads) for one in TIMED]
    for family, steps in built:
        seconds_per_pass(family, _SEQUENCES, 3, steps)
    rounds = [
        [seconds_per_pass(family, _SEQUENCES, _PASSES, steps) for family, steps in built]
        for _ in range(_ROUNDS)
    ]
    rows = []
    for i, (timed, (family, steps)) in enumerate(zip(TIMED, built, strict=True)):
        seconds = float(np.median([one[i] for one in rounds]))
        peak = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", _PEAK, str(i), str(length), str(threads)],
            check=True,
            capture_output=True,
            text=True,
        )
        rows.append(
            {
                "sampler": timed.name,
                "parameters": sum(p.numel() for p in family.module.parameters()),
                "multiply_adds": multiply_adds(family),
                "seconds_per_pass": seconds,
                "passes": steps,
                "hours": seconds * steps * _THOUSAND / _SEQUENCES / 3600,
                "peak_mib": float(peak.stdout.splitlines()[-1]),
            }
        )
    return rows


def print_times(rows: Sequence[Mapping[str, Any]], length: int, threads: int) -> None:
    """Print a line per sampler, and how many times as fast the first one is."""
    precision = prepare(MachineConfig(device="cpu", threads=threads))[1]
    print(
        f"{_SEQUENCES} sequences of {length:,} bp, {_PASSES} passes, {threads} threads, "
        f"{precision}, median of {_ROUNDS}; hours: 1,000 sequences"
    )
    heads = ("parameters", "mult./base", "s/pass", "passes", "hours", "peak MiB")
    print(f"{'':22}" + "".join(f"{head:>12}" for head in heads))
    for row in rows:
        cells = (
            f"{row['parameters']:,}", f"{row['multiply_adds']:,}",
            f"{row['seconds_per_pass']:.3f}", f"{row['passes']:,}",
            f"{row['hours']:.2f}", f"{row['peak_mib']:.0f}",
        )  # fmt: skip
        print(f"{row['sampler']:22}" + "".join(f"{cell:>12}" for cell in cells))
    for row in rows[1:]:
        ratio = row["hours"] / rows[0]["hours"]
        print(f"{row['sampler']} / {rows[0]['sampler']}: {ratio:.1f} (wanted: {_TARGET:g})")


def small_generator(out: Path, minutes: float, threads: int) -> tuple[Path, Path]:
    """Fit a small generator on promoters of a simulated world, unless it stands there."""
    dataset, generator = out / "D.h5", out / "GEN"
    if not dataset.exists():
        world = exprimo.simulate(out / "world", seed=1).folder
        exprimo.dataset_promoters(
            fasta=world / "genome.fa",
            genes=world / "genes.gtf",
            targets=world / "expression.tsv",
            target="expression",
            out=dataset,
            upstream=60,
            downstream=20,
        )
    if not generator.exists():
        exprimo.generate_fit(
            dataset,
            generator,
            condition="expression",
            split={"strategy": "chromosome", "test_chroms": ["1"], "val_chroms": ["2"]},
            fit={"minutes": minutes},
            machine={"device": "cpu", "threads": threads},
            options={"channels": 64, "blocks": 4},
            resume=True,
        )
    return generator, dataset


@torch.inference_mode()
def in_thousand_steps(loaded: Loaded, n: int, condition: Tensor | None) -> Tensor:
    """Draw by ancestral sampling (Austin et al. 2021) in 1,000 steps.

    The network is not told the time, so a sequence of which a step tells nothing needs no pass.
    """
    layout, module = loaded.layout, loaded.family.module.eval()
    shown = torch.full((n, layout.length), MASK)
    for left in range(_THOUSAND, 0, -1):
        due = (shown == MASK) & (torch.rand(shown.shape) < 1 / left)
        rows = due.any(1).nonzero().ravel()
        if not len(rows):
            continue
        part = shown[rows]
        told = None if condition is None else condition[rows]
        with autocast(layout.device, layout.precision):
            logits = module(
                part, (part == MASK).float().mean(1), told, torch.zeros(len(part), dtype=torch.bool)
            )
        drawn = torch.distributions.Categorical(logits=logits.transpose(1, 2)).sample()
        shown[rows] = torch.where(due[rows], drawn, part)
    return shown.to(torch.uint8)


def samplers(loaded: Loaded) -> dict[str, Callable[[int, Tensor | None], Tensor]]:
    """Name the ways to draw: usual passes first, 1,000 steps last."""
    family, length = loaded.family, loaded.layout.length

    def within(steps: int) -> Callable[[int, Tensor | None], Tensor]:
        return lambda n, told: family.sample(n, told, steps=steps, guidance=1.0)

    if loaded.spec.name != "diffusion":
        return {"50 passes": within(_PASSES), "1,000 steps": within(_THOUSAND)}
    usual = loaded.spec.steps(length) if loaded.spec.steps else 1
    return {
        f"{usual} passes": within(usual),
        f"{length} passes": within(length),
        "1,000 steps": lambda n, told: in_thousand_steps(loaded, n, told),
    }


def draw(
    loaded: Loaded, sampler: Callable[[int, Tensor | None], Tensor], n: int, seed: int
) -> Codes:
    """Draw ``n`` sequences, asked for as training examples have it; the same for every sampler."""
    conditioning = loaded.layout.conditioning
    parts = []
    for number, start in enumerate(range(0, n, _CHUNK)):
        size = min(_CHUNK, n - start)
        told = None
        if conditioning.kind != "none":
            rng = np.random.default_rng([seed, number])
            told = torch.from_numpy(conditioning.coded(conditioning.drawn(size, rng)))
        torch.manual_seed(1000 * seed + number)
        parts.append(sampler(size, told).numpy())
    return np.concatenate(parts)


def measure_quality(
    loaded: Loaded, training: Codes, held_out: Codes, n: int, seeds: int
) -> dict[str, list[float]]:
    """Compare all samplers, the floor and rivals with one half of the held-out, in each seed."""
    rivals = {name: rival for name, rival in fit_rivals(training).items() if name in
              (SHUFFLE, _RIVAL)}  # fmt: skip
    found: dict[str, list[float]] = {}
    for seed in range(seeds):
        rng = np.random.default_rng(seed)
        order = rng.permutation(len(held_out))
        judge, other = (np.ascontiguousarray(held_out[half]) for half in np.array_split(order, 2))
        drawn = {name: draw(loaded, how, n, seed) for name, how in samplers(loaded).items()}
        drawn |= {_FLOOR: other} | {name: rival(n, rng) for name, rival in rivals.items()}
        for name, codes in drawn.items():
            value = position_kmers(codes, judge)["position_4mers"]
            found.setdefault(name, []).append(value)
    return found


def difference(ours: Sequence[float], theirs: Sequence[float]) -> tuple[float, float, float]:
    """Give the mean difference over seeds and its 95% interval (Student's t)."""
    gaps = np.subtract(ours, theirs)
    half = stats.t.ppf(0.975, len(gaps) - 1) * gaps.std(ddof=1) / len(gaps) ** 0.5
    return float(gaps.mean()), float(gaps.mean() - half), float(gaps.mean() + half)


def print_quality(found: Mapping[str, list[float]], n: int, n_judge: int) -> dict[str, Any]:
    """Print the distance of each set, and the differences to 1,000 steps."""
    print(
        f"4-mers at each position: squared distance to {n_judge:,} held-out sequences, beyond "
        f"what finite sets differ by; {n:,} drawn, {len(next(iter(found.values())))} seeds"
    )
    for name, values in found.items():
        print(f"{name:26}{np.mean(values):>10.5f}   {min(values):.5f} to {max(values):.5f}")
    *few, thousand = (name for name in found if name.endswith((" passes", " steps")))
    told = {}
    for name in few:
        mean, low, high = difference(found[name], found[thousand])
        verdict = "worse" if low > 0 else "no worse" if high >= 0 else "better"
        told[name] = {"difference": mean, "low": low, "high": high, "verdict": verdict}
        print(
            f"{name} less {thousand}: {mean:+.5f} (95% interval {low:+.5f} to {high:+.5f} over "
            f"seeds): {verdict}"
        )
    return told


def compare_quality(
    generator: Path, dataset: Path, n: int, seeds: int, threads: int
) -> dict[str, Any]:
    """Load a generator and its held-out sequences, measure, print."""
    (device, *_), precision, _ = prepare(MachineConfig(device="cpu", threads=threads))
    made = Generator.open(generator)
    loaded = load_generator(made.weights_path, device=device, precision=precision)
    split = made.split
    with Dataset.open(dataset) as data:
        split.check_dataset(data.sha256, file=data.path)
        held = np.concatenate([split.rows("val"), split.rows("test")])
        training, held_out = (
            distinct_sequences(data, np.sort(rows)).codes for rows in (split.rows("train"), held)
        )
    facts = made.provenance
    print(
        f"\n{facts['generator']} fitted for {facts['fit_seconds'] / 60:.1f} minutes, "
        f"{facts['n_parameters']:,} parameters, {facts['length']:,} bp"
    )
    found = measure_quality(loaded, training, held_out, n, seeds)
    return {"distances": found, "differences": print_quality(found, n, len(held_out) // 2)}


def main(arguments: Sequence[str] = ()) -> None:
    """Time, compare, print; write all figures to DIR/generate.json."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--length", type=int, default=2000, help="of what is timed")
    parser.add_argument("--seeds", type=int, default=6)
    parser.add_argument("-n", type=int, default=500, help="sequences drawn in each seed")
    parser.add_argument("--minutes", type=float, default=1.0, help="for the small generator")
    parser.add_argument("--generator", type=Path, help="a fitted generator, with --dataset")
    parser.add_argument("--dataset", type=Path)
    parser.add_argument("-o", "--out", type=Path, required=True)
    wanted = parser.parse_args(list(arguments))
    if (wanted.generator is None) != (wanted.dataset is None):
        parser.error("give --generator and --dataset, or neither")
    if wanted.seeds < 2:
        parser.error("an interval needs two seeds at least")
    wanted.out.mkdir(parents=True, exist_ok=True)
    times = time_samplers(wanted.length, wanted.threads)
    print_times(times, wanted.length, wanted.threads)
    sys.stdout.flush()
    generator, dataset = wanted.generator, wanted.dataset
    if generator is None:
        generator, dataset = small_generator(wanted.out, wanted.minutes, wanted.threads)
    quality = compare_quality(generator, dataset, wanted.n, wanted.seeds, wanted.threads)
    text = json.dumps({"times": times, "quality": quality}, indent=2)
    (wanted.out / "generate.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
