"""Forest plots: differences with their intervals, coloured by what they show."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

from exprimo.report.charts.chart import Axis, Chart, Colour, Rule, Series, floats, row_axis
from exprimo.report.wording import with_interval

Verdict = Literal["better", "undecided", "worse"]
Verdicts = dict[Verdict, tuple[str, Colour, str]]
"""Verdict to its words, colour and symbol, in the order of the legend."""

VERDICTS: Verdicts = {
    "better": ("better", "c1", "circle"),
    "undecided": ("undecided (0 inside)", "muted", "diamond"),
    "worse": ("worse", "c2", "square"),
}


class ForestRow(NamedTuple):
    """One difference: its name, its value with interval, and its verdict."""

    name: str
    value: float
    low: float
    high: float
    verdict: Verdict


def verdict_of(low: float, high: float, *, higher_is_better: bool = True) -> Verdict:
    """Tell whether a difference is better than 0; undecided where 0 is inside or no interval is.

    Examples
    --------
    >>> verdict_of(0.1, 0.2), verdict_of(-0.1, 0.2), verdict_of(float("nan"), float("nan"))
    ('better', 'undecided', 'undecided')
    """
    if not (low > 0 or high < 0):
        return "undecided"
    return "better" if (low > 0) == higher_is_better else "worse"


def forest(
    key: str,
    title: str,
    caption: str,
    label: str,
    rows: Sequence[ForestRow],
    *,
    sources: tuple[str, ...],
    verdicts: Verdicts = VERDICTS,
) -> Chart:
    """Make a forest plot with one named row per difference and a line at 0."""
    axis = row_axis("", [row.name for row in rows])
    series = []
    for verdict, (name, colour, symbol) in verdicts.items():
        mine = [(axis.ticks[i][0], row) for i, row in enumerate(rows) if row.verdict == verdict]
        if mine:
            series.append(
                Series(
                    name,
                    floats([row.value for _, row in mine]),
                    floats([y for y, _ in mine]),
                    colour,
                    low=floats([row.low for _, row in mine]),
                    high=floats([row.high for _, row in mine]),
                    along="x",
                    symbol=symbol,
                    size=9,
                    hover=tuple(with_interval(*row[1:4]) for _, row in mine),
                )
            )
    words = "; ".join(f"{row.name} {with_interval(*row[1:4])}" for row in rows[:6])
    return Chart(
        key,
        title,
        caption,
        f"Forest plot of paired differences. {words}.",
        Axis(label),
        axis,
        tuple(series),
        (Rule("x", 0.0, "no difference"),),
        sources=sources,
    )
