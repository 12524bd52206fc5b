"""What the labels of a published study say before any model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from exprimo.data.targets import read_targets
from exprimo.evaluate.association import examine_labels, matched_controls, prevalence

pytestmark = pytest.mark.real


def test_expression_tells_only_where_untested_genes_are_called_negative(realdata: Path) -> None:
    results = read_targets(
        realdata / "dge" / "gse248760" / "r_deseq2_full.csv.gz",
        ["baseMean", "log2FoldChange", "padj"],
    )
    changed = (results["padj"] < 0.05) & (results["log2FoldChange"].abs() > 2)
    label = np.where(results["padj"].isna(), np.nan, changed)
    share = prevalence(label)
    assert (share["n_genes"], share["n_tested"], share["n_positive"]) == (58_174, 24_972, 4_324)
    assert share["value"] == pytest.approx(0.173, abs=0.0005)

    found = examine_labels(label, results[["baseMean"]]).set_index("among")
    tested, wrong = found.loc["tested"], found.loc["untested called negative"]
    assert round(tested["auroc"], 2) == 0.50
    assert tested["low"] < 0.5 < tested["high"]
    assert round(wrong["auroc"], 2) == 0.81
    assert wrong["n_negative"] == 58_174 - 4_324


def test_changed_genes_find_controls_of_equal_expression(realdata: Path) -> None:
    results = read_targets(
        realdata / "dge" / "gse248760" / "r_deseq2_full.csv.gz",
        ["baseMean", "log2FoldChange", "padj"],
    ).dropna()
    changed = ((results["padj"] < 0.05) & (results["log2FoldChange"].abs() > 2)).to_numpy()
    results["expression"] = np.log10(results["baseMean"])
    found = matched_controls(results, changed, ["expression"], ratio=2)
    assert found.n_unmatched < 20
    assert abs(found.balance["smd_after"].iloc[0]) < 0.01
