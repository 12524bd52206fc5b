"""Figures of predictors: compared, paired, person by person, and against heritability."""

from __future__ import annotations

import numpy as np
import pandas as pd

from exprimo.report.charts.chart import (
    Axis,
    Chart,
    Colour,
    Rule,
    Series,
    floats,
    row_axis,
    thinned,
)
from exprimo.report.charts.forest import ForestRow, forest, verdict_of
from exprimo.report.individual.association.reading import CALIBRATED, KINDS, Association
from exprimo.report.individual.reading import interval_of
from exprimo.report.wording import counted, number, percent, shortened, with_interval

KIND_WORDS = {
    "stack": "stack",
    "cis": "score of cis-genotypes",
    "model": "model of sequence",
    "member": "member of the stack",
}
_LOOKS: dict[str, tuple[Colour, str]] = {
    "stack": ("c1", "diamond"),
    "cis": ("c3", "square"),
    "model": ("c2", "circle"),
    "member": ("muted", "triangle-up"),
}
_ASIDE = 0.17
_MOST_LIVE = 1500
_MOST_PEOPLE = 400
_LEAST_R2 = -0.25


def predictor_charts(found: Association) -> list[Chart]:
    """Draw everything about predictors but the single loci."""
    made = (compared_chart(found), contest_chart(found), heritability_chart(found))
    return [chart for chart in made if chart is not None]


def ranked(found: Association) -> list[str]:
    """Name the predictors, the greatest mean R² first."""
    return sorted(found.scores, key=lambda name: -_finite(interval_of(found.scores[name]["r2"])[0]))


def _judged(found: Association) -> list[str]:
    """Leave out models in units of their own, which have no R²."""
    return [name for name in ranked(found) if found.scores[name]["r2"]["value"] is not None]


def compared_chart(found: Association) -> Chart | None:
    """Draw the mean R² of every predictor with intervals over genes and over people."""
    names = _judged(found)
    if not names:
        return None
    axis = row_axis("", [shortened(name) for name in names])
    place = dict(zip(names, (at for at, _ in axis.ticks), strict=True))
    series: list[Series] = []
    rings = False
    for kind in KINDS:
        mine = [name for name in names if found.scores[name]["kind"] == kind]
        if not mine:
            continue
        colour, symbol = _LOOKS[kind]
        for part, aside in (("r2", _ASIDE), ("r2_people", -_ASIDE)):
            spans = [interval_of(found.scores[name].get(part)) for name in mine]
            values, low, high = (floats(column) for column in zip(*spans, strict=True))
            over = "genes" if part == "r2" else "people"
            series.append(
                Series(
                    KIND_WORDS[kind] if part == "r2" else "the same, interval over people",
                    values, floats([place[name] + aside for name in mine]), colour,
                    low=low, high=high, along="x", size=9 if part == "r2" else 6,
                    symbol=symbol, hollow=part != "r2",
                    in_legend=part == "r2" or not rings,
                    hover=tuple(
                        f"{name}: R² {with_interval(*span)} over {over}"
                        for name, span in zip(mine, spans, strict=True)
                    ),
                )
            )  # fmt: skip
            rings = rings or part != "r2"
    words = "; ".join(
        f"{name} {with_interval(*interval_of(found.scores[name]['r2']))}" for name in names[:8]
    )
    series.sort(key=lambda one: one.hollow)
    return Chart(
        "predictors",
        "How well left-out people are predicted",
        "R² = 1 − RSS/TSS against the mean of the training people, the mean over genes; every "
        "predictor has the same people, folds and genes, and one that selects nothing counts as 0. "
        "Filled: interval over genes. Hollow: interval over people.",
        f"Dot plot of the mean R² of {counted(len(names), 'predictor')}: {words}.",
        Axis("mean R² over genes, people left out"),
        axis,
        tuple(series),
        tuple(_heritability_rules(found)),
        sources=("study.json",),
    )


def _heritability_rules(found: Association) -> list[Rule]:
    rules = [Rule("x", 0.0)]
    ceiling = reachable(found)
    if ceiling is not None:
        value, simulated = ceiling
        name = "simulated heritability" if simulated else "estimated heritability"
        rules.append(Rule("x", value, f"{name} {number(value)}"))
    return rules


def reachable(found: Association) -> tuple[float, bool] | None:
    """Give the mean heritability, and whether it is the simulated one."""
    known = (found.truth.get("h2") or {}).get("mean")
    if known is not None:
        return float(known), True
    told = (found.facts.get("heritability") or {}).get("mean")
    value = interval_of(told)[0]
    return None if np.isnan(value) else (value, False)


def contest_chart(found: Association) -> Chart | None:
    """Draw the paired differences between predictors."""
    rows = [
        ForestRow(
            f"{_brief(one.ours)} − {_brief(one.theirs)}",
            one.value, one.low, one.high, verdict_of(one.low, one.high),
        )
        for one in found.contests
    ]  # fmt: skip
    if not rows:
        return None
    return forest(
        "predictors-paired",
        "Which predictor is better?",
        "Differences in R², paired by gene, with 95% intervals over genes. Right of the line the "
        "first of the two is better. Models of sequence are calibrated on training people.",
        "difference in mean R² (first − second)",
        rows,
        sources=("study.json",),
    )


def _brief(name: str) -> str:
    """Leave out what holds for every model that has an R²."""
    return shortened(name.removesuffix(CALIBRATED), 24)


