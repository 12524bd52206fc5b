"""Cis-heritability: the brute-force likelihood, and right on average."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize

from exprimo.core.errors import InputError
from exprimo.genetics.scores.heritability import cis_heritability, relationship


def _people(rng, variants=40, people=120, h2=0.4):
    dosage = rng.binomial(2, rng.uniform(0.1, 0.5, (variants, 1)), (variants, people)) * 1.0
    z = (dosage - dosage.mean(axis=1, keepdims=True)) / dosage.std(axis=1, keepdims=True)
    genetic = rng.normal(size=variants) @ z * np.sqrt(h2 / variants)
    return dosage, genetic + rng.normal(size=people) * np.sqrt(1 - h2)


def _brute(parts, y, related, design):
    """Restricted log-likelihood of two variances by its textbook form, with whole matrices."""
    cov = parts[0] * related + parts[1] * np.eye(len(y))
    inverse = np.linalg.inv(cov)
    inner = design.T @ inverse @ design
    projected = inverse - inverse @ design @ np.linalg.inv(inner) @ design.T @ inverse
    logs = np.linalg.slogdet(cov)[1] + np.linalg.slogdet(inner)[1]
    return -0.5 * (logs + y @ projected @ y)


@pytest.mark.parametrize("seed", [0, 1])
def test_the_brute_force_likelihood_has_its_maximum_there(seed):
    rng = np.random.default_rng(seed)
    dosage, y = _people(rng)
    covariates = rng.normal(size=(120, 2))
    y = y + covariates @ [1.0, -2.0]
    found = cis_heritability(dosage, y, covariates)
    related, _ = relationship(dosage)
    design = np.column_stack([np.ones(120), covariates])
    best = minimize(
        lambda parts: -_brute(parts, y, related, design),
        [0.3, 0.7],
        method="Nelder-Mead",
        options={"xatol": 1e-8, "fatol": 1e-10},
    )
    # The share is of what covariates leave: the mean of K's diagonal there is not quite 1.
    left = np.eye(120) - design @ np.linalg.pinv(design)
    scale = np.trace(left @ related) / (120 - 3)
    genetic = best.x[0] * scale
    assert found.h2 == pytest.approx(genetic / (genetic + best.x[1]), abs=1e-5)
    null = minimize(
        lambda part: -_brute([0.0, part[0]], y, related, design), [1.0], method="Nelder-Mead"
    )
    gain = found.log_likelihood - found.log_likelihood_null
    assert gain == pytest.approx(null.fun - best.fun, abs=1e-5)


@pytest.mark.parametrize("h2", [0.0, 0.3])
def test_right_on_average_and_so_is_its_standard_error(h2):
    rng = np.random.default_rng(7)
    found = [cis_heritability(*_people(rng, 30, 150, h2)) for _ in range(150)]
    values = np.array([each.h2 for each in found])
    error = values.std() / np.sqrt(len(values))
    assert abs(values.mean() - h2) < 3 * error
    assert error * 3 < 0.05
    typical = np.nanmedian([each.se for each in found])
    assert 0.7 < typical / values.std() < 1.4
    if h2 == 0:
        assert 0.01 < np.mean([each.p < 0.05 for each in found]) < 0.11


def test_kept_within_0_and_1_only_when_asked():
    rng = np.random.default_rng(0)
    null = [_people(rng, 30, 80, 0.0) for _ in range(20)]
    free = np.array([cis_heritability(*one).h2 for one in null])
    kept = np.array([cis_heritability(*one, constrained=True).h2 for one in null])
    assert free.min() < 0
    assert kept.min() >= 0
    np.testing.assert_allclose(kept[free > 0.01], free[free > 0.01], atol=1e-6)


@pytest.mark.parametrize("h2", [0.0, 0.5])
def test_the_interval_holds_the_truth_as_often_as_it_says(h2):
    rng = np.random.default_rng(11)
    found = [cis_heritability(*_people(rng, 30, 150, h2)) for _ in range(150)]
    low, high = (np.array([getattr(one, end) for one in found]) for end in ("low", "high"))
    assert (low >= 0).all()
    assert (high <= 1).all()
    assert (low < high).all()
    assert np.mean((low <= h2) & (h2 <= high)) > 0.9
    # An interval that begins at 0 is one whose test against 0 does not reach 2.5%.
    p = np.array([one.p for one in found])
    np.testing.assert_array_equal(low > 0, p < 0.025)
    if h2 == 0:
        assert np.median(high) < 0.25


def test_missing_dosages_and_constant_variants():
    rng = np.random.default_rng(3)
    dosage, y = _people(rng)
    plain = cis_heritability(dosage, y)
    more = cis_heritability(np.vstack([dosage, np.full(120, 1.0)]), y)
    assert (more.h2, more.n_variants) == (plain.h2, 40)
    dosage[0, 0] = np.nan
    assert abs(cis_heritability(dosage, y).h2 - plain.h2) < 0.1
    assert cis_heritability(np.ones((3, 120)), y).h2 == 0


def test_bad_input():
    rng = np.random.default_rng(3)
    dosage, y = _people(rng, people=20)
    with pytest.raises(InputError, match="so many covariates"):
        cis_heritability(dosage, y, rng.normal(size=(20, 18)))
    with pytest.raises(InputError, match="does not vary"):
        cis_heritability(dosage, np.ones(20))
    with pytest.raises(InputError, match="same people"):
        cis_heritability(dosage, y[:19])
