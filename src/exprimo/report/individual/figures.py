"""Figures of a study of individuals: genes, people, models, and variants against the truth."""

from __future__ import annotations

import numpy as np
import pandas as pd

from exprimo.report.charts.chart import (
    CYCLE,
    Axis,
    Chart,
    FloatArray,
    Rule,
    Series,
    floats,
    row_axis,
    thinned,
)
from exprimo.report.individual.reading import IndividualFolder, interval_of
from exprimo.report.wording import counted, number, shortened, with_interval

_BINS = 40
_MOST_LIVE = 4000


def study_charts(study: IndividualFolder) -> list[Chart]:
    """Make all figures that the study's files allow."""
    made = (models_chart(study), genes_chart(study), people_chart(study), effects_chart(study))
    return [chart for chart in made if chart is not None]


def models_chart(study: IndividualFolder) -> Chart | None:
    """Draw each model's mean r over people, with the truth's own as the ceiling."""
    judged = {name: m["people"] for name, m in study.models.items() if m.get("people")}
    if not judged:
        return None
    names = list(judged)
    spans = [interval_of(judged[name]["across_people"]["mean_r"]) for name in names]
    values, low, high = (floats(column) for column in zip(*spans, strict=True))
    axis = row_axis("", [shortened(name) for name in names])
    rules = [Rule("x", 0.0, "says nothing")]
    best = judged[study.answer].get("ceiling")
    if best is not None:
        top = interval_of(best["across_people"])[0]
        rules.append(Rule("x", top, f"true genetic part {number(top)}"))
    words = [with_interval(*span) for span in spans]
    return Chart(
        "models",
        "How well predictions follow people",
        "Pearson r over people, the mean over genes, with 95% intervals over genes. A gene for "
        "which everybody is predicted the same counts as 0.",
        "Dot plot of the mean correlation over people: "
        + "; ".join(f"{a} {b}" for a, b in zip(names, words, strict=True))
        + ".",
        Axis("mean Pearson r over people"),
        axis,
        (
            Series(
                "mean over genes", values, floats([at for at, _ in axis.ticks]), "c1",
                low=low, high=high, along="x", size=9,
                hover=tuple(f"{a}: {b}" for a, b in zip(names, words, strict=True)),
            ),
        ),
        tuple(rules),
        sources=("study.json",),
    )  # fmt: skip


def genes_chart(study: IndividualFolder) -> Chart | None:
    """Draw how the genes' r over people is distributed."""
    if study.genes is None:
        return None
    edges = np.linspace(-1, 1, _BINS + 1)
    series = []
    for colour, name in zip(CYCLE, study.models, strict=False):
        rows = study.genes[study.genes["model"] == name]
        moving = rows[(rows["sd_predicted"] > 0) & rows["pearson_r"].notna()]
        counts, _ = np.histogram(moving["pearson_r"], edges)
        series.append(
            Series(
                shortened(name), np.repeat(edges, 2)[1:-1], floats(np.repeat(counts, 2)), colour,
                dash="solid", symbol=None,
            )
        )  # fmt: skip
    own = (study.own("people") or {}).get("across_people", {})
    rules = [Rule("x", 0.0, "says nothing")]
    return Chart(
        "genes",
        "Gene by gene",
        "Genes by Pearson r over people, where predictions differ between people at all; "
        f"{counted(int(own.get('n_constant', 0)), 'gene')} without a variant in the window "
        f"{'is' if own.get('n_constant') == 1 else 'are'} left out here. A model that knows "
        "where a site is and not which way it acts gives as many genes below 0 as above.",
        "Histogram of the correlation over people of each gene, model by model.",
        Axis("Pearson r over people", (-1, 1)),
        Axis("genes"),
        tuple(series),
        tuple(rules),
        sources=("genes.tsv",),
    )


def people_chart(study: IndividualFolder) -> Chart | None:
    """Draw r over genes of each person, by their own sequence against everybody's mean."""
    if study.people is None:
        return None
    rows = study.people[study.people["model"] == study.answer].dropna(
        subset=["pearson_r", "mean_r"]
    )
    if rows.empty:
        return None
    x, y = floats(rows["mean_r"]), floats(rows["pearson_r"])
    ends = _padded(np.concatenate([x, y]))
    above = int((y > x).sum())
    return Chart(
        "people",
        "Person by person",
        f"Each point is a person: Pearson r over {int(rows['n_genes'].iloc[0]):,} genes, by the "
        "person's own sequence and by the mean prediction of all people. Points above the "
        f"diagonal ({above} of {len(rows)}) gain from the person's own sequence.",
        f"Scatter plot of correlation over genes; {above} of {len(rows)} people lie above the "
        "diagonal.",
        Axis("r over genes, mean prediction of all people", ends),
        Axis("r over genes, own sequence", ends),
        (
            Series(
                "person", x, y, "c1", size=6, opacity=0.7,
                hover=tuple(str(name) for name in rows["individual"]),
            ),
        ),
        (Rule("diagonal", label="own sequence adds nothing"),),
        sources=("people.tsv",),
        square=True,
    )  # fmt: skip


def effects_chart(study: IndividualFolder) -> Chart | None:
    """Draw the model's effect of each variant against the true one."""
    if study.effects is None:
        return None
    rows = study.effects[study.effects["model"] == study.answer]
    acting = rows["effect"] != 0
    found = study.own("effects") or {}
    r = found.get("pearson_r")
    told = "" if r is None else f", r {with_interval(*interval_of(r))}"
    rest = counted(int((~acting).sum()), "variant")
    return Chart(
        "effects",
        "What variants do, and what the model says they do",
        "Each point is a variant in a gene's window: what it truly changes in log2 expression, "
        f"and the model's score; alternate less reference. {rest} that change nothing stand at 0.",
        f"Scatter plot of the model's scores against true effects of variants{told}.",
        Axis("true effect (log2, alternate − reference)"),
        Axis("model's score (alternate − reference)"),
        (
            _points("changes nothing", rows[~acting], "muted"),
            _points("acts", rows[acting], "c1"),
        ),
        (Rule("x", 0.0), Rule("y", 0.0)),
        sources=("effects.tsv",),
        tall=True,
    )


def _points(name: str, rows: pd.DataFrame, colour: str) -> Series:
    n = len(rows)
    hover = tuple(f"{v}, {g}" for v, g in zip(rows["variant_id"], rows["gene_id"], strict=True))
    return Series(
        name, floats(rows["effect"]), floats(rows["raw_score"]), colour,  # type: ignore[arg-type]  # one of Colour
        size=5, opacity=0.6, hover=hover, live=None if n <= _MOST_LIVE else thinned(n, _MOST_LIVE),
    )  # fmt: skip


def _padded(values: FloatArray) -> tuple[float, float]:
    low, high = float(values.min()), float(values.max())
    room = 0.05 * max(high - low, 0.02)
    return low - room, high + room
