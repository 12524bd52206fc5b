"""Whom weights were learned from, whom they may score, and how well they predict the others."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from exprimo.core.errors import MismatchError
from exprimo.core.ledger import Ledger
from exprimo.data.annotation.identifiers import strip_version
from exprimo.data.phenotypes.by_person import read_expression
from exprimo.evaluate.grouped import r2_against_training
from exprimo.genetics.cohort import folds_of
from exprimo.genetics.scores.fitting.fit import fitted_name
from exprimo.genetics.scores.scoring.observed import without_covariates
from exprimo.genetics.scores.weights.table import ALL, Weights

Int = npt.NDArray[np.int64]


def fold_of_each(people: Sequence[str], file: str | Path | None, keys: pd.DataFrame) -> Int:
    """Give the fold whose weights score each person, -1 where there are no folds."""
    if file is None:
        return np.full(len(people), ALL, dtype=np.int64)
    # Some people may be scored alone; a fold keeps the number that it has in the whole file.
    folds = folds_of(people, file=file, gaps=True)
    known = set(keys["fold"])
    unknown = sorted(set(folds.tolist()) - known)
    if unknown:
        raise MismatchError(
            "no weights were fitted without this fold",
            file=file,
            found=f"fold {unknown[0]} (numbered in order from 0)",
            expected=", ".join(str(k) for k in sorted(known)) or "a fold with weights",
            remedy="Give the folds that the scores were fitted with",
        )
    return folds


def refuse_learned(
    ledger: Ledger | None, people: Sequence[str], folds: Int, *, held_out: bool, allow: bool
) -> int:
    """Refuse to score held-out people by weights that were learned from them.

    Parameters
    ----------
    held_out
        Whether these people are held out: by folds, or because scores will be judged on them.
    allow
        Return how many there are instead.

    Examples
    --------
    >>> ledger = Ledger({"weights of everybody": {"individual": frozenset({"ann"})}})
    >>> refuse_learned(ledger, ["ann", "bob"], np.array([-1, -1]), held_out=True, allow=True)
    1
    """
    if ledger is None or not held_out:
        return 0
    learned: set[str] = set()
    for fold in np.unique(folds):
        name = fitted_name(int(fold))
        here = frozenset(who for who, k in zip(people, folds, strict=True) if k == fold)
        own = Ledger({name: ledger.learned.get(name, {})})
        for leak in own.check({"individual": here}, ("individual",), allow=allow):
            learned.update(leak.keys)
    return len(learned)


def ledger_of_scores(ledger: Ledger, folds: Int) -> Ledger:
    """Keep what the weights that scored these people learned from, by the folds left out.

    Examples
    --------
    >>> units = {"individual": frozenset({"ann"})}
    >>> names = ("weights of everybody", "weights without fold 1", "heritability of everybody")
    >>> whole = Ledger(dict.fromkeys(names, units))
    >>> sorted(ledger_of_scores(whole, np.array([1, 1])).learned)
    ['weights without fold 1']
    """
    used = tuple("of everybody" if k == ALL else f"fold {k}" for k in np.unique(folds).tolist())
    return Ledger(
        {
            name: units
            for name, units in ledger.learned.items()
            # Heritabilities are written beside the weights, and no weight comes from them.
            if name.endswith(used) and not name.startswith("heritability")
        }
    )


def judged(
    scores: pd.DataFrame,
    expression: str | Path,
    people: Sequence[str],
    weights: Weights,
    folds: Int,
    covariates: str | Path | None = None,
) -> tuple[pd.DataFrame, dict[str, dict[str, float]]]:
    """Compare scores with expression: ``gene_id, model, r2, pearson_r``, and means by model.

    R² is of our own predictions, against the training mean; others' scores have no scale, and
    only r. Where people are scored by folds, r is the mean of r within folds. A score that is the
    same for everybody has r 0. Genes are matched without the versions of their ids. Covariates are
    taken out of expression first, where they are given.
    """
    observed = read_expression(expression, people)
    genes = [gene for gene in scores["gene_id"].unique() if strip_version(gene) in observed.index]
    if not genes:
        raise MismatchError(
            "no gene with a score has expression",
            file=expression,
            found=", ".join(observed.index[:4]),
            expected=", ".join(scores["gene_id"].unique()[:4]),
        )
    if covariates is not None:
        named = [strip_version(gene) for gene in genes]
        observed = without_covariates(observed.loc[named], covariates, folds)
    column = {name: at for at, name in enumerate(people)}
    mean = weights.models.set_index(["gene_id", "model", "fold"])["intercept"]
    rows = []
    for (gene, model), part in scores[scores["gene_id"].isin(genes)].groupby(
        ["gene_id", "model"], sort=False
    ):
        at = [column[name] for name in part["sample"]]
        y = observed.loc[strip_version(str(gene))].to_numpy(np.float64)[at]
        r2 = np.nan
        told = part["score"].to_numpy(np.float64)
        if len(mean):
            told = part["prediction"].to_numpy(np.float64)
            key = pd.MultiIndex.from_frame(part[["gene_id", "model", "fold"]])
            r2 = float(r2_against_training(y, told, mean.reindex(key).to_numpy(np.float64)))
        rows.append((gene, model, r2, _within_folds(y, told, part["fold"].to_numpy(np.int64))))
    table = pd.DataFrame(rows, columns=["gene_id", "model", "r2", "pearson_r"])
    means = {}
    for model, part in table.groupby("model", sort=False):
        found = {"r2": float(part["r2"].mean()), "pearson_r": float(part["pearson_r"].mean())}
        known = {name: value for name, value in found.items() if np.isfinite(value)}
        means[str(model)] = {**known, "n_genes": len(part)}
    return table, means


def _within_folds(
    observed: npt.NDArray[np.float64], told: npt.NDArray[np.float64], fold: Int
) -> float:
    """Give the mean of r within folds, of those folds that have one."""
    each = [_correlation(observed[fold == k], told[fold == k]) for k in np.unique(fold)]
    known = [r for r in each if np.isfinite(r)]
    return float(np.mean(known)) if known else float("nan")


def _correlation(observed: npt.NDArray[np.float64], told: npt.NDArray[np.float64]) -> float:
    known = np.isfinite(observed) & np.isfinite(told)
    y, x = observed[known], told[known]
    if len(y) < 3 or np.ptp(y) == 0:
        return float("nan")
    return float(np.corrcoef(y, x)[0, 1]) if np.ptp(x) > 0 else 0.0
