"""Labels before any model: shares among tested genes, and what calling untested ones costs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from exprimo.core.dataset import Dataset
from exprimo.studies.differential.config import Promoters
from exprimo.studies.differential.examination import describe_promoters, examine
from exprimo.studies.differential.promoters import build_dataset, promoter_source

SPACING, TESTED, UNTESTED = 200, 20, 20


@pytest.fixture
def source(tmp_path: Path) -> dict[str, Any]:
    """Forty genes on a random chromosome; of the first twenty, every other one is 30 bp longer."""
    rng = np.random.default_rng(4)
    n = TESTED + UNTESTED
    (tmp_path / "genome.fa").write_text(">1\n" + "".join(rng.choice(list("ACGT"), n * SPACING)))
    rows = []
    for k in range(n):
        start = k * SPACING + 100
        length = 80 if k < TESTED and k % 2 == 0 else 50
        rows.append(f"1\t{start}\t{start + length}\tg{k}\t0\t+\n")
    (tmp_path / "genes.bed").write_text("".join(rows))
    promoters = Promoters(fasta="genome.fa", genes="genes.bed", upstream=60)
    return promoter_source(promoters, tmp_path)


@pytest.fixture
def targets(tmp_path: Path) -> Path:
    """Changed and unchanged genes of equal counts, untested ones of few, two not annotated."""
    rows = [
        # Of a pair both have the same mean count; the first one is changed, up and down in turn.
        (f"g{k}", 1 - k % 2, k // 2 % 2 if k % 2 == 0 else np.nan, 100 + k // 2)
        for k in range(TESTED)
    ]
    rows += [(f"g{k}", np.nan, np.nan, 1.0) for k in range(TESTED, TESTED + UNTESTED)]
    rows += [("lost1", 1, 1, 104.0), ("lost2", 0, np.nan, 104.0)]
    table = pd.DataFrame(rows, columns=["gene_id", "changed", "direction", "mean_count"])
    table.to_csv(tmp_path / "targets.tsv", sep="\t", index=False)
    return tmp_path / "targets.tsv"


def test_the_share_of_changed_genes_is_that_among_tested_ones(
    source: dict[str, Any], targets: Path, tmp_path: Path
) -> None:
    examine(source, targets, tmp_path / "labels")
    facts = json.loads((tmp_path / "labels" / "prevalence.json").read_text())
    assert {name: facts[name] for name in ("n_genes", "n_tested", "n_positive")} == {
        "n_genes": 42,
        "n_tested": 22,
        "n_positive": 11,
    }
    # lost1 goes up, too, and has no promoter.
    assert (facts["n_up"], facts["n_down"], facts["n_joined"]) == (6, 5, 20)
    assert facts["prevalence"]["value"] == 0.5
    assert facts["prevalence"]["low"] < 0.5 < facts["prevalence"]["high"]
    assert facts["prevalence_if_untested_negative"] == pytest.approx(11 / 42)
    assert {path.name for path in (tmp_path / "labels").iterdir()} == {
        "prevalence.json",
        "covariates.tsv",
    }


def test_untested_genes_called_negative_make_expression_tell_them(
    source: dict[str, Any], targets: Path, tmp_path: Path
) -> None:
    examine(source, targets, tmp_path / "labels")
    table = pd.read_csv(tmp_path / "labels" / "covariates.tsv", sep="\t")
    assert list(dict.fromkeys(table["covariate"])) == [
        "mean expression",
        "GC content",
        "CpG observed / expected",
        "gene length",
    ]
    rows = table.set_index(["covariate", "among"])
    tested = rows.loc[("mean expression", "tested")]
    assert tested["auroc"] == pytest.approx(0.5)
    assert tested["low"] < 0.5 < tested["high"]
    assert (tested["n_positive"], tested["n_negative"], tested["n_missing"]) == (11, 11, 0)
    wrong = rows.loc[("mean expression", "untested called negative")]
    # Eleven negatives are alike, twenty lie below every changed gene.
    assert wrong["auroc"] == pytest.approx((11 * 0.5 + 20) / 31)
    assert wrong["low"] > 0.5
    assert wrong["n_negative"] == 31


def test_what_needs_a_promoter_or_a_gene_leaves_the_others_out(
    source: dict[str, Any], targets: Path, tmp_path: Path
) -> None:
    examine(source, targets, tmp_path / "labels")
    table = pd.read_csv(tmp_path / "labels" / "covariates.tsv", sep="\t")
    rows = table.set_index(["covariate", "among"])
    for name in ("GC content", "CpG observed / expected", "gene length"):
        tested = rows.loc[(name, "tested")]
        assert (tested["n_positive"], tested["n_negative"], tested["n_missing"]) == (10, 10, 2)
    assert rows.loc[("gene length", "tested"), "auroc"] == 1.0
    assert rows.loc[("gene length", "tested"), "low"] > 0.5


def test_promoters_are_described_by_their_bases(tmp_path: Path) -> None:
    unit = {"a": "CG" * 5, "b": "CCCCCGGGGG", "c": "AATTAATTAA"}
    # Each window is the ten bases before its gene.
    (tmp_path / "genome.fa").write_text(">1\n" + "".join(b + "A" * 30 for b in unit.values()))
    lengths = {"a": 5, "b": 7, "c": 11}
    (tmp_path / "genes.bed").write_text(
        "".join(
            f"1\t{40 * k + 10}\t{40 * k + 10 + lengths[g]}\t{g}\t0\t+\n" for k, g in enumerate(unit)
        )
    )
    pd.DataFrame({"gene_id": list(unit), "changed": [1, 0, 1], "mean_count": 5.0}).to_csv(
        tmp_path / "targets.tsv", sep="\t", index=False
    )
    promoters = Promoters(fasta="genome.fa", genes="genes.bed", upstream=10)
    source = promoter_source(promoters, tmp_path)
    build_dataset(source, tmp_path / "targets.tsv", tmp_path / "D.h5", "changed")
    found = describe_promoters(tmp_path / "D.h5", tmp_path / "genes.bed")
    assert found["gc"].to_dict() == {"a": 1.0, "b": 1.0, "c": 0.0}
    assert found["length"].to_dict() == {"a": 5.0, "b": 7.0, "c": 11.0}
    # Five CG in ten bases of five C and five G: 5 * 10 / (5 * 5); one CG: a fifth of that.
    assert found["cpg"]["a"] == pytest.approx(2.0)
    assert found["cpg"]["b"] == pytest.approx(0.4)
    assert found.index.name == "gene_id"


def test_relatives_are_one_observation(tmp_path: Path) -> None:
    rng = np.random.default_rng(6)
    family = "".join(rng.choice(list("ACGT"), 300))
    other = "".join(rng.choice(list("ACGT"), 300))
    blocks = [family, other, family]
    (tmp_path / "genome.fa").write_text(">1\n" + "".join(b + "A" * 100 for b in blocks))
    (tmp_path / "genes.bed").write_text(
        "".join(f"1\t{400 * k + 300}\t{400 * k + 350}\tg{k}\t0\t+\n" for k in range(3))
    )
    pd.DataFrame({"gene_id": ["g0", "g1", "g2"], "changed": [1, 0, 1], "mean_count": 5.0}).to_csv(
        tmp_path / "targets.tsv", sep="\t", index=False
    )
    promoters = Promoters(fasta="genome.fa", genes="genes.bed", upstream=300)
    source = promoter_source(promoters, tmp_path)
    build_dataset(source, tmp_path / "targets.tsv", tmp_path / "D.h5", "changed")
    found = describe_promoters(tmp_path / "D.h5", tmp_path / "genes.bed")["family"]
    assert found["g0"] == found["g2"] != found["g1"]
    with Dataset.open(tmp_path / "D.h5") as dataset:
        assert len(dataset) == 3
