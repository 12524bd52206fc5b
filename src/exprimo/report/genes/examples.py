"""The examples that a page of genes tells of, and what each model predicts for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from exprimo.core.dataset import Dataset
from exprimo.core.split import PARTS
from exprimo.report.genes.packing import packed
from exprimo.report.runs.material import Material, Trained
from exprimo.report.wording import counted

MOST_NUMBERS = 120_000
"""Predictions that a page holds: examples times models."""

_CONTEXTS = ("cell_type", "individual")
Rows = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]


class Prediction(NamedTuple):
    """What one model says of each example.

    Attributes
    ----------
    mean, half
        (examples,); `half` is what is drawn to either side, NaN where nothing is known.
    spread
        What `half` is, in words; empty where there is none.
    sources
        Files of the numbers.
    """

    model: str
    role: str
    mean: Floats
    half: Floats
    spread: str
    sources: tuple[str, ...]


@dataclass(frozen=True)
class Shown:
    """The examples of the page.

    Attributes
    ----------
    table
        ``example_id, gene_id, name, context, part, observed`` and, where the dataset tells them,
        ``chrom, start, end, strand, tss``; one row an example.
    rows
        Their rows in the dataset.
    context
        What ``context`` is: ``cell_type``, ``individual``, or empty.
    predictions
        One per model.
    notes
        What was left out.
    """

    table: pd.DataFrame
    rows: Rows
    context: str
    predictions: Sequence[Prediction]
    notes: tuple[str, ...]


def shown_examples(material: Material, data: Dataset | None) -> Shown | None:
    """Choose the examples of a page, and gather what is predicted for them.

    All parts of the split are shown where they are few, else the test part, else genes of the
    test part, evenly chosen.
    """
    split = material.answer_split
    first = next((t for name in material.names_on(split) for t in material.of(name, split)), None)
    if first is None:
        return None
    known = material.split_of.get(split) or first.run.split
    own = data if data is not None and len(data) == len(known.example_id) else None
    table = pd.DataFrame({"example_id": known.example_id, "part": known.part})
    context = ""
    if own is not None and (own.column("example_id") == known.example_id).all():
        examples = own.examples()
        context = next((name for name in _CONTEXTS if name in examples), "")
        table = _with_places(table, examples, context)
    else:
        table = table.assign(gene_id=table["example_id"], name="", context="")
    models = material.names_on(split)
    rows, notes = _chosen(table, len(models))
    table = table.iloc[rows].reset_index(drop=True)
    predictions, observed = _predictions(material, models, split, table["example_id"])
    return Shown(table.assign(observed=observed), rows, context, predictions, notes)


def _with_places(table: pd.DataFrame, examples: pd.DataFrame, context: str) -> pd.DataFrame:
    gene = examples["gene_id"] if "gene_id" in examples else examples["example_id"]
    gene = gene.where(gene != "", examples["example_id"])
    name = examples["gene_name"] if "gene_name" in examples else pd.Series("", examples.index)
    table = table.assign(
        gene_id=gene,
        name=name.where(name != gene, ""),
        context=examples[context] if context else "",
    )
    places = ("chrom", "start", "end", "strand", "tss")
    if set(places) <= set(examples.columns):
        table = table.assign(**{place: examples[place] for place in places})
    return table


def _chosen(table: pd.DataFrame, n_models: int) -> tuple[Rows, tuple[str, ...]]:
    """Choose rows, whole genes at a time, and say what was left out."""
    most = max(MOST_NUMBERS // max(n_models, 1), 1)
    every = np.flatnonzero(table["part"] != "none")
    if len(every) <= most:
        return every, ()
    test = np.flatnonzero(table["part"] == "test")
    if len(test) <= most:
        left = counted(len(every) - len(test), "example")
        return test, (f"Only the test part is here; {left} of the other parts are left out.",)
    genes = table["gene_id"].iloc[test]
    order = pd.unique(genes)
    # Genes have about as many examples each.
    n = max(most * len(order) // len(test), 1)
    kept = order[np.linspace(0, len(order) - 1, n).round().astype(int)]
    rows = test[genes.isin(kept).to_numpy()]
    return rows, (f"Predictions of {n:,} of {counted(len(order), 'test gene')} are here.",)


def _predictions(
    material: Material, models: Sequence[str], split: str, ids: pd.Series[str]
) -> tuple[list[Prediction], Floats]:
    found = []
    observed = np.full(len(ids), np.nan, np.float32)
    for model in models:
        trained = material.of(model, split)
        if not trained:
            continue
        tables = [
            one.run.predictions().drop_duplicates("example_id").set_index("example_id").reindex(ids)
            for one in trained
        ]
        told = tables[0]["target"].to_numpy(np.float32)
        observed = np.where(np.isfinite(observed), observed, told).astype(np.float32)
        each = np.stack([t["prediction"].to_numpy(np.float64) for t in tables])
        half, spread = _spread(trained, tables, each)
        found.append(
            Prediction(
                model, trained[0].role, each.mean(0).astype(np.float32), half, spread,
                tuple(f"{one.place}predictions.parquet" for one in trained),
            )
        )  # fmt: skip
    return found, observed


def _spread(
    trained: Sequence[Trained], tables: Sequence[pd.DataFrame], each: npt.NDArray[np.float64]
) -> tuple[Floats, str]:
    """Give what is known of how far a prediction may be off: the strongest claim first."""
    sd = np.stack([t["prediction_sd"].to_numpy(np.float64) for t in tables])
    conformal = trained[0].metrics.get("conformal") or {}
    if conformal.get("halfwidth") is not None:
        halves = [
            _conformal(one.metrics.get("conformal") or {}, s)
            for one, s in zip(trained, sd, strict=True)
        ]
        words = f"{conformal['level']:.0%} conformal interval"
        return np.mean(halves, 0).astype(np.float32), words
    if np.isfinite(sd).any():
        return sd.mean(0).astype(np.float32), "± SD over the members of an ensemble"
    if len(each) > 1:
        return each.std(0, ddof=1).astype(np.float32), f"± SD over {len(each)} seeds"
    return np.full(each.shape[1], np.nan, np.float32), ""


def _conformal(facts: dict[str, Any], sd: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    half = np.full(len(sd), float(facts.get("halfwidth") or np.nan))
    return half * np.maximum(sd, facts["least_sd"]) if facts.get("scaled") else half


def embedded_examples(shown: Shown, material: Material, genes: pd.Index[str]) -> dict[str, Any]:
    """Give what the page's script reads of examples and predictions."""
    table = shown.table
    contexts = pd.unique(table["context"])
    classes = next((t.metrics.get("classes") for t in material.trained), None)
    above = next((t.metrics.get("above") for t in material.trained), None)
    return {
        "gene": packed(genes.get_indexer(pd.Index(table["gene_id"])), "i4"),
        "context": packed(pd.Index(contexts).get_indexer(pd.Index(table["context"])), "i4"),
        "contexts": [str(one) for one in contexts],
        "context_name": shown.context.replace("_", " "),
        "part": packed([PARTS.index(part) for part in table["part"]], "u1"),
        "parts": list(PARTS),
        "observed": packed(table["observed"]),
        "target": material.target,
        "units": material.units,
        "task": material.task,
        "classes": list(map(str, classes)) if classes else None,
        "cut": f"{above['rule']}, {float(above['value']):.4g}" if above else "",
        "models": [{"name": p.model, "role": p.role, "spread": p.spread}
                   for p in shown.predictions],
        "mean": packed(np.stack([p.mean for p in shown.predictions], 1)),
        "half": packed(np.stack([p.half for p in shown.predictions], 1)),
    }  # fmt: skip
