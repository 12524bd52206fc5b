"""A study held against what the simulator knows, in a case of ten genes worked out by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from exprimo.core.run import write_json
from exprimo.core.split import Split
from exprimo.studies.benchmarking import Benchmarked
from exprimo.studies.differential.truth import compare_with_truth

NAN = float("nan")
# True log2 fold change, what the factor tells of it, and the call (NaN: not tested).
GENES = {
    "g0": (3.0, -3.0, 1),  # found
    "g1": (-2.0, 2.0, 1),  # found
    "g2": (1.5, -1.5, 0),  # missed
    "g3": (1.2, -1.1, NAN),  # not tested
    "g4": (0.8, -0.8, 1),  # changed by less than the threshold, and called
    "g5": (0.1, 0.0, 1),  # no site: a false discovery
    "g6": (0.0, 0.0, 0),
    "g7": (-0.1, 0.0, 0),
    "g8": (0.1, 0.0, 0),
    "g9": (0.0, 0.0, NAN),
}


@pytest.fixture
def benchmark(tmp_path: Path) -> Benchmarked:
    """All ten genes but one are test genes."""
    truth = tmp_path / "truth"
    truth.mkdir()
    table = pd.DataFrame.from_dict(
        GENES, orient="index", columns=["log2_fold_change", "factor_contribution", "changed"]
    ).rename_axis("gene_id")
    table.drop(columns="changed").to_csv(truth / "differential.tsv", sep="\t")
    table[["changed"]].to_csv(tmp_path / "targets.tsv", sep="\t")
    write_json(truth / "world.json", {"conditions": {"factor": "LEAD"}})
    tested = [gene for gene, (_, _, call) in GENES.items() if call == call]
    (tmp_path / "splits").mkdir()
    Split(
        example_id=np.array(tested),
        part=np.array(["train", *["test"] * (len(tested) - 1)]),
        strategy="homology",
        seed=0,
        dataset_sha256="0" * 64,
        held_out=("gene", "sequence"),
        notes={},
        group=np.array(tested),
        unit="homology group",
    ).save(tmp_path / "splits" / "homology.parquet")
    return Benchmarked(tmp_path, tmp_path / "r", "auroc", pd.DataFrame(), pd.DataFrame())


def test_recall_false_discoveries_and_the_ceiling(benchmark: Benchmarked) -> None:
    folder = benchmark.path
    found = compare_with_truth(
        folder / "truth", folder / "targets.tsv", 1.0, benchmark, "homology", folder / "absent"
    )
    assert found["dge"] == {
        "n_true": 4,
        "n_called": 4,
        "recall": 2 / 4,
        "recall_tested": 2 / 3,
        "fdr": 1 / 4,
        "below_threshold": 1,
    }
    # Test: called g1 (2), g4 (0.8), g5 (0); not called g2 (1.5), and g6, g7, g8 (0 each).
    wins = 4 + 3 + 3 * 0.5
    assert found["ceiling"]["value"] == pytest.approx(wins / 12)
    assert found["changed_factor"] == "LEAD"
    assert found["factor_rank"] is None


def test_the_rank_of_the_factor_is_that_by_counts_of_all_changed_genes(
    benchmark: Benchmarked,
) -> None:
    folder = benchmark.path
    rows = [("up", "counts", "LEAD", 9), ("changed", "presence", "LEAD", 5)]
    rows += [("changed", "counts", "PROX", 1), ("changed", "counts", "LEAD", 2)]
    (folder / "enrichment").mkdir()
    pd.DataFrame(rows, columns=["set", "test", "motif", "rank"]).to_csv(
        folder / "enrichment" / "table.tsv", sep="\t", index=False
    )
    found = compare_with_truth(
        folder / "truth", folder / "targets.tsv", 1.0, benchmark, "homology", folder / "enrichment"
    )
    assert found["factor_rank"] == 2
