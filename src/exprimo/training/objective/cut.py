"""High or low: a continuous target cut at a median of the training part, or at a value."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from exprimo.core.dataset import TargetInfo
from exprimo.core.errors import ConfigError
from exprimo.models import Task

Above = Literal["median", "cell-median"] | float
Values = npt.NDArray[np.float32]
Cells = npt.NDArray[np.str_]


class Cut(NamedTuple):
    """Examples above ``value`` are high (1), all others low (0).

    ``by_cell`` holds the value of each cell type that the training part has. Of another cell
    type the cut is the median of its own values: a definition of high and low that needs
    measurements of that cell type, as judging does, and that no model learned from.
    """

    rule: str
    value: float
    by_cell: Mapping[str, float] | None = None

    def high(self, values: Values, cells: Cells | None = None) -> Values:
        """Give 1 for high, 0 for low, NaN where there is no value.

        Examples
        --------
        >>> Cut("median", 2.0).high(np.float32([1, 2, 3, np.nan])).tolist()
        [0.0, 0.0, 1.0, nan]
        >>> by_cell = Cut("median of the cell type", 2.0, {"A": 5.0})
        >>> by_cell.high(np.float32([4, 6, 1, 2, 3]), np.array(list("AABBB"))).tolist()
        [0.0, 1.0, 0.0, 0.0, 1.0]
        """
        limit: Any = self.value
        if self.by_cell is not None:
            limit = self._limits(values, cells)
        return np.where(np.isnan(values), values, (values > limit).astype(np.float32))

    def _limits(self, values: Values, cells: Cells | None) -> Values:
        if cells is None:
            raise ConfigError(
                "high and low are defined by cell type, and this dataset names none",
                expected="a column cell_type",
            )
        names, code = np.unique(cells, return_inverse=True)
        limits = [self._limit(str(name), values[code == i]) for i, name in enumerate(names)]
        return np.asarray(limits, dtype=np.float32)[code]

    def _limit(self, cell: str, own: Values) -> float:
        known = (self.by_cell or {}).get(cell)
        if known is not None:
            return known
        measured = own[~np.isnan(own)]
        return float(np.median(measured)) if len(measured) else np.nan

    def facts(self) -> dict[str, Any]:
        """Describe it for ``metrics.json``; `Cut` takes the same names back."""
        told: dict[str, Any] = {"rule": self.rule, "value": self.value}
        return told if self.by_cell is None else {**told, "by_cell": dict(self.by_cell)}


def task_of(target: TargetInfo, above: Above | None) -> Task:
    """Tell what is learned of a target, and refuse to cut what has no order."""
    if above is None:
        return target.kind
    if target.kind != "regression":
        raise ConfigError(
            "only a continuous target can be cut into high and low",
            record=target.name,
            found=target.kind,
            expected="regression",
            remedy="Leave out above",
        )
    return "classification"


def find_cut(
    above: Above | None,
    values: Values,
    training: npt.NDArray[np.int64],
    cells: Cells | None = None,
    *,
    file: str | Path,
) -> Cut | None:
    """Find where to cut, from the values of the training rows alone (none of them NaN).

    ``cells`` names the cell type of every row of the dataset ``file``.
    """
    if above is None:
        return None
    learned = values[training]
    if above == "median":
        return Cut("median of the training part", float(np.median(learned)))
    if above != "cell-median":
        return Cut("given", float(above))
    if cells is None:
        raise ConfigError(
            "a cut by cell type needs examples that name their cell type",
            file=file,
            record="above",
            expected="a column cell_type",
            remedy="Use above = median",
        )
    own = cells[training]
    medians = {str(cell): float(np.median(learned[own == cell])) for cell in np.unique(own)}
    rule = "median of the training examples of the cell type"
    return Cut(rule, float(np.median(learned)), medians)
