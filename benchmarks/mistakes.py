"""What mistakes of published projects cost or seem to win, where the answer is known.

    python -m benchmarks mistakes --demo demo [--parts windows,judging,null]

``windows``: the demo's network on promoters that were read backward or from another build.
``judging``: the demo's classifier judged by hard labels, and on a downsampled test part.
``null``: what is chosen on people or genes that judge, where nothing is to be found.
What is lost on the way from genotypes to predictions is in ``repairs``.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import xgboost

import exprimo
from exprimo.core.dataset import Dataset, write_dataset
from exprimo.core.sequence import reverse_complement
from exprimo.data.fasta import Genome
from exprimo.evaluate import bootstrap, paired_difference
from exprimo.training import TrainConfig, train_run

Floats = npt.NDArray[np.float64]
SHIFT = 1_000
PARTS = ("windows", "judging", "null")


def windows(demo: Path, epochs: int) -> None:
    """Train the same network under the same split on windows that were cut wrongly."""
    truth: pd.Series | None = None
    right: npt.NDArray[np.float64] | None = None
    with (
        Dataset.open(demo / "expression/dataset.h5") as data,
        Genome.open(demo / "world/genome.fa") as genome,
    ):
        split = pd.read_parquet(demo / "expression/benchmark/splits/homology.parquet")
        split = split.set_index("example_id").loc[data.column("example_id")]
        ways = dict(_ways(data, genome))
        for name, codes in ways.items():
            told = _trained(data, split["part"].to_numpy(), codes, epochs)
            judged = told[(split["part"] == "test").to_numpy()]
            groups = split.loc[judged["example_id"], "group"].to_numpy()
            here = judged["prediction"].to_numpy(dtype=float)
            if right is None or truth is None:
                right, truth = here, judged["target"]
            r = bootstrap(truth, here, groups, ["pearson_r"])["pearson_r"]
            less = paired_difference(truth, here, right, groups, "pearson_r")
            print(f"{name:44} r {r.value:.3f} [{r.low:.3f}, {r.high:.3f}]", end="  ")
            print(f"change {less.value:+.3f} [{less.low:+.3f}, {less.high:+.3f}]", flush=True)


def _ways(data: Dataset, genome: Genome) -> Iterator[tuple[str, npt.NDArray[np.uint8]]]:
    codes = data.rows("sequence", np.arange(len(data), dtype=np.int64))
    yield "as it should be", codes
    minus = data.column("strand") == "-"
    flipped = codes.copy()
    flipped[minus] = np.stack([reverse_complement(row) for row in codes[minus]])
    yield "minus strand reverse-complemented twice", flipped
    moved = codes.copy()
    places = zip(data.column("chrom"), data.column("start"), data.column("end"), minus, strict=True)
    for row, (chrom, start, end, turned) in enumerate(places):
        stop = min(int(end) + SHIFT, genome.lengths[chrom])
        found = genome.fetch(chrom, stop - int(end - start), stop)
        moved[row] = reverse_complement(found) if turned else found
    yield f"coordinates that are {SHIFT} bases off", moved


def _trained(
    data: Dataset, part: npt.NDArray[np.object_], codes: npt.NDArray[np.uint8], epochs: int
) -> pd.DataFrame:
    """Write the dataset with these sequences and its split as a column; train; predict."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "D.h5"
        with write_dataset(path, {"made": "benchmarks mistakes"}) as out:
            out.examples(data.examples().assign(part=part))
            out.input("sequence", [codes])
            target = data.the_target(None)
            out.target(target.name, data.target(target.name), kind=target.kind)
        config = TrainConfig.checked(
            {
                "dataset": str(path),
                "model": "cnn",
                "split": {"strategy": "column:part"},
                "fit": {"epochs": epochs},
                "machine": {"threads": 1},
            }
        )
        return train_run(config, Path(folder) / "RUN").predictions()


def judging(demo: Path) -> None:
    """Judge one classifier by its scores and by hard labels, as it is and downsampled."""
    run = exprimo.Run.open(demo / "differential/benchmark/runs/cnn-homology-s0")
    told = run.predictions()
    told = told[told["example_id"].isin(_test_ids(run))]
    label = told["target"].to_numpy() == 1
    score = told["prediction"].to_numpy(dtype=float)
    threshold = float(run.metrics["threshold"]["value"])
    call = score > threshold
    right = bootstrap(label.astype(float), score, None, ["auroc", "auprc"])
    hard = (call[label].mean() + (~call[~label]).mean()) / 2
    print(f"{label.sum()} of {len(label)} test genes changed")
    print(f"AUROC from scores {right['auroc'].value:.3f}, from hard labels {hard:.3f}")
    half = (score > 0.5)[label].mean() / 2 + (score <= 0.5)[~label].mean() / 2
    print(f"  hard labels at 0.5: {half:.3f}")
    rng = np.random.default_rng(0)
    precision, auprc = [], []
    for _ in range(200):
        kept = rng.choice(np.flatnonzero(~label), label.sum(), replace=False)
        rows = np.concatenate([np.flatnonzero(label), kept])
        precision.append(label[rows][call[rows]].mean())
        auprc.append(_average_precision(label[rows], score[rows]))
    print(f"precision {label[call].mean():.3f} as they are, {np.mean(precision):.3f} one in two")
    print(f"AUPRC {_average_precision(label, score):.3f} and {np.mean(auprc):.3f}")


