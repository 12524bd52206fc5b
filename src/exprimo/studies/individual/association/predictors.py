"""Every predictor on the same people, folds and genes: models, cis scores, members, stacks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from exprimo.core.errors import MismatchError
from exprimo.evaluate import Estimate
from exprimo.evaluate.grouped import judge_genes
from exprimo.evaluate.grouped.people import mean_over_groups
from exprimo.genetics.stacking.judging import judge_within_folds
from exprimo.genetics.stacking.learners.ridge import fit_ridge
from exprimo.studies.individual.agreement import read_predicted
from exprimo.studies.individual.association.egenes import read_table
from exprimo.studies.individual.association.given import Given
from exprimo.studies.individual.association.stages import SCORES, STACK
from exprimo.studies.individual.association.truth import interval

Floats = npt.NDArray[np.float64]
MODEL, CIS, MEMBER, META = "model", "cis", "member", "stack"
CALIBRATED = " (calibrated)"
CIS_PREFIX = "cis_"
_NOT_PREDICTORS = ("gene_id", "individual", "fold", "observed", "training_mean")
# Between what two of our own stages made of the same expression.
_SAME = 1e-6
# Of a prediction's mean: smaller differences between people are rounding.
_STILL = 1e-6
_DRAWS = 2000


class Predictors(NamedTuple):
    """Predictions for people who were held out.

    Attributes
    ----------
    genes, people, folds
        Names, and each person's fold.
    kinds
        Predictor -> model, cis, member or stack.
    predicted
        Predictor -> (genes, people). Of a model itself, which knows no scale, distances from
        the training mean in its own units: no R² comes of them.
    observed, training_mean
        (genes, people): expression less covariates, and the mean of those who trained.
    """

    genes: tuple[str, ...]
    people: tuple[str, ...]
    folds: npt.NDArray[np.int64]
    kinds: Mapping[str, str]
    predicted: Mapping[str, Floats]
    observed: Floats
    training_mean: Floats


def read_predictors(
    given: Given, folders: Mapping[str, Path], expression: Floats, covariates: Floats | None
) -> Predictors:
    """Gather what was predicted of the drawn genes.

    Parameters
    ----------
    folders
        Model -> where its personal predictions stand.
    expression, covariates
        (drawn genes, people), (people, covariates), in the order of ``given``.
    """
    observed, mean = left_of_folds(expression, covariates, given.folds)
    kinds: dict[str, str] = {}
    predicted: dict[str, Floats] = {}
    for name, place in folders.items():
        told = read_predicted(place / "people.parquet").loc[list(given.drawn), list(given.people)]
        values = told.to_numpy(np.float64)
        kinds[name], predicted[name] = MODEL, mean + values
        calibrated = calibrate(values, expression, covariates, given.folds)
        kinds[name + CALIBRATED], predicted[name + CALIBRATED] = MODEL, calibrated
    for name, values in _cis(given, observed).items():
        kinds[name], predicted[name] = CIS, values
    members = set(given.settings.members)
    for name, values in _stacked(given, observed).items():
        kinds[name], predicted[name] = (MEMBER if name in members else META), values
    return Predictors(given.drawn, given.people, given.folds, kinds, predicted, observed, mean)


def left_of_folds(
    expression: Floats, covariates: Floats | None, folds: npt.NDArray[np.int64]
) -> tuple[Floats, Floats]:
    """Give expression less covariates, and its mean among those who train, (genes, people) each.

    What covariates explain, and the mean, are those of the people outside each person's fold.

    Examples
    --------
    >>> y = np.array([[1.0, 2.0, 6.0, 8.0]])
    >>> left_of_folds(y, None, np.array([0, 0, 1, 1]))[1].tolist()
    [[7.0, 7.0, 1.5, 1.5]]
    """
    observed, mean = np.empty_like(expression), np.empty_like(expression)
    for fold in np.unique(folds):
        held = folds == fold
        left = _left(expression, covariates, ~held)
        observed[:, held] = left[:, held]
        mean[:, held] = left[:, ~held].mean(axis=1, keepdims=True)
    return observed, mean


def calibrate(
    told: Floats, expression: Floats, covariates: Floats | None, folds: npt.NDArray[np.int64]
) -> Floats:
    """Bring a model's predictions on the scale of expression, by a line through training people.

    In each gene and fold, expression less covariates is regressed on the prediction among the
    people outside the fold: a ridge whose penalty they choose, as the stack's member of that
    name. The line predicts those inside. Where the model gives all who train the same number, the
    training mean is predicted.

    Parameters
    ----------
    told, expression
        (genes, people).

    Examples
    --------
    >>> told = np.arange(20.0)[None]
    >>> found = calibrate(told, 5 + 2 * told, None, np.arange(20) % 2)
    >>> bool(np.abs(found - 5 - 2 * told).max() < 0.1)
    True
    """
    found = np.empty_like(expression)
    for fold in np.unique(folds):
        held = folds == fold
        left = _left(expression, covariates, ~held)
        for gene, (x, y) in enumerate(zip(told, left, strict=True)):
            mean = y[~held].mean()
            middle, spread = x[~held].mean(), x[~held].std()
            # Single precision differs by rounding where the sequence is the same.
            if spread <= _STILL * max(abs(middle), 1e-300):
                found[gene, held] = mean
                continue
            scaled = ((x - middle) / spread)[:, None]
            found[gene, held] = fit_ridge(scaled[~held], y[~held]).predict(scaled[held])
    return found


def judge_all(found: Predictors, *, seed: int) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Judge every predictor.

    Returns
    -------
    table
        ``gene_id, predictor, kind, n_people, r2, pearson_r``; r is the mean within folds.
    facts
        Predictor -> means with intervals over genes and people, ``n_genes``, and ``n_nothing``:
        genes for which everybody gets the training mean.
    """
    tables, facts = [], {}
    for name, predicted in found.predicted.items():
        given = (found.observed, predicted, found.training_mean)
        r = judge_within_folds(*given, found.folds, seed=seed)
        r2 = judge_genes(*given, "r2", seed=seed)
        scaled = found.kinds[name] != MODEL or name.endswith(CALIBRATED)
        unknown = Estimate(np.nan, np.nan, np.nan, 0, 0, "gene")
        moved = np.abs(predicted - found.training_mean).max(axis=1)
        facts[name] = {
            "kind": found.kinds[name],
            "r2": interval(r2.over_genes if scaled else unknown),
            "r2_people": interval(r2.over_people if scaled else unknown),
            "pearson_r": interval(r.over_genes),
            "pearson_r_people": interval(r.over_people),
            "n_genes": len(found.genes),
            "n_nothing": int((moved <= _SAME * np.abs(found.training_mean).max(axis=1)).sum())
            if scaled
            else int((np.ptp(predicted - found.training_mean, axis=1) <= _SAME).sum()),
        }
        tables.append(
            pd.DataFrame(
                {
                    "gene_id": found.genes,
                    "predictor": name,
                    "kind": found.kinds[name],
                    "n_people": len(found.people),
                    "r2": r2.per_gene if scaled else np.nan,
                    "pearson_r": r.per_gene,
                }
            )
        )
    return pd.concat(tables, ignore_index=True), facts


