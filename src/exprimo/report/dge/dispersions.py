"""The dispersions of the genes: as estimated, as fitted, and as used."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from exprimo.report.charts.chart import Axis, Chart, FloatArray, Series, floats, thinned
from exprimo.report.charts.crowding import sparse, thinning
from exprimo.report.dge.reading import DgeFolder
from exprimo.report.wording import counted, number

_LIVE = 900
_LIVE_EDGE, _LIVE_RINGS = 200, 500
_CURVE = 150
_NOWHERE = floats([])
_GENE = Series("gene-wise estimate", _NOWHERE, _NOWHERE, "muted", size=3, opacity=0.5)
_EDGE = replace(_GENE, symbol="triangle-down", size=4, in_legend=False)
_FINAL = replace(_GENE, name="final, shrunken to the curve", colour="c1")
_RING = Series("outlier", _NOWHERE, _NOWHERE, "c2", size=5, opacity=0.8, hollow=True)
_FITS = {
    "parametric": "the fitted trend a1 / mean + a0",
    "local": "a local regression",
    "mean": "one mean for all genes",
}


def dispersion_plot(dge: DgeFolder) -> Chart | None:
    """Draw gene-wise and final dispersions with the fitted curve, outliers ringed; log–log."""
    table = dge.dispersions
    if table is None:
        return None
    table = table[(table["baseMean"] > 0) & table["dispGeneEst"].notna()]
    if table.empty:
        return None
    mean = floats(table["baseMean"].to_numpy())
    gene, fit, final = (
        floats(table[name].to_numpy()) for name in ("dispGeneEst", "dispFit", "dispersion")
    )
    outlier = (table["dispOutlier"].str.lower() == "true").to_numpy()
    # Estimates that stop at the least value allowed would stretch the axis over empty decades.
    floor = _floor(fit, final)
    below = gene < floor
    genes = Genes(table["gene_id"].to_numpy(), mean)
    series = [
        genes.drawn(_GENE, np.where(below, np.nan, gene), _LIVE),
        genes.drawn(_FINAL, np.where(outlier, np.nan, final), _LIVE),
        genes.drawn(_EDGE, np.where(below, floor, np.nan), _LIVE_EDGE),
        genes.drawn(_RING, np.where(outlier, gene, np.nan), _LIVE_RINGS),
        _curve(mean, fit),
    ]
    ringed = int(outlier.sum())
    hidden = (
        f" {counted(int(below.sum()), 'estimate')} below {floor:g} drawn at the lower edge."
        if below.any()
        else ""
    )
    facts = dge.summary.get("dispersion") or {}
    drawn = [s for s in series if s is not None]
    return Chart(
        "dispersion",
        "Dispersion of the counts",
        f"The curve is {_fit_words(facts)}. Final values stay near it but for "
        f"{counted(ringed, 'outlier')}, ringed, whose own estimate is kept.{hidden}",
        f"Dispersion against mean of normalised counts of {counted(len(table), 'gene')}, with the "
        f"fitted curve; {counted(ringed, 'outlier')}.",
        Axis("Mean of normalised counts (log scale)", log=True),
        Axis("Dispersion (log scale)", log=True),
        tuple(drawn),
        sources=(dge.file("dispersions.tsv"), dge.file("summary.json")),
        tall=True,
        live_note=thinning(drawn),
    )


def _fit_words(facts: dict[str, object]) -> str:
    fit = str(facts.get("fit") or "fitted")
    words = _FITS.get(fit, f"the {fit} fit")
    a0, a1 = facts.get("asymptotic"), facts.get("extra_poisson")
    if fit == "parametric" and isinstance(a0, float) and isinstance(a1, float):
        words += f" with a0 = {number(a0)}, a1 = {number(a1)}"
    return words


def _floor(*values: FloatArray) -> float:
    known = np.concatenate(values)
    known = known[np.isfinite(known) & (known > 0)]
    least = float(np.quantile(known, 0.001)) if known.size else 1e-4
    return float(10.0 ** np.floor(np.log10(least)))


class Genes(NamedTuple):
    """Names of genes and their mean counts."""

    name: NDArray[np.object_]
    mean: FloatArray

    def drawn(self, look: Series, value: FloatArray, keep: int) -> Series | None:
        """Draw the genes that have a positive value; None where there is none."""
        rows = np.flatnonzero(np.isfinite(value) & (value > 0))
        if not rows.size:
            return None
        x, y = self.mean[rows], value[rows]
        live = sparse(np.log10(x), np.log10(y), keep)
        return replace(look, x=x, y=y, hover=tuple(map(str, self.name[rows])), live=live)


def _curve(mean: FloatArray, fit: FloatArray) -> Series:
    known = np.flatnonzero(np.isfinite(fit))
    order = known[np.argsort(mean[known])]
    # Evenly along the axis: an even choice of genes would leave the ends bare.
    even = np.linspace(0, order.size - 1, order.size)
    position = np.log10(mean[order]) if order.size else even
    grid = np.linspace(position[0], position[-1], _CURVE) if order.size else even
    at = order[np.unique(np.searchsorted(position, grid).clip(0, max(order.size - 1, 0)))]
    at = at[thinned(at.size, _CURVE)] if at.size else at
    return Series("fitted curve", mean[at], fit[at], "text", dash="solid", symbol=None, width=2.2)
