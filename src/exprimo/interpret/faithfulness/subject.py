"""A model and the explained examples, as the checks ask them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from exprimo.core.dataset import SEQUENCES, Dataset
from exprimo.core.predictor import Batch, Floats
from exprimo.evaluate.results import FloatArray
from exprimo.interpret.attributions.method import MethodConfig, Subject, make_method
from exprimo.interpret.attributions.mutants import raw_outputs
from exprimo.interpret.attributions.references import sequence_references
from exprimo.interpret.faithfulness.curves import Outputs
from exprimo.interpret.faithfulness.means import Units
from exprimo.models.network import NetworkPredictor

# The shuffles that replace bases are others than those that a method compares with.
_OTHER_SHUFFLES = 1_000_003
_AT_ONCE = 64


class Contributions(Protocol):
    """What is known of the explained examples: `Attributions`, or `Held`."""

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the inputs that were explained."""

    def values(self, rows: npt.NDArray[np.int64], input: str) -> Floats:
        """Give contributions of some examples, (n, *shape)."""


class Held:
    """Contributions in memory, of examples that are no file's.

    Examples
    --------
    >>> Held({"halflife": np.float32([[1, 2], [3, 4]])}).values(np.array([1]), "halflife").tolist()
    [[3.0, 4.0]]
    """

    def __init__(self, by_input: Mapping[str, Floats]) -> None:
        self._by_input = by_input

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the inputs that were explained."""
        return tuple(self._by_input)

    def values(self, rows: npt.NDArray[np.int64], input: str) -> Floats:
        """Give contributions of some examples, (n, *shape)."""
        return self._by_input[input][rows]


class ToCheck(NamedTuple):
    """An explanation and all that made it.

    Attributes
    ----------
    subject, config
        The model, and how it was explained.
    dataset, rows
        The explained examples.
    found
        Their contributions.
    units
        The independent unit of each.
    """

    subject: Subject
    config: MethodConfig
    dataset: Dataset
    rows: npt.NDArray[np.int64]
    found: Contributions
    units: Units

    def evenly(self, most: int) -> npt.NDArray[np.int64]:
        """Choose numbers of at most so many examples, evenly along them."""
        n = len(self.rows)
        if n <= most:
            return np.arange(n, dtype=np.int64)
        return np.linspace(0, n - 1, most).round().astype(np.int64)

    def batch(self, chosen: npt.NDArray[np.int64]) -> Batch:
        """Give the inputs of some examples as stored."""
        return self.dataset.batch(tuple(self.subject.predictor.inputs), self.rows[chosen])

    def contributions(self, name: str, chosen: npt.NDArray[np.int64]) -> FloatArray:
        """Give those of some examples, (n, positions)."""
        return flat(self.found.values(chosen, input=name))

    def again(
        self, network: NetworkPredictor, chosen: npt.NDArray[np.int64]
    ) -> dict[str, FloatArray]:
        """Explain some examples of another network by the same method, (n, positions) each."""
        before = self.subject
        predictor = network if before.predictor is before.network else before.predictor
        method = make_method(replace(before, network=network, predictor=predictor), self.config)
        values = method.explain(self.batch(chosen)).values
        return {name: flat(v) for name, v in values.items()}

    def references(self, name: str, batch: Batch, n: int, seed: int) -> npt.NDArray[Any]:
        """Give what stands in the place of deleted positions, (examples, n or 1, positions)."""
        values = np.asarray(batch[name])
        if name in SEQUENCES:
            return sequence_references(values, n, seed + _OTHER_SHUFFLES)
        level = self.subject.baselines[name]
        if self.config.baseline == "zeros":
            level = np.zeros_like(level)
        return np.broadcast_to(level.reshape(1, 1, -1), (len(values), 1, level.size))


def flat(values: npt.NDArray[Any]) -> FloatArray:
    """Give contributions as (n, positions), finite."""
    return np.nan_to_num(np.asarray(values, dtype=np.float64).reshape(len(values), -1))


def outputs_of(subject: Subject, batch: Batch, name: str) -> Outputs:
    """Give the explained output as a function of one input of one example of a batch."""
    said = explained_output(subject)
    shape = np.asarray(batch[name]).shape[1:]
    kind = np.asarray(batch[name]).dtype if name in SEQUENCES else np.dtype(np.float32)

    def outputs(values: npt.NDArray[Any], example: int) -> FloatArray:
        parts = []
        for start in range(0, len(values), _AT_ONCE):
            some = values[start : start + _AT_ONCE]
            asked = {k: np.repeat(v[example : example + 1], len(some), 0) for k, v in batch.items()}
            asked[name] = some.reshape(-1, *shape).astype(kind)
            parts.append(said(asked))
        return np.concatenate(parts).astype(np.float64)

    return outputs


def explained_output(subject: Subject) -> Callable[[Batch], Floats]:
    """Give the explained output, (n,), on its raw scale, as a function of inputs as stored."""
    raw = raw_outputs(subject)

    def said(batch: Batch) -> Floats:
        found = np.asarray(raw(batch), dtype=np.float32)
        value = found[:, subject.index]
        return value - found.mean(1) if subject.kind == "multiclass" else value

    return said
