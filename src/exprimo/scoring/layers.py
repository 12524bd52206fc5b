"""What a layer of a network gives, per example; layers are named as torch names modules."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from exprimo.core.dataset import Dataset
from exprimo.core.errors import ConfigError
from exprimo.core.predictor import Batch, Floats
from exprimo.core.progress import task
from exprimo.models.network import NetworkPredictor, flip, one_hot_table, to_tensors
from exprimo.training.batches import Rows

FIRST_DENSE = "first_dense"
"""Stands for the first linear layer that reads one vector per example and is not the last."""

MEMORY = 256 << 20
"""Bytes that one block of examples may take besides the network itself."""

_MOST_ROWS = 1024
# Input, output and one intermediate of the widest layer stand in memory at once, and one spare.
_STANDING = 4


class Layer(NamedTuple):
    """A layer: its dotted name, its class, and the shape of its output for one example."""

    name: str
    kind: str
    shape: tuple[int, ...]

    def __str__(self) -> str:
        return f"{self.name} ({self.kind}, {'×'.join(map(str, self.shape)) or 'one number'})"


class LayerBlock(NamedTuple):
    """Some examples: their ``rows`` in the dataset, and ``values`` (n, *shape) of a layer."""

    rows: Rows
    values: Floats


class _Call(NamedTuple):
    """One module as it ran on one example."""

    layer: Layer
    module: nn.Module
    read: tuple[int, ...] | None


def network_of(predictor: object) -> NetworkPredictor:
    """Give a predictor back if it is a network, or say why its inside cannot be looked at."""
    if isinstance(predictor, NetworkPredictor):
        return predictor
    raise ConfigError(
        "this model is not a network, so it has neither layers nor gradients",
        found=type(predictor).__name__,
        expected="a run of a network, such as cnn",
        remedy="See which models are networks with: exprimo models",
    )


def layers_of(predictor: NetworkPredictor) -> tuple[Layer, ...]:
    """List a network's layers in the order in which they finish.

    Examples
    --------
    >>> from exprimo.models.zoo import Shapes
    >>> class Tiny(nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.dense, self.output = nn.Linear(8, 3), nn.Linear(3, 1)
    ...     def forward(self, inputs):
    ...         return self.output(self.dense(inputs["sequence"].flatten(1)).relu())
    >>> tiny = NetworkPredictor([Tiny()], Shapes({"sequence": (2,)}, "regression"))
    >>> [str(layer) for layer in layers_of(tiny)]
    ['dense (Linear, 3)', 'output (Linear, 1)']
    """
    return tuple(call.layer for call in _calls(predictor))


def layer_blocks(
    predictor: NetworkPredictor,
    dataset: Dataset,
    rows: Rows,
    *,
    layer: str | None = None,
    member: int = 0,
    memory: int = MEMORY,
    description: str | None = None,
) -> Iterator[LayerBlock]:
    """Go through examples and give what a layer says of each, in their order.

    Parameters
    ----------
    layer, member
        As `layer_outputs` takes them.
    memory
        Bytes that a block may take.
    description
        Shows progress under this name; None is silent.
    """
    read = _reader(predictor, layer, member)
    widest = max(int(np.prod(call.layer.shape)) for call in _calls(predictor))
    size = block_rows(memory, widest * 4 * _STANDING)
    with task(description or "", len(rows) if description else 0) as bar:
        for start in range(0, len(rows), size):
            chosen = rows[start : start + size]
            yield LayerBlock(chosen, read(dataset.batch(predictor.inputs, chosen)))
            if description:
                bar.advance(len(chosen))


def layer_outputs(
    predictor: NetworkPredictor, batch: Batch, *, layer: str | None = None, member: int = 0
) -> Floats:
    """Give what a layer says of each example of a batch, (n, *shape) float32.

    Parameters
    ----------
    batch
        Inputs as stored in a dataset, name -> (n, ...); ``sequence`` as codes.
    layer
        A dotted name of `layers_of`; ``first_dense`` for the first linear layer that reads one
        vector per example and is not the last (as it leaves the layer, before any activation);
        None for what the last linear layer reads.
    member
        Which member of an ensemble: axes of different members mean different things, so they
        are never averaged.

    Notes
    -----
    Where a network reads both strands, a layer that gives one vector per example is averaged
    over them, as its output is. A layer with positions is that of the strand as stored: position
    i of the other strand is another base. Computed in float32, whatever the run's precision.
    """
    return _reader(predictor, layer, member)(batch)


def block_rows(memory: int, bytes_per_row: int) -> int:
    """Choose how many examples to take at once.

    Examples
    --------
    >>> block_rows(1 << 20, 1 << 16), block_rows(10, 1 << 16), block_rows(1 << 40, 1)
    (16, 1, 1024)
    """
    return min(max(memory // max(bytes_per_row, 1), 1), _MOST_ROWS)


def empty_batch(predictor: NetworkPredictor, n: int) -> dict[str, Any]:
    """Make ``n`` examples of zeros (of A's) in the shapes that a network reads."""
    return {
        name: np.zeros((n, *shape), np.uint8 if name == "sequence" else np.float32)
        for name, shape in predictor.shapes.inputs.items()
    }


def _reader(
    predictor: NetworkPredictor, layer: str | None, member: int
) -> Callable[[Batch], Floats]:
    if not 0 <= member < len(predictor.members):
        raise ConfigError(
            "no such member", found=member, expected=f"0 to {len(predictor.members) - 1}"
        )
    network = predictor.members[member]
    name, of_input = _find(predictor, layer)
    module = network.get_submodule(name)
    table = one_hot_table(predictor.device)

    def once(inputs: dict[str, Tensor]) -> Tensor:
        kept: list[Tensor] = []
        if of_input:
            hook = module.register_forward_pre_hook(lambda _, given: kept.append(given[0]))
        else:
            hook = module.register_forward_hook(lambda _, given, out: kept.append(_tensor(out)))
        try:
            network(inputs)
        finally:
            hook.remove()
        return kept[-1].float()

    @torch.inference_mode()
    def read(batch: Batch) -> Floats:
        predictor.check(batch)
        inputs = to_tensors(batch, table)
        found = once(inputs)
        if predictor.both_strands and found.ndim == 2:
            found = (found + once(flip(inputs))) / 2
        values: Floats = found.cpu().numpy()
        return values

    return read


def _find(predictor: NetworkPredictor, layer: str | None) -> tuple[str, bool]:
    """Give a module's name, and whether its input is meant rather than its output."""
    calls = _calls(predictor)
    linear = [call for call in calls if isinstance(call.module, nn.Linear)]
    if layer is None and linear:
        return linear[-1].layer.name, True
    names = [call.layer.name for call in calls]
    if layer == FIRST_DENSE and layer not in names:
        dense = [c.layer.name for c in linear[:-1] if c.read is not None and len(c.read) == 1]
        if dense:
            return dense[0], False
    elif layer in names:
        return layer, False
    near = difflib.get_close_matches(layer or "", names, n=1)
    problem = "this network has no layer of this name"
    if layer in (None, FIRST_DENSE):
        problem = "this network has no such linear layer"
    raise ConfigError(
        problem,
        record=layer or "the last linear layer",
        expected="one of " + ", ".join(str(call.layer) for call in calls),
        remedy=f"Did you mean {near[0]}?" if near else None,
    )


@torch.inference_mode()
def _calls(predictor: NetworkPredictor) -> list[_Call]:
    """Run one example through the first member and note each named module that ran."""
    network = predictor.members[0]
    found: dict[str, _Call] = {}

    def noting(name: str) -> Callable[..., None]:
        def note(module: nn.Module, given: tuple[Any, ...], out: Any) -> None:
            values = _tensor(out)
            if not isinstance(values, Tensor):
                return
            read = given[0] if given else None
            shape = tuple(read.shape[1:]) if isinstance(read, Tensor) else None
            found.pop(name, None)  # a module that runs twice stands where it ran last
            kind = type(module).__name__
            found[name] = _Call(Layer(name, kind, tuple(values.shape[1:])), module, shape)

        return note

    hooks = [m.register_forward_hook(noting(name)) for name, m in network.named_modules() if name]
    try:
        network(to_tensors(empty_batch(predictor, 1), one_hot_table(predictor.device)))
    finally:
        for hook in hooks:
            hook.remove()
    return list(found.values())


def _tensor(out: Any) -> Any:
    """Give the first tensor of what a module returns; recurrent ones return their state too."""
    return out[0] if isinstance(out, tuple) else out
