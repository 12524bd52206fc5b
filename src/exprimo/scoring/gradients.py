"""Gradients of a network's output with respect to what it reads, per example.

The output is the raw one: the logit of the probability; of several classes one class's logit
less the mean of all (a constant added to all changes no probability); of numbers the
standardised value, in training standard deviations of the target. A gradient is the slope at the
example itself: where the output is saturated it is small, however much the input matters.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from exprimo.core.dataset import Dataset
from exprimo.core.errors import ConfigError, InputError
from exprimo.core.predictor import Batch, Floats
from exprimo.core.progress import task
from exprimo.models.network import NetworkPredictor, flip, one_hot_table, to_tensors
from exprimo.models.zoo import Task
from exprimo.scoring.layers import MEMORY, block_rows, empty_batch
from exprimo.training.batches import Rows

# The backward pass holds the gradients of some layers beside what the forward pass kept.
_BACKWARD = 2


class Gradients(NamedTuple):
    """Gradients of some examples, in their order.

    Attributes
    ----------
    rows
        Their rows in the dataset, (n,); 0 to n - 1 for a batch that came from none.
    by_input
        Input name -> gradient. ``sequence``: (n, length), that of the base that is there (the
        gradient times the one-hot input), 0 at N; or (n, 4, length) in the order ACGT where
        every base was asked for. Others: (n, *shape), per unit of the input; 0 where a network
        fills a missing value in.
    outputs
        The output that was differentiated, (n,), on its raw scale.
    """

    rows: Rows
    by_input: dict[str, Floats]
    outputs: Floats


def output_scale(kind: Task) -> str:
    """Name the scale on which gradients of a task are given.

    The target's standard deviation is that of the training examples.

    Examples
    --------
    >>> output_scale("classification"), output_scale("regression")
    ('logit', 'target SD')
    """
    return "target SD" if kind == "regression" else "logit"


def gradient_blocks(
    predictor: NetworkPredictor,
    dataset: Dataset,
    rows: Rows,
    *,
    inputs: Sequence[str] | None = None,
    output: str | None = None,
    every_base: bool = False,
    centred: bool = False,
    memory: int = MEMORY,
    description: str | None = None,
) -> Iterator[Gradients]:
    """Go through examples block by block and give the gradients of each, in their order.

    Parameters
    ----------
    inputs, output, every_base, centred
        As `gradients` takes them.
    memory
        Bytes that a block may take in the forward and the backward pass; what one example needs
        is measured first.
    description
        Shows progress under this name; None is silent.
    """
    names = chosen_inputs(predictor, inputs)
    size = block_rows(memory, bytes_per_example(predictor, names))
    with task(description or "", len(rows) if description else 0) as bar:
        for start in range(0, len(rows), size):
            part = rows[start : start + size]
            found = gradients(
                predictor,
                dataset.batch(predictor.inputs, part),
                inputs=names,
                output=output,
                every_base=every_base,
                centred=centred,
            )
            yield found._replace(rows=part)
            if description:
                bar.advance(len(part))


def joined(blocks: Iterable[Gradients]) -> Gradients:
    """Put blocks one behind the other.

    Examples
    --------
    >>> one = Gradients(np.array([4]), {"halflife": np.ones((1, 8))}, np.array([0.5]))
    >>> two = joined([one, one._replace(rows=np.array([7]))])
    >>> two.rows.tolist(), two.by_input["halflife"].shape
    ([4, 7], (2, 8))
    """
    parts = list(blocks)
    if not parts:
        raise InputError("no example to explain", expected="at least one row")
    return Gradients(
        np.concatenate([part.rows for part in parts]),
        {
            name: np.concatenate([part.by_input[name] for part in parts])
            for name in parts[0].by_input
        },
        np.concatenate([part.outputs for part in parts]),
    )


def gradients(
    predictor: NetworkPredictor,
    batch: Batch,
    *,
    inputs: Sequence[str] | None = None,
    output: str | None = None,
    every_base: bool = False,
    centred: bool = False,
) -> Gradients:
    """Differentiate a network's output for each example of a batch.

    The mean over the members of an ensemble and, where the network reads both strands, over the
    strands. Computed in float32, whatever the run's precision, with dropout off.

    Parameters
    ----------
    batch
        Inputs as stored in a dataset, name -> (n, ...); ``sequence`` as codes.
    inputs
        Which inputs to differentiate by; all that the network reads unless given.
    output
        Which output; needed only of several classes.
    every_base
        Give ``sequence`` as (n, 4, length), not only the base that is there.
    centred
        Take the mean over the four bases off the gradient at each position. One-hot columns sum
        to 1, so the data say nothing of the slope in that direction (Majdandzic et al. 2023).

    Examples
    --------
    >>> from exprimo.models.zoo import Shapes
    >>> class CountG(nn.Module):
    ...     def forward(self, inputs):
    ...         return 3 * inputs["sequence"][:, 2].sum(1, keepdim=True)
    >>> net = NetworkPredictor([CountG()], Shapes({"sequence": (4,)}, "regression"))
    >>> gradients(net, {"sequence": np.array([[0, 2, 2, 4]], np.uint8)}).by_input["sequence"]
    array([[0., 3., 3., 0.]], dtype=float32)
    """
    names = chosen_inputs(predictor, inputs)
    index = output_index(predictor, output)
    predictor.check(batch)
    with torch.inference_mode(False), torch.enable_grad(), differentiable(predictor):
        given = to_tensors(batch, one_hot_table(predictor.device))
        totals: list[Tensor] = []
        value = torch.zeros(len(next(iter(given.values()))), device=predictor.device)
        for member in predictor.members:
            leaves = leaves_of(given, names)
            out = explained(on_strands(predictor, member, leaves), index, predictor.shapes.task)
            if not out.requires_grad:
                raise ConfigError(
                    "this network's output cannot be differentiated",
                    record=type(member).__name__,
                    expected="an output that depends on the inputs by differentiable steps",
                )
            found = torch.autograd.grad(
                out.sum(), [leaves[name] for name in names], materialize_grads=True
            )
            totals = [a + b for a, b in zip(totals, found, strict=True)] if totals else list(found)
            value += out.detach()
        n_members = len(predictor.members)
        slopes = {name: t / n_members for name, t in zip(names, totals, strict=True)}
        if "sequence" in slopes:
            slopes["sequence"] = _at_bases(
                slopes["sequence"], given["sequence"], every_base, centred
            )
        return Gradients(
            np.arange(len(value), dtype=np.int64),
            {name: slope.cpu().numpy() for name, slope in slopes.items()},
            (value / n_members).cpu().numpy(),
        )


def explained(raw: Tensor, index: int, kind: Task) -> Tensor:
    """Give the output that is explained, (n,), from raw outputs (n, outputs).

    Examples
    --------
    >>> explained(torch.tensor([[1.0, 2.0, 6.0]]), 2, "multiclass").tolist()
    [3.0]
    """
    if kind == "multiclass":
        return raw[:, index] - raw.mean(1)
    return raw[:, index]


def leaves_of(given: dict[str, Tensor], names: Sequence[str]) -> dict[str, Tensor]:
    """Give inputs of which some, in float32, can be differentiated by."""
    return {
        name: values.detach().float().requires_grad_() if name in names else values
        for name, values in given.items()
    }


def on_strands(predictor: NetworkPredictor, member: nn.Module, inputs: dict[str, Tensor]) -> Tensor:
    """Give a member's raw outputs, the mean over the strands where the network reads both."""
    found: Tensor = member(inputs).float()
    if predictor.both_strands:
        found = (found + member(flip(inputs)).float()) / 2
    return found


