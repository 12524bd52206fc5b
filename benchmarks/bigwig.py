"""Read 20,000 genes × 100 bins of 100 bp from a BigWig of 100 MB, side by side in one run.

    python -m benchmarks bigwig [--intervals N] [--json FILE]

Two files are made, with as many intervals as give about 100 MB: a compact genome (135 Mb, as thale
cress has, an interval each 10 bases, as deepTools writes) and a large one (3.1 Gb, as people have).
Windows lie at random. Each contender opens the file and ends with all means in memory; one thread
each, one unmeasured warm-up, then rounds in which all run in turn. Every answer is compared with
ours before it counts. Then memory is measured on a file and on one of a quarter of its size.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

_ONE_THREAD = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "RAYON_NUM_THREADS",
    "TOKIO_WORKER_THREADS",
)
OURS = "exprimo"
N_BINS, BIN_SIZE = 100, 100
GENOMES = {"compact, 135 Mb": (5, 27_000_000), "large, 3.1 Gb": (24, 129_000_000)}
WANTED_A_GENE = 3
_MEMORY = """
import resource, sys, numpy as np
from pathlib import Path
from benchmarks.bigwig import exprimo_bins
windows = {"chr1": np.sort(np.random.default_rng(0).integers(0, int(sys.argv[2]), 5_000))}
exprimo_bins(Path(sys.argv[1]), {"chr1": windows["chr1"][:10]}, 100, 100)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
exprimo_bins(Path(sys.argv[1]), windows, 100, 100)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the comparison and print it; fail if we are slower than promised."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks bigwig")
    parser.add_argument("--windows", type=int, default=20_000)
    parser.add_argument("--intervals", type=int, default=13_500_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path, help="write the numbers there, too")
    options = parser.parse_args(arguments)
    os.environ.update(dict.fromkeys(_ONE_THREAD, "1"))
    found: dict[str, dict[str, list[float]]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, (n_chroms, bases) in GENOMES.items():
            path = Path(folder) / f"{n_chroms}.bw"
            make_bigwig(path, n_chroms, bases, options.intervals)
            windows = draw_windows(n_chroms, bases, options.windows)
            print(f"{name}: {options.windows:,} windows, {path.stat().st_size / 1e6:.0f} MB")
            found[name] = compare(path, windows, options.rounds)
            show(found[name])
        n_chroms, bases = GENOMES["compact, 135 Mb"]
        show_memory(Path(folder), bases, options.intervals)
    if options.json:
        options.json.write_text(json.dumps(found, indent=1))
    refuse_slow(found)


def compare(path: Path, windows: dict[str, Any], rounds: int) -> dict[str, list[float]]:
    """Time every contender that is installed, in turn; answers must agree within 1e-5."""
    import numpy as np

    from benchmarks.rivals.bigwig_bins import BATCH, CALL_A_GENE

    contenders = {OURS: exprimo_bins}
    for label, rivals in (("a call a gene", CALL_A_GENE), ("batch", BATCH)):
        for name, (module, read) in rivals.items():
            if find_spec(module):
                contenders[f"{name} ({label})"] = read
            else:
                print(f"  not installed: {name}")
    expected = exprimo_bins(path, windows, N_BINS, BIN_SIZE)
    for name, read in contenders.items():
        # pyBigWig gives float32, which is averaged in float32.
        if not np.allclose(read(path, windows, N_BINS, BIN_SIZE), expected, 1e-5, 1e-5):
            raise SystemExit(f"{name} gives other means than we do")
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, read in contenders.items():
            began = time.perf_counter()
            read(path, windows, N_BINS, BIN_SIZE)
            seconds[name].append(time.perf_counter() - began)
    return seconds


def exprimo_bins(path: Path, windows: dict[str, Any], n_bins: int, bin_size: int) -> Any:
    """Read a chromosome after the other."""
    import numpy as np

    from exprimo.data.signals import open_signal

    with open_signal(path) as track:
        return np.concatenate(
            [track.bins(chrom, starts, n_bins, bin_size) for chrom, starts in windows.items()]
        )


def make_bigwig(path: Path, n_chroms: int, bases: int, n_intervals: int) -> None:
    """Write intervals without gaps, equally long up to 10 bases, else of random lengths."""
    import pybigtools

    chroms = {f"chr{number}": bases for number in range(1, n_chroms + 1)}
    pybigtools.open(str(path), "w").write(chroms, _intervals(n_chroms, bases, n_intervals))


def _intervals(
    n_chroms: int, bases: int, n_intervals: int
) -> Iterator[tuple[str, int, int, float]]:
    import numpy as np

    rng = np.random.default_rng(0)
    n = n_intervals // n_chroms
    width = bases / n
    # pybigtools wants chromosomes in the order of their names as text.
    for name in sorted(f"chr{number}" for number in range(1, n_chroms + 1)):
        lengths = np.full(n, 10) if width <= 10 else rng.geometric(1 / width, n)
        ends = np.cumsum(lengths)
        kept = ends[ends <= bases]
        # Fold enrichment: a slow wave times noise, five digits.
        wave = np.exp(np.convolve(rng.normal(0, 1, len(kept)), np.ones(50) / 7, mode="same"))
        values = np.round(wave * rng.gamma(4, 0.25, len(kept)), 5) + 1e-5
        starts = kept - lengths[: len(kept)]
        for start, end, value in zip(starts.tolist(), kept.tolist(), values.tolist(), strict=True):
            yield name, start, end, value


def draw_windows(n_chroms: int, bases: int, n: int) -> dict[str, Any]:
    """Draw first bases of windows, ascending within each chromosome."""
    import numpy as np

    rng = np.random.default_rng(1)
    names = [f"chr{number}" for number in range(1, n_chroms + 1)]
    chosen = rng.integers(0, n_chroms, n)
    starts = rng.integers(0, bases - N_BINS * BIN_SIZE, n)
    return {name: np.sort(starts[chosen == at]) for at, name in enumerate(names)}


def show(seconds: dict[str, list[float]]) -> None:
    """Print a table: median seconds, range, and how many times as long as ours."""
    ours = statistics.median(seconds[OURS])
    for name, times in sorted(seconds.items(), key=lambda item: statistics.median(item[1])):
        median = statistics.median(times)
        spread = f"{min(times):.3f}-{max(times):.3f}"
        print(f"  {name:40s} {median:8.3f} s  ({spread})  {median / ours:6.2f} x ours")


def show_memory(folder: Path, bases: int, n_intervals: int) -> None:
    """Print what 5,000 windows of one chromosome add to memory, at two sizes of the file."""
    for part in (4, 1):
        path = folder / f"memory{part}.bw"
        make_bigwig(path, 5, bases, n_intervals // part)
        grown = subprocess.run(
            [sys.executable, "-c", _MEMORY, str(path), str(bases // part - 10_000)],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        size = path.stat().st_size / 1e6
        print(f"memory: + {int(grown.stdout) / 1024:.0f} MiB from a file of {size:.0f} MB")


def refuse_slow(found: dict[str, dict[str, list[float]]]) -> None:
    """Fail where pyBigWig's call a gene is not 3 times as slow, or a batch is faster than we."""
    for genome, seconds in found.items():
        median = {name: statistics.median(times) for name, times in seconds.items()}
        for name, time_taken in median.items():
            ratio = time_taken / median[OURS]
            single = "a call a gene" in name and "pyBigWig" in name
            if ratio < (WANTED_A_GENE if single else 1):
                raise SystemExit(f"{genome}: only {ratio:.2f} times as fast as {name}")


if __name__ == "__main__":
    main()
