"""What the labels follow besides promoters: covariates against tested and untested genes."""

from __future__ import annotations

from typing import NamedTuple

import pandas as pd

from exprimo.report.charts.chart import Axis, Chart, Colour, Rule, Series, floats, row_axis
from exprimo.report.document.table import Column, Table, counting, estimate, named
from exprimo.report.study.reading import Examination
from exprimo.report.wording import (
    counted,
    listed,
    percent,
    percent_with_interval,
    shortened,
    with_interval,
)

TESTED = "tested"
UNTESTED = "untested called negative"

_LOOKS: dict[str, tuple[str, Colour, str]] = {
    TESTED: ("among tested genes", "c1", "circle"),
    UNTESTED: ("were untested genes called negative", "c2", "square"),
}


class Followed(NamedTuple):
    """How well one covariate alone tells called genes from others, among tested and all."""

    covariate: str
    tested: pd.Series
    untested: pd.Series | None

    @property
    def gap(self) -> float:
        """Give how much further from 0.5 it is once untested genes are called negative."""
        if self.untested is None:
            return 0.0
        return float(abs(self.untested["auroc"] - 0.5) - abs(self.tested["auroc"] - 0.5))

    @property
    def tells(self) -> bool:
        """Tell whether it is shown to separate tested genes: its interval excludes 0.5."""
        return bool(self.tested["low"] > 0.5 or self.tested["high"] < 0.5)


def followed(examination: Examination) -> list[Followed]:
    """List the covariates of tested genes, with their counterpart, as they stand in the file."""
    table = examination.covariates
    rows = {(row["covariate"], row["among"]): row for _, row in table.iterrows()}
    return [
        Followed(name, rows[name, TESTED], rows.get((name, UNTESTED)))
        for name in dict.fromkeys(table["covariate"])
        if (name, TESTED) in rows
    ]


def covariate_chart(examination: Examination) -> Chart | None:
    """Draw how well each covariate alone tells called genes from the others."""
    table = examination.covariates.dropna(subset=["auroc"])
    if table.empty:
        return None
    names = list(dict.fromkeys(table["covariate"]))
    axis = row_axis("", [shortened(name) for name in names])
    at = {name: axis.ticks[i][0] for i, name in enumerate(names)}
    series = []
    for k, (among, (name, colour, symbol)) in enumerate(_LOOKS.items()):
        rows = table[table["among"] == among]
        if rows.empty:
            continue
        series.append(
            Series(
                name,
                floats(rows["auroc"].to_numpy()),
                floats([at[c] + 0.14 - 0.28 * k for c in rows["covariate"]]),
                colour,
                low=floats(rows["low"].to_numpy()),
                high=floats(rows["high"].to_numpy()),
                along="x",
                symbol=symbol,
                size=9,
                hover=tuple(
                    f"{row['covariate']}: {with_interval(row['auroc'], row['low'], row['high'])}"
                    for _, row in rows.iterrows()
                ),
            )
        )
    words = "; ".join(
        f"{f.covariate} {with_interval(*f.tested[['auroc', 'low', 'high']])}"
        for f in followed(examination)[:6]
    )
    return Chart(
        "covariates",
        "What the labels follow, without any promoter",
        "One covariate alone, called genes against the others; 95% intervals. At 0.5 it tells "
        "nothing; below, called genes have less of it. Where the two differ, the labels would "
        "speak of who could be tested.",
        f"Dot plot of AUROC per covariate. Among tested genes: {words}.",
        Axis("AUROC of the covariate alone"),
        axis,
        tuple(series),
        (Rule("x", 0.5, "tells nothing"),),
        sources=(f"{examination.place}covariates.tsv",),
    )


def covariate_table(examination: Examination) -> Table:
    """Tabulate the AUROC of each covariate, among tested genes and otherwise."""
    columns = (
        Column("Covariate"), Column("Among"), Column("AUROC", True), Column("Called", True),
        Column("Not called", True),
    )  # fmt: skip
    rows = tuple(
        (
            named(row["covariate"]), named(row["among"]),
            estimate(row["auroc"], row["low"], row["high"]),
            counting(row["n_positive"]), counting(row["n_negative"]),
        )
        for row in examination.covariates.to_dict("records")
    )  # fmt: skip
    return Table(
        "covariates", "How well one covariate alone tells called genes from the others.", columns,
        rows, f"{examination.place}covariates.tsv",
    )  # fmt: skip


def sentences(examination: Examination) -> list[str]:
    """Say how frequent the label is, and what it follows among tested and untested genes."""
    facts = examination.prevalence
    share = facts.get("prevalence") or {}
    said = []
    if share.get("value") is not None:
        text = (
            f"{percent_with_interval(share['value'], share.get('low'), share.get('high'))} of "
            f"{counted(int(facts.get('n_tested') or 0), 'tested gene')} are called"
        )
        if (other := facts.get("prevalence_if_untested_negative")) is not None:
            text += f"; were untested genes called negative, it would be {percent(other)}"
        said.append(f"{text}.")
    if (joined := facts.get("n_joined")) is not None:
        said.append(
            f"{counted(int(joined), 'gene')} with a label {'has' if joined == 1 else 'have'} a "
            "promoter in the annotation; only they are learned from and judged."
        )
    known = followed(examination)
    if known and (most := max(known, key=lambda f: f.gap)).gap > 0 and most.untested is not None:
        said.append(
            f"Were untested genes called negative, {most.covariate} alone would tell called genes "
            f"with an AUROC of {with_interval(*most.untested[['auroc', 'low', 'high']])}; among "
            f"tested genes it is {with_interval(*most.tested[['auroc', 'low', 'high']])}."
        )
    telling = [f"{f.covariate} ({with_interval(*f.tested[['auroc', 'low', 'high']])})"
               for f in known if f.tells]  # fmt: skip
    if telling:
        said.append(
            f"Among tested genes the label still follows {listed(telling)}: "
            "a model has to beat that before it says anything about promoters."
        )
    elif known:
        said.append("Among tested genes no covariate is shown to tell called genes from others.")
    return said
