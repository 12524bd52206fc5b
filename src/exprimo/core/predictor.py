"""Predictor and Backbone: what everything that predicts, or embeds, has in common."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Literal, NamedTuple, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from exprimo.core.errors import ConfigError

Batch = Mapping[str, npt.NDArray[Any]]
Floats = npt.NDArray[np.float32]


class Prediction(NamedTuple):
    """Numbers for a batch: ``mean`` and ``sd``, both (batch, outputs).

    ``mean`` is in target units, or a probability; ``sd`` is the spread between the members of
    an ensemble, NaN for a single model.
    """

    mean: Floats
    sd: Floats


@runtime_checkable
class Predictor(Protocol):
    """Networks, baselines, hybrids and pretrained models.

    Attributes
    ----------
    inputs
        Names of the inputs that `predict` reads.
    window
        Length of ``sequence`` in bases, None where any length will do.
    outputs
        Names of the outputs, in order.
    """

    inputs: tuple[str, ...]
    window: int | None
    outputs: tuple[str, ...]

    def predict(self, batch: Batch) -> Prediction:
        """Predict for inputs as stored in a Dataset: name -> (batch, ...)."""


@runtime_checkable
class Backbone(Protocol):
    """Pretrained nets that turn a sequence into hidden vectors, or into tracks, or both.

    Attributes
    ----------
    name
        The name under which it was opened.
    digest
        SHA-256 of its weights, in hex: what was made with other weights is another thing.
    alphabet
        Letters of the base codes that it reads.
    window
        Longest sequence in bases; which shorter ones it reads, it says itself.
    stride
        Bases per position of what `embed` gives.
    channels
        Numbers per position.
    n_tracks
        Tracks that `tracks` gives; 0 where there are none.
    """

    name: str
    digest: str
    alphabet: str
    window: int
    stride: int
    channels: int
    n_tracks: int

    def embed(self, batch: Batch) -> Floats:
        """Give hidden vectors along the sequence, (batch, positions, channels)."""

    def tracks(self, batch: Batch) -> Floats:
        """Give predicted tracks, (batch, tracks, bins)."""


Group = Literal["exprimo.models", "exprimo.backbones"]


def plug_ins(group: Group) -> dict[str, EntryPoint]:
    """List what installed packages offer under an entry-point group."""
    return {entry.name: entry for entry in entry_points(group=group)}


def find_plug_in(group: Group, name: str, built_in: Mapping[str, Any]) -> Any:
    """Look a name up among the built-in ones, then among entry points.

    Examples
    --------
    >>> find_plug_in("exprimo.models", "mean", {"mean": 1})
    1
    """
    if name in built_in:
        return built_in[name]
    found = plug_ins(group)
    if name in found:
        try:
            return found[name].load()
        except (ImportError, AttributeError) as error:
            raise ConfigError(
                "an installed plug-in cannot be loaded",
                record=name,
                found=error,
                remedy=f"Mend or uninstall the package that offers {found[name].value}",
            ) from error
    known = sorted({*built_in, *found})
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    raise ConfigError(
        f"no such {'model' if group == 'exprimo.models' else 'backbone'}",
        record=name,
        expected=f"one of {', '.join(known) or 'none installed'}",
        remedy=f"Did you mean {near[0]}?" if near else None,
    )
