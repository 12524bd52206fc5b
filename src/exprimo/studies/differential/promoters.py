"""Labels joined with promoters: the datasets of the study."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from exprimo.core.dataset import Dataset
from exprimo.core.errors import InputError
from exprimo.core.files.atomic import atomic_file
from exprimo.data.annotation.identifiers import strip_version
from exprimo.features import dataset_promoters
from exprimo.studies.differential.config import OtherTarget, Promoters

# Below so many genes of the rarer class no part of a split can be judged.
_FEWEST = 10


def target_table(dge: Path) -> pd.DataFrame:
    """Make every target of every gene from the files of a test.

    Returns
    -------
    DataFrame
        gene_id; ``changed`` 1, 0 or NaN; ``direction`` 1 up, 0 down, NaN where unchanged;
        ``three_way`` down, none, up or None; ``lfc``, shrunken, of tested genes;
        ``mean_count``.
    """
    labels, results = read_by_id(dge / "labels.tsv"), read_by_id(dge / "results.tsv")
    tested = labels["label"].notna()
    called = labels["direction"].isin(["up", "down"])
    return pd.DataFrame(
        {
            "gene_id": labels["gene_id"],
            "changed": labels["label"],
            "direction": np.where(called, (labels["direction"] == "up").astype(float), np.nan),
            "three_way": labels["direction"],
            "lfc": results["log2FoldChangeShrunken"].where(tested),
            "mean_count": labels["baseMean"],
        }
    )


def read_by_id(path: Path) -> pd.DataFrame:
    """Read a table of genes; a gene may be called nan or NA, an empty field is missing."""
    names = pd.read_csv(path, sep="\t", nrows=0).columns
    missing = {name: [""] for name in names if name != "gene_id"}
    return pd.read_csv(
        path, sep="\t", dtype={"gene_id": str}, keep_default_na=False, na_values=missing
    )


def write_targets(table: pd.DataFrame, path: Path) -> None:
    """Write the table of targets."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_file(path) as partial:
        table.to_csv(partial, sep="\t", index=False, lineterminator="\n")


def read_target_table(path: Path) -> pd.DataFrame:
    """Read the targets back, indexed by gene_id as `gene_names` gives it: without a version."""
    table = read_by_id(path)
    return table.set_index(table["gene_id"].map(strip_version)).drop(columns="gene_id")


def build_dataset(source: dict[str, Any], targets: Path, out: Path, target: str) -> None:
    """Cut the promoters of the genes that have a value of ``target``."""
    several = target == "three_way"
    dataset_promoters(
        **source,
        targets=targets,
        target=[target],
        kind="multiclass" if several else "auto",
        classes=("down", "none", "up") if several else (),
        expression="mean_count",
        out=out,
    )


def promoter_source(promoters: Promoters, home: Path) -> dict[str, Any]:
    """Give the arguments of `dataset_promoters` with paths resolved."""
    values = promoters.model_dump()
    for name in ("fasta", "genes"):
        values[name] = home / values[name]
    if values["gene_names"] is not None:
        values["gene_names"] = home / values["gene_names"]
    for name, words in (("tss", ("canonical", "most5prime")), ("chrom_style", ("auto",))):
        if values[name] not in words:
            values[name] = home / values[name]
    return values


def check_two_classes(path: Path) -> None:
    """Refuse labels that are nearly all of one class once joined with promoters."""
    with Dataset.open(path) as dataset:
        label = dataset.target("changed")
    changed, unchanged = int((label == 1).sum()), int((label == 0).sum())
    if min(changed, unchanged) < _FEWEST:
        raise InputError(
            "the labels hold one class only, or nearly so",
            file=path,
            record="target changed",
            found=f"{changed:,} changed and {unchanged:,} unchanged genes with a promoter",
            expected=f"at least {_FEWEST} of each",
            remedy="Loosen or tighten dge.lfc and dge.padj, or check that gene names join",
        )


def check_other_classes(path: Path, targets: Path, also: Sequence[OtherTarget]) -> None:
    """Refuse to ask for the direction where nearly all changed genes go one way."""
    asked = [name for name in also if name in ("direction", "three_way")]
    if not asked:
        return
    with Dataset.open(path) as dataset:
        own = gene_names(dataset)
    direction = read_target_table(targets)["direction"].reindex(own)
    up, down = int((direction == 1).sum()), int((direction == 0).sum())
    if min(up, down) < _FEWEST:
        raise InputError(
            "nearly all changed genes go one way",
            file=targets,
            record=f"target {asked[0]}",
            found=f"{up:,} up and {down:,} down with a promoter",
            expected=f"at least {_FEWEST} of each",
            remedy=f"Take {' and '.join(asked)} out of targets.also",
        )


def gene_names(dataset: Dataset) -> np.ndarray[Any, np.dtype[np.str_]]:
    """Give each example's gene as the counts name it."""
    name = "target_gene_id" if "target_gene_id" in dataset.columns else "gene_id"
    return dataset.column(name).astype(str)
