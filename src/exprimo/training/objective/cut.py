"""High or low: a continuous target cut at the median of the training part, or at a value."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from exprimo.core.dataset import TargetInfo
from exprimo.core.errors import ConfigError
from exprimo.models import Task

Above = Literal["median"] | float
Values = npt.NDArray[np.float32]


class Cut(NamedTuple):
    """Examples above ``value`` are high (1), all others low (0)."""

    rule: str
    value: float

    def high(self, values: Values) -> Values:
        """Give 1 for high, 0 for low, NaN where there is no value.

        Examples
        --------
        >>> Cut("median", 2.0).high(np.float32([1, 2, 3, np.nan])).tolist()
        [0.0, 0.0, 1.0, nan]
        """
        return np.where(np.isnan(values), values, (values > self.value).astype(np.float32))


def task_of(target: TargetInfo, above: Above | None) -> Task:
    """Tell what is learned of a target, and refuse to cut what has no order."""
    if above is None:
        return target.kind
    if target.kind != "regression":
        raise ConfigError(
            "only a continuous target can be cut into high and low",
            record=target.name,
            found=target.kind,
            expected="regression",
            remedy="Leave out above",
        )
    return "classification"


def find_cut(above: Above | None, training: Values) -> Cut | None:
    """Find where to cut, from the training part's values alone (NaN excluded)."""
    if above is None:
        return None
    if above == "median":
        return Cut("median of the training part", float(np.median(training)))
    return Cut("given", float(above))
