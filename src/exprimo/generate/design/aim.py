"""What is asked for: a value of a predictor's output, and when a sequence has reached it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from exprimo.core.errors import ConfigError
from exprimo.generate.design.predictors import Reader, Values

# Of the standard deviation of training values: far below what any predictor tells apart.
_NEAR = 0.05
_NEAR_PROBABILITY = 0.01
# A logit that stands for a probability of 1 where none is finite.
_SURE = 1e-3


class Aim(NamedTuple):
    """A value to reach.

    Attributes
    ----------
    told
        As it was asked for.
    value
        In units of the target, or a probability.
    output, name
        Which output of the predictor, by number and name.
    task
        Of the predictor: regression, classification or multiclass.
    tolerance
        What is this near has reached it.
    learned
        Lowest and highest value among the guide's training examples; None for probabilities.

    Examples
    --------
    >>> aim = Aim("2", 2.0, 0, "y", "regression", 0.1, (0.0, 5.0))
    >>> aim.distance(np.array([1.5, 2.25])).tolist(), aim.outside
    ([0.5, 0.25], False)
    """

    told: str
    value: float
    output: int
    name: str
    task: str
    tolerance: float
    learned: tuple[float, float] | None

    def distance(self, predicted: npt.NDArray[np.floating]) -> Values:
        """Say how far predictions are from it."""
        return np.abs(np.asarray(predicted, dtype=np.float64) - self.value)

    @property
    def outside(self) -> bool:
        """Whether no training example of the guide has a value as low, or as high."""
        return self.learned is not None and not self.learned[0] <= self.value <= self.learned[1]

    def on_raw_scale(self, center: float, scale: float) -> float:
        """Give it on the scale of a network's raw output: standard deviations, or a logit.

        Examples
        --------
        >>> Aim("9", 9.0, 0, "y", "regression", 0.1, (0.0, 5.0)).on_raw_scale(5.0, 2.0)
        2.0
        """
        if self.task == "regression":
            return (self.value - center) / scale
        share = min(max(self.value, _SURE), 1 - _SURE)
        return float(np.log(share / (1 - share)))


def read_aim(target: str | float, guide: Reader, tolerance: float | None) -> Aim:
    """Read what is asked for: a number, a probability, or the name of one of several classes."""
    if tolerance is not None and not tolerance >= 0:
        raise ConfigError("not a distance", record="tolerance", found=tolerance, expected="0 on")
    if guide.task == "multiclass":
        return _of_class(target, guide, tolerance)
    try:
        value = float(target)
    except ValueError:
        value = float("nan")
    if not np.isfinite(value):
        raise ConfigError(
            f"not a value of {guide.target}",
            record="target",
            found=target,
            expected="a number" if guide.task == "regression" else "a probability, 0 to 1",
        )
    if guide.task == "classification":
        if not 0 <= value <= 1:
            raise ConfigError(
                f"not a probability of {guide.target}",
                record="target",
                found=target,
                expected="0 to 1, as the guide predicts the probability of class 1",
            )
        near = _NEAR_PROBABILITY if tolerance is None else tolerance
        return Aim(str(target), value, 0, guide.target, guide.task, near, None)
    learned = _training_values(guide)
    near = _NEAR * float(learned.std()) if tolerance is None else tolerance
    ends = float(learned.min()), float(learned.max())
    return Aim(str(target), value, 0, guide.target, guide.task, near, ends)


def _of_class(target: str | float, guide: Reader, tolerance: float | None) -> Aim:
    name = str(target)
    if name not in guide.classes:
        raise ConfigError(
            f"no such class of {guide.target}",
            record="target",
            found=target,
            expected=", ".join(guide.classes),
        )
    near = _NEAR_PROBABILITY if tolerance is None else tolerance
    return Aim(name, 1.0, guide.classes.index(name), name, guide.task, near, None)


def _training_values(guide: Reader) -> Values:
    split, table = guide.run.split, guide.run.predictions()
    taught = set(split.example_id[split.rows("train")].tolist())
    values: Values = table["target"][table["example_id"].isin(taught)].to_numpy(np.float64)
    return np.asarray(values[np.isfinite(values)])
