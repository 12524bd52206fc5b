"""Worlds without heritability: does any predictor of people apart find something in nothing?

    python -m benchmarks null_world [--genes 200] [--seeds 20] [--first 0] -o null_world.tsv

Expression knows nothing of the variants. Everything is learned from some people and judged on
others; a predictor that selects nothing counts as r = 0. The mean r of each must have 0 within its
99.9% interval. Rows of seeds that the file has already are kept, so that a long run can be cut in
pieces.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from threadpoolctl import threadpool_limits

from exprimo.evaluate.grouped import score_genes
from exprimo.genetics.scores.fitting import ScoresConfig, fit_sets
from exprimo.genetics.stacking import StackConfig
from exprimo.genetics.stacking.cis import PREFIX, nested_sets
from exprimo.genetics.stacking.nested import Rows, stack_rows
from exprimo.genetics.stacking.parts import Part, inner_parts

Floats = npt.NDArray[np.float64]
Told = dict[str, Floats]

TRAIN, PEOPLE, VARIANTS = 40, 70, 15
TEST = np.arange(PEOPLE) >= TRAIN
# Few trees: many small worlds tell more of a bias than few large ones.
STACK = StackConfig(inner_folds=3, forest_trees=6, boosting_rounds=10, meta_rounds=10)
LINEAR = STACK.model_copy(update={"members": ("ridge", "polynomial", "elastic_net")})
SCORES = ScoresConfig.checked({"inner_folds": 3, "polygenic": {"inner_folds": 3}})
NESTED = ("p+t", "elastic_net")
_Z = 3.2905


class Gene(NamedTuple):
    """Linked variants (variants, people), and expression (people,) that knows nothing of them."""

    dosage: Floats
    expression: Floats

    @property
    def features(self) -> Floats:
        """Give (people, features): every third variant."""
        return self.dosage[::3].T


def draw_gene(rng: np.random.Generator) -> Gene:
    """Draw a gene whose variants stand in blocks of five."""
    ancestor = rng.binomial(2, 0.4, (VARIANTS // 5, PEOPLE))
    dosage = np.repeat(ancestor, 5, axis=0)
    other = rng.random(dosage.shape) < 0.2
    dosage[other] = rng.binomial(2, 0.4, other.sum())
    return Gene(dosage.astype(float), rng.normal(size=PEOPLE))


def cis_predictions(gene: Gene, seed: int, n_inner: int = 3) -> tuple[Told, Floats]:
    """Give predictions of the test people, and nested features of everybody, (people, models)."""
    sets = nested_sets(TEST.astype(np.int64), n_inner, seed)
    mine = np.flatnonzero(sets.outer == 1)
    fits = fit_sets(
        gene.dosage, np.arange(VARIANTS), gene.expression, np.empty((PEOPLE, 0)),
        sets.training[mine], SCORES, linked=sets.linked()[mine],
    )  # fmt: skip
    features = np.zeros((PEOPLE, len(NESTED)))
    for at, fit in zip(mine, fits, strict=True):
        people = sets.scored[at]
        for column, model in enumerate(NESTED):
            features[people, column] = fit[model].away_from_mean(gene.dosage[:, people])
    told = {
        PREFIX + name: score.away_from_mean(gene.dosage[:, TEST]) for name, score in fits[0].items()
    }
    return told, features


def stack_predictions(
    features: Floats, genes: Sequence[Gene], config: StackConfig, seed: int
) -> dict[str, Floats]:
    """Stack genes, (genes * people, features), in one model; give (genes, test people) by name."""
    n = len(genes)
    person, code = np.tile(np.arange(PEOPLE), n), np.repeat(np.arange(n), PEOPLE)
    held = TEST[person]
    target = np.concatenate([gene.expression for gene in genes])

    def inner(part: Part) -> object:
        return inner_parts(part, person, code, config.inner_folds, genes_too=False, seed=seed)

    done = stack_rows(
        Rows(features, target, code), [Part(~held, held, ~held)], inner, config, seed=seed
    )
    told = done.predicted[:, held].reshape(len(done.names), n, -1)
    return dict(zip(done.names, told, strict=True))


def test_r(genes: Sequence[Gene], told: Mapping[str, Floats]) -> dict[str, Floats]:
    """Give Pearson's r of each gene's test people, (genes,), by predictor; 0 for a constant one."""
    observed = np.stack([gene.expression[TEST] for gene in genes])
    mean = np.zeros_like(observed)
    return {name: score_genes(observed, values, mean, "pearson_r") for name, values in told.items()}


def judge_world(seed: int, n_genes: int, config: StackConfig = STACK) -> pd.DataFrame:
    """Draw one world and judge every predictor; give ``seed, gene, predictor, r``."""
    rng = np.random.default_rng(seed)
    genes = [draw_gene(rng) for _ in range(n_genes)]
    alone: dict[str, list[Floats]] = {}
    nested = []
    for gene in genes:
        told, features = cis_predictions(gene, seed)
        nested.append(features)
        for name, values in stack_predictions(gene.features, [gene], config, seed).items():
            told[name] = values[0]
        quick = LINEAR if config is STACK else config
        for name, values in stack_predictions(features, [gene], quick, seed).items():
            told[f"{name} of cis-features"] = values[0]
        for name, values in told.items():
            alone.setdefault(name, []).append(values)
    found = {name: np.stack(values) for name, values in alone.items()}
    together = np.concatenate([gene.features for gene in genes])
    # All learners here: one fit serves all genes.
    for name, values in stack_predictions(together, genes, STACK, seed).items():
        found[f"{name}, all genes"] = values
    for name, values in stack_predictions(np.concatenate(nested), genes, STACK, seed).items():
        found[f"{name} of cis-features, all genes"] = values
    return pd.DataFrame(test_r(genes, found)).rename_axis("gene").reset_index().melt(
        "gene", var_name="predictor", value_name="r"
    ).assign(seed=seed)  # fmt: skip


def verdict(table: pd.DataFrame) -> pd.DataFrame:
    """Give each predictor's mean r over genes and seeds, half of its 99.9% interval, and n."""
    r = table.groupby("predictor", sort=False)["r"].agg(["mean", "std", "count"])
    half = _Z * r["std"] / np.sqrt(r["count"])
    nothing = table["r"].eq(0).groupby(table["predictor"], sort=False).mean()
    return pd.DataFrame(
        {
            "mean_r": r["mean"],
            "half": half,
            "holds_0": r["mean"].abs() <= half,
            "share_nothing": nothing,
            "n": r["count"],
        }
    )


def main(arguments: Sequence[str] = ()) -> None:
    """Draw, judge, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--genes", type=int, default=200)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--first", type=int, default=0, help="first seed")
    parser.add_argument("-o", "--out", type=Path, required=True)
    wanted = parser.parse_args(list(arguments))
    tables = [pd.read_csv(wanted.out, sep="\t")] if wanted.out.exists() else []
    known = set(tables[0]["seed"]) if tables else set()
    for seed in range(wanted.first, wanted.first + wanted.seeds):
        if seed in known:
            continue
        began = time.perf_counter()
        # The products are small: several threads would wait for one another.
        with threadpool_limits(1, user_api="blas"):
            tables.append(judge_world(seed, wanted.genes))
        pd.concat(tables).to_csv(wanted.out, sep="\t", index=False)
        print(f"seed {seed}: {time.perf_counter() - began:.0f} s", flush=True)
    found = verdict(pd.concat(tables))
    print(found.round(4).to_string())
    print(f"{int((~found['holds_0']).sum())} of {len(found)} without 0 in the 99.9% interval")


if __name__ == "__main__":
    main(sys.argv[1:])
