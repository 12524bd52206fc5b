"""The known-truth world: how near ``cnn`` comes to the ceiling, and what a random split hides.

    python -m benchmarks world [--seeds 0,1,2] -o DIR

For each seed: the small world, its promoters, and a benchmark by homology and at random. The
ceiling is the truth's promoter component against what was observed, on the same test genes.
Wanted: the 5-mer model at least 0.1 in r below the ceiling, ``cnn`` at 90% of it or more, and a
random split above the homology split.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

import exprimo

COLUMNS = ("seed", "ceiling", "kmer_linear", "cnn", "ratio", "random", "torn")


def measure(seed: int, folder: Path) -> dict[str, float]:
    """Run the demo's study for one seed and compare with the truth."""
    done = exprimo.demo(folder, seed=seed)
    truth = pd.read_csv(folder / "world" / "truth" / "components.tsv", sep="\t", index_col=0)
    run = exprimo.Run.open(done.path / "runs" / "cnn-homology-s0")
    split = run.split
    test = split.example_id[split.rows("test")]
    table = run.predictions().set_index("example_id").loc[test]
    ceiling = float(np.corrcoef(truth.loc[test, "promoter"], table["target"])[0, 1])
    scores = done.scores[done.scores["metric"] == "pearson_r"].set_index(["model", "split"])
    named = pd.read_csv(done.path / "splits" / "random.overlaps.tsv", sep="\t")
    cnn = float(scores.loc[("cnn", "homology"), "value"])
    return {
        "seed": seed,
        "ceiling": ceiling,
        "kmer_linear": float(scores.loc[("kmer_linear", "homology"), "value"]),
        "cnn": cnn,
        "ratio": cnn / ceiling,
        "random": float(scores.loc[("cnn", "random"), "value"]),
        "torn": len(named),
    }


def main(arguments: Sequence[str] = ()) -> None:
    """Measure every seed and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("-o", "--out", type=Path, required=True)
    wanted = parser.parse_args(list(arguments))
    print("  ".join(f"{name:>11}" for name in COLUMNS))
    for seed in map(int, wanted.seeds.split(",")):
        row = measure(seed, wanted.out / f"seed{seed}")
        print("  ".join(f"{row[name]:>11.4g}" for name in COLUMNS), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