def _at_bases(slope: Tensor, one_hot: Tensor, every_base: bool, centred: bool) -> Tensor:
    """Finish the gradient of a sequence, (n, 4, length)."""
    if centred:
        slope = slope - slope.mean(1, keepdim=True)
    return slope if every_base else (slope * one_hot).sum(1)


def chosen_inputs(predictor: NetworkPredictor, inputs: Sequence[str] | None) -> tuple[str, ...]:
    """Give the inputs that are asked for, all unless given; refuse what is not read."""
    names = predictor.inputs if inputs is None else tuple(inputs)
    unknown = [name for name in names if name not in predictor.inputs]
    if unknown or not names:
        raise ConfigError(
            "this network does not read this input",
            found=", ".join(unknown) or "no input at all",
            expected=", ".join(predictor.inputs),
        )
    return names


def output_index(predictor: NetworkPredictor, output: str | None) -> int:
    """Find the output that is asked for; a single one needs no name."""
    if output is None and len(predictor.outputs) == 1:
        return 0
    if output not in predictor.outputs:
        raise ConfigError(
            "say which output to explain" if output is None else "no such output",
            found=output,
            expected="one of " + ", ".join(predictor.outputs),
        )
    return predictor.outputs.index(output)


def differentiable(predictor: NetworkPredictor) -> AbstractContextManager[object]:
    """Let recurrent layers be differentiated on CUDA, where cuDNN does so in training only."""
    if predictor.device.type != "cuda":
        return nullcontext()
    recurrent = any(isinstance(m, nn.RNNBase) for net in predictor.members for m in net.modules())
    flags: Callable[..., AbstractContextManager[object]] = torch.backends.cudnn.flags
    return flags(enabled=not recurrent, deterministic=True, allow_tf32=False)


def bytes_per_example(predictor: NetworkPredictor, names: Sequence[str]) -> int:
    """Measure what one more example keeps for the backward pass, with room for that pass."""
    kept = [_bytes_kept(predictor, names, n) for n in (2, 3)]
    return _BACKWARD * max(kept[1] - kept[0], 1)


def _bytes_kept(predictor: NetworkPredictor, names: Sequence[str], n: int) -> int:
    total = 0

    def note(values: Tensor) -> Tensor:
        nonlocal total
        total += values.nelement() * values.element_size()
        return values

    def same(values: Tensor) -> Tensor:
        return values

    table = one_hot_table(predictor.device)
    with torch.inference_mode(False), torch.enable_grad():
        leaves = leaves_of(to_tensors(empty_batch(predictor, n), table), names)
        with torch.autograd.graph.saved_tensors_hooks(note, same):
            on_strands(predictor, predictor.members[0], leaves)
    return total
