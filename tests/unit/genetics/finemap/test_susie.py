"""SuSiE against exact answers, its own bound, and worlds with known causal variants."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from exprimo.core.errors import ConfigError, InputError, MismatchError
from exprimo.genetics.finemap import SusieSettings, susie, susie_rss
from exprimo.genetics.finemap.single_effect import single_effect


def _genotypes(rng, people, variants, stay=0.9):
    """Draw dosages of two haplotypes each, alleles carried along with probability ``stay``."""
    hidden = rng.normal(size=(2 * people, variants))
    for at in range(1, variants):
        hidden[:, at] = stay * hidden[:, at - 1] + np.sqrt(1 - stay**2) * hidden[:, at]
    cut = stats.norm.ppf(rng.uniform(0.1, 0.5, variants))
    alleles = hidden < cut
    return (alleles[:people] + alleles[people:].astype(float)).astype(float)


def _z(x, y):
    n = len(y)
    x, y = x - x.mean(0), y - y.mean()
    r = x.T @ y / np.sqrt((x**2).sum(0) * (y @ y))
    return r * np.sqrt((n - 2) / (1 - r**2))


def test_one_effect_has_the_exact_posterior():
    rng = np.random.default_rng(1)
    x, y = _genotypes(rng, 60, 6), rng.normal(size=60)
    y += 0.6 * x[:, 2]
    fixed = SusieSettings(effects=1, prior_method="fixed", estimate_residual_variance=False)
    found = susie(x, y, settings=fixed)
    scaled = (x - x.mean(0)) / x.std(0, ddof=1)
    centred, variance = y - y.mean(), y.var(ddof=1)
    # The trait's density, had each variant the effect: N(0, s2 I + V xx').
    density = np.array(
        [
            stats.multivariate_normal.logpdf(
                centred, cov=variance * np.eye(60) + 0.2 * variance * np.outer(column, column)
            )
            for column in scaled.T
        ]
    )
    weights = np.exp(density - density.max())
    np.testing.assert_allclose(found.alpha[0], weights / weights.sum(), rtol=1e-9)
    # With one effect the bound is the evidence itself.
    assert found.elbo[-1] == pytest.approx(np.logaddexp.reduce(density) - np.log(6), rel=1e-10)


def test_the_bound_rises():
    rng = np.random.default_rng(2)
    x = _genotypes(rng, 200, 80)
    y = x[:, [5, 40, 70]] @ [0.5, -0.6, 0.4] + rng.normal(size=200)
    found = susie(x, y, settings=SusieSettings(tolerance=1e-8, max_iterations=300))
    assert found.converged
    assert np.diff(found.elbo).min() > -1e-6


def test_effects_are_per_allele():
    rng = np.random.default_rng(3)
    x = _genotypes(rng, 2000, 20, stay=0.0)
    y = 0.8 * x[:, 3] - 0.5 * x[:, 11] + rng.normal(size=2000)
    found = susie(x, y)
    assert sorted(s.variants.tolist() for s in found.sets) == [[3], [11]]
    np.testing.assert_allclose(found.effect[[3, 11]], [0.8, -0.5], atol=0.1)
    assert found.residual_variance == pytest.approx(1.0, abs=0.1)


@pytest.mark.parametrize("variants", [30, 700])
def test_summary_statistics_give_what_people_give(variants):
    rng = np.random.default_rng(4)
    x = _genotypes(rng, 250, variants)  # below and above the size where X'X is formed
    y = x[:, [4, 20]] @ [0.5, 0.5] + rng.normal(size=250)
    people = susie(x, y)
    summary = susie_rss(_z(x, y), np.corrcoef(x.T), 250, in_sample=True)
    np.testing.assert_allclose(summary.pip, people.pip, atol=1e-7)
    assert [s.variants.tolist() for s in summary.sets] == [s.variants.tolist() for s in people.sets]


def test_twins_share_an_effect():
    rng = np.random.default_rng(5)
    x = _genotypes(rng, 300, 10, stay=0.2)
    x[:, 6] = x[:, 2]
    found = susie(x, x[:, 2] + rng.normal(size=300))
    assert [sorted(s.variants.tolist()) for s in found.sets] == [[2, 6]]
    assert found.sets[0].purity == pytest.approx(1)
    np.testing.assert_allclose(found.pip[[2, 6]], 0.5, atol=0.01)


def test_noise_has_no_sets():
    rng = np.random.default_rng(6)
    found = [susie(_genotypes(rng, 150, 60), rng.normal(size=150)) for _ in range(20)]
    # A nominal 95% set of nothing is rare: the prior variance goes to 0, or the set is not pure.
    assert sum(len(one.sets) for one in found) <= 2


def test_probabilities_are_calibrated():
    rng = np.random.default_rng(7)
    pips, causal, covered = [], [], []
    for _ in range(60):
        x = _genotypes(rng, 250, 100)
        chosen = rng.choice(100, rng.integers(1, 4), replace=False)
        genetic = x[:, chosen] @ rng.normal(0, 1, len(chosen))
        y = genetic + rng.normal(size=250) * genetic.std() * np.sqrt(4)  # a fifth is genetic
        found = susie(x, y)
        pips.append(found.pip)
        causal.append(np.isin(np.arange(100), chosen))
        covered += [bool(np.isin(s.variants, chosen).any()) for s in found.sets]
    pip, is_causal = np.concatenate(pips), np.concatenate(causal)
    for low, high in [(0.01, 0.1), (0.1, 0.5), (0.5, 1.001)]:
        inside = (pip >= low) & (pip < high)
        n = inside.sum()
        expected = pip[inside].mean()
        slack = 4 * np.sqrt(max(expected * (1 - expected), 0.01) / n) + 0.03
        assert n > 20
        assert is_causal[inside].mean() == pytest.approx(expected, abs=slack)
    assert len(covered) > 60
    assert np.mean(covered) > 0.9


def test_effects_of_almost_no_variance_are_given_up():
    # At 0 they stay, spread over all variants, and add up to small PIPs that are too high.
    rng = np.random.default_rng(12)
    kept, given_up = [], []
    for _ in range(8):
        x = _genotypes(rng, 200, 100)
        y = 0.7 * x[:, 30] + rng.normal(size=200)
        for pips, threshold in ((kept, 0.0), (given_up, 0.1)):
            found = susie(x, y, settings=SusieSettings(null_threshold=threshold))
            pips.append(found.pip.sum())
    assert np.mean(given_up) < np.mean(kept)
    assert np.mean(given_up) == pytest.approx(1, abs=0.4)


@pytest.mark.parametrize("kind", ["people", "summary"])
def test_two_effects_that_hide_each_other_are_found(kind):
    # Neither passes the null threshold while the other has not formed.
    rng = np.random.default_rng(1097)
    x = _genotypes(rng, 200, 100)
    causal = rng.choice(100, rng.integers(0, 5), replace=False)
    genetic = x[:, causal] @ rng.normal(0, 1, len(causal))
    y = genetic + rng.normal(size=200) * genetic.std() * 1.7

    def fit(**settings):
        chosen = SusieSettings(**settings)
        if kind == "people":
            return susie(x, y, settings=chosen)
        return susie_rss(_z(x, y), np.corrcoef(x.T), 200, settings=chosen)

    found, free = fit(), fit(null_threshold=0)
    assert [sum(at in s.variants for s in found.sets) for at in causal] == [1, 1]
    # What was given up is worth at most the threshold, each.
    assert found.elbo[-1] >= free.elbo[-1] - 0.1 * len(found.alpha)
    assert (found.prior_variance > 0).sum() <= (free.prior_variance > 0).sum()


def test_impure_sets_are_counted():
    rng = np.random.default_rng(13)
    x = _genotypes(rng, 300, 30, stay=0.0)
    y = 0.8 * x[:, 3] + rng.normal(size=300)
    # Effects of fixed variance never leave: what has nothing to explain is spread over all.
    fixed = SusieSettings(effects=3, prior_method="fixed")
    strict = susie(x, y, settings=fixed)
    loose = susie(x, y, settings=fixed.model_copy(update={"min_purity": 0.0}))
    assert [s.variants.tolist() for s in strict.sets] == [[3]]
    assert strict.sets_dropped == len(loose.sets) - 1 > 0
    assert loose.sets_dropped == 0


def test_a_prior_moves_the_posterior():
    rng = np.random.default_rng(8)
    x = _genotypes(rng, 200, 10, stay=0.0)
    x[:, 1] = x[:, 0]
    y = 0.5 * x[:, 0] + rng.normal(size=200)
    found = susie(x, y, prior=[9.0, *[1.0] * 9], settings=SusieSettings(effects=1))
    assert found.alpha[0, 0] / found.alpha[0, 1] == pytest.approx(9)
    none = susie(x, y, prior=[0.0, *[1.0] * 9], settings=SusieSettings(effects=1))
    assert none.pip[0] < 1e-100


def test_a_constant_variant_is_never_causal():
    rng = np.random.default_rng(9)
    x = _genotypes(rng, 200, 10)
    x[:, 4] = 1.0
    found = susie(x, x[:, 2] + rng.normal(size=200))
    assert found.pip[4] < 0.01
    assert found.effect[4] == 0
    assert np.isfinite(found.elbo).all()


def test_panel_ld_without_n():
    z, ld = np.array([0.1, 8.0, 4.0]), np.array([[1, 0, 0], [0, 1, 0.5], [0, 0.5, 1.0]])
    found = susie_rss(z, ld)
    assert [s.variants.tolist() for s in found.sets] == [[1]]
    assert found.residual_variance == 1


def test_the_prior_variance_is_the_most_likely_one():
    rng = np.random.default_rng(10)
    xtr, diagonal, log_prior = rng.normal(0, 30, 20), np.full(20, 100.0), np.full(20, -np.log(20))
    best = single_effect(xtr, diagonal, 1.0, 0.2, log_prior)
    assert best.prior_variance > 0
    for other in np.geomspace(1e-4, 100, 40):
        fixed = single_effect(xtr, diagonal, 1.0, other, log_prior, method="fixed")
        assert fixed.log_bf_model <= best.log_bf_model + 1e-9


def test_what_cannot_be_mapped_is_refused():
    x = np.random.default_rng(11).normal(size=(20, 4))
    with pytest.raises(MismatchError, match="other people"):
        susie(x, np.ones(19))
    with pytest.raises(InputError, match="does not vary"):
        susie(x, np.ones(20))
    hole = x.copy()
    hole[3, 1] = np.nan
    with pytest.raises(InputError, match=r"values are missing.*1 variants"):
        susie(hole, x[:, 0])
    with pytest.raises(ConfigError, match="no variants"):
        susie(x[:, :0], x[:, 0])
    with pytest.raises(InputError, match="not a matrix of correlations"):
        susie_rss([1.0, 2.0], [[2.0, 0.1], [0.1, 2.0]])
    with pytest.raises(MismatchError, match="other variants"):
        susie_rss([1.0, 2.0, 3.0], np.eye(2))
    with pytest.raises(ConfigError, match="prior weights"):
        susie(x, x[:, 0], prior=[-1, 1, 1, 1])


def test_settings_are_checked():
    with pytest.raises(ConfigError, match="effects"):
        SusieSettings.checked({"effects": 0})
    with pytest.raises(ConfigError, match="coverage"):
        SusieSettings.checked({"coverage": 1.5})
