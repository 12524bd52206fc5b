"""Tables of which the page shows the rows of one gene: tests, people, variants."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from exprimo.report.dge.reading import DgeFolder
from exprimo.report.files import read_json
from exprimo.report.genes.packing import packed
from exprimo.report.individual.reading import IndividualFolder

MOST_VARIANTS = 60_000
_SCORE = "score:"
_VARIANT_COLUMNS = ["gene_id", "variant_id", "pos"]


class GeneTable(NamedTuple):
    """Rows of many genes.

    Attributes
    ----------
    key, caption
        ``variants`` is drawn, too.
    frame
        ``gene_id`` and the columns to show, text or numbers.
    labels
        Column -> heading.
    sources
        Files of the numbers.
    """

    key: str
    caption: str
    frame: pd.DataFrame
    labels: dict[str, str]
    sources: tuple[str, ...]


def embedded_table(table: GeneTable, genes: pd.Index[str]) -> dict[str, Any]:
    """Give what the page's script reads of a table: its columns, sorted by gene."""
    at = genes.get_indexer(pd.Index(table.frame["gene_id"]))
    order = np.argsort(at, kind="stable")
    order = order[at[order] >= 0]
    frame = table.frame.iloc[order]
    return {
        "key": table.key,
        "caption": table.caption,
        "gene": packed(at[order], "i4"),
        "columns": [_column(frame[name], label) for name, label in table.labels.items()],
        "names": list(table.labels),
        "sources": list(table.sources),
    }


def _column(values: pd.Series[Any], label: str) -> dict[str, Any]:
    if values.dtype.kind in "iu":
        return {"label": label, "whole": packed(values, "i4")}
    if values.dtype.kind == "f":
        # A p-value may be smaller than single precision can tell from 0.
        tiny = bool(((values != 0) & (values.abs() < np.finfo(np.float32).tiny)).any())
        return {"label": label, "numbers": packed(values, "f8" if tiny else "f4")}
    kinds = pd.unique(values)
    if len(kinds) <= 50:
        codes = pd.Index(kinds).get_indexer(pd.Index(values))
        return {"label": label, "kinds": [str(k) for k in kinds], "codes": packed(codes, "i4")}
    return {"label": label, "text": [str(value) for value in values]}


def dge_tables(dge: DgeFolder) -> list[GeneTable]:
    """Give what the test for differential expression says of each gene."""
    label = dge.fold_change_label
    labels = {"baseMean": "Mean count", "log2FoldChange": label}
    if dge.is_shrunk:
        labels["log2FoldChangeShrunken"] = "shrunken"
    labels |= {"padj": "Adjusted p", "call": "Call"}
    called = dge.genes["direction"].map(
        {"up": dge.called("up"), "down": dge.called("down"), "none": "no change", "": "not tested"}
    )
    return [
        GeneTable(
            "test", "The test for differential expression.", dge.genes.assign(call=called),
            labels, (dge.file("results.tsv"), dge.file("labels.tsv")),
        )
    ]  # fmt: skip


def individual_tables(study: IndividualFolder, folder: Path) -> list[GeneTable]:
    """Give what a study of individuals says of each gene: people, association, variants."""
    tables = []
    if study.genes is not None:
        tables.append(
            GeneTable(
                "people", "Predicted against observed expression over people.", study.genes,
                {"model": "Model", "n_people": "People", "pearson_r": "r over people",
                 "sd_observed": "SD observed", "sd_predicted": "SD predicted"}, ("genes.tsv",),
            )
        )  # fmt: skip
    if study.association is not None:
        found = study.association
        tables.append(
            GeneTable(
                "predictors", "Predictors learned from other people.", found.predictors,
                {"predictor": "Predictor", "n_people": "People", "r2": "R²",
                 "pearson_r": "r over people"}, ("predictors.tsv",),
            )
        )  # fmt: skip
        tables.append(
            GeneTable(
                "eqtl", "Association with variants near the gene.", found.egenes,
                _present(found.egenes, {
                    "variant_id": "Lead variant", "n_variants": "Variants",
                    "pval_nominal": "its p", "slope": "its slope", "qval": "q of the gene",
                    "n_sets": "Credible sets", "h2": "h²", "true_h2": "true h²",
                }), ("egenes.tsv",),
            )
        )  # fmt: skip
    variants = variant_table(study, folder)
    return [*tables, variants] if variants is not None else tables


