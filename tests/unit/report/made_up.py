"""Made-up Runs and benchmarks, in the files that training and studies write."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd

from exprimo.core.ledger import Ledger
from exprimo.core.run import write_json, write_predictions
from exprimo.core.split import Split
from exprimo.evaluate import METRICS

HOSTILE = '<script>window.hacked=1</script>"\'&</script><img src=x onerror="window.hacked=2">'
HOSTILE_MATHS = "$\\frac{"

NUMBERS = ("pearson_r", "spearman", "r2", "mse", "mae")
CLASSES = (
    "auroc", "auprc", "mcc", "f1", "precision", "recall", "accuracy", "brier", "calibration_error",
)  # fmt: skip
PAIRED = (
    "kind", "split_a", "model_a", "split_b", "model_b", "metric", "value", "low", "high", "p",
    "n_groups",
)  # fmt: skip
# Read only: every test of pages shares it. A world that has others says so in `known`.
MODELS: Mapping[str, tuple[str, float]] = MappingProxyType({
    "cnn": ("model", 0.93),
    "kmer_linear": ("baseline", 0.78),
    "gc_content": ("baseline", 0.41),
    "mean": ("baseline", 0.0),
})  # fmt: skip
OPTIMISM = {"random": 0.03, "chromosome": 0.005, "homology": 0.0}


@dataclass(frozen=True)
class World:
    """What a made-up benchmark is asked to look like."""

    task: str = "regression"
    n: int = 600
    seeds: tuple[int, ...] = (0, 1)
    splits: tuple[str, ...] = ("random", "chromosome", "homology")
    models: tuple[str, ...] = tuple(MODELS)
    target: str = "log2 expression"
    gene: str = "YAL{:04d}W"
    beaten: bool = True
    overlaps: bool = True
    learning: bool = True
    question: str = "How well does promoter sequence tell expression on genes never seen?"
    ceiling: bool = True
    leak: bool = False
    config_note: str = ""
    known: Mapping[str, tuple[str, float]] = field(default_factory=lambda: MODELS)


def make_benchmark(folder: Path, world: World) -> Path:
    """Write a whole benchmark folder."""
    (folder / "splits").mkdir(parents=True)
    rng = np.random.default_rng(7)
    ids = np.array([f"{world.gene.format(i)}" for i in range(world.n)])
    truth = rng.normal(0, 1.6, world.n)
    classification = world.task == "classification"
    observed = (truth > 0.4).astype(float) if classification else truth
    table: list[dict[str, Any]] = []
    for split_name in world.splits:
        split = made_split(ids, split_name)
        split.save(folder / "splits" / f"{slug(split_name)}.parquet")
        for name in world.models:
            for seed in seeds_of(world, name):
                guess = guesses(truth, world, name, split_name, seed)
                run = folder / run_place(name, split_name, seed)
                metrics = make_run(run, world, name, split, observed, guess, seed)
                if seed == world.seeds[0]:
                    table += [
                        {"model": name, "role": metrics["role"], "split": split_name,
                         "metric": metric, **estimate, "unit": metrics["unit"],
                         "n_seeds": len(seeds_of(world, name))}
                        for metric, estimate in metrics["parts"]["test"].items()
                    ]  # fmt: skip
    pd.DataFrame(table).to_csv(folder / "table.tsv", sep="\t", index=False)
    headline = "auroc" if classification else "pearson_r"
    pairs = comparisons(pd.DataFrame(table), world, headline)
    pd.DataFrame(pairs, columns=list(PAIRED)).to_csv(folder / "paired.tsv", sep="\t", index=False)
    write_overlaps(folder, world, ids)
    if world.learning:
        learning_table(world, headline).to_csv(folder / "learning_curve.tsv", sep="\t", index=False)
    write_json(folder / "benchmark.json", benchmark_facts(world, headline))
    return folder


def slug(strategy: str) -> str:
    """Make a file name of a strategy."""
    return strategy.replace("*", "-x-").replace(":", "-")


def seeds_of(world: World, name: str) -> tuple[int, ...]:
    """Give the seeds that a model ran from; baselines run once."""
    return world.seeds[:1] if world.known.get(name, ("model", 0))[0] == "baseline" else world.seeds


def run_place(name: str, split: str, seed: int) -> str:
    """Give the folder of a Run in the benchmark."""
    return f"runs/{name}-{slug(split)}-s{seed}"


def made_split(ids: np.ndarray, strategy: str) -> Split:
    """Give 70% to training, 10% to validation, 18% to test; the rest to none."""
    order = np.random.default_rng(len(strategy)).random(len(ids))
    part = np.select([order < 0.7, order < 0.8, order < 0.98], ["train", "val", "test"], "none")
    notes: dict[str, int | str] = {"purged": int((part == "none").sum())}
    return Split(ids, part.astype(str), strategy, 0, "d" * 64, ("gene", "sequence"), notes)


def guesses(truth: np.ndarray, world: World, name: str, split: str, seed: int) -> np.ndarray:
    """Make predictions of about the asked-for correlation."""
    classification = world.task == "classification"
    r = min(world.known.get(name, ("model", 0.85))[1] + OPTIMISM.get(split, 0.0), 0.98)
    if name == "mean":
        return np.full(truth.size, 0.4 if classification else truth.mean())
    rng = np.random.default_rng([seed, len(name), len(split)])
    noise = rng.normal(0, truth.std(), truth.size)
    score = r * (r * truth + np.sqrt(1 - r**2) * noise)
    return 1 / (1 + np.exp(-1.6 * (score - 0.3))) if classification else score


def make_run(
    folder: Path,
    world: World,
    name: str,
    split: Split,
    observed: np.ndarray,
    guess: np.ndarray,
    seed: int,
) -> dict[str, Any]:
    """Write one Run and return its metrics."""
    folder.mkdir(parents=True)
    role = world.known.get(name, ("model", 0))[0]
    test = split.rows("test")
    metrics = run_metrics(world, name, role, observed[test], guess[test])
    write_json(folder / "metrics.json", metrics)
    split.save(folder / "split.parquet")
    sd = np.full(len(guess), np.nan)
    write_predictions(
        folder / "predictions.parquet",
        pd.DataFrame(
            {"example_id": split.example_id, "target": observed, "prediction": guess,
             "prediction_sd": sd}
        ),
    )  # fmt: skip
    history(role, seed, world.task).to_csv(folder / "history.csv", index=False)
    (folder / "config.toml").write_text(
        f'# {world.config_note}\nseed = {seed}\n\n[model]\nname = "{name}"\nwidth = 64\n\n'
        "[train]\nepochs = 20\nbatch_size = 128\nlearning_rate = 1e-3\n",
        encoding="utf-8",
    )
    Ledger({}).save(folder / "ledger.parquet")
    write_json(folder / "provenance.json", run_origin(world, split))
    return metrics


def run_metrics(
    world: World, name: str, role: str, observed: np.ndarray, guess: np.ndarray
) -> dict[str, Any]:
    """Compute the metrics; their intervals are made up, with a plausible width."""
    classification = world.task == "classification"
    groups = max(len(observed) // 3, 1)
    parts = {}
    for metric in CLASSES if classification else NUMBERS:
        known = METRICS[metric]
        extra = (0.5,) if known.needs_threshold else ()
        value = float(known.function(observed, guess, *extra))
        half = 1.2 * abs(1 - min(abs(value), 0.97)) / np.sqrt(groups) + 0.004
        parts[metric] = {
            "value": value, "low": value - half, "high": value + half,
            "n": len(observed), "n_groups": groups,
        }  # fmt: skip
    spread = float(np.quantile(np.abs(observed - guess), 0.9))
    inside = float((np.abs(observed - guess) <= spread).mean())
    return {
        "task": world.task, "target": world.target,
        "units": "" if classification else "log2(TPM + 1)",
        "model": name, "role": role, "headline": "auroc" if classification else "pearson_r",
        "unit": "homology group", "parts": {"test": parts, "val": parts},
        "threshold": {"value": 0.5, "chosen_on": "val", "criterion": "mcc"}
        if classification else None,
        "conformal": None if classification else {
            "level": 0.9, "halfwidth": spread, "scaled": False, "n": 60,
            "coverage": {"value": inside, "low": inside - 0.02, "high": inside + 0.02,
                         "n": len(observed), "n_groups": groups},
        },
        "confusion": {part: calls(observed, guess) for part in ("val", "test")}
        if classification else None,
        "majority": {"accuracy": float(max(observed.mean(), 1 - observed.mean()))}
        if classification else None,
        "leaks": [{"fitted": "weights", "unit": "gene", "n": 3,
                   "examples": [world.gene.format(i) for i in range(3)]}]
        if world.leak and role == "model" else [],
        "allow_leak": world.leak,
        "n_parameters": 1_204_353 if role == "model" else 1025, "train_seconds": 312.4,
    }  # fmt: skip


def calls(observed: np.ndarray, guess: np.ndarray) -> dict[str, float]:
    """Count the calls at a threshold of a half."""
    called = guess >= 0.5
    return {
        "threshold": 0.5,
        "tn": int((~called & (observed == 0)).sum()), "fp": int((called & (observed == 0)).sum()),
        "fn": int((~called & (observed == 1)).sum()), "tp": int((called & (observed == 1)).sum()),
    }  # fmt: skip


def history(role: str, seed: int, task: str = "regression") -> pd.DataFrame:
    """Make a training that comes to rest; a baseline has the header only."""
    columns = ["member", "epoch", "train_loss", "val_loss", "val_score", "lr", "seconds"]
    if role == "baseline":
        return pd.DataFrame(columns=columns)
    epoch = np.arange(1, 21)
    rng = np.random.default_rng(seed)
    train = 0.12 + 1.1 * np.exp(-epoch / 4) + rng.normal(0, 0.008, 20)
    val = 0.22 + 0.95 * np.exp(-epoch / 3.4) + 0.004 * np.maximum(epoch - 11, 0)
    rows = zip(epoch, train, val + rng.normal(0, 0.006, 20), strict=True)
    table = pd.DataFrame([(0, e, t, v, 1 - v, 1e-3, 9.8) for e, t, v in rows], columns=columns)
    # A regression has these columns too, empty.
    there = 1.0 if task == "classification" else np.nan
    table["train_accuracy"] = there * (0.95 - 0.3 * table["train_loss"])
    table["val_accuracy"] = there * (0.93 - 0.3 * table["val_loss"])
    return table


def run_origin(world: World, split: Split) -> dict[str, Any]:
    """Make a Run's provenance."""
    return {
        "format_version": 1, "exprimo": "0.1.0", "python": "3.11.9",
        "command": ["exprimo", "train", "D.h5", "--model", "cnn", "-o", "RUN; echo 'hi'"],
        "created": "2026-03-01T10:00:00+00:00",
        "sources": [{"path": "data/genome.fa.gz", "bytes": 3_914_002, "sha256": "9f" * 32},
                    {"path": "data/genes.gtf.gz", "bytes": 812_331, "sha256": "1c" * 32}],
        "dataset": dataset_facts(world),
        "split": {"strategy": split.strategy, "seed": split.seed, "counts": split.counts(),
                  "notes": dict(split.notes)},
        "devices": ["cpu"], "precision": "fp32", "threads": 2,
    }  # fmt: skip