def _test_ids(run: exprimo.Run) -> set[str]:
    return set(run.split.example_id[run.split.rows("test")])


def _average_precision(label: npt.NDArray[np.bool_], score: Floats) -> float:
    order = np.argsort(-score, kind="stable")
    hits = label[order]
    return float((np.cumsum(hits) / np.arange(1, len(hits) + 1))[hits].mean())


def null(seeds: int) -> None:
    """Look for something where nothing is."""
    rng = np.random.default_rng(0)
    stopped = np.array([_stopped(rng) for _ in range(seeds)])
    for name, column in zip(
        ("100 rounds", "best on validation", "best on test"), stopped.T, strict=True
    ):
        print(f"boosted trees, labels drawn, {name:20} AUROC {_mean(column)}")
    chosen = np.array([_chosen(rng) for _ in range(10 * seeds)])
    names = ("variant chosen in the fold", "variant chosen on all people", "training mean, pooled")
    for name, column in zip(names, chosen.T, strict=True):
        print(f"200 people, 500 variants, {name:30} r {_mean(column)}")


def _mean(values: Floats) -> str:
    error = values.std(ddof=1) / np.sqrt(len(values))
    return f"{values.mean():+.3f} [{values.mean() - 1.96 * error:+.3f}, " + (
        f"{values.mean() + 1.96 * error:+.3f}] ({len(values)} worlds)"
    )


def _stopped(rng: np.random.Generator) -> tuple[float, float, float]:
    """Trees on random sequences and random labels; AUROC on test after three ways to stop."""
    bases = rng.integers(0, 4, (600, 200))
    one_hot = np.eye(4, dtype=np.float32)[bases].reshape(600, -1)
    label = rng.permutation(np.arange(600) % 2)
    parts = np.split(np.arange(600), [400, 500])
    train, val, test = (xgboost.DMatrix(one_hot[p], label=label[p]) for p in parts)
    seen: dict[str, dict[str, list[float]]] = {}
    settings = {"objective": "binary:logistic", "eval_metric": "auc", "nthread": 1}
    xgboost.train(
        settings,
        train,
        num_boost_round=100,
        evals=[(val, "val"), (test, "test")],
        evals_result=seen,
        verbose_eval=False,
    )
    on_test = seen["test"]["auc"]
    return on_test[-1], on_test[int(np.argmax(seen["val"]["auc"]))], max(on_test)


def _chosen(rng: np.random.Generator) -> tuple[float, float, float]:
    """Pick one of 500 variants and draw a line through it; r on people who were left out."""
    people, variants, folds = 200, 500, 5
    dosage = rng.binomial(2, 0.3, (people, variants)).astype(float)
    expression = rng.normal(size=people)
    fold = rng.permutation(np.arange(people) % folds)
    best = _strongest(dosage, expression)
    inside, outside, mean = np.zeros((3, people))
    for one in range(folds):
        train, test = fold != one, fold == one
        own = _strongest(dosage[train], expression[train])
        for told, column in ((inside, own), (outside, best)):
            slope, start = np.polyfit(dosage[train, column], expression[train], 1)
            told[test] = start + slope * dosage[test, column]
        mean[test] = expression[train].mean()
    within = [
        float(np.mean([_r(told[fold == f], expression[fold == f]) for f in range(folds)]))
        for told in (inside, outside)
    ]
    return within[0], within[1], _r(mean, expression)


def _strongest(dosage: Floats, expression: Floats) -> int:
    standard = (dosage - dosage.mean(0)) / (dosage.std(0) + 1e-9)
    return int(np.abs(standard.T @ (expression - expression.mean())).argmax())


def _r(a: Floats, b: Floats) -> float:
    return float(np.corrcoef(a, b)[0, 1]) if a.std() > 0 and b.std() > 0 else 0.0


def main(arguments: list[str]) -> None:
    """Print each mistake beside the right way."""
    parser = argparse.ArgumentParser(prog="benchmarks mistakes")
    parser.add_argument("--demo", type=Path, required=True, help="folder of exprimo demo")
    parser.add_argument("--parts", default=",".join(PARTS))
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--seeds", type=int, default=100)
    given = parser.parse_args(arguments)
    wanted = given.parts.split(",")
    if "windows" in wanted:
        windows(given.demo, given.epochs)
    if "judging" in wanted:
        judging(given.demo)
    if "null" in wanted:
        null(given.seeds)
