"""Figures that compare: models, pairs of models, splits, amounts of data, interval coverage."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from exprimo.report.charts.chart import (
    CYCLE,
    SYMBOLS,
    Axis,
    Chart,
    FloatArray,
    Rule,
    Series,
    floats,
    row_axis,
)
from exprimo.report.charts.forest import ForestRow, Verdicts, forest
from exprimo.report.runs.material import Comparison, Material
from exprimo.report.wording import (
    higher_is_better,
    listed,
    metric_label,
    number,
    percent,
    percent_with_interval,
    shortened,
    strictness,
    with_interval,
)

SPLIT_VERDICTS: Verdicts = {
    "better": ("looser split flatters", "c2", "square"),
    "undecided": ("undecided (0 inside)", "muted", "diamond"),
    "worse": ("looser split looks worse", "c1", "circle"),
}


def overview_charts(material: Material) -> list[Chart]:
    """Make the comparing figures for which there is something to compare."""
    made = (
        _models(material),
        _pairs(material),
        _splits(material),
        _learning(material),
        _coverage(material),
    )
    return [chart for chart in made if chart is not None]


def axis_label(material: Material) -> str:
    """Name the headline metric with its direction."""
    arrow = "higher is better" if higher_is_better(material.headline) else "lower is better"
    return f"{metric_label(material.headline)} ({arrow})"


def against_best(material: Material, split: str) -> list[Comparison]:
    """List the paired comparisons of a split's best model with all others, best minus other."""
    models = material.ranked(split, "model") or material.ranked(split)
    if not models:
        return []
    best = material.chosen or models[0].model
    found = [
        c
        for s in material.ranked(split)
        if s.model != best and (c := material.compared(best, s.model, split)) is not None
    ]
    return sorted(found, key=lambda c: c.value)


def split_pairs(material: Material) -> list[Comparison]:
    """List the comparisons of one model on two splits, as the looser minus the stricter."""
    found = [
        c.flipped() if strictness(c.split_a) < strictness(c.split_b) else c
        for c in material.comparisons
        if c.kind == "split" and c.metric == material.headline
    ]
    order = {m.name: i for i, m in enumerate(material.models)}
    order |= {name: i for i, name in enumerate(material.names_on(material.answer_split))}
    return sorted(found, key=lambda c: (order.get(c.model_a, len(order)), -strictness(c.split_a)))


def _models(material: Material) -> Chart | None:
    split = material.answer_split
    ranked = material.ranked(split)
    if len(ranked) < 2:
        return None
    names = [s.model for s in ranked]
    roles = {s.model: s.role for s in ranked}
    labels = [
        shortened(name, 24) + (" (baseline)" if roles[name] == "baseline" else "") for name in names
    ]
    axis = row_axis("", labels)
    series = []
    for k, one in enumerate(material.splits):
        rows = [
            (axis.ticks[i][0] + _dodge(k, len(material.splits)), score)
            for i, name in enumerate(names)
            if (score := material.score(name, one)) is not None
        ]
        if rows:
            series.append(
                Series(
                    f"{one} split" + " (leaks)" * (one == "example"),
                    floats([s.value for _, s in rows]),
                    floats([y for y, _ in rows]),
                    CYCLE[k % len(CYCLE)],
                    low=floats([s.low for _, s in rows]),
                    high=floats([s.high for _, s in rows]),
                    along="x",
                    symbol=SYMBOLS[k % len(SYMBOLS)],
                    hover=tuple(
                        f"{s.model}: {with_interval(s.value, s.low, s.high)}" for _, s in rows
                    ),
                )
            )
    ceiling = material.ceiling
    rules = (Rule("x", ceiling[0], f"ceiling {number(ceiling[0])}"),) if ceiling else ()
    best = ", ".join(f"{s.model} {with_interval(s.value, s.low, s.high)}" for s in ranked[:4])
    return Chart(
        "models",
        "Models side by side",
        "Test part; point with 95% interval. "
        + (f"The dotted line is the ceiling: {ceiling[1]}." if ceiling else ""),
        f"Dot plot of {metric_label(material.headline)} per model. On the {split} split: {best}.",
        Axis(axis_label(material)),
        axis,
        tuple(series),
        rules,
        sources=(material.scores_file,),
    )


def _dodge(k: int, of: int) -> float:
    return 0.0 if of == 1 else 0.4 * (0.5 - k / (of - 1))


def _pairs(material: Material) -> Chart | None:
    split = material.answer_split
    found = against_best(material, split)
    if not found:
        return None
    rows = [
        ForestRow(f"against {shortened(c.model_b, 22)}", c.value, c.low, c.high, c.verdict)
        for c in found
    ]
    return forest(
        "pairs",
        f"{shortened(found[0].model_a)} against each other model",
        f"Paired on the same test examples of the {split} split; 95% intervals. "
        "An interval that includes 0 decides nothing.",
        f"Difference in {metric_label(material.headline)}",
        rows,
        sources=(material.file("paired.tsv"),),
    )


