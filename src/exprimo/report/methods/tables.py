"""Tables of an interpretation by several methods."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from exprimo.report.document.table import (
    Cell,
    Column,
    Table,
    counting,
    estimate,
    named,
    probability,
    quantity,
    share,
)
from exprimo.report.methods.reading import AGREEMENT, METHODS, MOTIFS, PLANTED, Explanations
from exprimo.report.wording import ABSENT

_VERDICTS = {"unchecked": "not checked"}


def methods_table(found: Explanations) -> Table:
    """Tabulate what each method recovers, and what its checks say."""
    truth = bool(found.summary.get("simulated"))
    columns = [Column("Method")]
    if truth:
        columns += [
            Column("AUROC", True, "of |contribution| against bases that act, per example"),
            Column("Examples swapped", True, "the AUROC of another example's contributions"),
            Column("Recovers", False, "planted bases: above 95% of draws with examples swapped"),
        ]
    columns += [
        Column("Deletion", True, "area between explained and random order; above 0 passes"),
        Column("Untrained network", True, "rank correlation; its interval below 0.3 passes"),
        Column("Sum misses", True, "share of the output's change; where the method adds up"),
        Column("Verdict"),
    ]
    best = found.summary.get("best")
    rows = tuple(_row(row, truth, best) for _, row in found.methods.iterrows())
    return Table(
        "methods",
        "Methods on the same test examples, and what their checks say. The figures below show the "
        "one that passes and, of these, does most at deletion.",
        tuple(columns),
        rows,
        found.file(METHODS),
    )


def _row(row: pd.Series, truth: bool, best: Any) -> tuple[Cell, ...]:
    refused = str(row["refused"])
    verdict = "cannot explain it" if refused else _VERDICTS.get(row["verdict"], row["verdict"])
    auroc = [_of(row, "auroc"), quantity(row["auroc_swapped"]), named(row["recovers"])]
    return (
        named(row["title"], _beside(row, best)),
        *(auroc if truth else ()),
        _of(row, "deletion"),
        _of(row, "randomised"),
        share(row["delta"]),
        named(verdict, refused or row["failures"]),
    )


def _beside(row: pd.Series, best: Any) -> str:
    took = "" if row["seconds"] != row["seconds"] else f"{row['seconds']:,.0f} s"
    return ", ".join(filter(None, ("shown below" if row["method"] == best else "", took)))


def _of(row: pd.Series, name: str) -> Cell:
    return estimate(row[name], row[f"{name}_low"], row[f"{name}_high"])


def agreement_table(found: Explanations) -> Table | None:
    """Tabulate how far methods agree; None of fewer than two."""
    if found.agreement is None:
        return None
    titles = dict(zip(found.methods["method"], found.methods["title"], strict=True))
    methods = [str(one["method"]) for one in found.agreement["explanations"]]
    names = [str(titles.get(method, method)) for method in methods]
    columns = (
        Column("Methods"),
        Column("Signed", True, "rank correlation of contributions, per example"),
        Column("Sizes", True, "rank correlation of |contributions|, per example"),
        Column("Sizes, examples swapped", True, "what positions alone share"),
        Column("Top positions shared", True, "of the 20 of greatest size"),
    )
    rows = tuple(
        (
            named(f"{names[int(pair['one'])]} and {names[int(pair['other'])]}"),
            _pair(pair, "signed"),
            _pair(pair, "size"),
            quantity(_float(pair["size_swapped"])),
            share(_float(pair["overlap"])),
        )
        for pair in found.agreement["pairs"]
        if pair["input"] == "sequence"
    )
    return Table(
        "agreement",
        "Do the methods agree? Means over examples; intervals resample examples.",
        columns,
        rows,
        found.file(AGREEMENT),
    )


def _pair(pair: Mapping[str, Any], name: str) -> Cell:
    return estimate(*(_float(pair[f"{name}{end}"]) for end in ("", "_low", "_high")))


def _float(value: Any) -> float:
    return float("nan") if value is None else float(value)


def planted_table(found: Explanations) -> Table | None:
    """Tabulate which planted motifs were found."""
    if found.planted is None or found.planted.empty:
        return None
    columns = (
        Column("Planted motif"),
        Column("Consensus"),
        Column("Effect", True, "on log2 expression; 0: acts through its partner"),
        Column("Found"),
        Column("Pattern most like it"),
        Column("q", True),
    )
    rows = tuple(
        (
            named(row["motif"]),
            named(row["consensus"]),
            quantity(row["effect"], 1),
            named(row["found"]),
            named(row["pattern"]) if row["pattern"] else Cell(ABSENT),
            probability(row["q"], exact=True),
        )
        for _, row in found.planted.iterrows()
    )
    return Table(
        "planted",
        "Planted motifs among those found (q ≤ 0.05, over all pairs of a pattern and a motif).",
        columns,
        rows,
        found.file(PLANTED),
    )


def motif_table(found: Explanations) -> Table | None:
    """Tabulate the motifs found, with names."""
    table = found.motifs
    if table is None or table.empty:
        return None
    columns = (
        Column("Pattern", False, "pos: raises the output; neg: lowers it"),
        Column("Name"),
        Column("q", True),
        Column("Consensus"),
        Column("Bits", True),
        Column("Seqlets", True),
        Column("Sites", True),
    )
    rows = tuple(
        (
            named(row["pattern"]),
            named(row["name"]) if row["name"] else Cell(ABSENT, f"nearest: {row['match']}"),
            probability(row["q"], exact=True),
            named(row["consensus"]),
            quantity(row["information"], 1),
            counting(row["seqlets"]),
            counting(row["sites"]),
        )
        for _, row in table.iterrows()
    )
    return Table(
        "found_motifs",
        "Motifs that recur in what the network looks at, with the known motif most like each.",
        columns,
        rows,
        found.file(f"{MOTIFS}/motifs.tsv"),
    )
