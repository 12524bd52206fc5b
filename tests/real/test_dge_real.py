"""Differential expression against R's DESeq2 1.38.3 on a human and a yeast experiment."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from exprimo.data.counts import Counts, join_counts, read_counts
from exprimo.data.samples import read_samples
from exprimo.labels import DgeConfig, find_differential
from exprimo.labels.differential import Differential

pytestmark = pytest.mark.real

COUNTS, SHEET = "GSE248760_raw_counts.txt.gz", "GSE248760_meta_data.csv"


def human(realdata: Path, **settings: Any) -> Differential:
    folder = realdata / "dge" / "gse248760"
    config = {"design": "~ status", "contrast": ("status", "IS", "C"), "threads": 1, **settings}
    return find_differential(
        read_counts(folder / COUNTS), read_samples(folder / SHEET), DgeConfig.checked(config)
    )


@pytest.fixture(scope="module")
def found(realdata: Path) -> Differential:
    return human(realdata)


@pytest.fixture(scope="module")
def by_r(realdata: Path) -> pd.DataFrame:
    path = realdata / "dge" / "gse248760" / "r_deseq2_full.csv.gz"
    return pd.read_csv(path, index_col=0, skipinitialspace=True)


@pytest.fixture(scope="module")
def yeast(realdata: Path) -> Counts:
    """48 wild-type and 48 snf2 mutant replicates."""
    folder = realdata / "yeast"
    return join_counts(
        [read_counts(folder / f"profDGE48_{s}_countdata.tar.gz") for s in ("WT", "Snf2")]
    )


def called(table: pd.DataFrame, lfc: float) -> set[str]:
    return set(table.index[(table["log2FoldChange"].abs() > lfc) & (table["padj"] < 0.05)])


def relative(ours: Any, theirs: Any) -> Any:
    """Give the relative difference of what both have."""
    a, b = np.asarray(ours, dtype=float), np.asarray(theirs, dtype=float)
    both = ~(np.isnan(a) | np.isnan(b))
    return np.abs(a[both] - b[both]) / np.maximum(np.abs(b[both]), 1e-300)


def test_the_same_4324_genes_as_r_and_as_published(
    realdata: Path, found: Differential, by_r: pd.DataFrame
) -> None:
    published = pd.read_csv(realdata / "dge" / "gse248760" / "r_deseq2_significant.csv")
    ours = set(found.labels.index[found.labels["label"] == 1])
    assert len(ours) == 4_324
    assert ours == called(by_r, 2) == set(published["gene"])
    assert (found.summary["calls"]["n_up"], found.summary["calls"]["n_down"]) == (2_487, 1_837)


def test_missing_where_r_is(found: Differential, by_r: pd.DataFrame) -> None:
    by_r = by_r.loc[found.results.index]
    for column in ("log2FoldChange", "lfcSE", "stat", "pvalue", "padj"):
        np.testing.assert_array_equal(found.results[column].isna(), by_r[column].isna())
    assert found.results["padj"].isna().sum() == 33_202
    assert found.summary["n_all_zero"] == 20_971
    assert (found.summary["n_outliers"], found.summary["n_filtered"]) == (333, 11_898)
    # An untested gene has no label; it is no negative.
    assert found.labels["label"].isna().sum() == 33_202


def test_every_number_of_the_table(found: Differential, by_r: pd.DataFrame) -> None:
    tested = by_r.index[by_r["padj"].notna()]
    ours, theirs = found.results.loc[tested], by_r.loc[tested]
    change = (ours["log2FoldChange"] - theirs["log2FoldChange"]).abs()
    assert change.max() < 1e-4
    assert relative(ours["baseMean"], theirs["baseMean"]).max() < 1e-8
    for column in ("lfcSE", "pvalue", "padj"):
        different = relative(ours[column], theirs[column])
        assert (different < 1e-3).all(), column
        assert (different < 1e-5).mean() > 0.999, column


def test_stage_by_stage(realdata: Path, found: Differential, by_r: pd.DataFrame) -> None:
    factors = pd.read_csv(
        realdata / "dge" / "gse248760" / "r_deseq2_size_factors.csv", index_col=0
    )["size_factor"]
    assert relative(found.samples["size_factor"], factors[found.samples.index]).max() < 1e-12

    by_r = by_r.loc[found.dispersions.index]
    ours = found.dispersions
    assert relative(ours["dispFit"], by_r["dispFit"]).max() < 1e-8
    for column in ("dispMAP", "dispersion"):
        np.testing.assert_array_equal(ours[column].isna(), by_r[column].isna())
        assert relative(ours[column], by_r[column]).max() < 1e-4, column
    # At the floor of 1e-8 a search ends anywhere; such genes take no part in the trend.
    floor = (by_r["dispGeneEst"] < 1e-7) & (ours["dispGeneEst"] < 1e-7)
    assert relative(ours["dispGeneEst"][~floor], by_r["dispGeneEst"][~floor]).max() < 1e-4
    outlying = by_r["dispOutlier"].astype(str).str.strip().str.upper() == "TRUE"
    np.testing.assert_array_equal(ours["dispOutlier"], outlying)
    assert relative(ours["maxCooks"], by_r["maxCooks"]).max() < 1e-3
    assert found.summary["dispersion"]["prior_variance"] == pytest.approx(0.761853777, rel=1e-6)


def test_alpha_moves_the_filter_and_so_the_calls(realdata: Path) -> None:
    other = human(realdata, alpha=0.05)
    assert (other.labels["label"] == 1).sum() == 4_360
    assert other.results["padj"].isna().sum() == 34_602


def test_a_threshold_inside_the_test_passes_fewer(realdata: Path, found: Differential) -> None:
    assert found.summary["formal_test"]["n_called"] == 519
    formal = human(realdata, lfc_null=2.0, lfc=0.0)
    assert (formal.labels["label"] == 1).sum() == 519


def test_the_contrast_turned_around(realdata: Path, found: Differential) -> None:
    turned = human(realdata, contrast=("status", "C", "IS"))
    pd.testing.assert_series_equal(
        turned.results["log2FoldChange"], -found.results["log2FoldChange"], rtol=1e-12
    )
    assert called(turned.results, 2) == called(found.results, 2)


@pytest.mark.slow
def test_48_yeast_replicates_of_each_strain(realdata: Path, yeast: Counts) -> None:
    strains = [name.partition("_")[0] for name in yeast.samples]
    sheet = pd.DataFrame({"strain": strains}, index=pd.Index(yeast.samples, name="sample"))
    config = {"design": "~ strain", "contrast": ("strain", "Snf2", "WT"), "threads": 1, "lfc": 1.0}
    ours = find_differential(yeast, sheet, DgeConfig.checked(config))
    path = realdata / "yeast" / "r_deseq2_snf2_vs_wt_48x48.csv.gz"
    theirs = pd.read_csv(path, index_col=0, skipinitialspace=True).loc[ours.results.index]

    assert called(ours.results, 0) == called(theirs, 0)
    assert called(ours.results, 1) == called(theirs, 1)
    assert (len(called(theirs, 0)), len(called(theirs, 1))) == (4_859, 545)
    assert ours.results["log2FoldChange"]["YOR290C"] < -3
    for column in ("baseMean", "log2FoldChange", "lfcSE", "pvalue", "padj"):
        np.testing.assert_array_equal(ours.results[column].isna(), theirs[column].isna())
        assert relative(ours.results[column], theirs[column]).max() < 5e-4, column
    assert ours.summary["n_replaced"] == 7


# What R's DESeq2 1.38.3 gives of made-up designs over the real counts: genes with an adjusted
# p-value, and those of them with padj < 0.05 and a change beyond 0, 1 and 2.
PAIRS = {"pair": ["a", "b", "c", "d"] * 2}
BATCHES = {"batch": ["x", "x", "y", "y"] * 2}
HUMAN_DESIGNS = [
    pytest.param("~ pair + status", PAIRS, [], (21_806, 8_949, 7_548, 3_739), id="four pairs"),
    pytest.param("~ pair + status", PAIRS, [3, 7], (20_626, 7_655, 7_260, 3_935), id="three pairs"),
    pytest.param("~ batch + status", BATCHES, [], (23_905, 10_182, 8_299, 4_243), id="two batches"),
    pytest.param("~ status", {}, [0, 4], (21_531, 6_221, 6_073, 3_219), id="3 and 3"),
    pytest.param("~ status", {}, [3, 4, 6], (20_786, 5_300, 5_245, 3_065), id="3 and 2"),
    pytest.param("~ status", {}, [1, 3, 5, 7], (19_009, 4_558, 4_558, 2_498), id="2 and 2"),
]


def numbers(found: Differential) -> tuple[int, int, int, int]:
    calls = (len(called(found.results, lfc)) for lfc in (0, 1, 2))
    return (int(found.results["padj"].notna().sum()), *calls)


@pytest.mark.slow
@pytest.mark.parametrize(("design", "columns", "without", "expected"), HUMAN_DESIGNS)
def test_pairs_batches_and_few_samples(
    realdata: Path,
    design: str,
    columns: dict[str, list[str]],
    without: list[int],
    expected: tuple[int, int, int, int],
) -> None:
    folder = realdata / "dge" / "gse248760"
    sheet = read_samples(folder / SHEET).assign(**columns)
    sheet = sheet.drop(index=sheet.index[without])
    counts = read_counts(folder / COUNTS)
    counts = dataclasses.replace(counts, matrix=counts.matrix[list(sheet.index)])
    config = {"design": design, "contrast": ("status", "IS", "C"), "threads": 1}
    assert numbers(find_differential(counts, sheet, DgeConfig.checked(config))) == expected


@pytest.mark.slow
@pytest.mark.parametrize(
    ("first", "n", "design", "reduced", "expected"),
    [
        (6, 6, "~ pair + strain", None, (6_587, 2_953, 506, 114)),
        (10, 10, "~ pair + strain", None, (6_608, 3_137, 461, 123)),
        (3, 3, "~ pair + strain", None, (6_435, 716, 678, 134)),
        (20, 5, "~ strain", None, (6_855, 2_740, 783, 144)),
        (5, 8, "~ batch + strain", "~ batch", (6_438, 2_714, 620, 122)),
    ],
)
def test_pairs_and_batches_of_yeast(
    yeast: Counts,
    first: int,
    n: int,
    design: str,
    reduced: str | None,
    expected: tuple[int, int, int, int],
) -> None:
    names = yeast.samples[first : first + n] + yeast.samples[48 + first : 48 + first + n]
    known = {"strain": ["WT"] * n + ["Snf2"] * n}
    known["pair"] = [f"p{i:02d}" for i in range(n)] * 2
    known["batch"] = [f"b{i % 2}" for i in range(n)] * 2
    sheet = pd.DataFrame(known, index=pd.Index(names, name="sample"))
    counts = dataclasses.replace(yeast, matrix=yeast.matrix[names])
    config = {
        "design": design,
        "reduced": reduced,
        "contrast": ("strain", "Snf2", "WT"),
        "threads": 1,
    }
    assert numbers(find_differential(counts, sheet, DgeConfig.checked(config))) == expected
