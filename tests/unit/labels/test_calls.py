"""From tested genes to labels."""

from __future__ import annotations

import numpy as np
import pandas as pd

from exprimo.labels.calls import call_labels


def _results(changes: list[float], padj: list[float]) -> pd.DataFrame:
    index = pd.Index([f"g{i}" for i in range(len(changes))], name="gene_id")
    return pd.DataFrame({"baseMean": 5.0, "log2FoldChange": changes, "padj": padj}, index=index)


def test_both_thresholds_are_strict_and_both_must_hold() -> None:
    changes = [2.0, 2.001, -2.001, 3.0, 3.0, 1.0, 9.0, 9.0]
    padj = [0.01, 0.01, 0.01, 0.05, 0.0499, 1e-9, np.nan, 0.9]
    found = call_labels(_results(changes, padj), lfc=2, padj=0.05)
    np.testing.assert_array_equal(found["label"], [0, 1, 1, 0, 1, 0, np.nan, 0])
    assert found["direction"].tolist() == [
        "none", "up", "down", "none", "up", "none", None, "none",
    ]  # fmt: skip
    assert found.index.tolist() == [f"g{i}" for i in range(8)]


def test_a_gene_that_was_not_tested_is_no_negative() -> None:
    found = call_labels(_results([0.0, 5.0], [np.nan, np.nan]), lfc=0, padj=1)
    assert found["label"].isna().all()
