"""Labels joined with promoters: which genes stay, which bases they get, and each target."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from exprimo.core.dataset import Dataset
from exprimo.core.errors import InputError
from exprimo.core.sequence import decode
from exprimo.studies.differential.config import Promoters
from exprimo.studies.differential.promoters import (
    build_dataset,
    check_other_classes,
    check_two_classes,
    gene_names,
    promoter_source,
    read_target_table,
    target_table,
    write_targets,
)

# Changed up, changed down, not tested (padj missing), unchanged at the edge, unchanged.
CALLS: dict[str, tuple[int | None, str | None, float | None, float]] = {
    "PLUS": (1, "up", 3.0, 99.0),
    "MINUS": (1, "down", -2.0, 999.0),
    "UNTESTED": (None, None, 5.0, 0.5),
    "EDGE": (0, "none", 0.5, 9.0),
    "QUIET": (0, "none", -0.25, 0.0),
    "ELSEWHERE": (1, "up", 4.0, 50.0),
}


@pytest.fixture
def source(genome: Path, genes: Path) -> dict[str, Any]:
    """Four bases before the TSS and two from it on."""
    promoters = Promoters(fasta=genome.name, genes=genes.name, upstream=4, downstream=2)
    return promoter_source(promoters, genome.parent)


@pytest.fixture
def targets(write_dge: Any, tmp_path: Path) -> Path:
    """The targets of those calls."""
    path = tmp_path / "results" / "targets.tsv"
    write_targets(target_table(write_dge(CALLS)), path)
    return path


def _values(path: Path, name: str) -> dict[str, float]:
    with Dataset.open(path) as dataset:
        return dict(
            zip(dataset.column("gene_id").astype(str), dataset.target(name).tolist(), strict=True)
        )


def test_every_target_comes_from_the_same_calls(write_dge: Any) -> None:
    table = target_table(write_dge(CALLS)).set_index("gene_id")
    expected = {
        # changed, direction, three_way, lfc (shrunken: half), mean_count
        "PLUS": (1, 1, "up", 1.5, 99.0),
        "MINUS": (1, 0, "down", -1.0, 999.0),
        "UNTESTED": (None, None, None, None, 0.5),
        "EDGE": (0, None, "none", 0.25, 9.0),
        "QUIET": (0, None, "none", -0.125, 0.0),
        "ELSEWHERE": (1, 1, "up", 2.0, 50.0),
    }
    columns = ["changed", "direction", "three_way", "lfc", "mean_count"]
    rows = table[columns].itertuples(index=True, name=None)
    found = {
        gene: tuple(None if isinstance(v, float) and math.isnan(v) else v for v in values)
        for gene, *values in rows
    }
    assert found == expected


def test_untested_genes_and_those_without_a_promoter_are_left_out(
    source: dict[str, Any], targets: Path, tmp_path: Path
) -> None:
    build_dataset(source, targets, tmp_path / "D.h5", "changed")
    assert _values(tmp_path / "D.h5", "changed") == {"PLUS": 1, "MINUS": 1, "EDGE": 0, "QUIET": 0}


def test_windows_end_behind_the_tss_on_both_strands(
    source: dict[str, Any], targets: Path, tmp_path: Path
) -> None:
    build_dataset(source, targets, tmp_path / "D.h5", "changed")
    with Dataset.open(tmp_path / "D.h5") as dataset:
        codes = dataset.rows("sequence", np.arange(len(dataset)))
        found = dict(zip(dataset.column("gene_id").astype(str), map(decode, codes), strict=True))
        start = dict(zip(found, dataset.column("start").tolist(), strict=True))
        clipped = dict(zip(found, dataset.column("clipped").tolist(), strict=True))
    # ACGTACGGTCAATTGCATCGAAGTCC; the TSS is the fifth letter of each window.
    assert found == {
        "PLUS": "ACGGTC",  # 4 to 10, read along: the TSS is the T at 8
        "MINUS": "TTGACC",  # 6 to 12 is GGTCAA, read against: the TSS is the G at 7
        "EDGE": "NNNACG",  # -3 to 3
        "QUIET": "GACTTC",  # 19 to 25 is GAAGTC, read against: the TSS is the A at 20
    }
    assert start == {"PLUS": 4, "MINUS": 6, "EDGE": -3, "QUIET": 19}
    assert clipped == {"PLUS": False, "MINUS": False, "EDGE": True, "QUIET": False}


def test_the_mean_count_goes_along_as_a_logarithm(
    source: dict[str, Any], targets: Path, tmp_path: Path
) -> None:
    build_dataset(source, targets, tmp_path / "D.h5", "changed")
    with Dataset.open(tmp_path / "D.h5") as dataset:
        level = dataset.rows("mean_expression", np.arange(len(dataset)))[:, 0]
    np.testing.assert_allclose(level, [2, 3, 1, 0], rtol=1e-6)


@pytest.mark.parametrize(
    ("target", "kind", "expected"),
    [
        ("direction", "classification", {"PLUS": 1, "MINUS": 0}),
        ("three_way", "multiclass", {"PLUS": 2, "MINUS": 0, "EDGE": 1, "QUIET": 1}),
        ("lfc", "regression", {"PLUS": 1.5, "MINUS": -1.0, "EDGE": 0.25, "QUIET": -0.125}),
    ],
)
def test_other_targets_keep_the_genes_that_have_one(
    source: dict[str, Any],
    targets: Path,
    tmp_path: Path,
    target: str,
    kind: str,
    expected: dict[str, float],
) -> None:
    build_dataset(source, targets, tmp_path / "D.h5", target)
    assert _values(tmp_path / "D.h5", target) == expected
    with Dataset.open(tmp_path / "D.h5") as dataset:
        facts = dataset.the_target(target)
    assert facts.kind == kind
    if target == "three_way":
        assert tuple(facts.classes) == ("down", "none", "up")


def test_names_of_the_counts_are_found_by_a_table_and_given_back(
    source: dict[str, Any], write_dge: Any, tmp_path: Path
) -> None:
    (tmp_path / "names.tsv").write_text("YAL1\tPLUS\nYAL2\tMINUS\n")
    calls = {"YAL1": CALLS["PLUS"], "YAL2": CALLS["MINUS"], "EDGE": CALLS["EDGE"]}
    write_targets(target_table(write_dge(calls)), tmp_path / "targets.tsv")
    named = {**source, "gene_names": tmp_path / "names.tsv"}
    build_dataset(named, tmp_path / "targets.tsv", tmp_path / "D.h5", "lfc")
    assert _values(tmp_path / "D.h5", "lfc") == {"PLUS": 1.5, "MINUS": -1.0, "EDGE": 0.25}
    with Dataset.open(tmp_path / "D.h5") as dataset:
        assert gene_names(dataset).tolist() == ["YAL1", "YAL2", "EDGE"]


def test_versions_of_gene_ids_do_not_hide_a_target(
    genome: Path, write_dge: Any, tmp_path: Path
) -> None:
    ids = ["ENSG00000000001", "ENSG00000000002"]
    (tmp_path / "ens.bed").write_text(f"I\t8\t14\t{ids[0]}.4\t0\t+\nI\t12\t18\t{ids[1]}.9\t0\t+\n")
    calls = {f"{ids[0]}.7": CALLS["PLUS"], f"{ids[1]}.7": CALLS["EDGE"]}
    write_targets(target_table(write_dge(calls)), tmp_path / "targets.tsv")
    promoters = Promoters(fasta=genome.name, genes="ens.bed", upstream=4)
    source = promoter_source(promoters, tmp_path)
    build_dataset(source, tmp_path / "targets.tsv", tmp_path / "D.h5", "changed")
    with Dataset.open(tmp_path / "D.h5") as dataset:
        own = gene_names(dataset)
    table = read_target_table(tmp_path / "targets.tsv").reindex(own)
    assert table["lfc"].tolist() == [1.5, 0.25]


def test_paths_are_those_of_the_study_and_words_stay_words(tmp_path: Path) -> None:
    plain = promoter_source(Promoters(fasta="g.fa", genes="sub/g.gtf"), tmp_path)
    assert (plain["fasta"], plain["genes"]) == (tmp_path / "g.fa", tmp_path / "sub/g.gtf")
    assert (plain["tss"], plain["chrom_style"], plain["gene_names"]) == ("canonical", "auto", None)
    assert (plain["upstream"], plain["downstream"]) == (2000, 0)
    own = Promoters(
        fasta="g.fa", genes="g.gtf", tss="tss.tsv", chrom_style="style.tsv", gene_names="names.tsv"
    )
    found = promoter_source(own, tmp_path)
    for name in ("tss", "chrom_style"):
        assert found[name] == tmp_path / f"{'tss' if name == 'tss' else 'style'}.tsv"
    assert found["gene_names"] == tmp_path / "names.tsv"


def test_labels_of_one_class_are_refused(
    source: dict[str, Any], targets: Path, tmp_path: Path
) -> None:
    build_dataset(source, targets, tmp_path / "D.h5", "changed")
    with pytest.raises(InputError, match="2 changed and 2 unchanged genes with a promoter"):
        check_two_classes(tmp_path / "D.h5")


def test_one_way_changes_are_refused_only_where_they_are_asked_for(
    source: dict[str, Any], targets: Path, tmp_path: Path
) -> None:
    build_dataset(source, targets, tmp_path / "D.h5", "changed")
    check_other_classes(tmp_path / "D.h5", targets, ("lfc",))
    # ELSEWHERE goes up, too, but has no promoter.
    with pytest.raises(InputError, match="1 up and 1 down with a promoter") as refused:
        check_other_classes(tmp_path / "D.h5", targets, ("direction", "three_way", "lfc"))
    assert "Take direction and three_way out of targets.also" in str(refused.value)
