"""Whether an explanation is faithful: the warning on its pictures, and the curves behind it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from exprimo.interpret.faithfulness.verdict import CURVES_FILE, FAITHFULNESS_FILE, Check, Verdict
from exprimo.report.charts.chart import Axis, Chart, Colour, Panel, Series, floats
from exprimo.report.interpret.reading import InterpretationFolder
from exprimo.report.wording import counted, with_interval

_HEIGHT = 1.9
RESULTS = {"yes": "passes", "no": "fails", "not judged": "not judged"}
_LINES: tuple[tuple[str, str, Colour], ...] = (
    ("explained", "in order of contribution", "c1"),
    ("random", "in random order", "muted"),
)


def with_banner(chart: Chart, verdict: Verdict, input: str) -> Chart:
    """Let a chart of an input's contributions say if they fail their check, or were not checked.

    The warning stands in the picture and in its alternative text; of contributions that pass
    nothing is said.
    """
    words = verdict.banner(input)
    if not words:
        return chart
    return replace(chart, banner=words, alt=f"{words}. {chart.alt}")


def faithfulness_charts(found: InterpretationFolder) -> list[Chart]:
    """Draw deletion and insertion of each input that was checked."""
    if found.curves is None or found.curves.empty:
        return []
    return [_chart(found, str(name), table) for name, table in found.curves.groupby("input")]


def _chart(found: InterpretationFolder, name: str, table: pd.DataFrame) -> Chart:
    sequence = name == "sequence"
    what = "bases" if sequence else "values"
    checks = {c.check: c for c in found.verdict.checks if c.input == name}
    words = " ".join(
        f"{label}: {_area(checks[key])}."
        for key, label in (("deletion", "Deletion"), ("insertion", "Insertion"))
        if key in checks
    )
    n = counted(checks["deletion"].n, "example") if "deletion" in checks else "examples"
    replaced = "those of dinucleotide shuffles" if sequence else "the mean of training examples"
    return Chart(
        # One of the two is the DNA that was read.
        "faithfulness" if name in ("sequence", "embedding") else f"faithfulness_{name}",
        "Does the model use what is shown?" + ("" if sequence else f" ({name})"),
        f"Mean output of {n} while {what} are replaced by {replaced} (deletion), and while they "
        f"are put into these (insertion). Bands: 95% intervals. Area between the lines: {words}",
        f"Lines of the output along the share of {what}, in order of contribution and in random "
        f"order. {words}",
        Axis(f"Share of {what}", (0.0, 1.0)),
        Axis("Output"),
        (),
        sources=(found.file(CURVES_FILE), found.file(FAITHFULNESS_FILE)),
        panels=tuple(
            _panel(found, table[table["curve"] == curve], curve)
            for curve in ("deletion", "insertion")
        ),
    )


def _panel(found: InterpretationFolder, table: pd.DataFrame, curve: str) -> Panel:
    series: list[Series] = []
    for order, name, colour in _LINES:
        rows = table[table["order"] == order].sort_values("share")
        x, y, low, high = (floats(rows[c].to_numpy()) for c in ("share", "mean", "low", "high"))
        first = curve == "deletion"
        series.append(
            Series(
                name, x, y, colour, dash="solid" if order == "explained" else "dash",
                symbol=None, width=2.2, in_legend=first,
            )
        )  # fmt: skip
        if np.isfinite(low).all():
            ends = {"dash": "solid", "symbol": None, "width": 0.8, "opacity": 0.5}
            for edge in (low, high):
                series.append(Series(name, x, edge, colour, in_legend=False, **ends))  # type: ignore[arg-type]  # plain values by name
    scale = found.summary["scale"]
    return Panel(Axis(f"After {curve} ({scale})"), tuple(series), _HEIGHT)


def _area(check: Check) -> str:
    words = with_interval(check.value, check.low, check.high)
    return f"{words}, {RESULTS[check.passed]}"
