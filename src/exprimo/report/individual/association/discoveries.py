"""Figures of what was mapped: p-values of genes, power, and whether PIPs are right."""

from __future__ import annotations

import numpy as np

from exprimo.report.charts.chart import Axis, Chart, Rule, Series, floats
from exprimo.report.individual.association.reading import Association
from exprimo.report.individual.reading import interval_of
from exprimo.report.wording import counted, number, percent, percent_with_interval

_BINS = 20


def discovery_charts(found: Association) -> list[Chart]:
    """Draw what the files allow."""
    made = (p_values_chart(found), power_chart(found), calibration_chart(found))
    return [chart for chart in made if chart is not None]


def p_values_chart(found: Association) -> Chart | None:
    """Draw how many genes have which p-value, beside what chance gives."""
    p = floats(found.egenes["pval_beta"].dropna())
    if not p.size:
        return None
    edges = np.linspace(0, 1, _BINS + 1)
    counts, _ = np.histogram(p, edges)
    flat = p.size / _BINS
    x, y = np.repeat(edges, 2)[1:-1], floats(np.repeat(counts, 2))
    eqtl = found.facts["eqtl"]
    n, fdr = int(eqtl["n_egenes"]), percent(float(eqtl["fdr"]))
    return Chart(
        "egenes",
        "How many genes have an eQTL",
        f"{counted(p.size, 'gene')} by the p-value of the strongest variant, corrected for how "
        f"many were tried around the gene. Without any eQTL each bar would hold about "
        f"{_about(flat)}. {n:,} are found at a false discovery rate of {fdr}.",
        f"Histogram of gene-level p-values: {int(counts[0]):,} of {p.size:,} genes below "
        f"{number(1 / _BINS, 2)}, about {_about(flat)} expected by chance.",
        Axis("p of the gene (beta approximation)", (0.0, 1.0)),
        Axis("genes", (0.0, float(counts.max()) * 1.08)),
        (
            Series(
                "genes", x, y, "c1", low=np.zeros_like(y), high=y, band=True, opacity=0.35,
                symbol=None, in_legend=False,
            ),
            Series("genes", x, y, "c1", dash="solid", symbol=None, width=1.5, in_legend=False),
        ),
        (Rule("y", flat, "by chance"),),
        sources=("egenes.tsv", "study.json"),
    )  # fmt: skip


def power_chart(found: Association) -> Chart | None:
    """Draw the share of genes with an acting variant that are found, by heritability."""
    bins = [one for one in found.truth.get("power_by_h2") or () if one["n"]]
    if not bins:
        return None
    centre = floats([(one["low"] + one["high"]) / 2 for one in bins])
    values, low, high = (
        floats([_or_nan(one[k]) for one in bins]) for k in ("value", "ci_low", "ci_high")
    )
    told = [
        f"heritability {number(one['low'], 2)} to {number(one['high'], 2)}: "
        f"{percent_with_interval(one['value'], one['ci_low'], one['ci_high'])} of "
        f"{counted(int(one['n']), 'gene')}"
        for one in bins
    ]
    whole = found.truth.get("power")
    overall = "" if whole is None else f" Of all of them {_share(whole)} are found."
    return Chart(
        "power",
        "Which eQTLs are found",
        "Genes with at least one acting variant, by their simulated heritability: the share that "
        f"is called an eGene, with 95% intervals.{overall}",
        f"Dot plot of power: {'; '.join(told)}.",
        Axis("simulated heritability", (0.0, float(max(one["high"] for one in bins)))),
        Axis("share found", (0.0, 1.03)),
        (
            Series(
                "share found", centre, values, "c1", low=low, high=high, size=9, dash="dot",
                width=1.2, hover=tuple(told),
            ),
        ),
        sources=("study.json",),
    )  # fmt: skip


def calibration_chart(found: Association) -> Chart | None:
    """Draw the share of acting variants against the mean posterior probability."""
    bins = [one for one in (found.truth.get("pip") or {}).get("calibration") or () if one["n"]]
    if not bins:
        return None
    x = floats([one["mean_pip"] for one in bins])
    y = floats([one["share_causal"] for one in bins])
    low, high = (floats([_or_nan(one.get(k)) for one in bins]) for k in ("ci_low", "ci_high"))
    told = [
        f"mean PIP {number(a, 2)}: {percent(b)} of {counted(int(one['n']), 'variant')} act"
        for a, b, one in zip(x, y, bins, strict=True)
    ]
    return Chart(
        "pip",
        "Are the posterior probabilities right?",
        "Variants in bins of their posterior inclusion probability (PIP): its mean, and the share "
        "that truly acts on the gene, with 95% intervals over genes. On the diagonal a PIP means "
        f"what it says. Variants: {_in_bins(bins)}.",
        f"Calibration of PIPs: {'; '.join(told)}.",
        Axis("mean PIP", (-0.02, 1.02)),
        Axis("share that acts", (-0.02, 1.02)),
        (
            Series(
                "bin of variants", x, y, "c1", low=low, high=high, size=9, hover=tuple(told),
            ),
        ),
        (Rule("diagonal"),),
        sources=("study.json",),
        square=True,
    )  # fmt: skip


def _or_nan(value: float | None) -> float:
    return np.nan if value is None else value


def _about(n: float) -> str:
    return f"{n:,.0f}" if n >= 10 else number(n, 1)


def _in_bins(bins: list[dict[str, float]]) -> str:
    return ", ".join(
        f"{int(one['n']):,} at {number(one['low'], 2)}–{number(one['high'], 2)}" for one in bins
    )


def _share(told: dict[str, float]) -> str:
    return percent_with_interval(*interval_of(told))