def _splits(material: Material) -> Chart | None:
    found = split_pairs(material)
    if not found:
        return None
    rows = [
        ForestRow(
            f"{shortened(c.model_a, 18)}: {shortened(c.split_a, 14)} − {shortened(c.split_b, 14)}",
            c.value,
            c.low,
            c.high,
            c.verdict,
        )
        for c in found
    ]
    return forest(
        "splits",
        "What an easier split would have claimed",
        "The same model on two splits, looser minus stricter; 95% intervals. "
        "A difference above 0 is what the looser split claims beyond the stricter one.",
        f"Difference in {metric_label(material.headline)}",
        rows,
        sources=(material.file("paired.tsv"),),
        verdicts=SPLIT_VERDICTS,
    )


def _learning(material: Material) -> Chart | None:
    table = material.learning
    if table is None:
        return None
    table = table[(table["metric"] == material.headline) & table["value"].notna()]
    split = material.answer_split
    if split in set(table["split"]):
        table = table[table["split"] == split]
    if table.empty:
        return None
    series = []
    for k, (model, rows) in enumerate(table.groupby("model", sort=False)):
        means = rows.groupby("n_train")["value"].mean()
        colour = CYCLE[k % len(CYCLE)]
        series.append(
            Series(
                str(model),
                floats(means.index.to_numpy()),
                floats(means.to_numpy()),
                colour,
                dash="solid",
                symbol=SYMBOLS[k % len(SYMBOLS)],
            )
        )
        if rows["seed"].nunique() > 1:
            series.append(
                Series(
                    str(model),
                    floats(rows["n_train"].to_numpy()),
                    floats(rows["value"].to_numpy()),
                    colour,
                    size=5,
                    opacity=0.45,
                    in_legend=False,
                )
            )
    ceiling = material.ceiling
    rules = (Rule("y", ceiling[0], f"ceiling {number(ceiling[0])}"),) if ceiling else ()
    last = listed([f"{s.name} ends at {number(float(s.y[-1]))}" for s in series if s.in_legend])
    seeds = " Small points are single seeds." if any(not s.in_legend for s in series) else ""
    return Chart(
        "learning",
        "Learning curve",
        f"Trained on growing fractions of the training part, judged on the same test part.{seeds}",
        f"Learning curve: {last}.",
        # Powers of ten say little about 800 and 6,400 examples: ticks stand where the data do.
        Axis("Training examples (log scale)", log=True, ticks=_at_data(series)),
        Axis(axis_label(material)),
        tuple(series),
        rules,
        sources=(material.file("learning_curve.tsv"),),
    )


def _at_data(series: list[Series]) -> tuple[tuple[float, str], ...]:
    at = np.unique(np.concatenate([s.x for s in series if s.in_legend]))
    return tuple((float(value), f"{value:,.0f}") for value in at)


def _coverage(material: Material) -> Chart | None:
    split = material.answer_split
    rows = []
    judged = material.ranked(split, "model") or material.ranked(split)
    for score in judged:
        for trained in material.of(score.model, split):
            conformal = trained.metrics.get("conformal")
            if conformal and (conformal.get("coverage") or {}).get("value") is not None:
                rows.append((trained, conformal))
    if not rows:
        return None
    several = any(a[0].model == b[0].model for a, b in pairwise(rows))
    axis = row_axis(
        "", [shortened(t.model, 22) + (f", seed {t.seed}" if several else "") for t, _ in rows]
    )
    level = float(rows[0][1]["level"])
    cover = [conformal["coverage"] for _, conformal in rows]
    low = floats([np.nan if c.get("low") is None else c["low"] for c in cover])
    high = floats([np.nan if c.get("high") is None else c["high"] for c in cover])
    value = floats([c["value"] for c in cover])
    words = "; ".join(
        f"{t.model} {percent_with_interval(v, a, b)}"
        for (t, _), v, a, b in zip(rows, value, low, high, strict=True)
    )
    return Chart(
        "coverage",
        "Do the prediction intervals hold what they promise?",
        f"Share of test examples inside the {percent(level)} conformal interval, "
        "whose width was set on validation only.",
        f"Coverage of {percent(level)} intervals: {words}.",
        Axis("Share of test examples inside", _coverage_range(level, value, low, high)),
        axis,
        (
            Series(
                "measured coverage",
                value,
                floats([position for position, _ in axis.ticks]),
                "c1",
                low=low,
                high=high,
                along="x",
                size=9,
                hover=tuple(percent(float(v)) for v in value),
            ),
        ),
        (Rule("x", level, f"promised {percent(level)}"),),
        sources=tuple(f"{t.place}metrics.json" for t, _ in rows),
    )


def _coverage_range(level: float, *shares: FloatArray) -> tuple[float, float]:
    """Leave room around the promise, or else a hair's breadth off it looks like a mile."""
    known = np.concatenate([*shares, [level]])
    known = known[np.isfinite(known)]
    low = min(float(known.min()), level - 0.05) - 0.02
    high = max(float(known.max()), level + 0.05) + 0.02
    return max(low, -0.02), min(high, 1.02)
