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
    number,
    percent,
    shortened,
    with_interval,
)

NONE = "none"
CONTROL = "dinucleotide_shuffle"
_WORDS = {
    "none": "none",
    "class_weights": "class weights",
    "focal": "focal loss",
    "oversample": "oversampling",
    "downsample": "downsampling",
    CONTROL: "shuffled promoters (control)",
    "gan": "promoters made by a GAN",
    "diffusion": "promoters made by diffusion",
    "gan-published": "promoters made by the published GAN",
    "diffusion-published": "promoters made by the published diffusion",
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
    """Draw the scores of the strategies, their differences to none, and to the control."""
    made = (
        _scores(imbalance, prevalence),
        _differences(
            imbalance.paired,
            "imbalance-paired",
            "Each treatment against none",
            "The same model, data and test genes; treatment minus none, 95% intervals. "
            "An interval that includes 0 decides nothing.",
            f"{imbalance.place}paired.tsv",
        ),
        _differences(
            imbalance.control,
            "imbalance-control",
            "Generated promoters against shuffled ones",
            "As many of either were added to training; generated minus shuffled, 95% intervals. "
            "What is not better than shuffles adds no more than composition.",
            f"{imbalance.place}against_shuffles.tsv",
        ),
    )
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
        f"Dot plot of {metric_label(metric)}. {'; '.join(t for s in series for t in s.hover)}.",
        Axis(f"{metric_label(metric)} (higher is better)"),
        axis,
        tuple(series),
        rules,
        sources=(f"{imbalance.place}table.tsv",),
    )


def _differences(
    paired: pd.DataFrame, key: str, title: str, caption: str, source: str
) -> Chart | None:
    metric = compared_metric(paired)
    if metric is None:
        return None
    table = paired[paired["metric"] == metric].dropna(subset=["difference"])
    if table.empty:
        return None
    several = table["model"].nunique() > 1
    rows = [
        ForestRow(
            strategy_words(row["strategy"])
            + (f": {shortened(row['model'], 18)}" if several else ""),
            row["difference"], row["low"], row["high"], found_of(row, metric),
        )
        for _, row in table.iterrows()
    ]  # fmt: skip
    label = f"Difference in {metric_label(metric)}"
    return forest(key, title, caption, label, rows, sources=(source,))


def compared_metric(paired: pd.DataFrame) -> str | None:
    """Choose the metric that differences are judged by, AUPRC first; None of an empty table."""
    there = set(paired["metric"]) if len(paired) else set()
    return next((name for name in (*_PREFERRED, *sorted(there)) if name in there), None)


def found_of(row: pd.Series, metric: str) -> Verdict:
    """Tell what a row of differences shows."""
    return verdict_of(row["low"], row["high"], higher_is_better=higher_is_better(metric))


def verdict_sentence(imbalance: Imbalance) -> str:
    """Say whether any strategy helped: whether its paired interval excludes 0."""
    metric = compared_metric(imbalance.paired)
    if metric is None:
        return "No strategy was compared with none, so none is shown to help."
    table = imbalance.paired[imbalance.paired["metric"] == metric]
    # What shuffles do is told with the generators whose control they are.
    table = table[table["strategy"] != CONTROL]
    helped, harmed = (
        [
            f"{strategy_words(row['strategy'])} for {row['model']} "
            f"({with_interval(row['difference'], row['low'], row['high'])})"
            for _, row in table.iterrows()
            if found_of(row, metric) == verdict
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
        "Resampling and weights touched training only." + seeds_sentence(imbalance)
    )


def seeds_sentence(imbalance: Imbalance) -> str:
    """Say over how many trainings a difference is, and how far these lie apart."""
    metric, table = compared_metric(imbalance.paired), imbalance.paired
    several = table[table["seeds"] > 1] if len(table) else table
    if metric is None or several.empty:
        return ""
    spread = several[several["metric"] == metric]["seed_sd"].max()
    once = sorted(set(table["model"]) - set(several["model"]))
    text = (
        f" Differences of {listed(sorted(set(several['model'])))} are means over "
        f"{int(several['seeds'].max())} seeds, which differ by a standard deviation of up to "
        f"{number(float(spread))} in {metric_label(metric)}; intervals cover test genes and seeds."
    )
    return text + (f" {listed(once)}: one training." if once else "")


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
                    named(strategy_words(strategy), gate_words(some["gate"])), named(model),
                    named(split),
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
    seeded = bool((table["seeds"] > 1).any())
    if seeded:
        columns = (*columns[:-1], Column("Seeds", True, "trainings of each"), columns[-1])
    found = {(row["strategy"], row["model"], row["metric"]): row for _, row in table.iterrows()}
    rows = []
    for strategy, model in dict.fromkeys(zip(table["strategy"], table["model"], strict=True)):
        mine = [found.get((strategy, model, metric)) for metric in metrics]
        first = mine[0] if mine else None
        rows.append(
            (
                named(
                    strategy_words(strategy), gate_words("" if first is None else first["gate"])
                ),
                named(model),
                *(_estimated(row, "difference") for row in mine),
                *([_seeds(first)] if seeded else []),
                named("" if first is None else found_of(first, metrics[0])),
            )
        )  # fmt: skip
    return Table(
        "imbalance-paired", "Each treatment minus none, on the same test genes.", columns,
        tuple(rows), f"{imbalance.place}paired.tsv",
    )  # fmt: skip


def gate_words(gate: str) -> str:
    """Say what the check for copies and collapse found; nothing where nothing was generated."""
    return f"check: {gate}" if gate else ""


def _seeds(row: pd.Series | None) -> Cell:
    if row is None:
        return Cell(ABSENT)
    cell, spread = counting(row["seeds"]), row["seed_sd"]
    return cell if spread != spread else cell._replace(detail=f"SD {number(float(spread))}")


def _estimated(row: pd.Series | None, name: str) -> Cell:
    if row is None:
        return Cell(ABSENT)
    return estimate(row[name], row["low"], row["high"])
