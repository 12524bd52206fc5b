"""Yeast promoters against mean log expression of 48 wild-type RNA-seq samples.

    python -m benchmarks yeast [--upstream 500] [--downstream 100] -o DIR

Genome, TSS-adjusted transcripts, names and counts come from the folder named by
EXPRIMO_REALDATA, which the project does not ship. Baselines and ``cnn`` on held-out chromosomes.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

import exprimo
from exprimo.data.counts import read_counts


def write_expression(counts: Path, out: Path) -> None:
    """Write the mean over samples of log2(counts per million + 1), one row per gene."""
    matrix = read_counts(counts).matrix
    per_million = matrix / matrix.sum(axis=0) * 1e6
    mean = np.log2(per_million + 1).mean(axis=1).rename("expression")
    # A gene that no sample has seen was not measured.
    mean[(matrix == 0).all(axis=1)] = np.nan
    mean.to_csv(out, sep="\t", index_label="gene_id")


def main(arguments: Sequence[str] = ()) -> None:
    """Build the dataset, benchmark, print."""
    home = Path(os.environ.get("EXPRIMO_REALDATA", "../shared/realdata")) / "yeast"
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--upstream", type=int, default=500)
    parser.add_argument("--downstream", type=int, default=100)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--splits", default="chromosome")
    parser.add_argument("-o", "--out", type=Path, required=True)
    wanted = parser.parse_args(list(arguments))
    wanted.out.mkdir(parents=True, exist_ok=True)
    expression, dataset = wanted.out / "expression.tsv", wanted.out / "yeast.h5"
    if not dataset.exists():
        write_expression(home / "profDGE48_WT_countdata.tar.gz", expression)
        built = exprimo.dataset_promoters(
            fasta=home / "Saccharomyces_cerevisiae.R64-1-1.dna.toplevel.fa.gz",
            genes=home / "Scer_polIItranscripts-adjustedTSS.bed",
            gene_names=home / "Scer-sys-to-common-name.tsv",
            targets=expression,
            target="expression",
            upstream=wanted.upstream,
            downstream=wanted.downstream,
            out=dataset,
        )
        print("\n".join(built.lines))
    done = exprimo.benchmark(
        dataset,
        wanted.out / "benchmark",
        splits=wanted.splits.split(","),
        seeds=wanted.seeds,
        question="Do yeast promoters predict mean expression on unseen chromosomes?",
        resume=True,
    )
    shown = done.scores[done.scores["metric"].isin(["pearson_r", "spearman", "r2"])]
    print(shown.to_string(index=False))
    print(done.paired.to_string(index=False))


if __name__ == "__main__":
    main(sys.argv[1:])