def heritability_chart(found: Association) -> Chart | None:
    """Draw each gene's R² by the best predictor against its heritability."""
    rows = found.predictors[found.predictors["predictor"] == found.best]
    known = found.truth and "true_h2" in rows
    if known:
        rows = rows.assign(h2=rows["true_h2"])
    else:
        rows = rows.merge(found.egenes[["gene_id", "h2"]], on="gene_id")
    rows = rows.dropna(subset=["h2", "r2"])
    if rows.empty:
        return None
    x, r2 = floats(rows["h2"]), floats(rows["r2"])
    cut = r2 < _LEAST_R2
    y = np.maximum(r2, _LEAST_R2)
    word = "simulated" if known else "estimated"
    below = (
        f" {counted(int(cut.sum()), 'gene')} with R² below {number(_LEAST_R2, 2)} "
        f"{'is' if cut.sum() == 1 else 'are'} drawn at the lower edge."
        if cut.any()
        else ""
    )
    above = float((r2 > x).mean())
    n = len(rows)
    return Chart(
        "heritability",
        f"What could be reached, and what {shortened(found.best)} reaches",
        f"Each point is a gene: its {word} heritability from variants around it, and R² on people "
        "left out. On the dotted diagonal both are equal. On average no predictor from genotypes "
        "can lie above it; single genes do, because both axes have noise "
        f"({percent(above)} of {n:,} genes).{below}",
        f"Scatter plot of R² against {word} heritability over {counted(n, 'gene')}; "
        f"{percent(above)} lie above the diagonal.",
        Axis(f"{word} heritability (cis)", (-0.03, max(1.0, float(x.max()) + 0.03))),
        Axis("R², people left out", (_LEAST_R2 - 0.03, 1.0)),
        (
            Series(
                "gene", x, y, "c1", size=5, opacity=0.55,
                hover=tuple(map(str, rows["gene_id"])),
                live=None if n <= _MOST_LIVE else thinned(n, _MOST_LIVE),
            ),
        ),
        (Rule("diagonal"), Rule("y", 0.0)),
        sources=("predictors.tsv",) if known else ("predictors.tsv", "egenes.tsv"),
        square=True,
    )  # fmt: skip


def followed_charts(found: Association) -> list[Chart]:
    """Draw the people of each gene that was chosen for it."""
    made = (
        followed_chart(found, number_of, gene, gene_words(gene, name))
        for number_of, (gene, name) in enumerate(found.followed.items(), 1)
    )
    return [chart for chart in made if chart is not None]


def gene_words(gene: str, name: str) -> str:
    """Write a gene by its name and its id, which tables have.

    Examples
    --------
    >>> gene_words("ENSG00000012048", "BRCA1"), gene_words("G7", "G7")
    ('BRCA1 (ENSG00000012048)', 'G7')
    """
    return shortened(name) if name == gene else f"{shortened(name)} ({shortened(gene)})"


def followed_chart(found: Association, number_of: int, gene: str, name: str) -> Chart | None:
    """Draw observed against predicted expression of one gene, the best predictor at once."""
    rows = found.predicted[found.predicted["gene_id"] == gene]
    offered = [one for one in offered_predictors(found) if (rows["predictor"] == one).any()]
    if not offered:
        return None
    scored = found.predictors[found.predictors["gene_id"] == gene].set_index("predictor")
    series = [
        _people_of(rows[rows["predictor"] == one], one, scored, found, at == 0)
        for at, one in enumerate(offered)
    ]
    both = rows[rows["predictor"].isin(offered)]
    return Chart(
        f"followed-{number_of}",
        f"{name}: observed and predicted",
        "Each point is a person who was left out when the predictor learned, without what "
        "covariates explain. The gene is one of those with the strongest eQTLs among the genes "
        "that predictors were fitted on.",
        f"Scatter plot of observed against predicted expression of {name}: "
        + "; ".join(one.name for one in series)
        + ".",
        Axis("predicted", _around(both["predicted"])),
        Axis("observed", _around(both["observed"])),
        tuple(series),
        (Rule("diagonal"),),
        sources=("predicted.tsv", "predictors.tsv"),
        square=True,
        live_note="A click on a name shows or hides that predictor." * (len(series) > 1),
    )


def offered_predictors(found: Association) -> list[str]:
    """Name the best predictor, and of each other kind the best; the answering model is its kind's.

    Members stand in the table alone: the stack is made of them.
    """
    names = [found.best]
    for kind in ("stack", "cis", "model"):
        special = {"model": found.calibrated, "cis": found.rival}.get(kind)
        one = special or found.best_of(kind)
        if one is not None:
            names.append(one)
    return list(dict.fromkeys(names))


def _people_of(
    rows: pd.DataFrame, name: str, scored: pd.DataFrame, found: Association, shown: bool
) -> Series:
    colour, symbol = _LOOKS[found.scores[name]["kind"]]
    told = ""
    if name in scored.index:
        r2, r = floats(scored.loc[name, ["r2", "pearson_r"]])
        told = f": R² {number(float(r2), 2)}, r {number(float(r), 2)}"
    n = len(rows)
    return Series(
        f"{shortened(name)}{told}", floats(rows["predicted"]), floats(rows["observed"]), colour,
        symbol=symbol, size=6, opacity=0.6, hover=tuple(map(str, rows["individual"])),
        live=None if n <= _MOST_PEOPLE else thinned(n, _MOST_PEOPLE), shown=shown,
    )  # fmt: skip


def _around(values: pd.Series[float]) -> tuple[float, float]:
    low, high = float(values.min()), float(values.max())
    room = 0.05 * max(high - low, 0.02)
    return low - room, high + room


def _finite(value: float) -> float:
    return value if np.isfinite(value) else -np.inf
