"""Cut and one-hot encode promoter windows: seconds, side by side in one run.

    python -m benchmarks windows [--json FILE]

20,000 windows of 2,000 bp from a made-up genome of 12 Mb, in the order of an annotation. Each
contender opens the indexed FASTA and ends with all windows encoded in memory; one thread each, one
unmeasured warm-up, then rounds in which all run in turn. What is not installed is listed and left
out. Every answer is compared with ours before it counts.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

_ONE_THREAD = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "RAYON_NUM_THREADS",
    "GVL_NUM_THREADS",
    "POLARS_MAX_THREADS",
)
OURS = "exprimo"
SLOW = "pyfaidx loop, dictionary"
WANTED_RATIO = 20


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the comparison and print it; fail if we are slower than promised."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks windows")
    parser.add_argument("--windows", type=int, default=20_000)
    parser.add_argument("--length", type=int, default=2_000)
    parser.add_argument("--bases", type=int, default=12_000_000)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", type=Path, help="write the numbers there, too")
    options = parser.parse_args(arguments)
    # Before NumPy, Numba and Rust read them.
    os.environ.update(dict.fromkeys(_ONE_THREAD, "1"))
    with tempfile.TemporaryDirectory() as folder:
        seconds, absent = compare(
            Path(folder), options.windows, options.length, options.bases, options.rounds
        )
    median = {name: statistics.median(times) for name, times in seconds.items()}
    show(seconds, absent, f"{options.windows:,} windows of {options.length:,} bp")
    if options.json:
        options.json.write_text(json.dumps({"seconds": seconds, "absent": absent}, indent=1))
    if SLOW in median and median[SLOW] / median[OURS] < WANTED_RATIO:
        raise SystemExit(f"less than {WANTED_RATIO} times as fast as the {SLOW}")


def compare(
    folder: Path, n: int, length: int, bases: int, rounds: int
) -> tuple[dict[str, list[float]], list[str]]:
    """Time every contender that is installed, in turn."""
    import numpy as np

    from benchmarks.rivals.window_cutters import RIVALS

    fasta, windows = make_world(folder, n, length, bases)
    present = {name: cut for name, (module, cut) in RIVALS.items() if find_spec(module)}
    absent = [name for name in RIVALS if name not in present]
    contenders = {OURS: exprimo_windows, **present}
    expected = exprimo_windows(fasta, windows)
    for name, cut in present.items():
        found = cut(fasta, windows)
        if found.shape[1] != 4:
            found = found.transpose(0, 2, 1)
        if not np.array_equal(found, expected):
            raise SystemExit(f"{name} cuts other windows than we do")
        del found
    del expected
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    for turn in range(rounds):
        for name, cut in contenders.items():
            if name == SLOW and turn >= 3:  # it takes half the time of the whole run
                continue
            began = time.perf_counter()
            cut(fasta, windows)
            seconds[name].append(time.perf_counter() - began)
    return seconds, absent


def exprimo_windows(fasta: Path, windows: pd.DataFrame) -> Any:
    """Open, cut and encode, a chunk at a time into one array."""
    import numpy as np

    from exprimo.data.fasta import Genome
    from exprimo.features.windows import cut_intervals, one_hot

    length = int(windows["end"].iloc[0] - windows["start"].iloc[0])
    encoded = np.empty((len(windows), 4, length), dtype=np.uint8)
    done = 0
    with Genome.open(fasta) as genome:
        for part in cut_intervals(genome, windows):
            one_hot(part.codes, out=encoded[done : done + len(part.codes)])
            done += len(part.codes)
    return encoded


def make_world(folder: Path, n: int, length: int, bases: int) -> tuple[Path, pd.DataFrame]:
    """Write a random genome of 16 chromosomes, 60 bases a line, and draw windows on it."""
    import numpy as np
    import pandas as pd

    rng = np.random.default_rng(0)
    size = bases // 16
    fasta = folder / "genome.fa"
    with fasta.open("wb") as handle:
        for number in range(16):
            letters = rng.choice(np.frombuffer(b"ACGT", np.uint8), size).tobytes()
            lines = [letters[at : at + 60] for at in range(0, size, 60)]
            handle.write(b">chr%d\n" % (number + 1) + b"\n".join(lines) + b"\n")
    windows = pd.DataFrame(
        {
            "chrom": np.sort(rng.integers(0, 16, n)),
            "start": rng.integers(0, size - length, n),
            "strand": rng.choice(["+", "-"], n),
        }
    ).sort_values(["chrom", "start"], ignore_index=True)
    windows["chrom"] = "chr" + (windows["chrom"] + 1).astype(str)
    windows.insert(2, "end", windows["start"] + length)
    return fasta, windows


def show(seconds: dict[str, list[float]], absent: list[str], title: str) -> None:
    """Print a table: median seconds, range, and how many times as long as ours."""
    ours = statistics.median(seconds[OURS])
    print(f"{title}, cut and one-hot encoded, one thread")
    for name, times in sorted(seconds.items(), key=lambda item: statistics.median(item[1])):
        median = statistics.median(times)
        spread = f"{min(times):.3f}-{max(times):.3f}"
        print(f"  {name:26s} {median:8.3f} s  ({spread})  {median / ours:7.1f} x ours")
    if absent:
        print(f"  not installed: {', '.join(absent)}")


if __name__ == "__main__":
    main()
