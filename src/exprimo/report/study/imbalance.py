"""Ways of treating rare positives, and whether any of them helped."""

from __future__ import annotations

from itertools import product

import pandas as pd

from exprimo.report.charts.chart import (
    CYCLE,
    SYMBOLS,
    Axis,
    Chart,
    Rule,
    Series,
    floats,
    row_axis,
)
from exprimo.report.charts.forest import ForestRow, Verdict, forest, verdict_of
from exprimo.report.document.table import Cell, Column, Table, counting, estimate, named
from exprimo.report.study.reading import Imbalance
from exprimo.report.wording import (
    ABSENT,
    counted,
    higher_is_better,
    listed,
    metric_label,
    percent,
    shortened,
    with_interval,
)

NONE = "none"
_WORDS = {
    "none": "none",
    "class_weights": "class weights",
    "focal": "focal loss",
    "oversample": "oversampling",
    "downsample": "downsampling",
}
_PREFERRED = ("auprc", "mcc", "auroc")


def strategy_words(strategy: str) -> str:
    """Name a strategy in words."""
    return _WORDS.get(strategy, strategy.replace("_", " "))


def metrics_of(imbalance: Imbalance) -> list[str]:
    """List the metrics of the table, AUPRC first."""
    found = list(dict.fromkeys(imbalance.table["metric"]))
    order = {name: k for k, name in enumerate(_PREFERRED)}
    return sorted(found, key=lambda name: order.get(name, len(order)))


def imbalance_charts(imbalance: Imbalance, prevalence: float | None) -> list[Chart]:
    """Draw the scores of the strategies, and their differences to none."""
    made = (_scores(imbalance, prevalence), _differences(imbalance))
    return [chart for chart in made if chart is not None]


def _rows(table: pd.DataFrame) -> tuple[list[str], list[str]]:
    return list(dict.fromkeys(table["strategy"])), list(dict.fromkeys(table["model"]))


def _scores(imbalance: Imbalance, prevalence: float | None) -> Chart | None:
    metric = next(iter(metrics_of(imbalance)), None)
    table = imbalance.table[imbalance.table["metric"] == metric].dropna(subset=["value"])
    if table.empty or metric is None:
        return None
    table = table[table["split"] == table["split"].iloc[0]]
    strategies, models = _rows(table)
    axis = row_axis("", [strategy_words(s) for s in strategies])
    at = {name: axis.ticks[i][0] for i, name in enumerate(strategies)}
    step = 0.36 / max(len(models) - 1, 1)
    series = []
    for k, model in enumerate(models[: len(CYCLE)]):
        rows = table[table["model"] == model]
        offset = (0.18 - step * k) if len(models) > 1 else 0.0
        series.append(
            Series(
                model, floats(rows["value"].to_numpy()),
                floats([at[s] + offset for s in rows["strategy"]]), CYCLE[k],
                low=floats(rows["low"].to_numpy()), high=floats(rows["high"].to_numpy()),
                along="x", symbol=SYMBOLS[k], size=9,
                hover=tuple(
                    f"{strategy_words(row['strategy'])}, {model}: "
                    f"{with_interval(row['value'], row['low'], row['high'])}"
                    for _, row in rows.iterrows()
                ),
            )
        )  # fmt: skip
    rules: tuple[Rule, ...] = ()
    if metric == "auprc" and prevalence is not None:
        rules = (Rule("x", prevalence, f"{percent(prevalence)} are positive"),)
    return Chart(
        "imbalance",
        f"{metric_label(metric)} by treatment of rare positives",
        f"Test part of the {table['split'].iloc[0]} split at its true prevalence; 95% intervals. "
        + ("The dotted line is chance." if rules else ""),
        f"Dot plot of {metric_label(metric)} of {listed(models)} under "
        f"{listed([strategy_words(s) for s in strategies])}.",
        Axis(f"{metric_label(metric)} (higher is better)"),
        axis,
        tuple(series),
        rules,
        sources=(f"{imbalance.place}table.tsv",),
    )


def _differences(imbalance: Imbalance) -> Chart | None:
    metric = _compared_metric(imbalance)
    table = imbalance.paired[imbalance.paired["metric"] == metric].dropna(subset=["difference"])
    if table.empty or metric is None:
        return None
    several = table["model"].nunique() > 1
    rows = [
        ForestRow(
            strategy_words(row["strategy"])
            + (f": {shortened(row['model'], 18)}" if several else ""),
            row["difference"], row["low"], row["high"], _verdict(row, metric),
        )
        for _, row in table.iterrows()
    ]  # fmt: skip
    return forest(
        "imbalance-paired",
        "Each treatment against none",
        "The same model, data and test genes; treatment minus none, 95% intervals. "
        "An interval that includes 0 decides nothing.",
        f"Difference in {metric_label(metric)}",
        rows,
        sources=(f"{imbalance.place}paired.tsv",),
    )


