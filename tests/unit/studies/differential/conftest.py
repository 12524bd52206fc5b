"""A genome written out by hand, the files of a test on its genes, and a study of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from exprimo.core.run import write_json
from exprimo.studies.differential import DifferentialStudy

#             0    5    10   15   20   25
CHROMOSOME = "ACGTACGGTCAATTGCATCGAAGTCC"

WriteDge = Callable[..., Path]


@pytest.fixture
def genome(tmp_path: Path) -> Path:
    """One chromosome of 26 bases."""
    path = tmp_path / "genome.fa"
    path.write_text(f">I\n{CHROMOSOME[:20]}\n{CHROMOSOME[20:]}\n")
    return path


@pytest.fixture
def genes(tmp_path: Path) -> Path:
    """Five genes: TSS at 8 (+), 7 (−), 14 (+), 1 (+, its window leaves the chromosome), 20 (−)."""
    path = tmp_path / "genes.bed"
    rows = [
        ("PLUS", 8, 14, "+"),
        ("MINUS", 2, 8, "-"),
        ("UNTESTED", 14, 18, "+"),
        ("EDGE", 1, 5, "+"),
        ("QUIET", 17, 21, "-"),
    ]
    path.write_text("".join(f"chrI\t{a}\t{b}\t{gene}\t0\t{s}\n" for gene, a, b, s in rows))
    return path


@pytest.fixture
def write_dge(tmp_path: Path) -> WriteDge:
    """Write what ``exprimo dge`` leaves of genes given as (label, direction, lfc, base mean).

    The shrunken change is half of the other one, so that the two can be told apart.
    """

    def write(genes: Mapping[str, tuple[int | None, str | None, float | None, float]]) -> Path:
        folder = tmp_path / "dge"
        folder.mkdir()
        table = pd.DataFrame.from_dict(
            genes, orient="index", columns=["label", "direction", "log2FoldChange", "baseMean"]
        ).rename_axis("gene_id")
        table["label"] = table["label"].astype("Int8")
        table.to_csv(folder / "labels.tsv", sep="\t")
        results = table[["baseMean", "log2FoldChange"]].copy()
        results["log2FoldChangeShrunken"] = results["log2FoldChange"] / 2
        results.to_csv(folder / "results.tsv", sep="\t")
        write_json(folder / "summary.json", {"contrast": {"text": "status: a vs b"}})
        return folder

    return write


@pytest.fixture
def study() -> Callable[..., DifferentialStudy]:
    """Make a study of made-up file names; arguments are its tables."""

    def make(**tables: Any) -> DifferentialStudy:
        values: dict[str, Any] = {
            "counts": {"files": "counts.tsv", "samples": "samples.tsv"},
            "dge": {"design": "~ status", "contrast": ["status", "a", "b"]},
            "promoters": {"fasta": "genome.fa", "genes": "genes.bed"},
        }
        for name, table in tables.items():
            values[name] = {**values.get(name, {}), **table} if isinstance(table, dict) else table
        return DifferentialStudy.checked(values)

    return make
