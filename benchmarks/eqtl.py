"""Cis-eQTL mapping against tensorQTL: seconds, the same numbers, and memory at full size.

    python -m benchmarks eqtl [--tensorqtl PYTHON] [--rounds 5] [--only speed|scale]

tensorQTL gets an environment of its own (it imports pandas_plink without saying so):

    python -m venv rivals && rivals/bin/pip install torch tensorqtl==1.0.10 "pandas-plink<2.3"
    python -m benchmarks eqtl --tensorqtl rivals/bin/python

Both get arrays that are in memory already, the same threads and a warm-up, and write their tables
of pairs as parquet. What counts: from these arrays to the finished tables, so the windows, taking
the covariates out, regressions, p-values and writing; neither reads genotypes from a file. Dosages
of neighbours are in linkage disequilibrium; 700 people, 20 covariates, a variant every 3,000 bases,
windows of 1 Mb to both sides, 1,000 permutations. Of several rounds the median counts, the range
stands beside it. The profile tells which share of our permutations is spent in matrix products.

The full size is a PLINK file of 1,000,000 variants (``benchmarks/_eqtl_scale.py``): `eqtl map`
maps one chromosome of 22, `eqtl finemap` and `prs fit` a few genes.
"""

from __future__ import annotations

import argparse
import cProfile
import json
import os
import pstats
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from benchmarks._eqtl_scale import measure_scale

RIVAL = Path(__file__).parent / "rivals" / "tensorqtl_timed.py"
PEOPLE, COVARIATES, SPACING, WINDOW, PERMUTATIONS = 700, 20, 3_000, 1_000_000, 1_000
NOMINAL_TARGET, PERMUTED_TARGET, PRODUCTS_TARGET = 2.0, 2.0, 0.7


def make_data(folder: Path, variants: int, genes: int) -> None:
    """Write arrays: dosages in blocks of linkage disequilibrium, expression without an eQTL."""
    rng = np.random.default_rng(0)
    hidden = rng.normal(size=(variants, 2 * PEOPLE)).astype(np.float32)
    for i in range(1, variants):
        hidden[i] = 0.9 * hidden[i - 1] + np.sqrt(1 - 0.81) * hidden[i]
    alleles = hidden > rng.uniform(-1.2, 1.2, (variants, 1))
    dosages = alleles.reshape(variants, PEOPLE, 2).sum(axis=2)
    positions = np.arange(1, variants + 1) * SPACING
    np.save(folder / "dosages.npy", dosages.astype(np.float32))
    np.save(folder / "positions.npy", positions)
    np.save(folder / "tss.npy", np.sort(rng.integers(1, variants * SPACING, genes)))
    np.save(folder / "expression.npy", rng.normal(size=(genes, PEOPLE)))
    np.save(folder / "covariates.npy", rng.normal(size=(PEOPLE, COVARIATES)))


def cohort_of(folder: Path) -> Any:
    """Make a cohort of the arrays."""
    from exprimo.data.genotypes.view import Block
    from exprimo.data.phenotypes import PersonalExpression
    from exprimo.genetics.cohort import Cohort

    read = {path.stem: np.load(path) for path in folder.glob("*.npy")}
    dosages, starts = read["dosages"].astype(np.int8), read["positions"] - 1
    names = [f"v{i}" for i in range(len(starts))]
    table = pd.DataFrame({"chrom": "1", "start": starts, "ref": "A", "alt": "C"})
    table["variant_id"], table["record"] = names, np.arange(len(starts))

    copies = (dosages[:, :, None] > np.array([0, 1], np.int8)).astype(np.int8)
    phased = np.ones(dosages.shape, dtype=np.bool_)

    class Arrays:
        path, kind, chromosomes = folder, "arrays", ("1",)
        skipped: ClassVar[dict[str, int]] = {}
        samples = tuple(f"p{i}" for i in range(dosages.shape[1]))

        def region(self, chrom: str, start: int, end: int) -> Block:
            low, high = np.searchsorted(starts, (start, end))
            return Block(table.iloc[low:high], copies[low:high], phased[low:high], None, None)

    genes = pd.DataFrame({"gene_id": [f"g{i}" for i in range(len(read["tss"]))], "chrom": "1"})
    genes = genes.assign(start=read["tss"] - 1, end=read["tss"])
    measured = PersonalExpression(genes, Arrays.samples, read["expression"], folder)
    labels = tuple(f"c{i}" for i in range(read["covariates"].shape[1]))
    return Cohort(Arrays(), Arrays.samples, measured, read["covariates"], labels, {})


