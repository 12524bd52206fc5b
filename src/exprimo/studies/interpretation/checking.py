"""Check a study's own explanation of a row by gradients, with the small sizes of a study."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from exprimo.core.dataset import Dataset
from exprimo.core.run import Run
from exprimo.interpret.attributions.engine import subject_of
from exprimo.interpret.attributions.method import MethodConfig, MethodName, make_method
from exprimo.interpret.faithfulness.check import check_explanation
from exprimo.interpret.faithfulness.config import CheckConfig
from exprimo.interpret.faithfulness.means import Units
from exprimo.interpret.faithfulness.subject import Held, ToCheck
from exprimo.interpret.faithfulness.verdict import Verdict
from exprimo.models.network import NetworkPredictor

SMALL = CheckConfig(examples=40, references=2, shares=(0.05, 0.1, 0.2), randomised=12, draws=1)
"""Fewer than ten groups would not be judged."""
# The mean of so many training examples stands for the mean of all.
_MOST_TRAINING = 4096

Rows = npt.NDArray[np.int64]


class Shown(NamedTuple):
    """What a study explains.

    Attributes
    ----------
    run, network
        The Run of the row, and its network.
    dataset, rows
        Open, with all that the network reads; the explained rows.
    """

    run: Run
    network: NetworkPredictor
    dataset: Dataset
    rows: Rows


def check_gradients(
    folder: Path,
    shown: Shown,
    inputs: tuple[str, ...],
    method: MethodName,
    *,
    centred: bool = False,
    settings: CheckConfig = SMALL,
) -> Verdict:
    """Ask the network whether it uses what gradients show, and write the verdict to a folder.

    Parameters
    ----------
    folder
        That of the explanation.
    inputs
        Those that are shown.
    method, centred
        How they were explained, as `exprimo.interpret.explain.explain` takes it.
    """
    run, network, data, rows = shown
    config = MethodConfig(method=method, inputs=inputs, output=network.outputs[0], centred=centred)
    train = _evenly(run.split.rows("train"), _MOST_TRAINING)
    subject = subject_of(network, data, config, run.metrics["task"], train)
    chosen = _evenly(rows, settings.examples)
    batch = data.batch(network.inputs, chosen)
    made = Held(make_method(subject, config).explain(batch).values)
    split = run.split
    groups = (split.example_id if split.group is None else split.group)[chosen]
    units = Units(groups, split.unit)
    return check_explanation(folder, ToCheck(subject, config, data, chosen, made, units), settings)


def _evenly(rows: Rows, most: int) -> Rows:
    if len(rows) <= most:
        return rows
    return rows[np.linspace(0, len(rows) - 1, most).round().astype(np.int64)]
