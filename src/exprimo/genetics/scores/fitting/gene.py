"""All scores of one gene: fitted without each fold, judged on it, and fitted on everybody."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from exprimo.evaluate.grouped import r2_against_training
from exprimo.genetics.scores.elastic_net import fit_elastic_nets
from exprimo.genetics.scores.fitting.config import ScoresConfig
from exprimo.genetics.scores.polygenic.config import BASELINE, ELASTIC_NET, THRESHOLDED
from exprimo.genetics.scores.polygenic.effects import effects_of_sets
from exprimo.genetics.scores.polygenic.linear import LinearScore, nothing_selected
from exprimo.genetics.scores.polygenic.thresholding import fit_polygenic
from exprimo.genetics.scores.weights.table import ALL

Floats = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]
_FEWEST = 3


class GeneScores(NamedTuple):
    """Scores of one gene.

    Attributes
    ----------
    fits
        (fold, model -> score): the fold was left out; -1: nobody was.
    observed
        (people,), expression; covariates taken out as the people of the other folds give them.
    training_mean
        (people,), of those other folds.
    predicted
        Model -> (people,), each person by weights of the other folds.
    """

    fits: list[tuple[int, Mapping[str, LinearScore]]]
    observed: Floats
    training_mean: Floats
    predicted: Mapping[str, Floats]


class Judged(NamedTuple):
    """How well one model predicts one gene in people it has not seen.

    Attributes
    ----------
    r2
        1 - RSS / TSS against the training means, all people together.
    pearson_r
        Mean of Pearson's r within each fold; 0 in a fold where nothing was selected. (Pearson's r
        over all folds together is negative where there is nothing to predict.)
    """

    r2: float
    pearson_r: float


def fit_gene(
    dosage: npt.NDArray[np.floating],
    position: Int,
    target: Floats,
    covariates: Floats,
    folds: Int,
    config: ScoresConfig | None = None,
) -> GeneScores:
    """Fit and judge all scores of one gene on the same people and folds.

    Parameters
    ----------
    dosage
        (variants, people), NaN where missing; may have no rows.
    position
        (variants,), rising.
    target, covariates, folds
        (people,), (people, covariates), (people,).

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> dosage = rng.integers(0, 3, (20, 150)).astype(float)
    >>> y = dosage[3] + 0.3 * rng.normal(size=150)
    >>> found = fit_gene(dosage, np.arange(20), y, np.empty((150, 0)), np.arange(150) % 5)
    >>> judged = {model: judge(found, model, np.arange(150) % 5) for model in found.predicted}
    >>> bool(judged["p+t"].r2 > 0.8), bool(judged["elastic_net"].r2 > 0.8)
    (True, True)
    """
    config = config or ScoresConfig()
    numbers = np.unique(folds)
    training = np.concatenate([folds != numbers[:, None], np.ones((1, len(folds)), bool)])
    fits = _fits(dosage, position, target, covariates, training, config)
    nothing = effects_of_sets(np.empty((0, len(target))), target, covariates, training)
    observed, mean = np.empty(len(target)), np.empty(len(target))
    predicted: dict[str, Floats] = {model: np.empty(len(target)) for model in config.models}
    for at, number in enumerate(numbers):
        held = folds == number
        observed[held] = nothing.residual[at, held] + nothing.intercept[at]
        mean[held] = nothing.intercept[at]
        for model, values in predicted.items():
            score = fits[at][model]
            # The very same mean, to the last digit: then R² is 0 and not nearly 0.
            selected = score.weights.any()
            values[held] = score.predict(dosage[:, held]) if selected else mean[held]
    labelled: list[tuple[int, Mapping[str, LinearScore]]] = [
        *zip([*(int(k) for k in numbers), ALL], fits, strict=True)
    ]
    return GeneScores(labelled, observed, mean, predicted)


def judge(scores: GeneScores, model: str, folds: Int) -> Judged:
    """Judge one model of a gene on the people that were left out."""
    told, mean = scores.predicted[model], scores.training_mean
    r2 = float(r2_against_training(scores.observed, told, mean))
    within = [
        _r(scores.observed[folds == k], told[folds == k])
        for k in np.unique(folds)
        if (folds == k).sum() >= _FEWEST
    ]
    return Judged(r2, float(np.mean(within)) if within else float("nan"))


def _r(observed: Floats, told: Floats) -> float:
    y, x = observed - observed.mean(), told - told.mean()
    size = float(np.sqrt((y @ y) * (x @ x)))
    # A prediction that is the same for everybody says nothing: 0, and it counts.
    return float(x @ y) / size if size > 0 and np.ptp(told) > 0 else 0.0


def _fits(
    dosage: npt.NDArray[np.floating],
    position: Int,
    target: Floats,
    covariates: Floats,
    training: npt.NDArray[np.bool_],
    config: ScoresConfig,
) -> list[dict[str, LinearScore]]:
    if not len(dosage):
        empty = [nothing_selected(0, np.empty(0), float(target[one].mean())) for one in training]
        return [dict.fromkeys(config.models, score) for score in empty]
    fits: list[dict[str, LinearScore]] = [{} for _ in training]
    if {BASELINE, THRESHOLDED} & set(config.models):
        both = fit_polygenic(dosage, position, target, covariates, training, config.polygenic)
        for fit, found in zip(fits, both, strict=True):
            fit.update({name: found[name] for name in found if name in config.models})
    if ELASTIC_NET in config.models:
        nets = _elastic_nets(dosage, target, covariates, training, config)
        for fit, net in zip(fits, nets, strict=True):
            fit[ELASTIC_NET] = net
    return fits


def _elastic_nets(
    dosage: npt.NDArray[np.floating],
    target: Floats,
    covariates: Floats,
    training: npt.NDArray[np.bool_],
    config: ScoresConfig,
) -> Sequence[LinearScore]:
    """Fit elastic nets of expression without its covariates, as PredictDB does."""
    seed, n_inner = config.seed, config.inner_folds
    if not covariates.shape[1]:
        nets = fit_elastic_nets(dosage, target, training, n_inner=n_inner, seed=seed)
    else:
        left = effects_of_sets(np.empty((0, len(target))), target, covariates, training)
        # Each set has covariates of its own, and so its own expression.
        nets = [
            fit_elastic_nets(dosage, y + mean, one[None], n_inner=n_inner, seed=seed)[0]
            for y, mean, one in zip(left.residual, left.intercept, training, strict=True)
        ]
    return [
        LinearScore(net.weights, net.means, net.intercept, {"penalty": net.penalty}) for net in nets
    ]
