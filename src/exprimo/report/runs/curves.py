"""Figures of single models: ROC, precision-recall, calibration, observed against predicted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from exprimo.core.errors import MismatchError
from exprimo.evaluate.calibration import reliability
from exprimo.evaluate.curves import observed_by_prediction, pr_points, roc_points
from exprimo.report.charts.chart import (
    CYCLE,
    SYMBOLS,
    Axis,
    Chart,
    Colour,
    Dash,
    FloatArray,
    Rule,
    Series,
    floats,
)
from exprimo.report.runs.material import Material, Role, Trained
from exprimo.report.wording import counted, number, percent, shortened

MAX_POINTS = 3_000
"""More points than this hide one another and slow the page."""

MAX_CURVES = 6
"""As many as there are colours that everybody can tell apart."""

_POINTS_PER_BIN = 25


class Judged(NamedTuple):
    """A model's predictions on the test part of one split, the mean over its seeds."""

    model: str
    role: Role
    example_id: pd.Index[str]
    observed: FloatArray
    predicted: FloatArray
    n_seeds: int
    sources: tuple[str, ...]


def judged_on(material: Material, model: str, split: str) -> Judged | None:
    """Read a model's test predictions where there is an observed value; None if it did not run."""
    trained = material.of(model, split)
    if not trained:
        return None
    tables = [_test_rows(one) for one in trained]
    first = tables[0]
    if any(not t.index.equals(first.index) for t in tables[1:]):
        raise MismatchError(
            "seeds of one model were judged on different examples",
            file=material.name,
            record=f"{model} on the {split} split",
        )
    predicted = np.mean([t["prediction"].to_numpy(dtype=float) for t in tables], axis=0)
    return Judged(
        model,
        trained[0].role,
        first.index,
        floats(first["target"].to_numpy()),
        floats(predicted),
        len(tables),
        tuple(f"{one.place}predictions.parquet" for one in trained),
    )


def _test_rows(trained: Trained) -> pd.DataFrame:
    split = trained.run.split
    test = split.example_id[split.rows("test")]
    table = trained.run.predictions().set_index("example_id").sort_index()
    found: pd.DataFrame = table[table.index.isin(test) & table["target"].notna()]
    return found


def curve_charts(material: Material) -> list[Chart]:
    """Make the figures of single models, on the split that answers the question."""
    split = material.answer_split
    names = drawn_models(material, split)
    judged = [j for name in names if (j := judged_on(material, name, split)) is not None]
    judged = [j for j in judged if j.observed.size]
    if material.task == "classification":
        return [c for c in (_roc(judged), _pr(judged), _calibration(judged)) if c is not None]
    if material.task == "multiclass":
        # Its predictions are codes of classes: neither a score to rank by nor a number to plot.
        return []
    return [_observed_predicted(material, judged[0])] if judged else []


def drawn_models(material: Material, split: str) -> list[str]:
    """Choose whose curves to draw: the one that answers, models, baselines; better before worse."""
    names = material.names_on(split)
    role = {m.name: m.role for m in material.models}

    def place(name: str) -> tuple[bool, bool]:
        return name != material.chosen, role.get(name) == "baseline"

    return sorted(names, key=place)[:MAX_CURVES]


def _style(k: int, role: Role) -> tuple[Colour, Dash, float]:
    colour = CYCLE[k % len(CYCLE)]
    return (colour, "dash", 1.6) if role == "baseline" else (colour, "solid", 2.4)


def _seeds(judged: Sequence[Judged]) -> str:
    most = max(j.n_seeds for j in judged)
    return f" Predictions are means over {most} seeds." if most > 1 else ""


def _curve(k: int, judged: Judged, x: FloatArray, y: FloatArray) -> Series:
    colour, dash, width = _style(k, judged.role)
    return Series(judged.model, x, y, colour, dash=dash, symbol=None, width=width)


def _sources(judged: Sequence[Judged]) -> tuple[str, ...]:
    return tuple(source for j in judged for source in j.sources)


def _each(values: Sequence[tuple[str, float]]) -> str:
    return ", ".join(f"{name} {number(value)}" for name, value in values)


def _area(curve: Series) -> float:
    # Where a curve is a staircase of recall, this is off by less than is told.
    return abs(float(np.trapezoid(curve.y, curve.x)))


def _r(judged: Judged) -> str:
    if judged.observed.size < 3 or not (judged.observed.std() > 0 and judged.predicted.std() > 0):
        return ""
    return f"; Pearson r {number(float(np.corrcoef(judged.observed, judged.predicted)[0, 1]))}"