def dataset_facts(world: World) -> dict[str, Any]:
    """Describe the made-up dataset."""
    return {
        "path": "yeast/D.h5", "sha256": "d" * 64, "n_examples": world.n,
        "inputs": {"sequence": {"shape": [600], "n_distinct": world.n, "dtype": "uint8"}},
        "provenance": {"genome": "R64-1-1", "command": ["exprimo", "dataset", "promoters"],
                       "dropped": {"no target": 12}},
    }  # fmt: skip


def comparisons(table: pd.DataFrame, world: World, headline: str) -> list[dict[str, Any]]:
    """Compare each pair of models on each split, and each pair of splits for each model."""
    value = table[table["metric"] == headline].set_index(["split", "model"])["value"]
    rows = []

    def add(kind: str, a: tuple[str, str], b: tuple[str, str], half: float) -> None:
        difference = float(value[a] - value[b])
        rows.append(
            {"kind": kind, "split_a": a[0], "model_a": a[1], "split_b": b[0], "model_b": b[1],
             "metric": headline, "value": difference, "low": difference - half,
             "high": difference + half, "p": 0.0004 if abs(difference) > half else 0.21,
             "n_groups": 36}
        )  # fmt: skip

    for split in world.splits:
        for i, a in enumerate(world.models):
            for b in world.models[i + 1 :]:
                add("model", (split, a), (split, b), 0.03 if world.beaten else 0.9)
    for i, a in enumerate(world.splits):
        for b in world.splits[i + 1 :]:
            for model in world.models:
                add("split", (a, model), (b, model), 0.012)
    return rows


