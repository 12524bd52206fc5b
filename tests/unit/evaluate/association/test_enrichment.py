"""Enrichment: scipy's tests, uniform p without an effect, planted motifs, families of genes."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from exprimo.core.errors import InputError, MismatchError
from exprimo.core.sequence import encode
from exprimo.data.motifs import MotifMatrix
from exprimo.evaluate.association import enrichment, matched_controls
from exprimo.features.motifs import scan

COLUMNS = [
    "motif", "n_changed", "n_matched", "share_changed", "share_matched", "odds_ratio", "low",
    "high", "pvalue", "padj", "auroc", "pvalue_values", "padj_values", "rank",
]  # fmt: skip


def column(a: int, c: int, n_case: int, n_control: int) -> np.ndarray:
    """Make one motif that a cases and c controls have."""
    return np.r_[np.arange(n_case) < a, np.arange(n_control) < c][:, None]


@pytest.mark.parametrize(("a", "c"), [(30, 12), (5, 20), (17, 17), (0, 9), (40, 3)])
def test_fisher_and_woolf_worked_out_by_other_means(a: int, c: int) -> None:
    found = enrichment(column(a, c, 40, 60), range(40), range(40, 100), ["m"]).iloc[0]
    cells = np.array([[a, 40 - a], [c, 60 - c]])
    assert found["pvalue"] == pytest.approx(stats.fisher_exact(cells).pvalue)
    assert (found["share_changed"], found["share_matched"]) == (a / 40, c / 60)
    assert (found["n_changed"], found["n_matched"]) == (40, 60)
    if (cells == 0).any():
        cells = cells + 0.5
    # scipy's sample odds ratio has Woolf's interval.
    ratio = cells[0, 0] * cells[1, 1] / (cells[0, 1] * cells[1, 0])
    half = 1.959964 * math.sqrt((1 / cells).sum())
    assert found["odds_ratio"] == pytest.approx(ratio)
    assert found["low"] == pytest.approx(math.exp(math.log(ratio) - half))
    assert found["high"] == pytest.approx(math.exp(math.log(ratio) + half))


def test_the_test_of_values_is_mann_whitneys() -> None:
    rng = np.random.default_rng(0)
    counts = rng.poisson(2, (90, 4))
    counts[:40, 1] += rng.poisson(1, 40)
    found = enrichment(
        counts > 0, range(40), range(40, 90), list("abcd"), values=counts, rank_by="values"
    )
    assert found["motif"].iloc[0] == "b"
    assert found.columns.tolist() == COLUMNS
    for at, name in enumerate("abcd"):
        row = found.set_index("motif").loc[name]
        test = stats.mannwhitneyu(counts[:40, at], counts[40:, at], method="asymptotic")
        assert row["pvalue_values"] == pytest.approx(test.pvalue)
        assert row["auroc"] == pytest.approx(test.statistic / (40 * 50))
    np.testing.assert_allclose(
        found["padj_values"], stats.false_discovery_control(found["pvalue_values"])
    )


def test_ranks_follow_p_and_then_the_size_of_the_effect() -> None:
    has = np.hstack(
        [column(10, 10, 50, 50), column(30, 10, 50, 50), column(40, 40, 50, 50),
         column(0, 0, 50, 50), column(10, 30, 50, 50)]
    )  # fmt: skip
    found = enrichment(has, range(50), range(50, 100), ["even", "more", "many", "none", "less"])
    assert found["rank"].tolist() == [1, 2, 3, 4, 5]
    assert set(found["motif"][:2]) == {"more", "less"}
    assert found["pvalue"].is_monotonic_increasing
    np.testing.assert_allclose(found["padj"][:2], 5 / 2 * found["pvalue"][:2])
    assert found["pvalue_values"].isna().all()
    none = found.set_index("motif").loc["none"]
    assert (none["pvalue"], none["odds_ratio"]) == (1.0, 1.0)


def test_without_an_effect_p_are_uniform() -> None:
    """1,000 motifs that know nothing of the cases; Fisher's p may be too large, never too small."""
    rng = np.random.default_rng(1)
    scores = rng.normal(size=(1200, 1000))
    case = rng.permutation(1200)[:600]
    rest = np.setdiff1d(np.arange(1200), case)
    found = enrichment(scores > 0.2, case, rest, [f"m{i}" for i in range(1000)], values=scores)
    assert stats.kstest(found["pvalue_values"], "uniform").pvalue > 0.01
    assert stats.kstest(found["pvalue"], "uniform", alternative="greater").pvalue > 0.01
    assert 0.4 < found["pvalue"].median() < 0.65
    assert (found["padj"] < 0.05).sum() == 0
    covered = (found["low"] <= 1) & (found["high"] >= 1)
    assert 0.93 <= covered.mean() <= 0.97


