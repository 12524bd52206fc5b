"""Tables of predictors, eQTLs, overlap and candidates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from exprimo.report.document.table import (
    MAX_ROWS,
    Cell,
    Column,
    Table,
    counting,
    estimate,
    named,
    probability,
    quantity,
)
from exprimo.report.individual.association.predictors import ranked
from exprimo.report.individual.association.reading import Association
from exprimo.report.individual.reading import interval_of
from exprimo.report.wording import ABSENT, counted, interval, number, percent, power_of_ten

_GENES = 30
_KINDS = {"stack": "stack", "cis": "cis score", "model": "model", "member": "member"}


def association_tables(found: Association) -> dict[str, Table | None]:
    """Make the tables of this half of the page, by name."""
    return {
        "predictors": predictors_table(found),
        "egenes": egenes_table(found),
        "overlap": overlap_table(found),
        "candidates": candidates_table(found),
    }


def predictors_table(found: Association) -> Table:
    """Tabulate R² and Pearson's r of every predictor, with both intervals."""
    names = ranked(found)
    shares = found.truth.get("r2_of_h2") or {}
    columns = [
        Column("Predictor"),
        Column("Kind"),
        Column("R²", True, "mean over genes, with its interval over genes"),
        Column("R², over people", False, "the interval of the same mean over people"),
        Column("Best minus this", True, "difference in R², paired by gene"),
        Column(
            "r", True, "mean over genes of Pearson's r within folds, with its interval over genes"
        ),
        Column("r, over people", False, "the interval of the same mean over people"),
        Column("Selects nothing", True, "genes for which everybody gets the training mean"),
    ]
    if shares:
        columns.insert(4, Column("Of simulated h²", True, "mean R² over mean heritability"))
    rows = []
    for name in names:
        one = found.scores[name]
        cells = [
            named(name),
            Cell(_KINDS[one["kind"]], order=one["kind"]),
            estimate(*interval_of(one["r2"]), best=name == found.best),
            _over_people(one.get("r2_people")),
            _behind(found, name),
            estimate(*interval_of(one["pearson_r"])),
            _over_people(one.get("pearson_r_people")),
            counting(one.get("n_nothing")),
        ]
        if shares:
            known = interval_of(one["r2"])[0] >= 0  # of what is below 0 there is no share
            cells.insert(4, _share_of(shares.get(name) if known else None))
        rows.append(tuple(cells))
    n = max((int(one["n_genes"]) for one in found.scores.values()), default=0)
    return Table(
        "predictors",
        f"Every predictor on the same {counted(n, 'gene')}, people and folds; people are predicted "
        "by what learned without them. A model of sequence knows no scale of expression: only "
        "where a line through training people was fitted (calibrated) has it an R².",
        tuple(columns),
        tuple(rows),
        "study.json",
    )


def _over_people(told: Mapping[str, Any] | None) -> Cell:
    value, low, high = interval_of(told)
    return Cell(ABSENT if value != value else interval(low, high), order="")


def _share_of(told: Mapping[str, Any] | None) -> Cell:
    value, low, high = interval_of(told)
    if value != value:
        return Cell(ABSENT, order="")
    return Cell(percent(value), f"{percent(low)} to {percent(high)}", value)


def _behind(found: Association, name: str) -> Cell:
    contest = found.contest(found.best, name)
    if contest is None:
        return Cell(ABSENT, order="")
    return estimate(contest.value, contest.low, contest.high)


def egenes_table(found: Association) -> Table:
    """Tabulate the genes with the strongest eQTLs."""
    rows = found.egenes.sort_values(["pval_beta", "pval_nominal"], kind="stable").head(_GENES)
    truth = "lead_r2_acting" in rows
    columns = [
        Column("Gene"),
        Column("Strongest variant", False, "below: bases from the TSS, along the chromosome"),
        Column("Slope", True, "expression per copy of the alternate allele"),
        Column("p", True, "of that variant alone"),
        Column("q", True, "over genes"),
        Column("eGene"),
        Column("Sets", True, "credible sets"),
        Column("h²", True, "estimated from the variants around the gene"),
    ]
    if truth:
        columns += [
            Column("True h²", True),
            Column("r² with an acting one", True, "the greatest, of the strongest variant"),
        ]
    cells = []
    for row in rows.to_dict("records"):
        distance = row.get("tss_distance", float("nan"))
        one = [
            named(str(row["gene_id"])),
            named(
                str(row["variant_id"]), "" if distance != distance else f"{number(int(distance))}"
            ),
            quantity(row["slope"]),
            _p(row["pval_nominal"]),
            _p(row["qval"]),
            named(str(row["egene"])),
            counting(row["n_sets"]),
            _with_ends(row, "h2"),
        ]
        if truth:
            one += [quantity(row.get("true_h2")), quantity(row["lead_r2_acting"], 2)]
        cells.append(tuple(one))
    return Table(
        "egenes",
        f"The {len(cells):,} genes of {len(found.egenes):,} with the strongest eQTLs.",
        tuple(columns),
        tuple(cells),
        "egenes.tsv",
    )


def _p(value: float) -> Cell:
    return probability(value, exact=True)


def _with_ends(row: Mapping[Any, Any], name: str) -> Cell:
    low, high = row.get(f"{name}_low", float("nan")), row.get(f"{name}_high", float("nan"))
    if low != low or high != high:
        return quantity(row[name], 2)
    return estimate(row[name], low, high)


