"""Motifs in changed promoters against matched ones, and how well these were matched."""

from __future__ import annotations

import numpy as np
import pandas as pd

from exprimo.report.charts.chart import (
    Axis,
    Chart,
    Colour,
    FloatArray,
    Rule,
    Series,
    floats,
    row_axis,
)
from exprimo.report.document.table import (
    Column,
    Table,
    counting,
    estimate,
    named,
    probability,
    quantity,
    share,
)
from exprimo.report.study.reading import Enrichment
from exprimo.report.wording import (
    counted,
    covariate_words,
    listed,
    number,
    p_value,
    shortened,
    with_interval,
)

SIGNIFICANT = 0.05
BALANCED = 0.1
"""Standardised mean difference below which a covariate is usually called balanced."""

N_DRAWN = 15
N_LISTED = 20
_WIDEST = 1024.0
_SETS: dict[str, tuple[Colour, str]] = {
    "changed": ("c3", "diamond"),
    "up": ("c2", "circle"),
    "down": ("c1", "square"),
}


def motif_chart(enrichment: Enrichment) -> Chart | None:
    """Draw the odds ratios of the first motifs, for each set of genes."""
    table = enrichment.table
    table = table[(table["test"] == "presence") & table["odds_ratio"].notna()]
    if table.empty:
        return None
    first = list(dict.fromkeys(table.sort_values(["rank", "padj"])["motif"]))[:N_DRAWN]
    table = table[table["motif"].isin(first)]
    # The first of any set are drawn, in the order of all changed genes together.
    other = table["set"] != "changed"
    ordered = table.assign(other=other).sort_values(["other", "rank", "padj"])
    names = list(dict.fromkeys(ordered["motif"]))
    axis = row_axis("", [shortened(name, 24) for name in names])
    at = {name: axis.ticks[i][0] for i, name in enumerate(names)}
    ends = _ends(table)
    sets = [name for name in _SETS if name in set(table["set"])]
    series = []
    for k, name in enumerate(sets):
        dodge = 0.0 if len(sets) == 1 else 0.27 * (1 - 2 * k / (len(sets) - 1))
        series += _points(table[table["set"] == name], name, at, dodge, ends)
    return Chart(
        "motifs",
        "Motifs in changed promoters against matched ones",
        f"The {counted(len(names), 'motif')} that rank first; 95% intervals. "
        f"Rings: adjusted p of {SIGNIFICANT:g} or more.{_at_the_edge(table, ends)}",
        f"Dot plot of odds ratios per motif. {_words(table)}",
        Axis("Odds ratio of having the motif (log scale)", ends, log=True, ticks=_ticks(ends)),
        axis,
        tuple(series),
        (Rule("x", 1.0, "no enrichment"),),
        sources=(f"{enrichment.place}table.tsv",),
    )


def _ends(table: pd.DataFrame) -> tuple[float, float]:
    """Give an axis that holds every finite odds ratio and interval, up to a thousandfold."""
    known = floats(table[["odds_ratio", "low", "high"]].to_numpy()).ravel()
    known = known[np.isfinite(known) & (known > 0)].clip(1 / _WIDEST, _WIDEST)
    known = np.append(known, 1.0)
    return min(float(known.min()) / 1.25, 0.8), max(float(known.max()) * 1.25, 1.25)


def _at_the_edge(table: pd.DataFrame, ends: tuple[float, float]) -> str:
    odds = floats(table["odds_ratio"].to_numpy())
    n = int(((odds < ends[0]) | (odds > ends[1])).sum())
    return f" At the edge: {counted(n, 'odds ratio')} of 0, without bound or beyond it." * (n > 0)


def _ticks(ends: tuple[float, float]) -> tuple[tuple[float, str], ...]:
    wide = ends[1] / ends[0] > 300  # more than five doublings a side: whole decades are enough
    steps = (1,) if wide else (1, 2, 5)
    found = (step * 10.0**k for k in range(-4, 4) for step in steps)
    return tuple((at, f"{at:g}") for at in found if ends[0] <= at <= ends[1])


def ranks_of(enrichment: Enrichment, motif: str) -> dict[str, int]:
    """Give a motif's rank by each test in the set of all changed genes."""
    table = enrichment.table
    rows = table[(table["set"] == "changed") & (table["motif"] == motif) & table["rank"].notna()]
    return {str(row["test"]): int(row["rank"]) for _, row in rows.iterrows()}


def _points(
    rows: pd.DataFrame, name: str, at: dict[str, float], dodge: float, ends: tuple[float, float]
) -> list[Series]:
    """Give one set's points: filled where the adjusted p is small, rings where it is not."""
    colour, symbol = _SETS[name]
    entry = f"{name} ({int(rows['n_changed'].max()):,} genes)"
    made: list[Series] = []
    small = rows["padj"] < SIGNIFICANT
    for hollow, mine in ((False, rows[small]), (True, rows[~small])):
        if mine.empty:
            continue
        made.append(
            Series(
                entry, _inside(mine["odds_ratio"], ends),
                floats([at[m] + dodge for m in mine["motif"]]), colour,
                low=_inside(mine["low"], ends), high=_inside(mine["high"], ends), along="x",
                symbol=symbol, size=8, hollow=hollow, in_legend=not made,
                hover=tuple(_hover(row) for _, row in mine.iterrows()),
            )
        )  # fmt: skip
    return made


def _inside(values: pd.Series, ends: tuple[float, float]) -> FloatArray:
    """Let an interval that ends at 0 or at infinity end at the edge of the figure."""
    return floats(values.to_numpy()).clip(*ends)


