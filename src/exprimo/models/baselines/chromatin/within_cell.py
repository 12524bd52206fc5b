"""Marks in deviations of their own cell type, as the networks can read them, for baselines."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from exprimo.core.config import Config
from exprimo.core.predictor import Batch
from exprimo.models.chromatin.rows import LEAST_SD


class SignalConfig(Config):
    """How the signal is read, and what beside it."""

    cell_statistics: bool = False
    """Read mean and standard deviation of each mark over the genes of the example's cell type."""
    within_cell: bool = False
    """Read the marks in standard deviations from the mean of the example's own cell type, in each
    bin."""


def inputs_of(config: SignalConfig) -> tuple[str, ...]:
    """Name the inputs that the options read.

    Examples
    --------
    >>> inputs_of(SignalConfig(within_cell=True))
    ('signal', 'cell_context')
    """
    context = config.cell_statistics or config.within_cell
    return ("signal", "cell_context") if context else ("signal",)


def signal_of(batch: Batch, config: SignalConfig) -> npt.NDArray[np.floating]:
    """Give the signal as it is read, (examples, marks, bins).

    Examples
    --------
    >>> batch = {"signal": np.ones((1, 1, 2)), "cell_context": np.array([[[0.0, 1.0], [0.5, 2.0]]])}
    >>> signal_of(batch, SignalConfig(within_cell=True)).tolist()
    [[[2.0, 0.0]]]
    """
    signal = batch["signal"]
    if not config.within_cell:
        return signal
    mean, sd = np.split(batch["cell_context"], 2, axis=1)
    return np.asarray((signal - mean) / np.maximum(sd, LEAST_SD))
