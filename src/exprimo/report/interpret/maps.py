"""Figures of a layer's map: each point an example, coloured by what the model says of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from exprimo.report.charts.chart import (
    CYCLE,
    SYMBOLS,
    Axis,
    Chart,
    Colour,
    FloatArray,
    Series,
    floats,
)
from exprimo.report.charts.crowding import sparse
from exprimo.report.interpret.reading import InterpretationFolder
from exprimo.report.wording import counted, number, shortened

_LIVE = 1500
_MOST_CLASSES = 6
_OPACITY = 0.8
_FIFTHS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)


class _Look(NamedTuple):
    colour: Colour
    symbol: str
    hollow: bool = False


# From blue through grey to orange; rings and shapes tell the steps apart without colour, too.
_STEPS = (
    _Look("c1", "circle"),
    _Look("c6", "circle", hollow=True),
    _Look("muted", "diamond"),
    _Look("c5", "square", hollow=True),
    _Look("c2", "square"),
)


def map_charts(found: InterpretationFolder) -> list[Chart]:
    """Draw a layer's map twice.

    Classes: by the class that is called, and by its probability. Numbers: by the prediction, and
    by what was observed.
    """
    table = found.layer_map
    if table is None or table.empty:
        return []
    if found.task == "regression":
        return [
            _chart(found, "map_prediction", "prediction", _by_fifths(table, "prediction")),
            *_observed(found, table),
        ]
    noun = "probability" if found.task == "classification" else "probability of the called class"
    return [
        _chart(found, "map_class", "predicted class", _by_class(found, table)),
        _chart(found, "map_probability", noun, _by_probability(table)),
    ]


def _observed(found: InterpretationFolder, table: pd.DataFrame) -> list[Chart]:
    known = table[table["target"].notna()]
    if known.empty:
        return []
    return [_chart(found, "map_target", "observed value", _by_fifths(known, "target"))]


def _chart(found: InterpretationFolder, key: str, by: str, series: tuple[Series, ...]) -> Chart:
    n = sum(s.x.size for s in series)
    layer = found.summary.get("layer")
    of = f" of the layer {layer}" if layer else " of what the last layer reads"
    parts = ", ".join(f"{s.name}" for s in series)
    return Chart(
        key,
        f"Map{of}, by {by}",
        "UMAP: near points are examples that are alike to the model. Distances between far "
        "groups, and the axes, mean nothing.",
        f"Map of {counted(n, 'example')} by UMAP{of}, coloured by {by}: {parts}.",
        Axis("UMAP 1 (no unit)"),
        Axis("UMAP 2 (no unit)"),
        series,
        sources=(found.file("layer_map.tsv"),),
        tall=True,
    )


def _by_class(found: InterpretationFolder, table: pd.DataFrame) -> tuple[Series, ...]:
    if found.task == "multiclass":
        called = table["prediction"].to_numpy(dtype=str)
        names = [str(name) for name in found.summary.get("classes") or np.unique(called)]
    else:
        called = np.where(table["prediction"].to_numpy() > 0, "positive", "negative")
        names = ["negative", "positive"]
    shown = names if len(names) <= _MOST_CLASSES else names[: _MOST_CLASSES - 1]
    series = []
    for k, name in enumerate(shown):
        look = _Look(CYCLE[k], SYMBOLS[k])
        series.append(_points(table, called == name, f"called {shortened(name)}", look))
    if len(shown) < len(names):
        rest = ~np.isin(called, shown)
        series.append(_points(table, rest, "other classes", _Look("muted", "x")))
    return tuple(s for s in series if s is not None)


def _by_probability(table: pd.DataFrame) -> tuple[Series, ...]:
    values = floats(table["probability"].to_numpy())
    names = [f"probability {a:g} to {b:g}" for a, b in pairwise(_FIFTHS)]
    return _steps(table, values, np.array(_FIFTHS), names)


def _by_fifths(table: pd.DataFrame, column: str) -> tuple[Series, ...]:
    values = floats(table[column].to_numpy())
    ends = np.quantile(values, _FIFTHS)
    return _steps(table, values, ends, [f"{number(a)} to {number(b)}" for a, b in pairwise(ends)])


def _steps(
    table: pd.DataFrame, values: FloatArray, ends: FloatArray, names: Sequence[str]
) -> tuple[Series, ...]:
    step = np.clip(np.searchsorted(ends, values, side="right") - 1, 0, len(_STEPS) - 1)
    series = [
        _points(table, step == k, name, look)
        for k, (name, look) in enumerate(zip(names, _STEPS, strict=True))
    ]
    return tuple(s for s in series if s is not None)


def _points(
    table: pd.DataFrame, chosen: NDArray[np.bool_], name: str, look: _Look
) -> Series | None:
    rows = table[chosen]
    if rows.empty:
        return None
    x, y = floats(rows["x"].to_numpy()), floats(rows["y"].to_numpy())
    keep = max(1, round(_LIVE * len(rows) / len(table)))
    series = Series(
        name, x, y, look.colour, symbol=look.symbol, hollow=look.hollow, size=5, opacity=_OPACITY,
        hover=tuple(_hover(row) for row in rows.to_dict("records")),
    )  # fmt: skip
    return replace(series, live=sparse(x, y, keep))


def _hover(row: Mapping[Any, Any]) -> str:
    known = [
        f"{name} {number(row[name]) if isinstance(row[name], float) else row[name]}"
        for name in ("prediction", "probability", "target")
        if row[name] != "" and not pd.isna(row[name])
    ]
    return ", ".join([str(row["example_id"]), *known])
