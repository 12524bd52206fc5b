"""Differential expression against R's DESeq2 and PyDESeq2, and 500 samples of 60,000 genes.

    python -m benchmarks dge [--pydeseq2 PYTHON] [--rounds 3] [--only speed|scale] [--data yeast]

Real counts come from the folder named by EXPRIMO_REALDATA. R's DESeq2 is Debian's r-bioc-deseq2.
PyDESeq2 pins other versions than ours, so it gets an environment of its own:

    python -m venv rivals && rivals/bin/pip install pydeseq2==0.5.4
    python -m benchmarks dge --pydeseq2 rivals/bin/python

Each is timed in one process on tables that are already read, after a warm-up on 1,000 genes, with
the same threads: one beside R, which has no more, and two beside PyDESeq2. All do the same work:
size factors, dispersions, coefficients, outliers, tests, adjustment.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from exprimo.data.counts import join_counts, read_counts
from exprimo.data.samples import read_samples

RIVALS = Path(__file__).parent / "rivals"
FASTER_THAN_R, FASTER_THAN_PYDESEQ2 = 3.0, 30.0
GENES, SAMPLES, MOST_GIB = 60_000, 500, 4.0

_OURS = """
import json, sys, time
from pathlib import Path
import pandas as pd
from exprimo.data.counts import read_counts
from exprimo.data.samples import read_samples
from exprimo.labels import DgeConfig, find_differential
import dataclasses
counts_file, sheet_file, factor, numerator, denominator, out, threads, rounds = sys.argv[1:]
counts, sheet = read_counts(counts_file), read_samples(sheet_file)
config = DgeConfig(design=f"~ {factor}", contrast=(factor, numerator, denominator),
                   threads=int(threads), lfc=0, blind=False)
most = counts.matrix.sum(axis=1).nlargest(1000).index
find_differential(dataclasses.replace(counts, matrix=counts.matrix.loc[most]), sheet, config)
seconds = []
for _ in range(int(rounds)):
    began = time.perf_counter()
    found = find_differential(counts, sheet, config)
    seconds.append(time.perf_counter() - began)