def overlap_table(found: Association) -> Table | None:
    """Tabulate what each model's ranking of variants shares with that by p."""
    told = found.facts.get("overlap") or {}
    models = [(name, one) for name, one in told.items() if isinstance(one, dict)]
    if not models:
        return None
    rows = [
        (
            named(name, "answers" if name == found.answer else ""),
            counting(one["n"]),
            counting(one.get("n_genes")),
            counting(one["overlap"]),
            quantity(one["expected"], 1),
            _p(_known(one.get("p_shift"))),
            _p(_known(one.get("p_hypergeometric"))),
            _same_sign(one.get("sign")),
            _sets_met(one.get("credible_sets")),
        )
        for name, one in models
    ]
    return Table(
        "overlap",
        "What the variants with a model's largest scores share with those of the smallest p, gene "
        "by gene, among variants that the model reads. Read the p of the shifts: it keeps "
        "neighbours together. The hypergeometric p takes variants for independent and is "
        "anti-conservative under LD.",
        (
            Column("Model"),
            Column("Variants", True, "pairs of variant and gene with both a score and a p"),
            Column("Genes", True),
            Column("Shared", True, "variants in both tops"),
            Column("Expected", True, "by chance, with variants independent"),
            Column("p (shifts)", True, "scores shifted along the region: keeps LD"),
            Column("p (hypergeometric)", True, "anti-conservative under LD"),
            Column("Same sign", True, "score and slope, among the model's top"),
            Column("Credible sets met", True, "sets with a variant in the model's top"),
        ),
        tuple(rows),
        "association/overlap.json",
    )


def _known(value: float | None) -> float:
    return float("nan") if value is None else float(value)


def sign_of(told: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """Give the concordance of signs in the model's top; None where there is none."""
    if told is None:
        return None
    own: Mapping[str, Any] = told.get("top", told)
    return own if own.get("share") is not None else None


def _same_sign(told: Mapping[str, Any] | None) -> Cell:
    own = sign_of(told)
    if own is None:
        return Cell(ABSENT, order="")
    ends = "[no interval]"
    if own.get("low") is not None:
        ends = f"{percent(own['low'])} to {percent(own['high'])}"
    return Cell(percent(own["share"]), f"of {int(own['n']):,}; {ends}", float(own["share"]))


def _sets_met(told: Mapping[str, Any] | None) -> Cell:
    if not told:
        return Cell(ABSENT, order="")
    met, n = int(told["n_sets_met"]), int(told["n_sets"])
    p = _known(told.get("p_shift"))
    detail = "" if p != p else f"p (shifts) {power_of_ten(p, 1) if 0 < p < 0.001 else number(p)}"
    return Cell(f"{met:,} of {n:,}", detail, float(met))


def candidates_table(found: Association) -> Table | None:
    """Tabulate the variants that are listed for experiments."""
    rows = found.candidates.sort_values("rank", kind="stable").head(MAX_ROWS)
    if rows.empty:
        return None
    truth = "effect" in rows
    motifs = bool((rows["motif"] != "").any())
    columns = [
        Column("Rank", True),
        Column("Variant", False, "below: 1-based position and alleles, forward strand"),
        Column("Gene"),
        Column("Model’s effect", True, "alternate − reference; below: its rank in the gene"),
        Column("PIP", True, "posterior probability to act; below: its credible set"),
        Column("Slope", True, "expression per copy of the alternate allele"),
        Column("p", True),
        Column("Signs agree", False, "of the model's effect and of the slope"),
    ]
    if motifs:
        columns.append(Column("Motif changed", False, "best score with reference, with alternate"))
    if truth:
        columns.append(Column("True effect", True, "log2, alternate − reference"))
    return Table(
        "candidates",
        f"{counted(len(rows), 'variant')} in the order of both together, the model's effect and "
        "the PIP. That a variant is high in both is how it came onto this list, and no evidence "
        "that both agree: the overlap above asks that.",
        tuple(columns),
        tuple(_candidate(row, motifs, truth) for row in rows.to_dict("records")),
        "candidates.tsv",
    )


def _candidate(row: dict[Any, Any], motifs: bool, truth: bool) -> tuple[Cell, ...]:
    place = f"{row['chrom']}:{int(row['pos']):,} {row['ref']}>{row['alt']}"
    whole = f"{row['chrom']}:{int(row['pos'])}:{row['ref']}:{row['alt']}"
    nth = row["score_rank"]
    in_set = f"set {row['credible_set']}" if row["credible_set"] else "in no set"
    cells = [
        counting(row["rank"]),
        named(str(row["variant_id"]), "" if row["variant_id"] == whole else place),
        named(str(row["gene_id"]), str(row["model"])),
        Cell(
            number(row["raw_score"]),
            "" if nth != nth else f"no. {int(nth):,} of the gene",
            float(row["raw_score"]),
        ),
        Cell(
            number(row["pip"], 2), in_set, "" if pd.isna(row["pip"]) else float(row["pip"])
        ),
        quantity(row["slope"]),
        _p(row["pval_nominal"]),
        named(str(row["agrees"])),
    ]  # fmt: skip
    if motifs:
        scores = f"{number(row['motif_ref'], 1)} → {number(row['motif_alt'], 1)}"
        cells.append(named(row["motif"], scores) if row["motif"] else Cell(ABSENT))
    if truth:
        cells.append(quantity(row["effect"]))
    return tuple(cells)
