"""The yeast reporter assay: ``cnn`` against a 5-mer ridge on chromosomes that neither saw.

    python -m benchmarks gpra [--tiles FILE] [--test IV] [--val XVI] [--splits ...] -o DIR

Needs the table of tiles (GSE104878), which the project does not ship: ``--tiles``, or the folder
named by EXPRIMO_REALDATA. Prints r with intervals, the seconds of training, and the replicates'
agreement on the same tiles, which bounds any model.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

import exprimo

PREFIX, SUFFIX = "AACTGCATTTTTTTCACATC", "GGTTACGGCTGTTTCTTAAT"


def main(arguments: Sequence[str] = ()) -> None:
    """Build the dataset, benchmark, and print what bounds it."""
    home = Path(os.environ.get("EXPRIMO_REALDATA", "../shared/realdata"))
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tiles", type=Path, default=home / "gpra" / "native_tiles.tsv.gz")
    parser.add_argument("--test", default="IV")
    parser.add_argument("--val", default="XVI")
    parser.add_argument("--splits", default="chromosome")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--fractions", default="")
    parser.add_argument("-o", "--out", type=Path, required=True)
    wanted = parser.parse_args(list(arguments))
    dataset = wanted.out / "gpra.h5"
    if not dataset.exists():
        wanted.out.mkdir(parents=True, exist_ok=True)
        built = exprimo.dataset_table(
            wanted.tiles,
            out=dataset,
            sequence="core",
            target="combined",
            chrom="chrom",
            start="start",
            strand="strand",
            prefix=PREFIX,
            suffix=SUFFIX,
        )
        print("\n".join(built.lines))
    done = exprimo.benchmark(
        dataset,
        wanted.out / "benchmark",
        splits=wanted.splits.split(","),
        test_chroms=wanted.test.split(","),
        val_chroms=wanted.val.split(","),
        seeds=wanted.seeds,
        fractions=[float(f) for f in wanted.fractions.split(",") if f],
        question="How well is reporter expression predicted on unseen yeast chromosomes?",
        resume=True,
    )
    shown = done.scores[done.scores["metric"].isin(["pearson_r", "spearman", "r2"])]
    print(shown.to_string(index=False))
    print(done.paired.to_string(index=False))
    for run in sorted((done.path / "runs").iterdir()):
        print(f"{run.name}: {exprimo.Run.open(run).metrics['train_seconds']:.0f} s of training")
    tiles = pd.read_csv(wanted.tiles, sep="\t")
    held = tiles[tiles["chrom"].isin(wanted.test.split(","))].dropna(subset=["rep1", "rep2"])
    print(f"replicates agree at r = {np.corrcoef(held['rep1'], held['rep2'])[0, 1]:.3f} there")


if __name__ == "__main__":
    main(sys.argv[1:])
