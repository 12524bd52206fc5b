"""Locus plots: associations, scores, posterior probabilities and genes on one stretch of DNA."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from exprimo.report.charts.chart import (
    STEPS,
    SYMBOLS,
    Axis,
    Box,
    Chart,
    Colour,
    FloatArray,
    Panel,
    Rule,
    Series,
    floats,
)
from exprimo.report.charts.crowding import sparse, thinning
from exprimo.report.individual.association.gene_track import gene_panel, packed, read_genes
from exprimo.report.individual.association.predictors import gene_words
from exprimo.report.individual.association.reading import SCORE, Association, models_of
from exprimo.report.wording import counted, number, power_of_ten, shortened

_MOST_LIVE = 1200
_MOST_MODELS = 3
_NEAR = 0.25
"""A second figure is drawn where models read less than this share of the region."""

_LEAST_P = 1e-300
_SET_LOOKS: tuple[tuple[Colour, str], ...] = tuple(
    zip(("c1", "c2", "c4", "c5", "c6"), SYMBOLS[1:], strict=True)
)
_STEP_NAMES = ("r² below 0.2", "r² 0.2 to 0.4", "r² 0.4 to 0.6", "r² 0.6 to 0.8", "r² 0.8 to 1")
Bools = NDArray[np.bool_]


class Locus(NamedTuple):
    """The variants around one gene, and where it starts; positions in bases, from 1.

    `reach` is the stretch that any model has scored, `reaches` that of each.
    """

    number: int
    gene: str
    name: str
    chrom: str
    tss: float
    rows: pd.DataFrame
    models: tuple[str, ...]
    reaches: dict[str, tuple[float, float]]

    @property
    def reach(self) -> tuple[float, float] | None:
        """Give the stretch within which any model has a score."""
        if not self.reaches:
            return None
        return min(a for a, _ in self.reaches.values()), max(b for _, b in self.reaches.values())

    @property
    def is_scored(self) -> bool:
        """Tell whether any variant has a score of any model."""
        return any(bool(self.rows[SCORE + model].notna().any()) for model in self.models)

    @property
    def lead(self) -> dict[Any, Any]:
        """Give the variant with the least p."""
        return self.rows.iloc[int(self.rows["pval_nominal"].argmin())].to_dict()


def read_loci(found: Association) -> list[Locus]:
    """Gather what belongs to each gene that is drawn."""
    known = found.egenes.set_index("gene_id")
    names = found.gene_models.drop_duplicates("gene_id").set_index("gene_id")
    made = []
    for k, gene in enumerate(found.shown, 1):
        rows = found.loci[found.loci["gene_id"] == gene].sort_values("pos", kind="stable")
        rows = rows[rows["pval_nominal"].notna()].reset_index(drop=True)
        if rows.empty or gene not in known.index:
            continue
        strand = str(names["strand"].get(gene, "+"))
        tss = float(known["tss"][gene])
        reaches = {m: r for m in models_of(rows) if (r := _reach(found, m, rows, tss, strand))}
        name = str(names["gene_name"].get(gene) or gene)
        order = sorted(reaches, key=lambda model: model != found.answer)
        made.append(
            Locus(k, gene, name, str(rows["chrom"].iloc[0]), tss, rows, tuple(order), reaches)
        )
    return made


def _reach(
    found: Association, model: str, rows: pd.DataFrame, tss: float, strand: str
) -> tuple[float, float] | None:
    """Give the bases that a model reads, or where that is not told, has scored."""
    told = ((found.facts.get("overlap") or {}).get(model) or {}).get("window")
    scored = rows["pos"][rows[SCORE + model].notna()]
    if told is not None:
        up, down = map(float, told.split(",") if isinstance(told, str) else told)
        return (tss - up, tss + down) if strand != "-" else (tss - down, tss + up)
    return None if scored.empty else (float(scored.min()) - 1, float(scored.max()) + 1)


def locus_charts(found: Association, locus: Locus) -> list[Chart]:
    """Draw the whole region, and what lies within reach of the models where that is little."""
    low, high = float(locus.rows["pos"].min()), float(locus.rows["pos"].max())
    room = max(0.02 * (high - low), 10.0)
    charts = [_chart(found, locus, (low - room, high + room), near=False)]
    if locus.reach is not None and locus.is_scored:
        a, b = locus.reach
        if b - a < _NEAR * (high - low):
            room = 0.5 * max(b - a, 200.0)
            charts.append(_chart(found, locus, (a - room, b + room), near=True))
    return charts


def _chart(found: Association, locus: Locus, window: tuple[float, float], *, near: bool) -> Chart:
    large = window[1] - window[0] > 500_000
    unit, word = (1e6, "Mb") if large else (1e3, "kb")
    rows = locus.rows[locus.rows["pos"].between(*window)].reset_index(drop=True)
    drawn = _Drawing(locus, rows, unit)
    ends = window[0] / unit, window[1] / unit
    genes = read_genes(
        found.gene_models[found.gene_models["locus"] == locus.gene], locus.gene, unit
    )
    panels = [drawn.associations()]
    panels += [drawn.scores(model) for model in locus.models[:_MOST_MODELS]]
    panels.append(drawn.posteriors())
    track = gene_panel(genes, ends)
    if track is not None:
        panels.append(track)
    left_out = packed(genes, ends)[1]
    every = tuple(series for panel in panels for series in panel.series)
    what = "within reach of the models" if near else "associations, scores and fine-mapping"
    return Chart(
        f"locus-{locus.number}" + "-near" * near,
        f"{gene_words(locus.gene, locus.name)}: {what}",
        _caption(locus, rows, near, left_out),
        _alt(locus, rows, window),
        Axis(f"position on chromosome {locus.chrom.removeprefix('chr')} ({word})", ends),
        Axis(""),
        (),
        (Rule("x", locus.tss / unit, "TSS"),),
        sources=("loci.tsv", "gene_models.tsv", "egenes.tsv"),
        live_note=thinning(every),
        panels=tuple(panels),
    )


class _Drawing:
    """The panels of one stretch, from the same variants."""

    def __init__(self, locus: Locus, rows: pd.DataFrame, unit: float) -> None:
        self.locus, self.rows, self.unit = locus, rows, unit
        self.x = floats(rows["pos"]) / unit
        self.height = -np.log10(np.maximum(floats(rows["pval_nominal"]), _LEAST_P))
        self.step = ld_step(floats(rows["r2_lead"]))
        self.acts = _acting(rows)
        self.hover = tuple(_told(row, locus.models) for row in rows.to_dict("records"))

    def associations(self) -> Panel:
        lead = self.rows["variant_id"].eq(self.locus.lead["variant_id"]).to_numpy(bool)
        series = self._coloured(self.height, ~lead, in_legend=True)
        series += self._points("lead variant", self.height, lead, "text", "diamond", 10)
        series += self._rings(self.height, in_legend=True)
        top = max(float(self.height.max()) if self.height.size else 1.0, 1.0)
        return Panel(Axis("−log₁₀ p", (-0.04 * top, 1.1 * top)), tuple(series), 1.7)

    def scores(self, model: str) -> Panel:
        values = floats(self.rows[SCORE + model])
        scored = np.isfinite(values)
        series = self._coloured(values, scored) + self._rings(values, scored)
        # Without any score there is no scale to show.
        top = max(float(np.abs(values[scored]).max()), 1e-6) * 1.15 if scored.any() else 1.0
        a, b = self.locus.reaches[model]
        return Panel(
            Axis("score", (-top, top)),
            tuple(series),
            1.05,
            rules=(Rule("y", 0.0),),
            boxes=(Box((a / self.unit, b / self.unit), None, "c6", 0.14),),
            title=f"{model}: alternate − reference",
        )

    def posteriors(self) -> Panel:
        pip = floats(self.rows["pip"].fillna(0.0))
        sets = self.rows["credible_set"].to_numpy(str)
        series = self._points(
            "in no credible set", pip, sets == "", "muted", "circle", 4, in_legend=False
        )
        for k, name in enumerate(sorted(set(sets) - {""}, key=lambda one: (len(one), one))):
            colour, symbol = _SET_LOOKS[k % len(_SET_LOOKS)]
            series += self._points(
                f"credible set {name}", pip, sets == name, colour, symbol, 9, in_legend=True
            )
        series += self._rings(pip)
        return Panel(
            Axis("PIP", (-0.06, 1.1), ticks=((0.0, "0"), (0.5, "0.5"), (1.0, "1"))),
            tuple(series),
            0.95,
            title="posterior probability to act",
        )

    def _coloured(self, y: FloatArray, used: Bools, *, in_legend: bool = False) -> list[Series]:
        """Draw points by their LD with the lead, those in strong LD on top."""
        made = self._points("r² not known", y, used & (self.step < 0), "muted", "x", 5)
        for k, name in enumerate(_STEP_NAMES):
            mine, size = used & (self.step == k), 5 + (k > 0) + (k > 2)
            points = self._points(name, y, mine, STEPS[k], "circle", size, in_legend)
            if in_legend and not points:
                nowhere = floats([np.nan])  # so that the legend explains every step
                points = [Series(name, nowhere, nowhere, STEPS[k], size=size)]
            made += points
        return made

    def _points(
        self,
        name: str,
        y: FloatArray,
        used: Bools,
        colour: Colour,
        symbol: str,
        size: float,
        in_legend: bool = True,
    ) -> list[Series]:
        at = np.flatnonzero(used)
        if not at.size:
            return []
        x = self.x[at]
        # Strong ones are few; a crowd is of variants that say nothing.
        live = sparse(x, y[at], _MOST_LIVE) if at.size > _MOST_LIVE else None
        return [
            Series(
                name, x, y[at], colour, symbol=symbol, size=size, in_legend=in_legend,
                hover=tuple(self.hover[i] for i in at), live=live,
            )
        ]  # fmt: skip

    def _rings(
        self, y: FloatArray, used: Bools | None = None, *, in_legend: bool = False
    ) -> list[Series]:
        mine = self.acts if used is None else self.acts & used
        rings = self._points("acts (truth)", y, mine, "c3", "circle", 14, in_legend)
        return [_hollow(one) for one in rings]


def ld_step(r2: FloatArray) -> NDArray[np.int64]:
    """Give the step of colour, 0 to 4, of each r2 with the lead; -1 where it is not known.

    Examples
    --------
    >>> ld_step(np.array([0.0, 0.2, 0.79, 1.0, np.nan])).tolist()
    [0, 1, 3, 4, -1]
    """
    known = np.isfinite(r2)
    # The tiny addend undoes that 0.6 / 0.2 is below 3 in binary.
    step = np.minimum(np.floor(np.where(known, r2, 0.0) * 5 + 1e-9), 4).astype(np.int64)
    return np.where(known, step, -1)


def _hollow(series: Series) -> Series:
    return replace(series, hollow=True, live=None)


def _acting(rows: pd.DataFrame) -> Bools:
    if "acts" not in rows:
        return np.zeros(len(rows), dtype=bool)
    return rows["acts"].eq("yes").to_numpy(bool)


def _told(row: dict[Any, Any], models: tuple[str, ...]) -> str:
    """Say in one line what is known of a variant."""
    p = float(row["pval_nominal"])
    parts = [f"{row['variant_id']}: p {power_of_ten(p, 1) if 0 < p < 0.001 else number(p)}"]
    parts.append(f"slope {number(float(row['slope']))}")
    parts.append(f"r² {number(float(row['r2_lead']), 2)}")
    if row["pip"] == row["pip"]:
        parts.append(f"PIP {number(float(row['pip']), 2)}")
    for model in models[:_MOST_MODELS]:
        score = float(row[SCORE + model])
        if score == score:
            parts.append(f"{model} {number(score)}")
    if row.get("acts") == "yes":
        parts.append(f"truly {number(float(row.get('effect', np.nan)))}")
    return ", ".join(parts)


def _caption(locus: Locus, rows: pd.DataFrame, near: bool, left_out: int) -> str:
    ringed = " Rings: variants that truly act on this gene." if _acting(rows).any() else ""
    more = len(locus.models) - _MOST_MODELS
    parts = [
        f"{counted(len(rows), 'variant')}"
        + (" near the TSS, enlarged." if near else " that were tested with this gene.")
        + " From top: association, coloured by LD with the lead variant; scores of models "
        "(alternate − reference; shaded: the stretch that a model reads; outside it says nothing); "
        "posterior probability to act (PIP), with the variants of each 95% credible set; genes."
        + ringed,
        "" if near else _strongest(locus),
        f"{counted(left_out, 'gene')} found no room and {'is' if left_out == 1 else 'are'} not "
        "drawn."
        if left_out
        else "",
        f"{counted(more, 'further model')} in the file." if more > 0 else "",
    ]
    return " ".join(part for part in parts if part)


def _strongest(locus: Locus) -> str:
    """Set the model's strongest variant beside the lead."""
    if not locus.models:
        return "No variant lies within reach of a model."
    model = locus.models[0]
    scores = locus.rows[SCORE + model].abs()
    if scores.notna().sum() == 0:
        return f"No variant here has a score of {shortened(model)}."
    top = locus.rows.iloc[int(scores.argmax())].to_dict()
    if top["variant_id"] == locus.lead["variant_id"]:
        return (
            f"The strongest variant of {shortened(model)} is the lead variant itself{_deed(top)}."
        )
    r2 = float(top["r2_lead"])
    return (
        f"The strongest variant of {shortened(model)}, {top['variant_id']}{_deed(top)}, has r² "
        f"{number(r2, 2)} with the lead, {locus.lead['variant_id']}{_deed(locus.lead)}."
    )


def _deed(row: dict[Any, Any]) -> str:
    """Say whether a variant acts, where the truth is known."""
    if "acts" not in row:
        return ""
    return " (it acts)" if row["acts"] == "yes" else " (it does not act)"


def _alt(locus: Locus, rows: pd.DataFrame, window: tuple[float, float]) -> str:
    lead = locus.lead
    sets = sorted(set(locus.rows["credible_set"]) - {""})
    acting = int(_acting(rows).sum())
    told = f"; {counted(acting, 'acting variant')} ringed" if acting else ""
    return (
        f"Locus plot of {locus.name} on {locus.chrom}, {window[0]:,.0f} to {window[1]:,.0f}: "
        f"{counted(len(rows), 'variant')}, the lead {lead['variant_id']} with p "
        f"{power_of_ten(float(lead['pval_nominal']), 1)}; {counted(len(sets), 'credible set')}; "
        f"scores of {', '.join(locus.models) or 'no model'}{told}."
    )
