"""AUROC against planted bases: against the metric itself, by hand, and its baselines."""

from __future__ import annotations

import numpy as np
import pytest

from exprimo.core.errors import ConfigError, InputError, MismatchError
from exprimo.evaluate import bootstrap
from exprimo.evaluate.classification import auroc
from exprimo.interpret.recovery import Recovery, motif_recovery


def made(
    seed: int = 0, n: int = 60, length: int = 80, strength: float = 2.0
) -> tuple[np.ndarray, np.ndarray]:
    """Contributions that are larger at planted sites, whose places differ between examples."""
    rng = np.random.default_rng(seed)
    planted = np.zeros((n, length), dtype=bool)
    for row in range(n):
        at = rng.integers(0, length - 8)
        planted[row, at : at + 8] = True
    values = rng.normal(size=(n, length)) * np.where(planted, strength, 1.0)
    return values.round(1), planted


def fields(found: Recovery) -> list[float]:
    return [found.mean.value, found.mean.low, found.pooled.low, found.swapped.mean]


def test_it_is_the_auroc_of_the_absolute_values() -> None:
    values, planted = made()
    planted[3] = False
    planted[4] = True
    found = motif_recovery(values, planted)
    straight = [
        auroc(mask, abs(row)) if 0 < mask.sum() < mask.size else np.nan
        for row, mask in zip(values, planted, strict=True)
    ]
    np.testing.assert_allclose(found.per_example, straight)
    assert np.isnan(found.per_example[[3, 4]]).all()
    assert found.mean.value == pytest.approx(np.nanmean(straight))
    assert (found.mean.n, found.mean.n_groups, found.pooled.n_groups) == (58, 58, 60)
    assert found.pooled.value == pytest.approx(auroc(planted.ravel(), abs(values).ravel()))
    assert (found.pooled.n, found.pooled.unit) == (60 * 80, "gene")


def test_by_hand() -> None:
    values = np.array([[3.0, -4.0, 1.0, 2.0]] * 4)
    planted = np.array([[True, True, False, False]] * 2 + [[False, True, True, False]] * 2)
    found = motif_recovery(values, planted)
    assert found.per_example.tolist() == [1.0, 1.0, 0.5, 0.5]
    assert found.mean.value == 0.75


def test_the_interval_of_the_pool_is_the_bootstraps() -> None:
    values, planted = made(n=100)
    groups = np.arange(100) // 2
    found = motif_recovery(values, planted, groups=groups, unit="family", n_boot=3000)
    rows = np.repeat(groups, values.shape[1])
    reference = bootstrap(planted.ravel(), abs(values).ravel(), rows, ["auroc"], n_boot=1000)
    assert found.pooled.low == pytest.approx(reference["auroc"].low, abs=0.004)
    assert found.pooled.high == pytest.approx(reference["auroc"].high, abs=0.004)
    assert (found.pooled.n_groups, found.mean.unit) == (50, "family")
    assert found.mean.low < found.mean.value < found.mean.high


def test_shifting_forgets_the_place_and_swapping_keeps_what_all_share() -> None:
    values, planted = made(strength=4.0)
    found = motif_recovery(values, planted)
    assert found.shifted.mean == pytest.approx(0.5, abs=0.01)
    assert found.mean.low > found.shifted.upper > found.shifted.mean
    assert found.swapped.upper < 0.6
    # A bump that every example has, where all sites are: nothing was found in the sequences.
    rng = np.random.default_rng(2)
    planted[:] = False
    planted[:, 30:38] = True
    values = rng.normal(size=values.shape)
    values[:, 28:40] *= 5
    bump = motif_recovery(values, planted)
    assert bump.mean.value > 0.8 > bump.shifted.upper
    assert bump.swapped.mean == pytest.approx(bump.mean.value, abs=0.01)


def test_pooling_heeds_how_much_each_example_matters() -> None:
    values, planted = made(strength=1.0, n=40)
    planted[20:] = False
    values[:20] *= 10
    found = motif_recovery(values, planted)
    assert found.mean.value == pytest.approx(0.5, abs=0.1)
    # The loud examples are those with sites, and turning them round does not change that.
    assert found.pooled.value > 0.65
    assert found.pooled_shifted.mean > 0.65
    assert found.pooled_swapped.mean == pytest.approx(0.5, abs=0.05)


def test_equal_seeds_give_equal_results() -> None:
    values, planted = made()
    assert fields(motif_recovery(values, planted)) == fields(motif_recovery(values, planted))
    assert fields(motif_recovery(values, planted, seed=1)) != fields(
        motif_recovery(values, planted)
    )


def test_what_cannot_be_judged() -> None:
    values, planted = made(n=4)
    with pytest.raises(MismatchError, match="the truth does not fit"):
        motif_recovery(values, planted[:, :-1])
    with pytest.raises(MismatchError, match="int64 of shape"):
        motif_recovery(values, planted.astype(np.int64))
    with pytest.raises(InputError, match="no example has both"):
        motif_recovery(values, np.zeros_like(planted))
    with pytest.raises(ConfigError, match="too few resamples or shuffles"):
        motif_recovery(values, planted, n_shuffles=0)
    few = motif_recovery(values[:2], planted[:2])
    assert np.isnan([few.mean.low, few.pooled.high]).all()
