"""What sequences are asked for by: nothing, a class, or a value of a target."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from exprimo.core.dataset import TargetInfo
from exprimo.core.dataset.variables import TargetKind
from exprimo.core.errors import ConfigError

Kind = Literal["none", "class", "value"]
_QUANTILES = 201
_TWO = ("0", "1")
# Standard deviations: the fourth power of more is too large for the arithmetic of a network.
_FARTHEST = 1e9


class Label(NamedTuple):
    """The one class of a target that all sequences share; ``number`` is its place."""

    target: str
    number: float
    classes: tuple[str, ...]


def class_names(info: TargetInfo) -> tuple[str, ...]:
    """Name the classes of a target; of two they are 0 and 1."""
    return info.classes or _TWO


def target_kind(classes: tuple[str, ...]) -> TargetKind:
    """Say what a dataset's target is that has these classes, or none.

    Examples
    --------
    >>> target_kind(()), target_kind(("0", "1")), target_kind(("down", "none", "up"))
    ('regression', 'classification', 'multiclass')
    """
    if not classes:
        return "regression"
    return "classification" if classes == _TWO else "multiclass"


class Conditioning(NamedTuple):
    """What sequences are asked for by, as it was among the training examples.

    Attributes
    ----------
    kind, target
        ``none``, ``class`` or ``value``, and the name of the target.
    classes
        Names of the classes, in the order of their numbers.
    spread
        How the target was spread: examples per class, or evenly spaced quantiles of the value.
    center, scale
        Mean and standard deviation of the value.

    Examples
    --------
    >>> asked = Conditioning.of_values("y", np.array([1.0, 3.0], np.float32))
    >>> asked.coded(np.array([3.0])).tolist()
    [1.0]
    """

    kind: Kind = "none"
    target: str = ""
    classes: tuple[str, ...] = ()
    spread: tuple[float, ...] = ()
    center: float = 0.0
    scale: float = 1.0

    @classmethod
    def of_values(cls, target: str, values: npt.NDArray[np.float32]) -> Self:
        """Describe a value by what the training examples have."""
        quantiles = np.quantile(values.astype(np.float64), np.linspace(0, 1, _QUANTILES))
        return cls(
            "value",
            target,
            (),
            tuple(float(one) for one in quantiles),
            float(values.mean(dtype=np.float64)),
            float(values.std(dtype=np.float64)),
        )

    @classmethod
    def of_classes(cls, info: TargetInfo, values: npt.NDArray[np.float32]) -> Self:
        """Describe classes by how many training examples each has."""
        names = class_names(info)
        counts = np.bincount(values.astype(np.int64), minlength=len(names))
        return cls("class", info.name, names, tuple(float(one) for one in counts))

    @classmethod
    def restored(cls, facts: dict[str, Any]) -> Self:
        """Make one again from the JSON of its fields."""
        lists = {name: tuple(facts[name]) for name in ("classes", "spread")}
        return cls(**{**facts, **lists})

    def coded(self, values: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
        """Turn values of the target into what a family reads; classes stay numbers."""
        found = (np.asarray(values, dtype=np.float64) - self.center) / self.scale
        return found.astype(np.float32)

    def asked(self, text: str | float) -> float:
        """Read what a user asks for: the name of a class, or a value of the target.

        Examples
        --------
        >>> Conditioning("class", "change", ("down", "none", "up")).asked("up")
        2.0
        """
        if self.kind == "none":
            raise ConfigError(
                "this generator was fitted without a condition",
                record="target",
                found=text,
                expected="no target",
                remedy="Leave it out, or fit one with --condition TARGET",
            )
        if self.kind == "class":
            name = f"{text:g}" if isinstance(text, float) else str(text)
            if name not in self.classes:
                raise ConfigError(
                    f"no such class of {self.target}",
                    record="target",
                    found=text,
                    expected=", ".join(self.classes),
                )
            return float(self.classes.index(name))
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if not (np.isfinite(value) and abs(value - self.center) <= _FARTHEST * self.scale):
            raise ConfigError(
                f"not a value of {self.target}",
                record="target",
                found=text,
                expected=f"a number; training examples have {self.spread[0]:.3g} to "
                f"{self.spread[-1]:.3g}",
            )
        return value

    def is_beyond(self, value: float) -> bool:
        """Tell a value that lies outside what the training examples have.

        Examples
        --------
        >>> asked = Conditioning.of_values("y", np.array([1.0, 3.0], np.float32))
        >>> asked.is_beyond(2.5), asked.is_beyond(3.5)
        (False, True)
        """
        return self.kind == "value" and not self.spread[0] <= value <= self.spread[-1]

    def drawn(self, n: int, rng: np.random.Generator) -> npt.NDArray[np.float64]:
        """Draw values of the target, (n,), as the training examples have them."""
        if self.kind == "class":
            counts = np.asarray(self.spread)
            return rng.choice(len(counts), n, p=counts / counts.sum()).astype(np.float64)
        at = rng.random(n) * (len(self.spread) - 1)
        return np.interp(at, np.arange(len(self.spread)), self.spread)