def families(rng: np.random.Generator, n_families: int, size: int) -> tuple[np.ndarray, ...]:
    """Draw families whose members share sites and fate: cases, controls, groups, presence."""
    group = np.repeat(np.arange(n_families), size)
    is_case = (rng.permutation(n_families) < n_families // 2)[group]
    shared = (rng.random((n_families, 40)) < 0.3)[group]
    own = rng.random((group.size, 40)) < 0.3
    has = np.where(rng.random(own.shape) < 0.8, shared, own)
    return np.flatnonzero(is_case), np.flatnonzero(~is_case), group, has


def test_families_make_p_too_small_unless_they_are_given() -> None:
    rng = np.random.default_rng(2)
    naive, grouped, values = [], [], []
    for _ in range(8):
        case, control, group, has = families(rng, 60, 8)
        names = [f"m{i}" for i in range(has.shape[1])]
        naive += enrichment(has, case, control, names)["pvalue"].tolist()
        number = has + rng.normal(0, 0.3, has.shape)
        table = enrichment(has, case, control, names, values=number, groups=group)
        grouped += table["pvalue"].tolist()
        values += table["pvalue_values"].tolist()
    assert np.mean(np.array(naive) < 0.05) > 0.25
    assert 0.01 < np.mean(np.array(grouped) < 0.05) < 0.08
    assert 0.01 < np.mean(np.array(values) < 0.05) < 0.08


def test_groups_of_one_gene_change_nothing() -> None:
    rng = np.random.default_rng(3)
    has, scores = rng.random((100, 5)) < 0.4, rng.normal(size=(100, 5))
    plain, grouped = (
        enrichment(has, range(50), range(50, 100), list("abcde"), values=scores, groups=groups)
        for groups in (None, [f"g{i}" for i in range(100)])
    )
    pd.testing.assert_frame_equal(plain, grouped)


def test_a_planted_motif_tops_and_weak_sites_show_in_counts() -> None:
    """One motif in half of the changed promoters, and one with twice as many weak sites."""
    rng = np.random.default_rng(4)
    n = 600
    codes = rng.integers(0, 4, (n, 500)).astype(np.uint8)
    changed = np.arange(n) < 200
    uniform = np.full(4, 0.25)
    words = ["TGACTCAT", "GGGACTTTCC", "ATTTGCAT", "CCATATTAGG", "GATAAG", "TATAAA"]
    motifs = [MotifMatrix(w, "", np.eye(4)[encode(w)] * 0.9 + 0.025, uniform) for w in words]
    for row in range(n):
        sites = [("TGACTCAT", 1)] if changed[row] and rng.random() < 0.5 else []
        sites.append(("GATAAG", rng.poisson(6 if changed[row] else 3)))
        for letters, times in sites:
            for at in rng.integers(0, 490, times):
                codes[row, at : at + len(letters)] = encode(letters)
    found = scan(codes, motifs, background=uniform, pvalue=5e-4)
    gc = pd.DataFrame({"gc": ((codes == 1) | (codes == 2)).mean(axis=1)})
    matched = matched_controls(gc, changed, ["gc"])
    table = enrichment(
        found.present, matched.case, matched.control, found.motifs, values=found.n_sites
    ).set_index("motif")
    assert table["rank"].idxmin() == "TGACTCAT"
    assert table.loc["TGACTCAT", "low"] > 2
    assert table.loc["GATAAG", "pvalue_values"] < table.loc["GATAAG", "pvalue"] / 1e6
    assert table.loc["GATAAG", "auroc"] > 0.7
    others = table.drop(["TGACTCAT", "GATAAG"])
    assert (others["padj"] > 0.05).all()


def test_values_that_are_missing_or_all_the_same() -> None:
    rng = np.random.default_rng(5)
    scores = rng.normal(size=(80, 3))
    scores[::4, 0] = np.nan
    scores[:, 1] = 1.0
    scores[:40, 2] = np.nan
    found = enrichment(
        scores > 0, range(40), range(40, 80), ["some", "same", "none"], values=scores
    ).set_index("motif")
    known = ~np.isnan(scores[:, 0])
    test = stats.mannwhitneyu(
        scores[:40, 0][known[:40]], scores[40:, 0][known[40:]], method="asymptotic"
    )
    assert found.loc["some", "pvalue_values"] == pytest.approx(test.pvalue)
    assert found.loc["same", ["auroc", "pvalue_values"]].tolist() == [0.5, 1.0]
    assert found.loc["none", "pvalue_values"] == 1.0
    assert math.isnan(found.loc["none", "auroc"])


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"motifs": ["a"]}, MismatchError, r"bool of shape \(20, 2\) for 1 motifs"),
        ({"present": np.zeros((20, 2))}, MismatchError, "float64"),
        ({"case": []}, InputError, "0 cases and 10 controls"),
        ({"case": [0.5]}, InputError, "row numbers"),
        ({"case": [0, 10]}, InputError, "different rows.*12 rows, 11 of them|12 rows, 11"),
        ({"case": [-1, 2]}, InputError, "from -1"),
        ({"case": [20]}, InputError, "to 20"),
        ({"values": np.zeros((20, 3))}, MismatchError, r"values and presence.*\(20, 3\)"),
        ({"groups": ["one"] * 20}, InputError, "too few groups"),
        ({"groups": ["one"] * 3}, MismatchError, "groups and observed values"),
        ({"rank_by": "values"}, InputError, "no values to rank by"),
    ],
)
def test_what_cannot_be_compared(
    change: dict[str, object], error: type[Exception], message: str
) -> None:
    given = {
        "present": np.zeros((20, 2), dtype=bool),
        "case": range(10),
        "control": range(10, 20),
        "motifs": ["a", "b"],
        **change,
    }
    with pytest.raises(error, match=message):
        enrichment(**given)  # type: ignore[arg-type]  # wrong on purpose
