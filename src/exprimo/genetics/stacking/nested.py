"""Nested, out-of-fold stacking: whatever is judged was seen by no member and no meta-learner.

For each outer part the training rows are dealt into inner parts. Members fitted on some of these
predict the others (Wolpert 1992, Neural Networks 5:241), the meta-learner learns from those
predictions, and members fitted anew on all training rows predict the rows held out. Trees, which
choose no penalty, are shrunk by what those same predictions were worth.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from exprimo.core.errors import InputError
from exprimo.genetics.stacking.config import StackConfig
from exprimo.genetics.stacking.learners.members import CALIBRATED, calibration, fit_member
from exprimo.genetics.stacking.learners.meta import fit_meta
from exprimo.genetics.stacking.parts import Part
from exprimo.genetics.stacking.scaling import (
    Level,
    level_of,
    scale_features,
    without_covariates,
)

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
# Of predictions in deviations.
_DIGITS = 10
Inner = Callable[[Part], Iterable[Part]]


class Rows(NamedTuple):
    """What is learned from and judged.

    Attributes
    ----------
    features
        (rows, features), or one such array for each outer part where features were made anew
        for each.
    target
        Expression, (rows,), or likewise one for each outer part.
    group
        Gene of each row, 0, 1, ...; level and spread are taken within it.
    covariates
        (rows, covariates), or one for each outer part, or None; projected out of the target by
        the training rows.
    """

    features: FloatArray | Sequence[FloatArray]
    target: FloatArray | Sequence[FloatArray]
    group: IntArray
    covariates: FloatArray | Sequence[FloatArray] | None = None

    def of_part(self, part: int, known: NDArray[np.bool_]) -> tuple[FloatArray, FloatArray]:
        """Give features, and the target less covariates by the known rows, for an outer part."""
        given = self.covariates
        covariates = given if given is None else _of_part(given, part)
        target = without_covariates(_of_part(self.target, part), covariates, known)
        return _of_part(self.features, part), target


def _of_part(values: FloatArray | Sequence[FloatArray], part: int) -> FloatArray:
    return values if isinstance(values, np.ndarray) else values[part]


class Stacked(NamedTuple):
    """Predictions of everybody who was held out.

    Attributes
    ----------
    names
        Members, then meta-learners.
    predicted
        (names, rows); NaN for rows that no part held out.
    observed
        (rows,): expression less what covariates explain, by the training rows of each part.
    training_mean
        (rows,): the mean of the row's gene among the training people of its part.
    part
        (rows,): the part that held the row out, -1 for none.
    weights
        (parts, members) of the linear meta-learner, NaN without one.
    """

    names: tuple[str, ...]
    predicted: FloatArray
    observed: FloatArray
    training_mean: FloatArray
    part: IntArray
    weights: FloatArray


def stack_rows(
    rows: Rows, parts: Sequence[Part], inner: Inner, settings: StackConfig, *, seed: int = 0
) -> Stacked:
    """Predict every held-out row with every member and meta-learner.

    Parameters
    ----------
    parts
        Outer parts; a row is held out by one at most. A single part is a training and a test set.
    inner
        Deals the training rows of an outer part.

    Examples
    --------
    >>> from exprimo.genetics.stacking.parts import inner_parts, parts_of_people
    >>> rng = np.random.default_rng(0)
    >>> x = rng.normal(size=(60, 3))
    >>> y, people, gene = x[:, 1] + rng.normal(size=60), np.arange(60), np.zeros(60, dtype=int)
    >>> deal = lambda part: inner_parts(part, people, gene, 3, genes_too=False, seed=1)
    >>> settings = StackConfig(members=("ridge", "elastic_net"), metas=("stack_linear",))
    >>> done = stack_rows(Rows(x, y, gene), parts_of_people(people % 3), deal, settings)
    >>> done.names, bool(np.corrcoef(done.predicted[2], y)[0, 1] > 0.5)
    (('ridge', 'elastic_net', 'stack_linear'), True)
    """
    names = (*settings.members, *settings.metas)
    n_rows = len(rows.group)
    predicted = np.full((len(names), n_rows), np.nan)
    observed, mean = np.full(n_rows, np.nan), np.full(n_rows, np.nan)
    of_part = np.full(n_rows, -1, dtype=np.int64)
    weights = np.full((len(parts), len(settings.members)), np.nan)
    for at, part in enumerate(parts):
        _refuse_overlap(part, of_part)
        features, target = rows.of_part(at, part.known)
        held, level = part.held, level_of(target, part.known, rows.group)
        told = _of_members(features, target, rows.group, part, settings, seed)
        out_of_fold = np.full((n_rows, len(settings.members)), np.nan)
        if settings.metas or CALIBRATED & set(settings.members):
            for one in inner(part):
                out_of_fold[one.held] = _of_members(
                    features, target, rows.group, one, settings, seed
                )
        learned = level.scaled(target)[part.training]
        seen = out_of_fold[part.training]
        together, weights[at] = _put_together(seen, told, learned, settings, seed)
        shrunk = told * _trusted(seen, learned, settings)
        said = np.concatenate([shrunk, together], axis=1).T
        predicted[:, held] = Level(level.mean[held], level.sd[held]).restored(said)
        observed[held], mean[held], of_part[held] = target[held], level.mean[held], at
    return Stacked(names, predicted, observed, mean, of_part, weights)


def _trusted(out_of_fold: FloatArray, target: FloatArray, settings: StackConfig) -> FloatArray:
    """Give the share of each member's predictions that is kept, (members,)."""
    return np.array(
        [
            calibration(out_of_fold[:, at], target) if name in CALIBRATED else 1.0
            for at, name in enumerate(settings.members)
        ]
    )


def _refuse_overlap(part: Part, of_part: IntArray) -> None:
    if (part.training & part.held).any() or (of_part[part.held] >= 0).any():
        raise InputError("a row is held out twice, or learned from and held out")


def _of_members(
    features: FloatArray,
    target: FloatArray,
    group: IntArray,
    part: Part,
    settings: StackConfig,
    seed: int,
) -> FloatArray:
    """Fit each member on a part; give its predictions of the held rows, (held, members).

    These are distances from the part's own training mean, in deviations: across inner parts the
    means themselves are low where the held-out are high, and a meta-learner would bet on that.
    """
    involved = part.known | part.held
    level = level_of(target[involved], part.known[involved], group[involved])
    scaled = scale_features(
        features[involved], part.known[involved], group[involved], settings.normalise
    )
    y = level.scaled(target[involved])
    training, held = part.training[involved], part.held[involved]
    told = [
        fit_member(name, scaled[training], y[training], settings, seed)(scaled[held])
        for name in settings.members
    ]
    # What differs by rounding alone is the same: trees would tell it apart.
    said: FloatArray = np.stack(told, axis=1)
    return said.round(_DIGITS)


def _put_together(
    out_of_fold: FloatArray,
    told: FloatArray,
    target: FloatArray,
    settings: StackConfig,
    seed: int,
) -> tuple[FloatArray, FloatArray]:
    """Give the meta-learners' predictions, (held, metas), and the linear weights.

    ``out_of_fold`` and ``target`` are of the training rows, ``told`` of the held ones.
    """
    found = np.empty((len(told), len(settings.metas)))
    weights = np.full(len(settings.members), np.nan)
    for at, name in enumerate(settings.metas):
        meta = fit_meta(name, out_of_fold, target, settings, seed)
        found[:, at] = meta.predict(told)
        if meta.weights is not None:
            weights = meta.weights
    return found, weights
