"""Alleles counted in one pass, as NumPy counts them step by step."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from exprimo.data.genotypes.cohort.frequencies import count_alleles
from exprimo.data.genotypes.view import Block


def block_of(seed: int, *, imputed: bool) -> Block:
    """Genotypes of two, one and no copies, missing ones, variants of one allele, none known."""
    rng = np.random.default_rng(seed)
    alleles = (rng.random((40, 30, 2)) < rng.random((40, 1, 1))).astype(np.int8)
    alleles[rng.random((40, 30)) < 0.1] = -1
    alleles[rng.random((40, 30)) < 0.05, 0] = -1
    alleles[:, :5, 1] = -2
    alleles[:, 5] = -2
    alleles[0], alleles[1], alleles[2] = 0, 1, -1
    dosages = None
    if imputed:
        dosages = rng.uniform(0, 2, (40, 30)).astype(np.float32)
        dosages[rng.random((40, 30)) < 0.5] = np.nan
        dosages[3:6] = [[np.nan], [0.5], [1.5]]
        dosages[:, :5] /= 2
        dosages[:, 5] = np.nan
    table = pd.DataFrame({"start": np.arange(40)})
    return Block(table, alleles, np.ones((40, 30), bool), None, dosages)


@pytest.mark.filterwarnings("ignore:All-NaN|Mean of empty:RuntimeWarning")
@pytest.mark.parametrize("imputed", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_counts_are_those_of_the_dosages(seed: int, imputed: bool) -> None:
    block = block_of(seed, imputed=imputed)
    found = count_alleles(block)
    dosage = block.dosage()
    np.testing.assert_array_equal(found.dosage, dosage)
    # A haploid has one allele; who has no chromosome, none.
    held = np.where(np.isnan(dosage), 0, (block.alleles != -2).sum(axis=2))
    alleles = held.sum(axis=1)
    copies = np.nansum(dosage.astype(np.float64), axis=1)
    af = np.divide(copies, alleles, out=np.full(40, np.nan), where=alleles > 0)
    np.testing.assert_allclose(found.af, af, rtol=1e-12)
    minor = np.where((af > 0.5)[:, None], held - dosage, dosage)
    np.testing.assert_array_equal(found.ma_samples, (minor > 0.5).sum(axis=1))
    np.testing.assert_allclose(
        found.ma_count, np.nansum(minor.astype(np.float64), axis=1), rtol=1e-6
    )
    differ = np.nanmax(dosage, axis=1) > np.nanmin(dosage, axis=1)
    np.testing.assert_array_equal(found.varies, differ & (copies > 0) & (copies < alleles))
    assert not found.varies[:2].any() or imputed
    assert found.varies.sum() > 30


def test_men_have_one_x() -> None:
    # Six men and six women, half of all alleles ALT: 0 or 1 copies, 0 or 2.
    men = [[at % 2, -2] for at in range(6)]
    women = [[at % 2, at % 2] for at in range(6)]
    rare = [[0, -2]] * 6 + [[0, 1]] + [[0, 0]] * 5
    common = [[1, -2]] * 5 + [[0, -2]] + [[1, 1]] * 6
    fixed = [[1, -2]] * 6 + [[1, 1]] * 6
    alleles = np.array([men + women, rare, common, fixed], np.int8)
    table = pd.DataFrame({"start": np.arange(4)})
    found = count_alleles(Block(table, alleles, np.ones((4, 12), bool), None, None))
    np.testing.assert_allclose(found.af, [9 / 18, 1 / 18, 17 / 18, 1])
    assert found.ma_count.tolist() == [9, 1, 1, 0]
    assert found.ma_samples.tolist() == [6, 1, 1, 0]
    # The dosages of the last differ, 1 and 2, and say who is a man.
    assert found.varies.tolist() == [True, True, True, False]
