"""Signed gradients by cell type: against numpy, block by block."""

from __future__ import annotations

import numpy as np
import pytest

from exprimo.interpret.bins import bin_offsets, bin_table, sum_by_label


def test_means_and_errors_are_numpys_whatever_the_blocks() -> None:
    rng = np.random.default_rng(1)
    slopes = rng.normal(size=(40, 3, 5)).astype(np.float32)
    labels = np.array([i % 3 if i % 7 else -1 for i in range(50)])
    rows = rng.permutation(50)[:40]
    blocks = [(rows[i : i + 9], slopes[i : i + 9]) for i in range(0, 40, 9)]
    marks, offsets = ["H3K4me3", "H3K27ac", "H3K27me3"], bin_offsets(5, 100)
    sums = sum_by_label(blocks, labels, 4)
    table = bin_table(sums, ["A", "B", "C", "D"], marks, offsets)
    assert set(table["label"]) == {"A", "B", "C"}
    for number, label in enumerate("ABC"):
        mine = slopes[labels[rows] == number].astype(float)
        of_label = table[table["label"] == label]
        np.testing.assert_allclose(of_label["mean"], mine.mean(0).ravel(), atol=1e-12)
        error = mine.std(0, ddof=1).ravel() / np.sqrt(len(mine))
        np.testing.assert_allclose(of_label["se"], error, rtol=1e-6)
        assert (of_label["n"] == len(mine)).all()
    at = table[(table["label"] == "B") & (table["row"] == "H3K27me3") & (table["offset"] == -100)]
    mine = slopes[labels[rows] == 1].astype(float)
    assert at["mean"].item() == pytest.approx(mine[:, 2, 1].mean())


def test_the_middle_bin_begins_at_the_start_of_transcription() -> None:
    assert bin_offsets(100, 100)[50] == 0
    assert bin_offsets(5, 200) == [-400, -200, 0, 200, 400]
