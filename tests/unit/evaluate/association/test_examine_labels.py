"""Single covariates against labels: scipy's test, coverage, groups, untested genes."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from exprimo.core.errors import InputError, MismatchError
from exprimo.evaluate.association import examine_labels, prevalence
from exprimo.evaluate.association.influence import (
    auroc_influence,
    design_effect,
    grouped_variance,
)
from exprimo.evaluate.classification import auroc


def one(label: object, values: object, groups: object = None) -> pd.Series:
    """Give the line of one covariate among the tested."""
    table = pd.DataFrame({"x": values})
    return examine_labels(np.asarray(label, dtype=float), table, groups).iloc[0]


def test_the_area_is_mann_whitney_u_over_pairs() -> None:
    rng = np.random.default_rng(0)
    label = (rng.random(200) < 0.3).astype(float)
    values = np.round(rng.normal(size=200) + label, 1)  # rounded, hence ties
    u = stats.mannwhitneyu(values[label == 1], values[label == 0]).statistic
    expected = u / (label.sum() * (200 - label.sum()))
    found = one(label, values)
    assert found["auroc"] == pytest.approx(expected)
    assert found["auroc"] == pytest.approx(auroc(label, values))
    assert found["low"] < found["auroc"] < found["high"]
    # A monotone transform changes nothing, the other direction mirrors.
    assert one(label, np.exp(values))["low"] == found["low"]
    assert one(label, -values)["high"] == pytest.approx(1 - found["low"])


def test_delongs_variance_worked_out_by_hand() -> None:
    """Placements of positives 2, 4 among 1, 3: 1/2 and 1; of negatives: 1 and 1/2."""
    area, influence = auroc_influence(np.array([1.0, 2, 3, 4]), np.array([False, True] * 2))
    assert area == 0.75
    np.testing.assert_allclose(influence, [0.125, -0.125, -0.125, 0.125])
    # DeLong: var(1/2, 1) / 2 + var(1, 1/2) / 2 = 1/8, as sums of n / (n - 1) times squares.
    assert 2 * (influence**2).sum() == pytest.approx(1 / 8)
    assert grouped_variance(influence, np.arange(4), 4) == pytest.approx(4 / 3 / 16)
    # In pairs of a positive and a negative that move together nothing is left.
    assert grouped_variance(influence, np.array([0, 0, 1, 1]), 2) == pytest.approx(0)
    assert design_effect(influence, np.array([0, 0, 1, 1]), 2) == 1


def test_the_interval_covers_the_truth_as_often_as_it_says() -> None:
    """400 worlds with area Φ(1/√2) = 0.760; binomial sd of the coverage is 1.1%."""
    rng = np.random.default_rng(5)
    truth = stats.norm.cdf(1 / math.sqrt(2))
    covered = 0
    for _ in range(400):
        label = np.arange(120) < 40
        found = one(label, rng.normal(size=120) + label)
        covered += found["low"] <= truth <= found["high"]
    assert 0.92 <= covered / 400 <= 0.98


def test_groups_widen_the_interval_to_what_it_must_be() -> None:
    """Ten copies of each gene: by rows the interval is far too narrow."""
    rng = np.random.default_rng(6)
    truth = stats.norm.cdf(1 / math.sqrt(2))
    by_group, by_row = 0, 0
    for _ in range(200):
        label = np.arange(60) < 25
        values = rng.normal(size=60) + label
        many = (np.repeat(label, 10), np.repeat(values, 10))
        grouped, naive = one(*many, np.repeat(np.arange(60), 10)), one(*many)
        by_group += grouped["low"] <= truth <= grouped["high"]
        by_row += naive["low"] <= truth <= naive["high"]
    assert 0.90 <= by_group / 200 <= 0.99
    assert by_row / 200 < 0.6


def test_untested_genes_called_negative_make_a_covariate_tell() -> None:
    """Genes are tested where expressed; among those, expression says nothing."""
    rng = np.random.default_rng(7)
    expression = rng.normal(size=4000)
    tested = expression > 0
    label = np.where(tested, (rng.random(4000) < 0.2).astype(float), np.nan)
    found = examine_labels(label, pd.DataFrame({"expression": expression, "gc": rng.random(4000)}))
    assert found["covariate"].tolist() == ["expression"] * 2 + ["gc"] * 2
    assert found["among"].tolist() == ["tested", "untested called negative"] * 2
    honest, wrong, gc, _ = found.itertuples()
    assert honest.low < 0.5 < honest.high
    assert wrong.low > 0.7
    assert gc.low < 0.5 < gc.high
    assert honest.n_positive == wrong.n_positive == (label == 1).sum()
    assert honest.n_negative == (label == 0).sum()
    assert wrong.n_negative == 4000 - wrong.n_positive


def test_missing_covariates_are_left_out_and_counted() -> None:
    label = [1, 1, 0, 0, np.nan, np.nan, 1, 0]
    values = [3, np.nan, 1, np.nan, np.nan, 0, 4, 2]
    found = examine_labels(label, pd.DataFrame({"x": values}))
    assert found[["n_positive", "n_negative", "n_missing"]].to_numpy().tolist() == [
        [2, 2, 2], [2, 3, 3],
    ]  # fmt: skip
    assert found["auroc"].tolist() == [1.0, 1.0]
    integers = pd.DataFrame({"x": pd.array([3, None, 1, None, None, 0, 4, 2], dtype="Int64")})
    pd.testing.assert_frame_equal(examine_labels(label, integers), found)


def test_complete_separation_is_not_certain() -> None:
    found = one([1, 1, 1, 1, 0, 0, 0, 0], np.arange(8)[::-1])
    assert (found["auroc"], found["high"]) == (1.0, 1.0)
    assert found["low"] == pytest.approx(0.5101, abs=1e-4)  # Wilson's, 4 of 4
    assert one([1, 1, 1, 1, 0, 0, 0, 0], np.arange(8))["auroc"] == 0


def test_where_there_is_no_interval() -> None:
    assert math.isnan(one([1, 1, 1], [1, 2, 3])["auroc"])
    two_groups = one([1, 0, 1, 0], [4, 3, 2, 1], ["a", "a", "b", "b"])
    assert two_groups["auroc"] == 0.75
    assert math.isnan(two_groups["low"])
    constant = one([1, 0, 1, 0], [2, 2, 2, 2])
    assert constant["auroc"] == 0.5
    binary = one([1, 0] * 10, [1, 0] * 9 + [0, 1])  # a yes or no is a fair covariate
    assert binary["auroc"] == pytest.approx(0.9)


def test_prevalence_has_wilsons_interval() -> None:
    found = prevalence([1] * 3 + [0] * 27 + [np.nan] * 70)
    assert (found["n_genes"], found["n_tested"], found["n_positive"]) == (100, 30, 3)
    expected = stats.binomtest(3, 30).proportion_ci(method="wilson")
    assert (found["value"], found["low"], found["high"]) == pytest.approx((0.1, *expected))
    nothing = prevalence([np.nan] * 4)
    assert (nothing["n_tested"], nothing["n_positive"]) == (0, 0)
    assert math.isnan(nothing["value"])


def test_what_is_no_label_and_no_covariate() -> None:
    with pytest.raises(InputError, match="neither 0 nor 1"):
        prevalence([0, 1, 2])
    with pytest.raises(MismatchError, match=r"shape \(2,\), covariates of 3 genes"):
        examine_labels([0, 1], pd.DataFrame({"x": [1, 2, 3]}))
    with pytest.raises(InputError, match="column biotype: a covariate is not numeric"):
        examine_labels([0, 1], pd.DataFrame({"biotype": ["coding", "lncRNA"]}))
