"""Gradient × input, and the gradient alone with or without its sign.

Simonyan, Vedaldi & Zisserman 2014 (saliency); Shrikumar et al. 2017 (gradient × input).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from exprimo.core.dataset import SEQUENCES
from exprimo.core.predictor import Batch, Floats
from exprimo.interpret.attributions.method import (
    MIB,
    Attributed,
    MethodConfig,
    Subject,
)
from exprimo.scoring.gradients import bytes_per_example, gradients
from exprimo.scoring.layers import block_rows


class _Slopes:
    """Gradients of the output, block by block; what is made of them is the method's."""

    def __init__(self, subject: Subject, config: MethodConfig) -> None:
        self.subject, self.config = subject, config
        self._rows = block_rows(config.memory * MIB, bytes_per_example(subject.net, subject.names))

    def explain(self, batch: Batch) -> Attributed:
        """Explain some examples."""
        n = len(next(iter(batch.values())))
        parts = [
            self._some({name: values[at : at + self._rows] for name, values in batch.items()})
            for at in range(0, n, self._rows)
        ]
        return joined(parts)

    def _some(self, batch: Batch) -> Attributed:
        subject = self.subject
        given = subject.inputs_of(batch)
        found = gradients(
            subject.net,
            given,
            inputs=subject.names,
            output=subject.net.outputs[subject.index],
            every_base=True,
            centred=self.config.centred,
        )
        values, hypothetical = {}, {}
        for name, slope in found.by_input.items():
            if name in SEQUENCES:
                values[name], hypothetical[name] = self._of_bases(slope, given[name])
            else:
                values[name] = self._of_numbers(slope, given[name])
        return Attributed(found.outputs, values, hypothetical)

    def _of_bases(self, slope: Floats, codes: Any) -> tuple[Floats, Floats]:
        return at_bases(slope, codes), slope

    def _of_numbers(self, slope: Floats, values: Any) -> Floats:
        return slope


class GradientTimesInput(_Slopes):
    """The slope times the value that is there; of a sequence, the slope at the base."""

    def _of_numbers(self, slope: Floats, values: Any) -> Floats:
        # A missing value is filled in by the network, and its slope is 0.
        times = np.nan_to_num(np.asarray(values, np.float32), nan=0.0)
        return np.asarray(slope * times, dtype=np.float32)


class Saliency(_Slopes):
    """The slope with its sign; of a sequence, that along the base that is there."""


class AbsoluteSaliency(_Slopes):
    """The greatest absolute slope over the four bases; of numbers the absolute slope."""

    def _of_bases(self, slope: Floats, codes: Any) -> tuple[Floats, Floats]:
        size = np.abs(slope)
        return np.where(codes < 4, size.max(1), 0).astype(np.float32), size

    def _of_numbers(self, slope: Floats, values: Any) -> Floats:
        return np.abs(slope)


def at_bases(by_base: Floats, codes: Any) -> Floats:
    """Choose from (n, 4, length) the value of the base that is there, (n, length); 0 at N.

    Examples
    --------
    >>> at_bases(np.float32([[[1, 2], [3, 4], [5, 6], [7, 8]]]), np.uint8([[2, 4]])).tolist()
    [[5.0, 0.0]]
    """
    known = np.minimum(codes, 3).astype(np.int64)
    found = np.take_along_axis(by_base, known[:, None], axis=1)[:, 0]
    return np.where(codes < 4, found, 0).astype(np.float32)


def joined(parts: list[Attributed]) -> Attributed:
    """Put contributions of some examples behind those of others."""
    first = parts[0]
    if len(parts) == 1:
        return first
    convergence = None
    if first.convergence is not None:
        known = [part.convergence for part in parts if part.convergence is not None]
        convergence = type(first.convergence)(
            *(np.concatenate(c) for c in zip(*known, strict=True))
        )
    return Attributed(
        np.concatenate([part.outputs for part in parts]),
        {k: np.concatenate([part.values[k] for part in parts]) for k in first.values},
        {k: np.concatenate([part.hypothetical[k] for part in parts]) for k in first.hypothetical},
        convergence,
    )