def _hover(row: pd.Series) -> str:
    odds = with_interval(row["odds_ratio"], row["low"], row["high"])
    return f"{row['motif']}, {row['set']}: {odds}, adjusted p {p_value(row['padj'])}"


def _words(table: pd.DataFrame) -> str:
    first = table.sort_values(["padj", "rank"]).head(3)
    return "; ".join(_hover(row) for _, row in first.iterrows()) + "."


def balance_chart(enrichment: Enrichment) -> Chart | None:
    """Draw how much changed promoters differ from the others, before and after matching."""
    table = enrichment.balance
    if table.empty:
        return None
    axis = row_axis("", [shortened(covariate_words(name)) for name in table["covariate"]])
    y = floats([position for position, _ in axis.ticks])
    looks: tuple[tuple[str, str, Colour, str], ...] = (
        ("before", "before matching", "muted", "square"),
        ("after", "after matching", "c1", "circle"),
    )
    series = tuple(
        Series(
            name, floats(table[column].to_numpy()), y, colour, symbol=symbol, size=9,
            hover=tuple(
                f"{covariate_words(covariate)}: {number(value)}"
                for covariate, value in zip(table["covariate"], table[column], strict=True)
            ),
        )
        for column, name, colour, symbol in looks
    )  # fmt: skip
    words = "; ".join(
        f"{covariate_words(row['covariate'])} {number(row['before'])} before, "
        f"{number(row['after'])} after"
        for _, row in table.head(6).iterrows()
    )
    return Chart(
        "balance",
        "How alike the matched promoters are",
        "Difference of the means of changed genes and their controls, in standard deviations; "
        f"within ±{BALANCED:g} a covariate is balanced.",
        f"Dot plot of standardised mean differences. {words}.",
        Axis("Standardised mean difference (changed − controls)"),
        axis,
        series,
        (
            Rule("x", -BALANCED, f"−{BALANCED:g}"),
            Rule("x", 0.0),
            Rule("x", BALANCED, f"{BALANCED:g}"),
        ),
        sources=(f"{enrichment.place}balance.tsv",),
    )  # fmt: skip


def motif_table(enrichment: Enrichment) -> Table:
    """Tabulate motifs × sets × tests, by adjusted p."""
    table = enrichment.table.sort_values(["padj", "rank"])
    sets = [name for name in _SETS if name in set(table["set"])]
    sets += [name for name in dict.fromkeys(table["set"]) if name not in sets]
    shown = table.groupby("set", sort=False).head(N_LISTED)
    shown = shown.sort_values("set", key=lambda column: column.map(sets.index), kind="stable")
    columns = (
        Column("Motif"), Column("Set"), Column("Test"), Column("Rank", True),
        Column("Odds ratio", True), Column("With motif, changed", True, "and all changed genes"),
        Column("With motif, matched", True, "and all matched genes"), Column("p", True),
        Column("Adjusted p", True),
    )  # fmt: skip
    rows = tuple(
        (
            named(row["motif"]), named(row["set"]), named(row["test"]), counting(row["rank"]),
            estimate(row["odds_ratio"], row["low"], row["high"]),
            *(
                share(row[f"share_{side}"])._replace(detail=f"of {counting(row[f'n_{side}']).text}")
                for side in ("changed", "matched")
            ),
            probability(row["pvalue"], exact=True), probability(row["padj"], exact=True),
        )
        for row in shown.to_dict("records")
    )  # fmt: skip
    some = f" The first {N_LISTED} rows of each set." if len(shown) < len(table) else ""
    return Table(
        "motifs", f"Each motif in each set of genes against matched ones.{some}", columns, rows,
        f"{enrichment.place}table.tsv", group_by=1 if len(sets) > 1 else None,
        groups=tuple(sets) if len(sets) > 1 else (), grouped="set of genes",
    )  # fmt: skip


def balance_table(enrichment: Enrichment) -> Table:
    """Tabulate the differences before and after matching."""
    columns = (Column("Covariate"), Column("Before", True), Column("After", True))
    rows = tuple(
        (named(covariate_words(row["covariate"])), quantity(row["before"]), quantity(row["after"]))
        for row in enrichment.balance.to_dict("records")
    )
    caption = "Standardised mean differences of changed genes and their controls."
    return Table("balance", caption, columns, rows, f"{enrichment.place}balance.tsv")


def unbalanced(enrichment: Enrichment) -> list[str]:
    """List the covariates that matching did not make alike."""
    table = enrichment.balance
    return [covariate_words(name) for name in table[table["after"].abs() > BALANCED]["covariate"]]


def sentence(enrichment: Enrichment) -> str:
    """Say which motifs are enriched or depleted in changed promoters."""
    table = enrichment.table
    table = table[(table["test"] == "presence") & (table["padj"] < SIGNIFICANT)]
    if table.empty:
        return "No motif's presence differs between changed promoters and matched ones."
    best = table.sort_values(["padj", "rank"]).drop_duplicates("motif")
    named_ones = [
        f"{row['motif']} ({row['set']}, odds ratio "
        f"{with_interval(row['odds_ratio'], row['low'], row['high'])})"
        for _, row in best.head(3).iterrows()
    ]
    more = f" and {counted(len(best) - 3, 'other motif')}" if len(best) > 3 else ""
    joined = ", ".join(named_ones) if more else listed(named_ones)
    text = (
        f"After matching, changed promoters differ from their controls in {joined}{more}, at an "
        f"adjusted p below {SIGNIFICANT:g}."
    )
    apart = " Motifs that stand together in promoters are not told apart by this test."
    return text + apart * (len(best) > 1)