def _roc(judged: list[Judged]) -> Chart | None:
    curves = [roc_points(j.observed, j.predicted) for j in judged]
    series = tuple(
        _curve(k, j, c.x, c.y)
        for k, (j, c) in enumerate(zip(judged, curves, strict=True))
        if c.x.size
    )
    if not series:
        return None
    return Chart(
        "roc",
        "ROC curve",
        "Baselines are dashed; the diagonal is chance. Computed from scores, "
        f"never from hard calls.{_seeds(judged)}",
        f"ROC curves on the test part; area below: {_each([(s.name, _area(s)) for s in series])}.",
        Axis("False positive rate", (-0.01, 1.01)),
        Axis("True positive rate (recall)", (-0.01, 1.01)),
        series,
        (Rule("diagonal"),),
        sources=_sources(judged),
        square=True,
    )


def _pr(judged: list[Judged]) -> Chart | None:
    curves = [pr_points(j.observed, j.predicted) for j in judged]
    series = tuple(
        _curve(k, j, c.x, c.y)
        for k, (j, c) in enumerate(zip(judged, curves, strict=True))
        if c.x.size
    )
    if not series:
        return None
    share = float(judged[0].observed.mean())
    return Chart(
        "pr",
        "Precision–recall curve",
        f"The dotted line is chance: {percent(share)} of the test examples are positive."
        f"{_seeds(judged)}",
        "Precision–recall curves on the test part; area below: "
        f"{_each([(s.name, _area(s)) for s in series])}; chance is {number(share)}.",
        Axis("Recall", (-0.01, 1.01)),
        Axis("Precision", (-0.01, 1.03)),
        series,
        (Rule("y", share),),
        sources=_sources(judged),
        square=True,
    )


def _calibration(judged: list[Judged]) -> Chart | None:
    series = []
    for k, one in enumerate(judged):
        curve = reliability(one.observed, one.predicted)
        if curve.n.size < 2:
            continue
        colour, dash, width = _style(k, one.role)
        models_only = one.role == "model"
        series.append(
            Series(
                one.model,
                curve.predicted,
                curve.observed,
                colour,
                # Five models' intervals on one another cannot be read.
                low=curve.low if models_only else None,
                high=curve.high if models_only else None,
                dash=dash,
                width=width,
                symbol=SYMBOLS[k % len(SYMBOLS)],
                size=7,
                hover=tuple(counted(int(n), "example") for n in curve.n),
            )
        )
    if not series:
        return None
    return Chart(
        "calibration",
        "Calibration",
        "Bins of equal size; bars are 95% intervals, as if the examples were independent. "
        "Below the diagonal a model promises too much, above it too little."
        f"{_seeds(judged)}",
        "Calibration: predicted probability against the share of positives; mean distance from "
        f"the diagonal: {_each([(s.name, float(np.abs(s.x - s.y).mean())) for s in series])}.",
        Axis("Predicted probability", (-0.02, 1.02)),
        Axis("Share of positives observed", (-0.02, 1.02)),
        tuple(series),
        (Rule("diagonal"),),
        sources=_sources(judged),
        square=True,
    )


def _observed_predicted(material: Material, judged: Judged) -> Chart:
    n = judged.observed.size
    rows = np.arange(n)
    if n > MAX_POINTS:
        rows = np.sort(np.random.default_rng(0).choice(n, MAX_POINTS, replace=False))
    target = shortened(material.target)
    unit = f" ({shortened(material.units, 16)})" if material.units else ""
    ends = [float(np.min(judged.observed)), float(np.max(judged.observed))]
    ends = [
        min(ends[0], float(judged.predicted.min())),
        max(ends[1], float(judged.predicted.max())),
    ]
    margin = 0.03 * (ends[1] - ends[0]) or 0.5
    both = (ends[0] - margin, ends[1] + margin)
    series = [
        Series(
            "test examples",
            judged.predicted[rows],
            judged.observed[rows],
            "c1",
            size=5,
            opacity=0.35,
            hover=tuple(shortened(str(name)) for name in judged.example_id[rows]),
        )
    ]
    bins = observed_by_prediction(
        judged.observed, judged.predicted, min(20, max(n // _POINTS_PER_BIN, 1))
    )
    if bins.n.size > 2:
        series.append(
            Series(
                "bins of equal size: mean and quartiles",
                bins.predicted,
                bins.observed,
                "c2",
                low=bins.lower_quartile,
                high=bins.upper_quartile,
                dash="solid",
                size=7,
                hover=tuple(counted(int(k), "example") for k in bins.n),
            )
        )
    sampled = f" Of {n:,} points {MAX_POINTS:,} are drawn, chosen at random." * (n > MAX_POINTS)
    return Chart(
        "observed",
        f"Observed against predicted: {shortened(judged.model)}",
        f"On the dotted line the prediction equals the observation.{sampled}{_seeds([judged])}",
        f"Scatter plot of observed against predicted {material.target}, "
        f"{counted(n, 'test example')} of {judged.model}{_r(judged)}.",
        Axis(f"Predicted {target}{unit}", both),
        Axis(f"Observed {target}{unit}", both),
        tuple(series),
        (Rule("diagonal"),),
        sources=judged.sources,
        square=True,
    )
