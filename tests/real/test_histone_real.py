"""Real histone signal: a cell type of the Roadmap project, and DeepChrome's own files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from exprimo.data.signals import BinnedCell, read_binned

pytestmark = pytest.mark.real

MARKS = ("H3K4me1", "H3K4me3", "H3K9me3", "H3K27me3", "H3K36me3", "H3K27ac", "H3K9ac")


@pytest.fixture(scope="module")
def embryonic_cell(realdata: Path) -> BinnedCell:
    path = realdata / "histone" / "chromoformer_demo_E003_7marks_400x100bp.npz"
    (found,) = read_binned(path, cell="E003", marks=MARKS)
    return found


def test_marks_around_the_tss_tell_active_genes(embryonic_cell: BinnedCell) -> None:
    assert embryonic_cell.values.shape == (100, 7, 400)
    assert embryonic_cell.label is not None
    for mark, central, whole in (
        ("H3K4me3", 0.87, 0.79),
        ("H3K9ac", 0.89, 0.80),
        ("H3K27me3", 0.43, 0.45),
    ):
        signal = embryonic_cell.values[:, MARKS.index(mark)]
        for bins, published in ((slice(150, 250), central), (slice(None), whole)):
            auc = roc_auc_score(embryonic_cell.label, signal[:, bins].mean(axis=1))
            assert auc == pytest.approx(published, abs=0.005)


def test_genes_and_expression_are_those_of_the_table(
    embryonic_cell: BinnedCell, realdata: Path
) -> None:
    table = pd.read_csv(realdata / "histone" / "chromoformer_demo_meta.csv").set_index("gene_id")
    assert embryonic_cell.expression is not None
    assert embryonic_cell.label is not None
    expected = table.loc[list(embryonic_cell.genes)]
    np.testing.assert_allclose(embryonic_cell.expression, expected["expression"], rtol=1e-6)
    np.testing.assert_array_equal(embryonic_cell.label, expected["label"])


@pytest.mark.parametrize(("part", "n_genes"), [("train", 10), ("valid", 10), ("test", 9)])
def test_deepchromes_own_files(realdata: Path, part: str, n_genes: int) -> None:
    path = realdata / "histone" / f"deepchrome_toy_{part}.csv"
    (found,) = read_binned(path)
    assert found.values.shape == (n_genes, 5, 100)
    assert found.label is not None
    assert set(found.label) == {0.0, 1.0}
    raw = pd.read_csv(path, header=None, dtype={0: str})
    assert found.genes == tuple(raw[0].unique())
    np.testing.assert_array_equal(found.values[3, 2], raw[4].to_numpy()[300:400])
