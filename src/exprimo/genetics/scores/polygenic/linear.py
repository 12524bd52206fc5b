"""A score that adds up dosages: what every way of estimating weights ends in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


class LinearScore(NamedTuple):
    """Weights of one gene.

    Attributes
    ----------
    weights
        (variants,), change of expression per ALT allele; 0 for what was not selected.
    means
        (variants,), mean dosage of the training people; a missing dosage counts as it.
    intercept
        Mean of the training people: what is predicted where nothing was selected.
    chosen
        What the inner folds chose, by name (``p``, ``r2``, ``inner_r``, ``penalty``, ...).
    """

    weights: Floats
    means: Floats
    intercept: float
    chosen: Mapping[str, float]

    def predict(self, dosage: npt.NDArray[np.floating]) -> Floats:
        """Predict people, (people,), from dosages (variants, people), NaN where missing.

        Examples
        --------
        >>> score = LinearScore(np.array([2.0, 0.0]), np.array([0.5, 1.0]), 10.0, {})
        >>> score.predict(np.array([[0.0, 1.5, np.nan], [2.0, 2.0, 2.0]])).tolist()
        [9.0, 12.0, 10.0]
        """
        return self.intercept + self.away_from_mean(dosage)

    def away_from_mean(self, dosage: npt.NDArray[np.floating]) -> Floats:
        """Predict how far people are from the training mean; 0 where nothing was selected."""
        used = np.flatnonzero(self.weights)
        away = dosage[used].astype(np.float64) - self.means[used, None]
        away[np.isnan(away)] = 0.0
        told: Floats = self.weights[used] @ away
        return told


def nothing_selected(n_variants: int, means: Floats, intercept: float) -> LinearScore:
    """Give the score that predicts the training mean."""
    return LinearScore(np.zeros(n_variants), means, intercept, {})
