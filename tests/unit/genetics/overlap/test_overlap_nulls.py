"""Chance overlap: right without LD, and with it only where shifts keep it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from exprimo.genetics.overlap.agreement import concordance, evidence_of, rank_correlation
from exprimo.genetics.overlap.measure import measure, measure_circular
from exprimo.genetics.overlap.nulls import (
    hypergeometric,
    matched_overlaps,
    shift_test,
    shifted_products,
    some_shifts,
    strata,
)
from exprimo.genetics.overlap.power import power_of, power_statement
from exprimo.genetics.overlap.ranking import Region, regions


def table(score: np.ndarray, p: np.ndarray, **columns: object) -> pd.DataFrame:
    """Make joined rows of one gene, 1 kb apart."""
    n = len(score)
    rows = pd.DataFrame(
        {
            "gene_id": "g",
            "chrom": "1",
            "pos": np.arange(n) * 1000 + 1,
            "p": p,
            "slope": np.nan,
            "slope_se": np.nan,
            "af": np.nan,
            "tss_distance": np.nan,
            "signed": True,
            "score:s": score,
        }
    )
    return rows.assign(**columns)


def both_p(rows: pd.DataFrame, top: int) -> tuple[float, float]:
    (part,) = regions(rows, "s", top)
    products = shifted_products(part.size_top, part.p_top)
    _, p = hypergeometric(round(products[0]), [(part.n, top, top)])
    test = shift_test([products], np.random.default_rng(0))
    assert test is not None
    return p, test.p


def smooth_noise(rng: np.random.Generator, n: int, width: int) -> np.ndarray:
    """Make standard normal numbers of which neighbours are alike."""
    noise = rng.normal(size=n + width - 1)
    return np.convolve(noise, np.ones(width) / np.sqrt(width), mode="valid")


def test_case_worked_out_by_hand() -> None:
    rows = table(
        np.array([5.0, -4.0, 1.0, 2.0, -3.0]),
        np.array([0.01, 0.5, 0.02, 0.6, 0.7]),
        slope=[1.0, 1.0, -1.0, -1.0, 0.0],
    )
    found = measure(rows, "s", 2)
    # Tops: variants 0, 1 and 0, 2. P(X >= 1) = 1 - C(3, 2) / C(5, 2); four of the five shifts
    # leave one shared.
    assert (found.overlap, found.expected, found.n, found.top) == (1, 0.8, 5, 2)
    assert found.p_hypergeometric == pytest.approx(0.7)
    assert found.p_shift == pytest.approx(0.8)
    # Ranks 5 4 1 2 3 and 5 3 4 2 1: 1 - 6 * 14 / (5 * 24).
    assert found.rank_correlation["size"]["rho"] == pytest.approx(0.3)
    assert found.concordance["top"]["n_same"] == 1
    assert found.concordance["top"]["n"] == 2
    assert found.concordance["all"]["n"] == 4


def test_without_ld_the_hypergeometric_p_has_its_level() -> None:
    rng = np.random.default_rng(1)
    found = np.array(
        [both_p(table(rng.normal(size=100), rng.uniform(size=100)), 10) for _ in range(1500)]
    )
    law = stats.hypergeom(100, 10, 10)
    for overlap in range(1, 5):
        level = float(law.sf(overlap - 1))
        error = 4 * np.sqrt(level * (1 - level) / len(found))
        assert abs((found[:, 0] <= level + 1e-9).mean() - level) < error
    for level in (0.05, 0.2, 0.5):
        assert (found[:, 1] <= level).mean() < level + 4 * np.sqrt(level / len(found))
    # Not merely by never being small.
    assert (found[:, 1] <= 0.35).mean() > 0.2


def test_under_ld_the_hypergeometric_p_is_too_small_and_that_of_shifts_is_not() -> None:
    rng = np.random.default_rng(2)
    found = np.array(
        [
            both_p(table(smooth_noise(rng, 500, 25), stats.norm.sf(smooth_noise(rng, 500, 25))), 50)
            for _ in range(400)
        ]
    )
    error = 3 * np.sqrt(0.05 * 0.95 / len(found))
    assert (found[:, 0] <= 0.05).mean() > 0.15
    assert (found[:, 1] <= 0.05).mean() < 0.05 + error


def test_a_true_overlap_is_seen_under_ld() -> None:
    rng = np.random.default_rng(3)
    effect = smooth_noise(rng, 500, 10)
    p = 2 * stats.norm.sf(np.abs(effect * 2 + rng.normal(size=500)))
    assert both_p(table(effect + 0.3 * rng.normal(size=500), p), 50)[1] < 0.02


def test_where_both_crowd_at_the_tss_matched_shifts_hold_the_level() -> None:
    rng = np.random.default_rng(4)
    distance = np.arange(-200.0, 200) * 100
    near = np.exp(-np.abs(distance) / 20_000)
    plain, matched = [], []
    for _ in range(60):
        rows = table(
            rng.normal(size=400) * near,
            2 * stats.norm.sf(np.abs(rng.normal(size=400) * (0.5 + near))),
            tss_distance=distance,
        )
        found = measure(rows, "s", 40)
        plain.append(found.p_shift)
        matched.append(found.matched["p"])
    # Plain shifts take the common place for agreement.
    assert np.mean(np.array(plain) <= 0.1) > 0.25
    assert np.mean(np.array(matched) <= 0.1) < 0.1 + 3 * np.sqrt(0.09 / 60)


def test_matched_shifts_keep_what_each_stratum_has() -> None:
    rng = np.random.default_rng(5)
    (part,) = regions(table(rng.normal(size=200), rng.uniform(size=200)), "s", 30)
    # One stratum: plain shifts of ranks.
    shifts = np.arange(200)
    assert np.array_equal(
        matched_overlaps(part, np.zeros(200, dtype=np.int64), shifts),
        shifted_products(part.size_top, part.p_top).round(),
    )
    # Each a stratum of its own: nothing can move.
    alone = matched_overlaps(part, np.arange(200), shifts)
    assert set(alone) == {float((part.size_top & part.p_top).sum())}


def test_strata_are_finer_where_there_is_more() -> None:
    rng = np.random.default_rng(6)
    maf, distance = rng.uniform(size=2000) / 2, rng.normal(size=2000)
    assert len(np.unique(strata(maf, distance))) == 25
    assert len(np.unique(strata(maf, np.full(2000, np.nan)))) == 10
    assert strata(maf[:30], distance[:30]) is None
    assert strata(np.full(2000, np.nan), np.full(2000, np.nan)) is None
    maf[:7] = np.nan
    assert (strata(maf, np.full(2000, np.nan)) == 10).sum() == 7


def test_noise_overlaps_when_it_is_ranked_with_the_p_value() -> None:
    """The size of the published example: 41 of 50 among 1,402 variants; chance is 1.8."""
    rng = np.random.default_rng(7)
    rows = table(rng.normal(size=1402) ** 3, rng.uniform(size=1402))
    honest, circular = measure(rows, "s", 50), measure_circular(rows, "s", 50)
    assert circular.overlap > 30
    assert honest.overlap < 7
    assert circular.without_p["overlap"] == honest.overlap
    assert circular.circular
    assert circular.p_hypergeometric is None
    # Shifted scores, which say nothing, overlap as much.
    assert circular.p_shift > 0.05
    assert circular.shift["mean"] == pytest.approx(circular.overlap, abs=5)


def test_genes_are_ranked_apart_and_added() -> None:
    rng = np.random.default_rng(8)
    two = [table(rng.normal(size=30), rng.uniform(size=30), gene_id=gene) for gene in "ab"]
    # Between genes p differ widely; within a gene that must not matter.
    two[1]["p"] /= 1e6
    found = measure(pd.concat(two, ignore_index=True), "s", 5)
    alone = [measure(part, "s", 5) for part in two]
    assert found.overlap == sum(part.overlap for part in alone)
    assert found.expected == pytest.approx(2 * 25 / 30)
    assert found.top == 10
    assert found.n_genes == 2
    chances = np.convolve(*[stats.hypergeom.pmf(np.arange(6), 30, 5, 5)] * 2)
    assert found.p_hypergeometric == pytest.approx(chances[found.overlap :].sum())


def test_many_genes_add_up_to_a_sum_of_chances() -> None:
    lists = [(40, 5, 5)] * 600
    expected, p = hypergeometric(400, lists)
    one = stats.hypergeom(40, 5, 5)
    assert expected == pytest.approx(375)
    assert p == pytest.approx(stats.norm.sf(399.5, 375, np.sqrt(600 * one.var())), rel=0.05)
    assert 0 < hypergeometric(3000, lists)[1] < 1e-90


def test_ties_go_by_z_then_by_a_seed_and_are_counted() -> None:
    rows = table(np.zeros(8), np.zeros(8), slope=np.arange(8.0), slope_se=1.0)
    (part,) = regions(rows, "s", 3, seed=0)
    assert np.flatnonzero(part.p_top).tolist() == [5, 6, 7]
    assert (part.p_tied, part.size_tied) == (0, 8)
    picked = {tuple(np.flatnonzero(regions(rows, "s", 3, seed=s)[0].size_top)) for s in range(9)}
    assert len(picked) > 1
    again = regions(rows, "s", 3, seed=0)[0]
    assert np.array_equal(part.size_rank, again.size_rank)


def test_rows_without_p_or_score_are_dropped_and_counted() -> None:
    rows = table(np.array([1.0, np.nan, 3.0, np.nan, 2.0]), np.array([0.1, 0.2, np.nan, np.nan, 1]))
    found = measure(rows, "s", 1)
    assert (found.n, found.dropped) == (2, 3)
    assert found.dropped_by_reason == {"no p-value": 2, "no score": 1}


def test_nothing_left_and_everything_in_the_top() -> None:
    empty = measure(table(np.array([np.nan]), np.array([0.5])), "s", 5)
    assert (empty.overlap, empty.n, empty.p_shift, empty.p_hypergeometric) == (0, 0, None, None)
    rng = np.random.default_rng(9)
    whole = measure(table(rng.normal(size=10), rng.uniform(size=10)), "s", 50)
    assert (whole.overlap, whole.top) == (10, 10)
    assert whole.p_hypergeometric == pytest.approx(1)
    assert whole.p_shift == 1


def test_concordance_has_units_of_stretches() -> None:
    rng = np.random.default_rng(10)
    sign = np.repeat(rng.choice([-1.0, 1.0], size=20), 50)
    rows = table(sign, rng.uniform(size=1000), slope=np.abs(sign))
    parts = regions(rows, "s", 1000)
    found = concordance(evidence_of(rows), parts, [np.ones(1000, bool)], rng)
    assert found["n"] == 1000
    assert found["n_blocks"] == 20
    naive = 2 * 1.96 * np.sqrt(found["share"] * (1 - found["share"]) / 1000)
    assert found["high"] - found["low"] > 4 * naive


def test_signs_that_are_not_known_do_not_count() -> None:
    signs = np.array([1.0, 1, 1, -1, 1, 1])
    rows = table(signs, np.linspace(0.1, 0.6, 6), slope=signs)
    rows["signed"] = [True, True, False, True, True, True]
    found = measure(rows, "s", 6)
    assert found.concordance["all"]["n"] == 5
    assert found.concordance["all"]["share"] == 1


def test_a_score_without_signs_has_no_concordance() -> None:
    rng = np.random.default_rng(12)
    rows = table(rng.uniform(size=30), rng.uniform(size=30), slope=rng.normal(size=30))
    found = measure(rows, "s", 5)
    assert found.concordance is None
    assert found.rank_correlation["signed"] is None
    assert found.rank_correlation["size"]["n"] == 30


def test_signed_ranks_follow_the_sign() -> None:
    rng = np.random.default_rng(11)
    score = rng.normal(size=300)
    rows = table(score, rng.uniform(size=300), slope=-score, slope_se=1.0)
    parts = regions(rows, "s", 10)
    found = rank_correlation(evidence_of(rows), parts, rng, signed=True)
    assert found["rho"] == pytest.approx(-1)
    assert found["p_shift"] == pytest.approx(1 / 300)


def test_power_by_hand() -> None:
    power = power_of(np.array([0.001, 0.02, 0.03, 0.9, np.nan]))
    assert (power.n_tests, power.n_bonferroni, power.n_bh) == (4, 1, 3)
    assert power.bonferroni == pytest.approx(0.0125)
    assert "None of 2" in power_statement(power_of(np.array([0.5, 0.6])))
    assert power_of(np.array([np.nan])).n_tests == 0


def test_sampled_shifts_begin_with_none() -> None:
    shifts = some_shifts(5000, 100, np.random.default_rng(0))
    assert shifts[0] == 0
    assert len(np.unique(shifts)) == 100
    assert isinstance(regions(table(np.ones(3), np.ones(3)), "s", 1)[0], Region)
