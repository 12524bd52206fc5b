"""Expression that scores are judged on, without what covariates explain of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from exprimo.core.errors import InputError
from exprimo.data.phenotypes.covariates import read_covariates
from exprimo.genetics.scores.polygenic.effects import effects_of_sets

Floats = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]


def without_covariates(expression: pd.DataFrame, file: str | Path, folds: Int) -> pd.DataFrame:
    """Take covariates out of expression: of each fold's people as the people of the others say.

    So does fitting, and its numbers are met where the people are the same. Without folds all
    these people say it: none of them taught the weights.

    Parameters
    ----------
    expression
        (genes, people), NaN where a person has none.
    file
        A row or a column for each person who has expression.
    folds
        (people,); -1: no folds.
    """
    there = ~expression.isna().all().to_numpy()
    people = expression.columns[there].tolist()
    covariates = read_covariates(file, people, refuse_constant=True).values
    rows = [
        adjusted(row, covariates, folds[there])
        for row in expression.loc[:, there].to_numpy(np.float64)
    ]
    found = expression.copy()
    found.loc[:, there] = np.array(rows)
    return found


def adjusted(values: Floats, covariates: Floats, folds: Int) -> Floats:
    """Take covariates out of one gene, (people,); the mean of who said how stays.

    Examples
    --------
    >>> age = np.array([[1.0], [2.0], [3.0], [4.0], [1.0], [2.0], [5.0], [6.0]])
    >>> adjusted(2.0 * age[:, 0], age, np.repeat([0, 1], 4)).round(6).tolist()
    [7.0, 7.0, 7.0, 7.0, 5.0, 5.0, 5.0, 5.0]
    """
    numbers = np.unique(folds)
    whole = len(numbers) == 1 and numbers[0] < 0
    known = np.isfinite(values)
    found = np.full(len(values), np.nan)
    if not known.any():
        return found
    sets = np.ones((1, len(values)), bool) if whole else folds != numbers[:, None]
    sets = sets[:, known]
    fewest = int(sets.sum(axis=1).min())
    if fewest < covariates.shape[1] + 3:
        raise InputError(
            "too few people to take covariates out",
            found=f"{fewest} people who say it, {covariates.shape[1]} covariates",
            expected="the people of all folds, who say what covariates explain",
            remedy="Score all people of the folds, or give expression without covariates",
        )
    nothing = np.empty((0, int(known.sum())))
    left = effects_of_sets(nothing, values[known], covariates[known], sets)
    place = np.zeros(len(values), np.int64) if whole else np.searchsorted(numbers, folds)
    every = left.residual + left.intercept[:, None]
    found[known] = every[place[known], np.arange(every.shape[1])]
    return found


def notes_on_judging(origin: Mapping[str, Any], *, covariates: bool) -> tuple[str, ...]:
    """Say where scores are judged on other expression than what their weights were fitted to.

    Parameters
    ----------
    origin
        Provenance of the weights; empty for others' weights.

    Examples
    --------
    >>> notes_on_judging({"covariates": ["age", "sex"]}, covariates=False)
    ('the weights were fitted to expression without age, sex; it is judged with them in: give \
--covariates',)
    """
    told: Sequence[str] = origin.get("covariates") or ()
    config = origin.get("config", {})
    notes = []
    if told and not covariates:
        shown = ", ".join(told[:6]) + (", ..." if len(told) > 6 else "")
        notes.append(
            f"the weights were fitted to expression without {shown}; it is judged with them in: "
            "give --covariates"
        )
    if config.get("hidden", 0) != 0:
        notes.append(
            "the weights were fitted to expression without hidden factors; it is judged with them"
        )
    if config.get("transforms"):
        words = ", ".join(str(name) for name in config["transforms"])
        notes.append(f"the weights were fitted to transformed expression ({words}): give it so")
    return tuple(notes)
