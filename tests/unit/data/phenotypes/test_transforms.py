"""Transforms fitted on training people."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from exprimo.core.errors import ConfigError, InputError
from exprimo.data.phenotypes.transforms import TRANSFORMS, fit_transforms

RANDOM = np.random.default_rng(0)
TRAINING = np.round(RANDOM.gamma(2, 3, (40, 31)), 1)
OTHERS = np.round(RANDOM.gamma(2, 3, (40, 9)), 1)


def test_log2_of_counts() -> None:
    chain = fit_transforms(["log2"], TRAINING)
    assert chain.apply(np.array([[0.0, 1, 7]])).tolist() == [[0, 1, 3]]
    with pytest.raises(InputError, match="negative"):
        chain.apply(np.array([[-0.5]]))


def test_z_scores_use_the_training_people() -> None:
    chain = fit_transforms(["zscore"], TRAINING)
    np.testing.assert_allclose(chain.apply(TRAINING), stats.zscore(TRAINING, axis=1, ddof=1))
    scale = TRAINING.std(axis=1, ddof=1)
    np.testing.assert_allclose(
        chain.apply(OTHERS).T, (OTHERS.T - TRAINING.mean(axis=1)) / scale, rtol=1e-12
    )
    still = fit_transforms(["zscore"], np.full((1, 4), 0.1))
    np.testing.assert_allclose(still.apply(np.array([[0.1, 2.1]])), [[0, 2]], atol=1e-12)


def test_inverse_normal_is_that_of_gtex_on_training_people() -> None:
    chain = fit_transforms(["inverse_normal"], TRAINING)
    expected = stats.norm.ppf(stats.rankdata(TRAINING, axis=1) / (TRAINING.shape[1] + 1))
    np.testing.assert_allclose(chain.apply(TRAINING), expected, rtol=1e-12)


def test_inverse_normal_of_others_lies_between_their_neighbours() -> None:
    chain = fit_transforms(["inverse_normal"], np.array([[1.0, 3.0, 3.0, 9.0]]))
    found = chain.apply(np.array([[0.0, 1.0, 2.0, 3.0, 6.0, 99.0]]))[0]
    ranks = np.array([1, 1, 1.75, 2.5, 3.25, 4])
    np.testing.assert_allclose(found, stats.norm.ppf(ranks / 5), rtol=1e-12)


def test_quantile_normalisation_by_hand() -> None:
    # The example of four genes and three people that is usually printed.
    training = np.array([[5.0, 4, 3], [2, 1, 4], [3, 4.5, 6], [4, 2, 8]])
    chain = fit_transforms(["quantile"], training)
    reference = [(2 + 1 + 3) / 3, (3 + 2 + 4) / 3, (4 + 4 + 6) / 3, (5 + 4.5 + 8) / 3]
    found = chain.apply(training)
    np.testing.assert_allclose(np.sort(found, axis=0), np.tile(reference, (3, 1)).T)
    assert (np.argsort(found, axis=0) == np.argsort(training, axis=0)).all()
    tied = chain.apply(np.array([[1.0], [1.0], [7.0], [8.0]]))[:, 0]
    np.testing.assert_allclose(tied, [2.5, 2.5, *reference[2:]])


@pytest.mark.parametrize("name", TRANSFORMS)
def test_one_person_alone_is_transformed_as_among_others(name: str) -> None:
    chain = fit_transforms([name], TRAINING)  # type: ignore[list-item]  # a name of TRANSFORMS
    together = chain.apply(OTHERS)
    alone = np.hstack([chain.apply(OTHERS[:, [at]]) for at in range(OTHERS.shape[1])])
    np.testing.assert_array_equal(together, alone)


def test_a_chain_is_fitted_step_by_step() -> None:
    chain = fit_transforms(["log2", "quantile", "inverse_normal"], TRAINING)
    found = chain.apply(TRAINING)
    assert np.abs(found.mean(axis=1)).max() < 0.05
    np.testing.assert_array_equal(fit_transforms([], TRAINING).apply(OTHERS), OTHERS)


def test_what_cannot_be_fitted() -> None:
    with pytest.raises(ConfigError, match="no such transform"):
        fit_transforms(["sqrt"], TRAINING)  # type: ignore[list-item]  # refused on purpose
    with pytest.raises(InputError, match="1 others"):
        fit_transforms(["zscore"], np.array([[1.0, np.nan]]))
    with pytest.raises(InputError, match="two people"):
        fit_transforms(["zscore"], np.array([[1.0]]))