def write_overlaps(folder: Path, world: World, ids: np.ndarray) -> None:
    """Name the torn pairs of every split but homology."""
    for split in world.splits:
        n = 0 if split == "homology" else 14
        torn = pd.DataFrame(
            {"example_id_test": ids[:n], "example_id_train": ids[n : 2 * n],
             "gene_id_test": ids[:n], "gene_id_train": ids[n : 2 * n],
             "shared": np.linspace(0.99, 0.61, n)}
        )  # fmt: skip
        torn.to_csv(folder / "splits" / f"{slug(split)}.overlaps.tsv", sep="\t", index=False)


def learning_table(world: World, headline: str) -> pd.DataFrame:
    """Make learning curves of two models."""
    rows = []
    for model in world.models[:2]:
        top = world.known.get(model, ("model", 0.8))[1]
        for seed in world.seeds:
            for fraction in (0.125, 0.25, 0.5, 1.0):
                value = top - 0.08 * (1 - fraction) ** 2 - 0.003 * seed
                n = int(0.7 * world.n * fraction)
                rows.append((model, "homology", seed, fraction, n, headline, value))
    return pd.DataFrame(
        rows, columns=["model", "split", "seed", "fraction", "n_train", "metric", "value"]
    )


def benchmark_facts(world: World, headline: str) -> dict[str, Any]:
    """Make ``benchmark.json``."""
    n_test = int(0.18 * world.n)
    runs = [
        {"model": name, "split": s, "seed": seed, "fraction": 1.0,
         "folder": run_place(name, s, seed)}
        for name in world.models for s in world.splits for seed in seeds_of(world, name)
    ]  # fmt: skip
    overlaps = {
        s: {"near_duplicate_pairs": 212, "kept": 212 if s == "homology" else 198,
            "torn": 0 if s == "homology" else 14,
            "test_with_relative_in_train": 0 if s == "homology" else 11, "n_test": n_test}
        for s in world.splits
    }  # fmt: skip
    return {
        "format_version": 1, "question": world.question, "dataset": dataset_facts(world),
        "task": world.task, "target": world.target,
        "units": "" if world.task == "classification" else "log2(TPM + 1)",
        "headline": headline,
        "models": [
            {"name": name, "role": world.known.get(name, ("model", 0))[0], "inputs": ["sequence"],
             "n_parameters": 1_204_353, "citation": "Author et al. 2020, Journal 1:2"}
            for name in world.models
        ],
        "splits": list(world.splits), "seeds": list(world.seeds), "wall_seconds": 1841.2,
        "split_files": {s: f"splits/{slug(s)}" for s in world.splits}, "runs": runs,
        "command": ["exprimo", "benchmark", "yeast/D.h5", "--models", ",".join(world.models),
                    "--splits", ",".join(world.splits), "-o", "bench"],
        "created": "2026-03-01T10:31:00+00:00", "exprimo": "0.1.0",
        "ceiling": {"value": 0.96, "what": "agreement of replicates"} if world.ceiling else None,
        "overlaps": overlaps if world.overlaps else {},
        "learning_curve": {"verdict": "more data would hardly help", "gain": 0.004,
                           "low": -0.001, "high": 0.009} if world.learning else None,
    }  # fmt: skip


def single_run(folder: Path, world: World, model: str = "cnn") -> Path:
    """Write one Run alone."""
    rng = np.random.default_rng(5)
    ids = np.array([world.gene.format(i) for i in range(world.n)])
    truth = rng.normal(0, 1.6, world.n)
    classification = world.task == "classification"
    observed = (truth > 0.4).astype(float) if classification else truth
    guess = guesses(truth, world, model, "homology", 0)
    make_run(folder, world, model, made_split(ids, "homology"), observed, guess, 0)
    return folder


def figures_in(page: str) -> dict[str, Any]:
    """Read the figures that a page carries."""
    start = page.index('id="figures">') + len('id="figures">')
    found: dict[str, Any] = json.loads(page[start : page.index("</script>", start)])
    return found
