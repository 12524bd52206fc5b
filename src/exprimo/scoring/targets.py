"""A dataset's target as a Run learned it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from exprimo.core.dataset import Dataset
from exprimo.scoring.resolve import check_same_classes, learned_classes
from exprimo.training.objective.cut import Cut


def learned_target(
    data: Dataset, metrics: Mapping[str, Any], name: str | None = None
) -> npt.NDArray[np.float32]:
    """Give the target that a Run was trained for: same classes, cut where it was cut.

    Parameters
    ----------
    metrics
        The Run's metrics.
    name
        Another target of the dataset to read in its place.
    """
    target = data.the_target(name or metrics["target"])
    check_same_classes(target, learned_classes(metrics), data)
    values = data.target(target.name)
    above = metrics.get("above")
    return values if above is None else Cut(**above).high(values, _cells(data))


def _cells(data: Dataset) -> npt.NDArray[np.str_] | None:
    return data.column("cell_type") if "cell_type" in data.columns else None
