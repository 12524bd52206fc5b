"""Generators of yeast promoter tiles: fidelity, memory and obedience, judged by an oracle.

    python -m benchmarks gpra_generators [--tiles FILE] [--generators diffusion,gan]
        [--minutes 30] [--threads N] [--guidance 1] [--levels-only] -o DIR

Needs the table of tiles (GSE104878), which the project does not ship: ``--tiles``, or the folder
named by EXPRIMO_REALDATA. A generator learns from nine chromosomes; the oracle learns from two
others and the random tiles; the held-out tiles are those that neither has seen. What stands in
DIR already is not made again. ``--levels-only`` draws nothing but the ten asked levels, and looks
at their fidelity too: what guidance above 1 gains, and what it costs.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

import exprimo
from exprimo import Dataset
from exprimo.core.sequence import decode
from exprimo.evaluate.regression import spearman

TEST, ORACLE_VAL, ORACLE_TEST, ORACLE = "IV", "XI", "X", ("XII", "XIII")
LEVELS, PER_LEVEL, DRAWN, RESAMPLES = 10, 100, 4000, 1000
SHOWN = ("generated", "held-out", "dinucleotide shuffle", "Markov 5 by position")


def main(arguments: Sequence[str] = ()) -> None:
    """Fit, sample, check and ask each generator, and print a table of each."""
    home = Path(os.environ.get("EXPRIMO_REALDATA", "../shared/realdata"))
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tiles", type=Path, default=home / "gpra" / "native_tiles.tsv.gz")
    parser.add_argument("--generators", default="diffusion,gan,diffusion-published,gan-published")
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--threads", type=int, default=None)
    parser.add_argument("--guidance", type=float, default=1.0)
    parser.add_argument("--levels-only", action="store_true")
    parser.add_argument("-o", "--out", type=Path, required=True)
    wanted = parser.parse_args(list(arguments))
    wanted.out.mkdir(parents=True, exist_ok=True)
    native, other = _datasets(wanted.tiles, wanted.out)
    oracle = wanted.out / "oracle-run"
    if not oracle.exists():
        exprimo.train(
            other, oracle, model="cnn",
            split={"strategy": "chromosome", "test_chroms": (ORACLE_TEST,),
                   "val_chroms": (ORACLE_VAL,)},
            machine={"threads": wanted.threads},
        )  # fmt: skip
    for family in wanted.generators.split(","):
        folder = wanted.out / family
        if not folder.exists():
            exprimo.generate_fit(
                native, folder, generator=family, condition="combined",
                split={"strategy": "chromosome", "test_chroms": (TEST,),
                       "val_chroms": (ORACLE_TEST, ORACLE_VAL, *ORACLE)},
                fit={"minutes": wanted.minutes}, machine={"threads": wanted.threads},
            )  # fmt: skip
        _judge(family, folder, native, oracle, wanted)


def _datasets(tiles: Path, out: Path) -> tuple[Path, Path]:
    """Write the native tiles, and those that the oracle may read, as two datasets."""
    table = pd.read_csv(tiles, sep="\t", dtype={"chrom": str}, keep_default_na=True)
    chrom = table["chrom"].fillna("")
    parts = {
        "native": table[chrom != ""],
        "oracle": table[chrom.isin(["", ORACLE_TEST, ORACLE_VAL, *ORACLE])],
    }
    for name, part in parts.items():
        if not (out / f"{name}.h5").exists():
            part.to_csv(out / f"{name}.tsv.gz", sep="\t", index=False)
            exprimo.dataset_table(
                out / f"{name}.tsv.gz", out=out / f"{name}.h5", sequence="core",
                target="combined", chrom="chrom", start="start", strand="strand",
            )  # fmt: skip
    return out / "native.h5", out / "oracle.h5"


def _judge(
    family: str, folder: Path, native: Path, oracle: Path, wanted: argparse.Namespace
) -> None:
    facts = exprimo_generator(folder)
    print(
        f"\n{family}: {facts['n_parameters']:,} parameters, {facts['steps']:,} steps in "
        f"{facts['fit_seconds'] / 60:.1f} minutes, learned from {facts['n_learned']:,}"
    )
    work = wanted.out / f"{family}-judged"
    work.mkdir(exist_ok=True)
    if wanted.levels_only:
        _asked_levels(folder, native, oracle, work, wanted)
        _show(_levels_checked(folder, native, oracle, work, wanted))
        return
    sample = work / "sample.h5"
    threads = wanted.threads
    if not sample.exists():
        started = time.perf_counter()
        exprimo.generate_sample(folder, sample, n=DRAWN, threads=threads, guidance=wanted.guidance)
        print(f"  {DRAWN:,} drawn in {time.perf_counter() - started:.0f} s")
    if (work / "check").exists():
        measures = pd.read_csv(work / "check" / "measures.tsv", sep="\t")
        print("  (checked before)")
    else:
        done = exprimo.generate_check(
            sample, native, work / "check", oracle=oracle, model=oracle, threads=threads
        )
        measures = done.measures
        print(
            f"  gate {done.verdict} {'; '.join(done.reasons)}; asked as in training: {done.asked}"
        )
    _show(measures)
    _asked_levels(folder, native, oracle, work, wanted)


def _show(measures: pd.DataFrame) -> None:
    wide = measures.assign(
        shown=[
            f"{v:.4f} [{a:.4f}, {b:.4f}]" for v, a, b in measures[["value", "low", "high"]].values
        ]
    ).pivot(index="measure", columns="set", values="shown")
    order = list(dict.fromkeys(measures["measure"]))
    print(wide.loc[order, list(SHOWN)].to_string())


def exprimo_generator(folder: Path) -> dict[str, object]:
    """Read what the generator says of itself."""
    import json

    found: dict[str, object] = json.loads((folder / "provenance.json").read_text(encoding="utf-8"))
    return found


def _asked_levels(
    folder: Path, native: Path, oracle: Path, work: Path, wanted: argparse.Namespace
) -> None:
    """Ask for ten levels, a hundred sequences each, and put real ones of these levels beside."""
    with Dataset.open(native) as data:
        chrom, values = data.column("chrom"), data.target("combined")
    taught = ~np.isin(chrom, [TEST, ORACLE_TEST, ORACLE_VAL, *ORACLE])
    held = np.flatnonzero(chrom == TEST)
    levels = np.quantile(values[taught], (np.arange(LEVELS) + 0.5) / LEVELS)
    asked, predicted = [], []
    for number, level in enumerate(levels):
        drawn = work / f"level{number}.h5"
        if not drawn.exists():
            exprimo.generate_sample(
                folder, drawn, n=PER_LEVEL, target=f"{level:.4f}", seed=number,
                guidance=wanted.guidance, threads=wanted.threads,
            )  # fmt: skip
        asked.append(np.full(PER_LEVEL, level))
        predicted.append(_predictions(oracle, drawn, work, wanted.threads))
    rng = np.random.default_rng(0)
    told = [("asked, generated", np.concatenate(asked), np.concatenate(predicted))]
    if not wanted.levels_only:
        by_id = _predictions(oracle, native, work, wanted.threads)
        # At each level, the hundred held-out tiles whose measured value is nearest to it.
        nearest = [held[np.argsort(abs(values[held] - at))[:PER_LEVEL]] for at in levels]
        rows = np.concatenate(nearest)
        told += [
            ("measured, held-out at the same levels", values[rows], by_id[rows]),
            ("measured, all held-out", values[held], by_id[held]),
        ]
    for name, x, y in told:
        low, high = _interval(x, y, rng)
        print(f"  rank correlation with the oracle: {name}: {spearman(x, y):.3f} "
              f"[{low:.3f}, {high:.3f}], n {len(x):,}")  # fmt: skip
    means = [f"{a:.1f}: {p.mean():.1f}" for a, p in zip(levels, predicted, strict=True)]
    print("  asked: mean predicted  " + "  ".join(means))


def _levels_checked(
    folder: Path, native: Path, oracle: Path, work: Path, wanted: argparse.Namespace
) -> pd.DataFrame:
    """Check the sequences of all levels as one set: they are as the training examples are."""
    if (work / "levels-check").exists():
        return pd.read_csv(work / "levels-check" / "measures.tsv", sep="\t")
    lines = []
    for number in range(LEVELS):
        with Dataset.open(work / f"level{number}.h5") as drawn:
            for row, codes in enumerate(drawn.rows("sequence", np.arange(PER_LEVEL))):
                lines.append(f">level{number}_{row}\n{decode(codes)}\n")
    (work / "levels.fa").write_text("".join(lines), encoding="ascii")
    done = exprimo.generate_check(
        work / "levels.fa", native, work / "levels-check", generator=folder, oracle=oracle,
        queries=200, threads=wanted.threads,
    )  # fmt: skip
    print(f"  gate {done.verdict} {'; '.join(done.reasons)}")
    return done.measures


def _predictions(
    oracle: Path, dataset: Path, work: Path, threads: int | None
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    out = work / "predictions.tsv"
    found = exprimo.predict(oracle, dataset, out, threads=threads)
    values: np.ndarray[tuple[int], np.dtype[np.float64]] = found.table["prediction"].to_numpy()
    out.unlink()
    return values


def _interval(
    x: np.ndarray[tuple[int], np.dtype[np.float64]],
    y: np.ndarray[tuple[int], np.dtype[np.float64]],
    rng: np.random.Generator,
) -> tuple[float, float]:
    drawn = []
    for _ in range(RESAMPLES):
        rows = rng.integers(0, len(x), len(x))
        drawn.append(spearman(x[rows], y[rows]))
    low, high = np.quantile(drawn, [0.025, 0.975])
    return float(low), float(high)


if __name__ == "__main__":
    main(sys.argv[1:])
