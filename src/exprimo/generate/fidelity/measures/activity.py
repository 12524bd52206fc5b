"""How the activity that a model predicts is spread over a set of sequences."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import stats

Values = npt.NDArray[np.float64]


def activity(predicted: Values, real: Values) -> dict[str, float]:
    """Compare predicted activities (n,) of a set with those of real sequences.

    Differences are in standard deviations of the real ones: ``activity_distance`` is the
    Wasserstein distance, ``activity_mean`` the difference of means, and ``activity_spread`` the
    ratio of the standard deviations (1 is expected).

    Examples
    --------
    >>> found = activity(np.array([1.0, 3.0]), np.array([0.0, 2.0]))
    >>> found["activity_distance"], found["activity_mean"], found["activity_spread"]
    (1.0, 1.0, 1.0)
    """
    scale = float(real.std()) or 1.0
    return {
        "activity_distance": float(stats.wasserstein_distance(predicted, real)) / scale,
        "activity_mean": float(predicted.mean() - real.mean()) / scale,
        "activity_spread": float(predicted.std()) / scale,
    }
