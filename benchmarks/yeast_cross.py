"""A real cross of yeast: what do markers tell of expression, by ridge, elastic net and stacks?

    python -m benchmarks yeast_cross [--traits 231] [--members ridge,elastic_net,...] -o DIR

Markers and expression of 112 segregants come from the folder named by EXPRIMO_REALDATA, which the
project does not ship. All predictors are judged on the same folds of segregants; intervals are
over traits and over segregants. Traits are stacked in parts, in an order that is spread evenly;
``--minutes`` ends a run early, the next one goes on, and what is printed is of the traits so far.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from exprimo.core.files.atomic import atomic_file
from exprimo.genetics.stacking import (
    MEMBERS,
    METAS,
    Features,
    GenePredictions,
    StackConfig,
    stack_genes,
)
from exprimo.genetics.stacking.judging import judge_predictors
from exprimo.genetics.stacking.learners.ridge import fit_ridge


def read_cross(home: Path) -> tuple[np.ndarray, pd.DataFrame]:
    """Read markers (segregants, markers) and expression (segregants, traits)."""
    markers = pd.read_csv(home / "netReg_Brem2005_X.tsv", sep="\t", header=None)
    traits = pd.read_csv(home / "netReg_Brem2005_Y.tsv", sep="\t")
    return markers.to_numpy(np.float64), traits.rename(columns=lambda name: name.lstrip("#"))


def ridge_30(markers: np.ndarray, traits: np.ndarray, fold: np.ndarray) -> np.ndarray:
    """Predict (traits, segregants) by the ridge of the data's description: penalty 30."""
    predicted = np.empty_like(traits)
    for number in np.unique(fold):
        held = fold == number
        for row, trait in enumerate(traits):
            told = fit_ridge(markers[~held], trait[~held], 30.0).predict(markers[held])
            predicted[row, held] = told
    return predicted


def stack_part(
    path: Path,
    markers: np.ndarray,
    traits: np.ndarray,
    fold: np.ndarray,
    config: StackConfig,
) -> GenePredictions:
    """Stack some traits and keep the predictions, or read what was kept."""
    fields = ("predicted", "observed", "training_mean", "weights")
    names = (*config.members, *config.metas)
    if not path.exists():
        # A view: every trait reads the same markers.
        x = np.broadcast_to(markers, (1, len(traits), *markers.shape))
        done = stack_genes(
            Features(tuple(f"m{at}" for at in range(markers.shape[1])), x), traits, fold, config
        )
        with atomic_file(path) as partial, open(partial, "wb") as handle:
            np.savez(handle, **{name: getattr(done, name) for name in fields})
    with np.load(path) as kept:
        return GenePredictions(names, **{name: kept[name] for name in fields})


def join_parts(parts: Sequence[GenePredictions]) -> GenePredictions:
    """Put traits behind one another."""
    return GenePredictions(
        parts[0].names,
        np.concatenate([part.predicted for part in parts], axis=1),
        np.concatenate([part.observed for part in parts]),
        np.concatenate([part.training_mean for part in parts]),
        np.concatenate([part.weights for part in parts]),
    )


def main(arguments: Sequence[str] = ()) -> None:
    """Stack, judge, print."""
    home = Path(os.environ.get("EXPRIMO_REALDATA", "../shared/realdata")) / "yeast_cross"
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--traits", type=int, default=0, help="so many, evenly spread; 0: all")
    parser.add_argument("--folds", type=int, default=10)
    parser.add_argument("--inner-folds", type=int, default=5)
    parser.add_argument("--members", default=",".join(MEMBERS))
    parser.add_argument("--metas", default=",".join(METAS))
    parser.add_argument("--part", type=int, default=11, help="traits that are kept together")
    parser.add_argument("--minutes", type=float, default=np.inf, help="start no part after these")
    parser.add_argument("-o", "--out", type=Path, required=True)
    wanted = parser.parse_args(list(arguments))
    markers, table = read_cross(home)
    step = max(1, table.shape[1] // wanted.traits) if wanted.traits else 1
    table = table.iloc[:, ::step]
    n_parts = -(-table.shape[1] // wanted.part)
    rows = [np.arange(at, table.shape[1], n_parts) for at in range(n_parts)]
    traits = table.to_numpy(np.float64).T
    n = len(markers)
    fold = np.empty(n, dtype=np.int64)
    fold[np.random.default_rng(0).permutation(n)] = np.arange(n) % wanted.folds
    settings = {"members": _words(wanted.members), "metas": _words(wanted.metas)}
    settings |= {"normalise": "none", "inner_folds": wanted.inner_folds}
    config = StackConfig.checked(settings)
    wanted.out.mkdir(parents=True, exist_ok=True)
    # A part belongs to the settings that it was made with.
    same = wanted.out / "settings.json"
    said = json.dumps({**config.model_dump(mode="json"), "folds": wanted.folds, "step": step})
    if same.exists() and same.read_text() != said:
        raise SystemExit(f"{wanted.out} has parts with other settings: {same.read_text()}")
    same.write_text(said)
    began, parts = time.perf_counter(), []
    for at, here in enumerate(rows):
        if parts and time.perf_counter() - began > 60 * wanted.minutes:
            break
        kept = wanted.out / f"part{at:02d}.npz"
        # The products are small: several threads would wait for one another.
        with threadpool_limits(1, user_api="blas"):
            parts.append(stack_part(kept, markers, traits[here], fold, config))
    took = time.perf_counter() - began
    used = np.concatenate(rows[: len(parts)])
    done = join_parts(parts)
    fixed = ridge_30(markers, traits[used], fold)[None]
    done = done._replace(
        names=(*done.names, "ridge, penalty 30"),
        predicted=np.concatenate([done.predicted, fixed]),
    )
    tell(done, [table.columns[at] for at in used], fold, wanted.out)
    print(f"{len(used)} of {table.shape[1]} traits, {n} segregants, {took:.0f} s in this run")


def tell(done: GenePredictions, names: Sequence[str], fold: np.ndarray, out: Path) -> None:
    """Judge, write a table, print a line for each predictor."""
    per_trait, scores = judge_predictors(done, names, fold)
    per_trait.to_csv(out / "yeast_cross.tsv", sep="\t", index=False)
    for name, one in scores.items():
        print(
            f"{name:20} R² {one.r2.value:6.3f} (traits {one.r2.low:6.3f} to {one.r2.high:6.3f}, "
            f"segregants {one.r2_people.low:6.3f} to {one.r2_people.high:6.3f})  "
            f"median r by fold {one.median_pearson_r:5.2f}, "
            f"{round(one.share_above * len(names)):3} above 0.3"
        )


def _words(text: str) -> list[str]:
    return [word for word in text.split(",") if word]


if __name__ == "__main__":
    main(sys.argv[1:])
