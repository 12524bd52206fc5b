"""Figures of training: loss and accuracy per epoch, on training and validation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from exprimo.report.charts.chart import Axis, Chart, Colour, Dash, Rule, Series, floats
from exprimo.report.runs.material import Material, Trained
from exprimo.report.wording import listed, metric_label, percent, shortened

MAX_MODELS = 3
"""Of more models the training is not drawn; it stands in their ``history.csv``."""


class Measure(NamedTuple):
    """What is followed over the epochs: its columns, and how it is called.

    `evaluated` is the column of the same on training data in evaluation mode; empty for none.
    """

    key: str
    train: str
    val: str
    title: str
    label: str
    note: str
    evaluated: str = ""


# Scores that differ by less are rounding errors of one ranking.
_TIE = 1e-6

_EVALUATED = "training, evaluated"
_EVALUATED_NOTE = (
    " Training loss is a mean over the epoch, with dropout; evaluated is without it and after the "
    "epoch, as validation is: the gap between these two is what was learned by heart."
)

LOSS = Measure(
    "training", "train_loss", "val_loss", "Training of {}", "Loss", "", "train_loss_evaluated"
)
ACCURACY = Measure(
    "accuracy", "train_accuracy", "val_accuracy", "Accuracy of {} in training",
    "Accuracy (share called right)",
    " The dotted line is the majority class on the test part: what always saying the same reaches.",
)  # fmt: skip


def training_charts(material: Material) -> list[Chart]:
    """Make the figures of the best models that were trained in epochs."""
    split = material.answer_split
    charts = []
    n = 0
    # The model that answers is drawn, whatever the test part makes of it.
    for name in sorted(material.names_on(split), key=lambda name: name != material.chosen):
        trained = [one for one in material.of(name, split) if not one.history().empty]
        if not trained or n == MAX_MODELS:
            continue
        n += 1
        # Keys become names of files, so they hold no name that somebody else chose.
        charts.append(_chart(LOSS, n, trained))
        if all(_followed(ACCURACY, one.history()) for one in trained):
            charts.append(_chart(ACCURACY, n, trained, _majority(trained[0])))
    return charts


def _followed(measure: Measure, rows: pd.DataFrame) -> bool:
    """Tell whether a measure was taken: a regression has the columns and nothing in them."""
    columns = [measure.train, measure.val]
    return set(columns) <= set(rows) and bool(rows[columns].notna().any().all())


def _has(column: str, rows: pd.DataFrame) -> bool:
    return column in rows and bool(rows[column].notna().any())


def _kept(rows: pd.DataFrame) -> int | None:
    """Give the position of the epoch whose weights were kept.

    It is the one of the best score, and of equal scores that of the smallest loss.
    """
    loss = floats(rows[LOSS.val])
    # Histories of foreign loops may have losses alone.
    score = floats(rows["val_score"]) if "val_score" in rows else -loss
    if not np.isfinite(score).any():
        return None
    best = np.flatnonzero(score >= np.nanmax(score) - _TIE)
    return int(best[np.argmin(loss[best])])


def _judge(trained: Trained) -> str:
    """Name what an epoch was judged by: the headline metric, or the loss in foreign histories."""
    scored = "val_score" in trained.history()
    headline = trained.metrics.get("headline")
    return metric_label(str(headline)) if scored and headline else "score" if scored else "loss"


def _majority(trained: Trained) -> tuple[Rule, ...]:
    share = (trained.metrics.get("majority") or {}).get("accuracy")
    return () if share is None else (Rule("y", float(share), f"majority class {percent(share)}"),)


def _chart(
    measure: Measure, n: int, trained: Sequence[Trained], rules: tuple[Rule, ...] = ()
) -> Chart:
    series: list[Series] = []
    best: list[int] = []
    for one in trained:
        for _, rows in one.history().groupby("member"):
            first = not series
            series += [
                _line("training", rows, measure.train, "muted", "dash", first),
                _line("validation", rows, measure.val, "c1", "solid", first),
            ]
            if _has(measure.evaluated, rows):
                name, seen = _EVALUATED, any(line.name == _EVALUATED for line in series)
                series.append(_line(name, rows, measure.evaluated, "c3", "dot", not seen))
            if (at := _kept(rows)) is not None:
                best.append(int(rows["epoch"].iloc[at]))
                marked = rows.iloc[at : at + 1]
                series.append(
                    Series(
                        "best epoch", floats(marked["epoch"].to_numpy()),
                        floats(marked[measure.val].to_numpy()), "c2",
                        symbol="diamond", size=10, in_legend=first,
                    )
                )  # fmt: skip
    model = trained[0].model
    several = "" if len(best) < 2 else " One line per seed and ensemble member."
    if any(line.name == _EVALUATED for line in series):
        several += _EVALUATED_NOTE
    return Chart(
        f"{measure.key}-{n}",
        measure.title.format(shortened(model)),
        f"The weights of the epoch with the best validation {_judge(trained[0])} were kept."
        f"{several}{measure.note if rules else ''}",
        f"Training and validation {measure.label.lower()} of {model} per epoch; best at epoch "
        f"{listed([str(b) for b in best])}.",
        Axis("Epoch"),
        Axis(measure.label),
        tuple(series),
        rules,
        sources=tuple(f"{one.place}history.csv" for one in trained),
    )


def _line(
    name: str, rows: pd.DataFrame, column: str, colour: Colour, dash: Dash, first: bool
) -> Series:
    epoch, values = (floats(rows[c].to_numpy()) for c in ("epoch", column))
    return Series(name, epoch, values, colour, dash=dash, symbol=None, width=1.8, in_legend=first)
