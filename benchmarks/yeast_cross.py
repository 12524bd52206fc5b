"""A real cross of yeast: what do markers tell of expression, by ridge, elastic net and stacks?

    python -m benchmarks yeast_cross [--traits 231] [--members ridge,elastic_net,...] -o DIR

Markers and expression of 112 segregants come from the folder named by EXPRIMO_REALDATA, which the
project does not ship. All predictors are judged on the same folds of segregants; intervals are
over traits and over segregants.
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

from exprimo.genetics.stacking import MEMBERS, Features, GenePredictions, StackConfig, stack_genes
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


def main(arguments: Sequence[str] = ()) -> None:
    """Stack, judge, print."""
    home = Path(os.environ.get("EXPRIMO_REALDATA", "../shared/realdata")) / "yeast_cross"
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--traits", type=int, default=0, help="so many, evenly spread; 0: all")
    parser.add_argument("--folds", type=int, default=10)
    parser.add_argument("--members", default=",".join(MEMBERS))
    parser.add_argument("-o", "--out", type=Path, required=True)
    wanted = parser.parse_args(list(arguments))
    markers, table = read_cross(home)
    step = max(1, table.shape[1] // wanted.traits) if wanted.traits else 1
    table = table.iloc[:, ::step]
    traits = table.to_numpy(np.float64).T
    n = len(markers)
    fold = np.empty(n, dtype=np.int64)
    fold[np.random.default_rng(0).permutation(n)] = np.arange(n) % wanted.folds
    config = StackConfig.checked({"members": wanted.members.split(","), "normalise": "none"})
    names = tuple(f"m{at}" for at in range(markers.shape[1]))
    # A view: every trait reads the same markers.
    x = np.broadcast_to(markers, (1, len(traits), *markers.shape))
    began = time.perf_counter()
    done = stack_genes(Features(names, x), traits, fold, config)
    took = time.perf_counter() - began
    fixed = ridge_30(markers, traits, fold)[None]
    done = GenePredictions(
        (*done.names, "ridge, penalty 30"),
        np.concatenate([done.predicted, fixed]),
        done.observed,
        done.training_mean,
        done.weights,
    )
    per_trait, scores = judge_predictors(done, list(table.columns), fold)
    wanted.out.mkdir(parents=True, exist_ok=True)
    per_trait.to_csv(wanted.out / "yeast_cross.tsv", sep="\t", index=False)
    print(f"{len(traits)} traits, {n} segregants, {wanted.folds} folds, {took:.0f} s")
    for name, one in scores.items():
        print(
            f"{name:20} R² {one.r2.value:6.3f} (traits {one.r2.low:6.3f} to {one.r2.high:6.3f}, "
            f"segregants {one.r2_people.low:6.3f} to {one.r2_people.high:6.3f})  "
            f"median r by fold {one.median_r_folds:5.2f}, "
            f"{round(one.share_above * len(traits)):3} above 0.3"
        )


if __name__ == "__main__":
    main(sys.argv[1:])
