"""The tables and sentences of a test for differential expression."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from exprimo.report.dge.reading import DgeFolder
from exprimo.report.document.table import (
    MAX_ROWS,
    Column,
    Table,
    counting,
    named,
    probability,
    quantity,
    share,
)
from exprimo.report.wording import counted, number, percent

MAX_GENES = 40


def sentences(dge: DgeFolder) -> list[str]:
    """Say what was tested and how, how many genes were called, and what a formal test calls."""
    facts = dge.summary
    rule = f"an adjusted p below {dge.padj:g}"
    if dge.lfc > 0:
        rule += f" and a log2 fold change beyond ±{dge.lfc:g}"
    test = {"Wald": "a Wald test", "LRT": "a likelihood-ratio test"}.get(
        str(facts.get("test")), "a test"
    )
    calls = facts.get("calls") or {}
    said = [
        f"{counted(len(dge.samples), 'sample')} with the design {facts.get('design') or '~ 1'}; "
        f"{test} of {dge.contrast.get('text') or 'the contrast'}. A gene is called with {rule}.",
        f"Of {counted(int(facts.get('n_tested') or 0), 'tested gene')} "
        f"{_whole(calls.get('n_called'))} are called: {_whole(calls.get('n_up'))} "
        f"{dge.called('up')}, {_whole(calls.get('n_down'))} {dge.called('down')}. "
        f"{counted(_untested(facts), 'gene')} could not be tested and have no label.",
    ]
    if formal := _formal_sentence(dge):
        said.append(formal)
    return said


def _formal_sentence(dge: DgeFolder) -> str:
    formal = dge.summary.get("formal_test")
    if not formal:
        return ""
    n = int(formal.get("n_called") or 0)
    called = (dge.summary.get("calls") or {}).get("n_called")
    text = f"A test of the threshold itself ({_alternative(formal)}) calls {counted(n, 'gene')}."
    if called and n < called:
        text = (
            f"{text.removesuffix('.')}, {percent(n / called)} as many: the other calls rest on an "
            "estimate beyond the threshold, which says less than a test of it."
        )
    return text


def _alternative(formal: Mapping[str, Any]) -> str:
    null = float(formal.get("lfc_null") or 0.0)
    kind = str(formal.get("alternative") or "")
    words = {
        "greaterAbs": f"is the log2 fold change beyond ±{null:g}?",
        "lessAbs": f"is the log2 fold change within ±{null:g}?",
        "greater": f"is the log2 fold change above {null:g}?",
        "less": f"is the log2 fold change below {null:g}?",
    }
    return words.get(kind, f"{kind}, {null:g}")


def _whole(n: Any) -> str:
    return "an unknown number" if n is None else f"{int(n):,}"


def _untested(facts: Mapping[str, Any]) -> int:
    return int(facts.get("n_genes") or 0) - int(facts.get("n_tested") or 0)


def gene_counts(dge: DgeFolder) -> Table:
    """Tabulate what became of the genes, from all that were counted to those called."""
    facts = dge.summary
    calls, formal = facts.get("calls") or {}, facts.get("formal_test")
    total = facts.get("n_genes")
    threshold = facts.get("filter_threshold")
    below = f"mean below {number(float(threshold), 1)}" if threshold is not None else "low mean"
    lines = [
        ("all genes in the table of counts", total, "label where tested"),
        ("without any count", facts.get("n_all_zero"), "no label"),
        ("with an outlying count (Cook's distance)", facts.get("n_outliers"), "no label"),
        (f"expressed too little for a test ({below})", facts.get("n_filtered"), "no label"),
        ("tested", facts.get("n_tested"), "label 0 or 1"),
        ("called", calls.get("n_called"), "label 1"),
        (f"called, {dge.called('up')}", calls.get("n_up"), "label 1, up"),
        (f"called, {dge.called('down')}", calls.get("n_down"), "label 1, down"),
    ]
    if formal:
        lines.append(
            (f"called by the formal test ({_alternative(formal)})", formal.get("n_called"), "–")
        )
    rows = tuple(
        (
            named(name), counting(n),
            share(n / total if n is not None and total else None), named(label),
        )
        for name, n, label in lines
    )  # fmt: skip
    columns = (
        Column("Genes"), Column("Number", True), Column("Of all", True), Column("Label"),
    )  # fmt: skip
    return Table("genes", "What became of the genes.", columns, rows, dge.file("summary.json"))


def top_genes(dge: DgeFolder) -> Table | None:
    """Tabulate the called genes with the least adjusted p."""
    called = dge.genes[np.isin(dge.direction, ["up", "down"])]
    if called.empty:
        return None
    size = called["log2FoldChange"].abs()
    shown = called.assign(size=-size).sort_values(["padj", "size"]).head(MAX_GENES)
    columns = [
        Column("Gene"), Column("Call"), Column("Mean count", True, "normalised"),
        Column("log2 fold change", True),
    ]  # fmt: skip
    if dge.is_shrunk:
        columns.append(Column("Shrunken", True, "log2 fold change"))
    columns.append(Column("Adjusted p", True))
    rows = tuple(
        (
            named(str(row["gene_id"])), named(dge.called(row["direction"])),
            quantity(row["baseMean"], 1), quantity(row["log2FoldChange"], 2),
            *([quantity(row["log2FoldChangeShrunken"], 2)] if dge.is_shrunk else []),
            probability(row["padj"], exact=True),
        )
        for row in shown.to_dict("records")
    )  # fmt: skip
    caption = f"The {len(shown):,} called genes with the least adjusted p, of {len(called):,}."
    return Table("top-genes", caption, tuple(columns), rows, dge.file("results.tsv"))


def sample_table(dge: DgeFolder) -> Table:
    """Tabulate the samples with their size factors and the columns of the sheet."""
    sheet = [c for c in dge.samples.columns if c not in ("sample", "size_factor")]
    shown = dge.samples.head(MAX_ROWS)
    columns = (Column("Sample"), Column("Size factor", True), *(Column(c) for c in sheet))
    rows = tuple(
        (named(row["sample"]), quantity(row["size_factor"]), *(named(row[c]) for c in sheet))
        for row in shown.to_dict("records")
    )
    first = f" The first {len(shown):,} are shown." if len(shown) < len(dge.samples) else ""
    caption = f"{counted(len(dge.samples), 'sample')}.{first}"
    return Table("samples", caption, columns, rows, dge.file("samples.tsv"))


def replicates(dge: DgeFolder) -> dict[str, int]:
    """Count the samples on either side of the contrast; empty where it has no two sides."""
    factor = dge.contrast.get("factor")
    if factor not in dge.samples:
        return {}
    sides = [str(dge.contrast.get(key)) for key in ("numerator", "denominator")]
    return {side: int((dge.samples[factor] == side).sum()) for side in sides}


def finite(value: Any) -> float:
    """Give a number of a JSON file, NaN where there is none."""
    return math.nan if value is None else float(value)