def compare(table: pd.DataFrame, facts: Mapping[str, Any], *, seed: int) -> dict[str, Any]:
    """Compare the predictor with the greatest mean R² with every other, gene by gene.

    Returns
    -------
    dict
        ``name``; ``beats``: other -> ``difference`` of mean R², with its interval over genes. It
        was chosen by these very numbers, so differences from close rivals are a little too large.
    """
    wide = table.pivot(index="gene_id", columns="predictor", values="r2")
    means = {name: one["r2"]["value"] for name, one in facts.items()}
    known = [name for name, value in means.items() if np.isfinite(value)]
    best = max(known, key=lambda name: means[name])
    return {
        "name": best,
        "beats": {
            name: {"difference": difference(wide[best], wide[name], seed=seed)}
            for name in known
            if name != best
        },
    }


def pairs(
    table: pd.DataFrame, asked: Sequence[tuple[str, str]], *, seed: int
) -> list[dict[str, Any]]:
    """Compare pairs of predictors that were chosen beforehand, gene by gene."""
    wide = table.pivot(index="gene_id", columns="predictor", values="r2")
    return [
        {"a": a, "b": b, "difference": difference(wide[a], wide[b], seed=seed)}
        for a, b in asked
        if a in wide and b in wide
    ]


def difference(a: pd.Series, b: pd.Series, *, seed: int) -> dict[str, Any]:
    """Give the mean over genes of a - b, with its interval over genes."""
    each = (a - b).dropna().to_numpy(np.float64)
    return interval(mean_over_groups(each, np.arange(len(each)), "gene", _DRAWS, seed))


def _left(expression: Floats, covariates: Floats | None, training: npt.NDArray[np.bool_]) -> Floats:
    if covariates is None or not covariates.shape[1]:
        return expression
    centred = covariates - covariates[training].mean(axis=0)
    away = expression[:, training] - expression[:, training].mean(axis=1, keepdims=True)
    effect, *_ = np.linalg.lstsq(centred[training], away.T, rcond=None)
    found: Floats = expression - (centred @ effect).T
    return found


def _cis(given: Given, observed: Floats) -> dict[str, Floats]:
    """Read the held-out predictions of the scores; a gene without any has the training mean."""
    rows = read_table(given.folder / SCORES / "predictions.parquet")
    found = {}
    for name, part in rows.groupby("model", sort=False):
        values, truth = (
            part.pivot(index="gene_id", columns="sample", values=column)
            .loc[list(given.drawn), list(given.people)]
            .to_numpy(np.float64)
            for column in ("predicted", "observed")
        )
        _refuse_others(truth, observed, given.folder / SCORES)
        found[f"{CIS_PREFIX}{name}"] = values
    return found


def _stacked(given: Given, observed: Floats) -> dict[str, Floats]:
    rows = read_table(given.folder / STACK / "predictions.parquet")
    names = [name for name in rows.columns if name not in _NOT_PREDICTORS]
    found = {}
    for name in ("observed", *names):
        wide = rows.pivot(index="gene_id", columns="individual", values=name)
        values = wide.loc[list(given.drawn), list(given.people)].to_numpy(np.float64)
        if name == "observed":
            _refuse_others(values, observed, given.folder / STACK)
        # Cis scores of the same folds are told by the scores' own stage.
        elif not name.startswith(CIS_PREFIX):
            found[name] = values
    return found


def _refuse_others(truth: Floats, observed: Floats, folder: Path) -> None:
    """Refuse predictions that were judged on other people, folds or covariates than the rest."""
    if not np.allclose(truth, observed, rtol=_SAME, atol=_SAME):
        raise MismatchError(
            "predictors were not judged on the same people, folds and covariates",
            file=folder,
            found=f"expression that differs by {np.abs(truth - observed).max():.2g}",
            remedy="Remove the folder and resume the study",
        )