def _present(frame: pd.DataFrame, labels: dict[str, str]) -> dict[str, str]:
    return {name: label for name, label in labels.items() if name in frame}


def variant_table(study: IndividualFolder, folder: Path) -> GeneTable | None:
    """Join what is known of the variants that a model scored: effects, p, slope, PIP.

    Parameters
    ----------
    folder
        Of the study.
    """
    scores, sources = _scores(study, folder)
    if scores is None or scores.empty:
        return None
    models = [name for name in scores if str(name).startswith(_SCORE)]
    association = folder / "association"
    pips = association / "finemap" / "variants.parquet"
    table = scores
    for paths, columns in (
        (sorted((association / "eqtl" / "nominal").glob("*.parquet")), ("pval_nominal", "slope")),
        ([pips] if pips.is_file() else [], ("pip",)),
    ):
        if paths:
            table = _joined(table, paths, columns)
            sources.append(paths[0].parent.relative_to(folder).as_posix() + "/")
    if study.effects is not None:
        truth = study.effects.drop_duplicates(["gene_id", "variant_id"])
        table = table.merge(
            truth[["gene_id", "variant_id", "effect"]], "left", ["gene_id", "variant_id"]
        )
        sources.append("effects.tsv")
    table = table.assign(pos=table["pos"].astype(np.int32)).head(MOST_VARIANTS)
    labels = {"variant_id": "Variant", "pos": "Position"}
    labels |= {str(name): f"Score, {str(name).removeprefix(_SCORE)}" for name in models}
    labels |= _present(
        table, {"pval_nominal": "p", "slope": "Slope", "pip": "PIP", "effect": "True effect"}
    )
    caption = "Variants in the window that a model reads. Score: alternate − reference."
    return GeneTable("variants", caption, table, labels, tuple(sources))


def _scores(study: IndividualFolder, folder: Path) -> tuple[pd.DataFrame | None, list[str]]:
    joint = folder / "association" / "model_scores.parquet"
    if joint.is_file():
        return pd.read_parquet(joint), ["association/model_scores.parquet"]
    named = {study.answer: study.facts.get("folders", {}).get(study.answer)}
    for model, place in named.items():
        path = folder / "models" / str(place or model) / "variants.parquet"
        if path.is_file():
            table = pd.read_parquet(path, columns=[*_VARIANT_COLUMNS, "raw_score"])
            table = table.drop_duplicates(["gene_id", "variant_id"])
            return table.rename(columns={"raw_score": f"{_SCORE}{model}"}), [
                path.relative_to(folder).as_posix()
            ]
    return None, []


def _joined(table: pd.DataFrame, paths: Sequence[Path], columns: Sequence[str]) -> pd.DataFrame:
    wanted = set(table["variant_id"])
    parts = [
        part[part["variant_id"].isin(wanted)]
        for part in (
            pd.read_parquet(path, columns=["phenotype_id", "variant_id", *columns])
            for path in paths
        )
    ]
    joint = pd.concat(parts, ignore_index=True).rename(columns={"phenotype_id": "gene_id"})
    joint = joint.drop_duplicates(["gene_id", "variant_id"])
    return table.merge(joint, "left", ["gene_id", "variant_id"])


def individual_places(study: IndividualFolder, folder: Path) -> pd.DataFrame | None:
    """Give where the genes of a study of individuals start, and what the model reads.

    Returns
    -------
    pandas.DataFrame
        ``gene_id, chrom, start, end, strand, tss``; None where the study has no association.
    """
    found = study.association
    if found is None or found.egenes.empty:
        return None
    overlap = folder / "association" / "overlap.json"
    told = (found.facts.get("overlap") or {}).get(study.answer) or {}
    window = told.get("window")
    if window is None and overlap.is_file():
        window = (read_json(overlap).get(study.answer) or {}).get("window")
    if window is None:
        return None
    up, down = map(int, window.split(",") if isinstance(window, str) else window)
    strand = found.gene_models.drop_duplicates("gene_id").set_index("gene_id")["strand"]
    table = found.egenes[["gene_id", "chrom", "tss"]].assign(
        strand=found.egenes["gene_id"].map(strand)
    )
    tss = table["tss"].astype(np.int64) - 1
    minus = table["strand"] == "-"
    start = tss - np.where(minus, down - 1, up)
    # Without its direction it is not known to which side a window reaches further.
    known = table["strand"].notna() | (up == down - 1)
    return table.assign(
        tss=tss, start=start.where(known, np.nan), end=(start + up + down).where(known, np.nan)
    )
