"""All scores of one gene: fitted without each fold, judged on it, and fitted on everybody."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
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
    covariates: Floats | Sequence[Floats],
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
    target, covariates
        (people,) and (people, covariates); where expression was prepared by the training people of
        each fold, (folds + 1, people) and as many arrays, the last ones prepared by everybody.
    folds
        (people,).

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
    fits: list[dict[str, LinearScore]] = []
    residual, intercept = [], []
    for rows, y, known in _prepared_alike(target, covariates, len(training)):
        fits += fit_sets(dosage, position, y, known, training[rows], config)
        nothing = effects_of_sets(np.empty((0, len(folds))), y, known, training[rows])
        residual += [*nothing.residual]
        intercept += [*nothing.intercept]
    observed, mean = np.empty(len(folds)), np.empty(len(folds))
    predicted: dict[str, Floats] = {model: np.empty(len(folds)) for model in config.models}
    for at, number in enumerate(numbers):
        held = folds == number
        observed[held] = residual[at][held] + intercept[at]
        mean[held] = intercept[at]
        for model, values in predicted.items():
            # The very same mean, to the last digit: then R² is 0 and not nearly 0.
            values[held] = mean[held] + fits[at][model].away_from_mean(dosage[:, held])
    labelled: list[tuple[int, Mapping[str, LinearScore]]] = [
        *zip([*(int(k) for k in numbers), ALL], fits, strict=True)
    ]
    return GeneScores(labelled, observed, mean, predicted)


def _prepared_alike(
    target: Floats, covariates: Floats | Sequence[Floats], n_sets: int
) -> Iterator[tuple[slice, Floats, Floats]]:
    """Give sets of people that have the same expression, with it and its covariates."""
    if isinstance(covariates, np.ndarray):
        yield slice(0, n_sets), target, covariates
        return
    for at, (y, known) in enumerate(zip(target, covariates, strict=True)):
        yield slice(at, at + 1), y, known


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


def fit_sets(
    dosage: npt.NDArray[np.floating],
    position: Int,
    target: Floats,
    covariates: Floats,
    training: npt.NDArray[np.bool_],
    config: ScoresConfig,
    *,
    models: Sequence[Collection[str]] | None = None,
    linked: npt.NDArray[np.bool_] | None = None,
) -> list[dict[str, LinearScore]]:
    """Fit scores of one gene on each set of training people, thresholds and penalties inside it.

    Parameters
    ----------
    dosage, position, target, covariates
        As `fit_gene` takes them.
    training
        (sets, people): who trains.
    models
        Of each set; None: those of the settings for all.
    linked
        (sets, people): in whom linkage is measured; None: in those who train.

    Returns
    -------
    Model -> score, for each set.
    """
    wanted = [frozenset(config.models)] * len(training) if models is None else models
    if not len(dosage):
        empty = [nothing_selected(0, np.empty(0), float(target[one].mean())) for one in training]
        return [dict.fromkeys(names, score) for names, score in zip(wanted, empty, strict=True)]
    fits: list[dict[str, LinearScore]] = [{} for _ in training]
    people = training if linked is None else linked
    summed = [at for at, names in enumerate(wanted) if {BASELINE, THRESHOLDED} & set(names)]
    if summed:
        both = fit_polygenic(
            dosage, position, target, covariates, training[summed], config.polygenic,
            linked=people[summed],
        )  # fmt: skip
        for at, found in zip(summed, both, strict=True):
            fits[at].update({name: found[name] for name in found if name in wanted[at]})
    netted = [at for at, names in enumerate(wanted) if ELASTIC_NET in names]
    if netted:
        nets = _elastic_nets(dosage, target, covariates, training[netted], config)
        for at, net in zip(netted, nets, strict=True):
            fits[at][ELASTIC_NET] = net
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