def _compared_metric(imbalance: Imbalance) -> str | None:
    there = set(imbalance.paired["metric"])
    return next((name for name in metrics_of(imbalance) if name in there), None)


def _verdict(row: pd.Series, metric: str) -> Verdict:
    return verdict_of(row["low"], row["high"], higher_is_better=higher_is_better(metric))


def verdict_sentence(imbalance: Imbalance) -> str:
    """Say whether any strategy helped: whether its paired interval excludes 0."""
    metric = _compared_metric(imbalance)
    if metric is None:
        return "No strategy was compared with none, so none is shown to help."
    table = imbalance.paired[imbalance.paired["metric"] == metric]
    helped, harmed = (
        [
            f"{strategy_words(row['strategy'])} for {row['model']} "
            f"({with_interval(row['difference'], row['low'], row['high'])})"
            for _, row in table.iterrows()
            if _verdict(row, metric) == verdict
        ]
        for verdict in ("better", "worse")
    )
    label = metric_label(metric)
    text = (
        f"In {label}, {listed(helped)} helped."
        if helped
        else f"No treatment is shown to help: none raises {label} beyond its paired interval."
    )
    return text + (f" Worse than none: {listed(harmed)}." if harmed else "")


def note(imbalance: Imbalance, prevalence: float | None) -> str:
    """Say at what share of positives it was judged, and that only training was resampled."""
    share = "" if prevalence is None else f", {percent(prevalence)} positive"
    return (
        f"Judged at the true prevalence of the test part{share}. "
        "Resampling and weights touched training only."
    )


def score_table(imbalance: Imbalance) -> Table:
    """Tabulate strategies × models with all metrics."""
    metrics = metrics_of(imbalance)
    table = imbalance.table
    columns = (
        Column("Treatment"), Column("Model"), Column("Split"),
        *(Column(metric_label(m), True) for m in metrics),
        Column(_unit_heading(table), True, "independent units that were resampled"),
    )  # fmt: skip
    found = {
        (row["strategy"], row["model"], row["split"], row["metric"]): row
        for _, row in table.iterrows()
    }
    strategies, models = _rows(table)
    rows = []
    for strategy, model, split in product(strategies, models, dict.fromkeys(table["split"])):
        mine = [found.get((strategy, model, split, metric)) for metric in metrics]
        some = next((row for row in mine if row is not None), None)
        if some is not None:
            rows.append(
                (
                    named(strategy_words(strategy)), named(model), named(split),
                    *(_estimated(row, "value") for row in mine), counting(some["n_groups"]),
                )
            )  # fmt: skip
    return Table(
        "imbalance", "Each treatment of rare positives on the test part: value and 95% interval.",
        columns, tuple(rows), f"{imbalance.place}table.tsv",
    )  # fmt: skip


def _unit_heading(table: pd.DataFrame) -> str:
    units = set(table["unit"])
    return counted(2, units.pop()).removeprefix("2 ").capitalize() if len(units) == 1 else "Units"


def difference_table(imbalance: Imbalance) -> Table | None:
    """Tabulate the differences of the strategies to none."""
    table = imbalance.paired
    if table.empty:
        return None
    metrics = [m for m in metrics_of(imbalance) if m in set(table["metric"])]
    columns = (
        Column("Treatment"), Column("Model"),
        *(Column(f"Difference in {metric_label(m)}", True, "paired") for m in metrics),
        Column(f"Verdict ({metric_label(metrics[0])})" if metrics else "Verdict"),
    )  # fmt: skip
    found = {(row["strategy"], row["model"], row["metric"]): row for _, row in table.iterrows()}
    rows = []
    for strategy, model in dict.fromkeys(zip(table["strategy"], table["model"], strict=True)):
        mine = [found.get((strategy, model, metric)) for metric in metrics]
        first = mine[0] if mine else None
        rows.append(
            (
                named(strategy_words(strategy)), named(model),
                *(_estimated(row, "difference") for row in mine),
                named("" if first is None else _verdict(first, metrics[0])),
            )
        )  # fmt: skip
    return Table(
        "imbalance-paired", "Each treatment minus none, on the same test genes.", columns,
        tuple(rows), f"{imbalance.place}paired.tsv",
    )  # fmt: skip


def _estimated(row: pd.Series | None, name: str) -> Cell:
    if row is None:
        return Cell(ABSENT)
    return estimate(row[name], row["low"], row["high"])
