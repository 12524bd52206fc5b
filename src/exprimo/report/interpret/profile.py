"""Figures of importance along the window."""

from __future__ import annotations

import numpy as np

from exprimo.report.charts.chart import (
    Axis,
    Chart,
    FloatArray,
    Matrix,
    Rule,
    Series,
    floats,
    thinned,
)
from exprimo.report.interpret.reading import InterpretationFolder
from exprimo.report.wording import counted, number, percent, with_interval

_LIVE = 2500
_PLANTED_SHARE = 0.5
_BRIGHTEST = 0.99


def importance_chart(found: InterpretationFolder) -> Chart | None:
    """Draw mean |contribution| around the TSS, and where motifs are planted if known."""
    table = found.profile
    if table is None or table.empty:
        return None
    x = floats(table["position"].to_numpy())
    mean, low, high = (floats(table[name].to_numpy()) for name in ("mean", "lower", "upper"))
    live = thinned(x.size, _LIVE)
    edge = Series("", x, low, "c1", dash="solid", symbol=None, width=1, opacity=0.55, live=live)
    level = percent(float(found.summary["level"]))
    bounds = [
        _named(edge, f"{level} interval", low, first=True),
        _named(edge, f"{level} interval", high, first=False),
    ]
    line = Series("mean", x, mean, "c1", dash="solid", symbol=None, width=2, live=live)
    planted = _planted_series(found, x, mean)
    has_interval = bool(np.isfinite(low).any())
    series = (line, *(bounds if has_interval else ()), *((planted,) if planted else ()))
    peak = int(mean.argmax())
    words = with_interval(mean[peak], low[peak], high[peak])
    n = counted(int(found.summary["n_examples"]), "example")
    return Chart(
        "importance",
        "Importance around the TSS",
        f"Mean |{found.method}| of {found.explained} over {n}"
        f"{_smoothing(found)}.{_learned(found)}{_interval_words(found, has_interval)}"
        f"{_planted_words(found) if planted else ''}{_caution(found)}",
        f"Line of mean importance per position over {n}; highest at {position_name(x[peak])} "
        f"relative to the TSS, {words} ({found.unit}).",
        Axis("Position relative to the TSS (bases)", (float(x[0]), float(x[-1]))),
        Axis(f"Mean |{found.method}| ({found.unit})"),
        series,
        (Rule("x", 0.0, "TSS"),) if x[0] <= 0 <= x[-1] else (),
        sources=(found.file("importance.tsv"),),
    )


def _named(look: Series, name: str, y: FloatArray, *, first: bool) -> Series:
    return Series(
        name, look.x, y, look.colour, dash=look.dash, symbol=None, width=look.width,
        opacity=look.opacity, live=look.live, in_legend=first,
    )  # fmt: skip


def _caution(found: InterpretationFolder) -> str:
    if "gradient" not in found.method or "integrated" in found.method:
        return ""
    return " A gradient is a slope: where the output is saturated it is small."


def _learned(found: InterpretationFolder) -> str:
    return f" {found.learned_from}." if found.learned_from else ""


def _smoothing(found: InterpretationFolder) -> str:
    width = int(found.summary.get("smooth") or 1)
    return f", moving mean of {width} bases" if width > 1 else ""


def _interval_words(found: InterpretationFolder, has_interval: bool) -> str:
    if not has_interval:
        return " Too few for an interval."
    return f" Thin lines: interval at each position; resampled unit: {found.summary['unit']}."


def planted_positions(share: FloatArray) -> FloatArray:
    """Tell, as 1 or NaN, where at least half as many examples as anywhere have a planted base.

    Examples
    --------
    >>> planted_positions(np.array([0.0, 0.3, 0.6, 0.2])).tolist()
    [nan, 1.0, 1.0, nan]
    """
    most = float(share.max())
    return np.where((share >= _PLANTED_SHARE * most) & (share > 0), 1.0, np.nan)


def _planted_series(found: InterpretationFolder, x: FloatArray, mean: FloatArray) -> Series | None:
    """Mark positions of acting bases by a thick bar just below 0."""
    share = found.planted
    if share is None or not share.max() > 0:
        return None
    below = -0.04 * float(mean.max())
    return Series(
        "most acting sites", x, below * planted_positions(share), "c2", dash="solid", symbol=None,
        width=7, opacity=0.6,
    )  # fmt: skip


def _planted_words(found: InterpretationFolder) -> str:
    share = found.planted
    if share is None:
        return ""
    words = " Bars below: where the bases that act are most common, up to "
    words += f"{percent(float(share.max()))} of examples."
    facts = (found.summary.get("recovery") or {}).get("mean")
    if facts:
        auroc = with_interval(facts["value"], facts["low"], facts["high"])
        words += f" AUROC of importance against the bases that act, per example: {auroc}."
    return words


def top_positions_chart(found: InterpretationFolder) -> Chart | None:
    """Draw |contribution| at the most important positions of examples by prediction."""
    table = found.top
    if table is None or table.empty:
        return None
    positions = sorted(table["position"].unique())
    order = table.drop_duplicates("example_id").sort_values("prediction", kind="stable")
    cells = table.pivot(index="position", columns="example_id", values="contribution")
    values = abs(floats(cells.loc[positions, order["example_id"].tolist()].to_numpy()))
    brightest = float(np.quantile(values, _BRIGHTEST))
    top = brightest if brightest > 0 else float(values.max()) or 1.0
    least, most = (number(float(order["prediction"].iloc[k])) for k in (0, -1))
    first = table.sort_values("rank")["position"].iloc[0]
    n_positions, n_examples = values.shape
    above = f" Values above {number(top)} are drawn as {number(top)}." if top < values.max() else ""
    return Chart(
        "top_positions",
        "Most important positions",
        f"|{found.method}| of {found.explained} at the {counted(n_positions, 'position')} of "
        f"greatest mean importance; {counted(n_examples, 'example')}, evenly chosen by and in "
        f"order of prediction ({least} to {most}).{_learned(found)}{above}",
        f"Heat map of importance, {counted(n_positions, 'position')} by "
        f"{counted(n_examples, 'example')}; the most important position is "
        f"{position_name(float(first))} relative to the TSS.",
        Axis("Examples, by rank of prediction"),
        Axis("Position relative to the TSS (bases)"),
        (),
        sources=(found.file("top_positions.tsv"),),
        matrix=Matrix(
            values,
            tuple(position_name(float(p)) for p in positions),
            # Their names would take more room than the cells; the table has them.
            tuple(str(rank + 1) for rank in range(n_examples)),
            f"|{found.method}| ({found.unit})",
            range=(0.0, top),
        ),
    )


def position_name(position: float) -> str:
    """Write a position relative to the TSS with its sign.

    Examples
    --------
    >>> position_name(-35.0), position_name(12.0), position_name(0.0)
    ('−35', '+12', '0')
    """
    return f"{position:+.0f}".replace("-", "−") if position else "0"
