"""What would raise a network's output, within what was observed.

Gradient ascent on an input, without bounds, leaves the data at once: signals turn negative or a
thousand times larger than any measured, and the output grows without end. Here every value stays
within the range that the training examples show at that very place.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch

from exprimo.core.dataset import Dataset
from exprimo.core.errors import ConfigError
from exprimo.core.predictor import Floats
from exprimo.models.network import NetworkPredictor, one_hot_table, to_tensors
from exprimo.scoring.gradients import explained
from exprimo.training.batches import Rows

_SAMPLED = 5_000
_DECAYS = 0.9, 0.999
_SMALL = 1e-8


class Bounds(NamedTuple):
    """Smallest and largest value at each place of an input, each of the shape of one row."""

    low: Floats
    high: Floats


class Raised(NamedTuple):
    """Examples changed so that the output rises.

    Attributes
    ----------
    rows
        The examples that were begun with.
    before, after
        The input, (n, *shape).
    outputs
        The output after each step, (steps + 1, n), the first before any; raw scale, as of
        `exprimo.scoring.gradients`.
    """

    rows: Rows
    before: Floats
    after: Floats
    outputs: Floats


def observed_bounds(
    dataset: Dataset, name: str, rows: Rows, *, share: float = 0.98, seed: int = 0
) -> Bounds:
    """Give the central share of the values that some examples show at each place.

    Of more than 5,000 examples so many are drawn.

    Examples
    --------
    >>> observed_bounds(data, "signal", split.rows("train"))              # doctest: +SKIP
    """
    if not 0 < share <= 1:
        raise ConfigError("not a share", record="share", found=share, expected="above 0, up to 1")
    if len(rows) > _SAMPLED:
        rows = np.sort(np.random.default_rng(seed).choice(rows, _SAMPLED, replace=False))
    values = dataset.batch((name,), rows)[name].astype(np.float32)
    cut = (1 - share) / 2
    low, high = np.quantile(values, (cut, 1 - cut), axis=0)
    return Bounds(low.astype(np.float32), high.astype(np.float32))


def raise_output(
    predictor: NetworkPredictor,
    dataset: Dataset,
    rows: Rows,
    bounds: Bounds,
    *,
    name: str = "signal",
    steps: int = 100,
    rate: float = 0.02,
) -> Raised:
    """Change one input of some examples, step by step, so that the output rises.

    Adam (Kingma & Ba 2015) on the input in units of its range, put back within the bounds after
    each step. Other inputs stay as they are. An example that begins outside of the bounds is put
    on them first.

    Parameters
    ----------
    predictor
        A network with one output; the mean over an ensemble's members is raised.
    bounds
        From `observed_bounds`.
    rate
        Of a step, in units of the range at each place.
    """
    if name not in predictor.inputs:
        raise ConfigError(
            "this network does not read this input",
            found=name,
            expected=", ".join(predictor.inputs),
        )
    given = to_tensors(dataset.batch(predictor.inputs, rows), one_hot_table(predictor.device))
    low, high = (torch.from_numpy(end).to(predictor.device) for end in bounds)
    span = high - low
    place = torch.where(span > 0, (given[name] - low) / span.clamp_min(_SMALL), 0.0).clamp(0, 1)
    begun = (low + place * span).clone()
    moments = [torch.zeros_like(place), torch.zeros_like(place)]
    outputs = []
    for step in range(steps + 1):
        with torch.inference_mode(False), torch.enable_grad():
            leaf = place.clone().requires_grad_()
            found = _output(predictor, {**given, name: low + leaf * span})
            outputs.append(found.detach().cpu().numpy())
            if step == steps:
                break
            (slope,) = torch.autograd.grad(found.sum(), [leaf])
        place = _ascended(place, slope, moments, step + 1, rate)
    after = low + place * span
    return Raised(
        rows, begun.cpu().numpy(), after.cpu().numpy(), np.stack(outputs).astype(np.float32)
    )


def _output(predictor: NetworkPredictor, inputs: dict[str, torch.Tensor]) -> torch.Tensor:
    every = [explained(m(inputs).float(), 0, predictor.shapes.task) for m in predictor.members]
    return torch.stack(every).mean(0)


def _ascended(
    place: torch.Tensor,
    slope: torch.Tensor,
    moments: list[torch.Tensor],
    step: int,
    rate: float,
) -> torch.Tensor:
    for index, (decay, value) in enumerate(zip(_DECAYS, (slope, slope**2), strict=True)):
        moments[index] = decay * moments[index] + (1 - decay) * value
    mean, square = (m / (1 - d**step) for m, d in zip(moments, _DECAYS, strict=True))
    return (place + rate * mean / (square.sqrt() + _SMALL)).clamp(0, 1)