def run_ours(folder: Path, out: Path, rounds: int, threads: int) -> dict[str, Any]:
    """Time both passes and profile the permutations; called in a process of its own."""
    from exprimo.genetics.eqtl import EqtlConfig, map_cohort

    passes = {
        "nominal": EqtlConfig(permutations=0, conditional=False),
        "permutations": EqtlConfig(
            permutations=PERMUTATIONS, conditional=False, nominal=False, correction="bh"
        ),
    }
    cohort = cohort_of(folder)
    few = cohort.expression
    few = few._replace(genes=few.genes[:2], values=few.values[:2])
    found: dict[str, Any] = {}
    for name, config in passes.items():
        _fresh(out / "warm")
        map_cohort(cohort._replace(expression=few), out / "warm", config, threads=threads)
        seconds = []
        for _ in range(rounds):
            _fresh(out / name)
            began = time.perf_counter()
            map_cohort(cohort, out / name, config, threads=threads)
            seconds.append(time.perf_counter() - began)
        found[name] = seconds
    profile = cProfile.Profile()
    _fresh(out / "profiled")
    profile.runcall(map_cohort, cohort, out / "profiled", passes["permutations"])
    told = pstats.Stats(profile)
    products = [v[3] for k, v in told.stats.items() if k[2] == "multiplied"]  # type: ignore[attr-defined]  # stats is not in the stubs
    found["products"] = sum(products) / told.total_tt  # type: ignore[attr-defined]  # nor is this
    return found


def _fresh(folder: Path) -> None:
    import shutil

    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)


def worst_difference(ours: Path, theirs: Path) -> float:
    """Give the largest |difference of log10 p| over all pairs."""
    key = ["phenotype_id", "variant_id"]
    mine = pd.read_parquet(ours / "nominal" / "nominal" / "1.parquet").set_index(key)
    other = pd.read_parquet(theirs / "all.cis_qtl_pairs.1.parquet").set_index(key)
    if len(mine) != len(other):
        raise SystemExit(f"not the same pairs: {len(mine):,} and {len(other):,}")
    p = other.loc[mine.index, "pval_nominal"].to_numpy()
    return float(np.abs(np.log10(mine["pval_nominal"].to_numpy()) - np.log10(p)).max())


def in_process(command: Sequence[object], threads: int) -> dict[str, Any]:
    """Run a command whose products have so many threads; read the JSON that it prints last."""
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    done = subprocess.run(
        [str(word) for word in command],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, **dict.fromkeys(names, str(threads))},
    )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def _told(seconds: Sequence[float]) -> str:
    return f"{median(seconds):.2f} s ({min(seconds):.2f} to {max(seconds):.2f})"


def compare_speed(python: str | None, genes: int, rounds: int, threads: int) -> None:
    """Print seconds, ratios beside their targets, and the largest difference of log10 p."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        make_data(folder, variants=genes * 50, genes=genes)
        command = [sys.executable, "-m", "benchmarks.eqtl", "--ours", folder]
        ours = in_process([*command, "--rounds", rounds, "--threads", threads], 1)
        print(
            f"{genes} genes, {genes * 50:,} variants, {threads} threads, "
            f"load {os.getloadavg()[0]:.1f}\n"
            f"ours: nominal {_told(ours['nominal'])}, {PERMUTATIONS:,} permutations "
            f"{_told(ours['permutations'])}, {ours['products']:.0%} of it in matrix products "
            f"(target {PRODUCTS_TARGET:.0%} where less than {PERMUTED_TARGET:.0f} x)"
        )
        if python is None:
            print("left out: tensorQTL (see --tensorqtl above)")
            return
        rival = [python, RIVAL, folder, folder / "theirs", WINDOW, PERMUTATIONS, threads, rounds]
        theirs = in_process(rival, threads)
        for name, target in (("nominal", NOMINAL_TARGET), ("permutations", PERMUTED_TARGET)):
            print(
                f"{name:>13}: tensorQTL {_told(theirs[name])}, ours {_told(ours[name])}, "
                f"{median(theirs[name]) / median(ours[name]):.1f} x (target {target:.0f} x)"
            )
        worst = worst_difference(folder / "ours", folder / "theirs")
        print(f"largest difference of log10 p over all pairs: {worst:.1e}")


def main(arguments: Sequence[str] = ()) -> None:
    """Compare speed, then measure the full size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tensorqtl", default=os.environ.get("EXPRIMO_TENSORQTL"))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--genes", type=int, default=200)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--only", choices=["speed", "scale"])
    parser.add_argument("--ours", type=Path, help=argparse.SUPPRESS)
    wanted = parser.parse_args(list(arguments))
    if wanted.ours is not None:
        print(
            json.dumps(run_ours(wanted.ours, wanted.ours / "ours", wanted.rounds, wanted.threads))
        )
        return
    if wanted.only != "scale":
        compare_speed(wanted.tensorqtl, wanted.genes, wanted.rounds, wanted.threads)
    if wanted.only != "speed":
        measure_scale(lambda command: in_process(command, 1), wanted.threads)


if __name__ == "__main__":
    main(sys.argv[1:])