found.results.to_csv(out, sep="\\t")
print("seconds", sorted(seconds)[len(seconds) // 2])
"""

_WHOLE = """
import json, resource, sys, time
import exprimo
began = time.perf_counter()
exprimo.dge(sys.argv[1], sys.argv[2], sys.argv[3], design="~ group", threads=2)
seconds = time.perf_counter() - began
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
print(json.dumps({"seconds": seconds, "peak_gib": peak}))
"""


class Case(NamedTuple):
    """Counts and a sheet on disk, and the question."""

    name: str
    counts: Path
    sheet: Path
    question: tuple[str, str, str]


def real_cases(home: Path, folder: Path) -> list[Case]:
    """Write both real experiments as plain tables that every rival reads."""
    human = home / "dge" / "gse248760"
    counts = read_counts(human / "GSE248760_raw_counts.txt.gz").matrix
    sheet = read_samples(human / "GSE248760_meta_data.csv")
    yeast = join_counts(
        [read_counts(home / "yeast" / f"profDGE48_{s}_countdata.tar.gz") for s in ("WT", "Snf2")]
    ).matrix
    strains = [str(name).partition("_")[0] for name in yeast.columns]
    plan = pd.DataFrame({"strain": strains}, index=pd.Index(yeast.columns, name="sample"))
    made = [
        ("GSE248760", counts[list(sheet.index)], sheet, ("status", "IS", "C")),
        ("yeast 48+48", yeast, plan, ("strain", "Snf2", "WT")),
    ]
    cases = []
    for name, matrix, table, question in made:
        case = Case(name, folder / f"{name}.counts.tsv", folder / f"{name}.sheet.tsv", question)
        matrix.to_csv(case.counts, sep="\t")
        table.to_csv(case.sheet, sep="\t")
        cases.append(case)
    return cases


def timed(command: Sequence[object], case: Case, out: Path, *more: object) -> float:
    """Run one tool on a case and give the seconds that it prints last."""
    words = [*command, case.counts, case.sheet, *case.question, out, *more]
    one = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    done = subprocess.run(
        [str(word) for word in words],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, **one},
    )
    return float(done.stdout.split()[-1])


def agreement(ours: Path, theirs: Path) -> str:
    """Say how many genes both call (padj < 0.05, two-fold twice)."""
    called = []
    for path in (ours, theirs):
        table = pd.read_csv(path, sep="\t", index_col=0, skipinitialspace=True)
        kept = (table["log2FoldChange"].abs() > 2) & (table["padj"] < 0.05)
        called.append(set(table.index[kept]))
    return f"{len(called[0] & called[1]):,} of {len(called[0]):,} and {len(called[1]):,}"


def compare_speed(home: Path, pydeseq2: str | None, rounds: int, data: str) -> None:
    """Print seconds, ratios beside their targets, and whether the calls agree."""
    rivals: list[tuple[str, list[object], list[int], float]] = []
    if shutil.which("Rscript") is None:
        print("left out: R (install Debian's r-bioc-deseq2)")
    else:
        rivals.append(("R DESeq2", ["Rscript", RIVALS / "deseq2.R"], [1], FASTER_THAN_R))
    if pydeseq2 is None:
        print("left out: PyDESeq2 (see --pydeseq2 above)")
    else:
        script = [pydeseq2, RIVALS / "pydeseq2_timed.py"]
        rivals.append(("PyDESeq2", script, [2], FASTER_THAN_PYDESEQ2))
    heads = ("data", "rival", "threads", "theirs s", "ours s", "ratio", "target", "load")
    print("".join(f"{head:>13}" for head in heads) + "  both call, of ours and theirs")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        for case in real_cases(home, folder):
            if data not in case.name:
                continue
            for name, command, threads, target in rivals:
                for n in threads:
                    mine, their_table = folder / "ours.tsv", folder / "theirs.tsv"
                    load = os.getloadavg()[0]
                    ours = timed([sys.executable, "-c", _OURS], case, mine, n, rounds)
                    more = [n] if name == "PyDESeq2" else []
                    theirs = timed(command, case, their_table, *more)
                    print(
                        f"{case.name:>13}{name:>13}{n:>13}{theirs:>13.1f}{ours:>13.2f}"
                        f"{theirs / ours:>12.1f}x{target:>12.0f}x{load:>13.1f}  "
                        f"{agreement(mine, their_table)}",
                        flush=True,
                    )


def make_large(folder: Path, genes: int, samples: int) -> tuple[Path, Path]:
    """Write negative binomial counts, a tenth of the genes changed, in blocks."""
    rng = np.random.default_rng(0)
    counts, sheet = folder / "large.tsv", folder / "large_samples.tsv"
    names = [f"s{i}" for i in range(samples)]
    group = np.arange(samples) % 2
    depth = np.exp(rng.normal(0, 0.3, samples))
    with open(counts, "w", encoding="utf-8") as handle:
        handle.write("\t".join(["gene_id", *names]) + "\n")
        for start in range(0, genes, 2000):
            n = min(2000, genes - start)
            mean = np.exp(rng.normal(4, 2, (n, 1)))
            change = rng.normal(0, 1, (n, 1)) * (rng.random((n, 1)) < 0.1)
            size = 1 / (0.1 + 2 / mean)
            mu = mean * np.exp(change * group) * depth
            block = rng.negative_binomial(size, size / (size + mu))
            for i, row in enumerate(block.tolist()):
                handle.write(f"g{start + i}\t" + "\t".join(map(str, row)) + "\n")
    pd.DataFrame({"sample": names, "group": np.where(group, "b", "a")}).to_csv(
        sheet, sep="\t", index=False
    )
    return counts, sheet


def measure_scale(genes: int, samples: int) -> None:
    """Run the whole command, from file to figures, in a fresh process."""
    with tempfile.TemporaryDirectory() as scratch:
        counts, sheet = make_large(Path(scratch), genes, samples)
        out = Path(scratch) / "DGE"
        done = subprocess.run(
            [sys.executable, "-c", _WHOLE, str(counts), str(sheet), str(out)],
            capture_output=True,
            text=True,
            check=True,
        )
        found = json.loads(done.stdout.splitlines()[-1])
    print(
        f"{samples} samples of {genes:,} genes, from counts to figures on two threads: "
        f"{found['seconds']:.0f} s, peak {found['peak_gib']:.2f} GiB (target {MOST_GIB:.0f} GiB), "
        f"load {os.getloadavg()[0]:.1f}"
    )


def main(arguments: Sequence[str] = ()) -> None:
    """Compare speed, then measure the large table."""
    home = Path(os.environ.get("EXPRIMO_REALDATA", "../shared/realdata"))
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pydeseq2", default=os.environ.get("EXPRIMO_PYDESEQ2"))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", choices=["speed", "scale"])
    parser.add_argument("--data", default="", help="part of the name of one experiment")
    parser.add_argument("--genes", type=int, default=GENES)
    parser.add_argument("--samples", type=int, default=SAMPLES)
    wanted = parser.parse_args(list(arguments))
    if wanted.only != "scale":
        compare_speed(home, wanted.pydeseq2, wanted.rounds, wanted.data)
    if wanted.only != "speed":
        measure_scale(wanted.genes, wanted.samples)


if __name__ == "__main__":
    main(sys.argv[1:])
