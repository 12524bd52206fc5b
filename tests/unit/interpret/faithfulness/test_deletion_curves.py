"""Deletion and insertion, against linear models whose best order is known."""

from __future__ import annotations

import numpy as np
import pytest

from exprimo.interpret.faithfulness.curves import Curves, deletion_by, deletion_curves, grid, places
from exprimo.interpret.faithfulness.means import Units, mean_estimate

N, LENGTH = 24, 40
SHARES = (0.05, 0.1, 0.25)


class Linear:
    """Output = the sum of weights times values; contributions against zeros are known."""

    def __init__(self) -> None:
        rng = np.random.default_rng(3)
        self.weights = rng.normal(size=LENGTH)
        self.given = rng.normal(size=(N, LENGTH))
        self.references = np.zeros((N, 2, LENGTH))
        self.contributions = self.given * self.weights

    def outputs(self, values: np.ndarray, example: int) -> np.ndarray:
        return values @ self.weights

    def curves(self, contributions: np.ndarray, *, signed: bool = True) -> Curves:
        return deletion_curves(
            contributions, self.given, self.references, self.outputs,
            shares=SHARES, signed=signed, seed=1,
        )  # fmt: skip


def area(curves: Curves) -> float:
    return float(curves.area(curves.deletion).mean())


def test_points_are_mirrored_and_end_at_none_and_all() -> None:
    for positions in (1, 2, 3, 8, 40, 601):
        counts = grid(SHARES, positions)
        assert counts[0] == 0
        assert counts[-1] == positions
        assert (np.diff(counts) > 0).all()
        np.testing.assert_array_equal(positions - counts[::-1], counts)


def test_the_exact_order_of_a_linear_model_sums_its_largest_contributions() -> None:
    model = Linear()
    found = model.curves(model.contributions)
    counts = np.rint(found.shares * LENGTH).astype(int)
    ordered = -np.sort(-model.contributions, axis=1)
    partial = np.concatenate([np.zeros((N, 1)), np.cumsum(ordered, axis=1)], axis=1)
    total = partial[:, -1:]
    np.testing.assert_allclose(found.deleted, total - partial[:, counts], atol=1e-9)
    np.testing.assert_allclose(found.inserted, partial[:, counts], atol=1e-9)
    np.testing.assert_allclose(found.tenth, (found.at_random - found.deleted)[:, 2], atol=1e-12)


def test_no_order_deletes_better_than_the_exact_one() -> None:
    model = Linear()
    best = model.curves(model.contributions)
    rng = np.random.default_rng(0)
    for noise in (0.5, 2.0):
        other = model.curves(model.contributions + noise * rng.normal(size=(N, LENGTH)))
        assert (other.deleted >= best.deleted - 1e-9).all()
        assert (other.inserted <= best.inserted + 1e-9).all()
        assert area(other) < area(best)
    assert area(model.curves(-model.contributions)) < 0


def test_random_contributions_do_not_beat_random_order() -> None:
    model, rng = Linear(), np.random.default_rng(5)
    units = Units(np.arange(N), "gene")
    found = model.curves(rng.normal(size=(N, LENGTH)))
    for ahead in (found.deletion, found.insertion):
        assert mean_estimate(found.area(ahead), units).low < 0
    good = model.curves(model.contributions)
    for ahead in (good.deletion, good.insertion):
        assert mean_estimate(good.area(ahead), units).low > 0


def test_sizes_alone_must_move_the_output_away_from_where_it_was() -> None:
    model = Linear()
    found = model.curves(np.abs(model.contributions), signed=False)
    assert (found.deleted >= 0).all()
    np.testing.assert_allclose(found.deleted[:, 0], 0, atol=1e-9)
    np.testing.assert_allclose(found.inserted[:, -1], 0, atol=1e-9)
    first = np.abs(model.contributions).argmax(1)
    one = deletion_curves(
        model.contributions, model.given, model.references, model.outputs,
        shares=(1 / LENGTH,), signed=False,
    )  # fmt: skip
    np.testing.assert_allclose(
        one.deleted[:, 1], np.abs(model.contributions[np.arange(N), first]), atol=1e-9
    )
    # Where all contributions point one way, the largest move it most.
    model.weights, model.given = np.abs(model.weights), np.abs(model.given)
    same = model.curves(model.given * model.weights, signed=False)
    assert (same.area(same.deletion) > 0).all()
    assert (same.area(same.insertion) > 0).all()


def test_the_deletion_curve_alone_is_the_same_curve() -> None:
    model = Linear()
    alone = deletion_by(
        model.contributions, model.given, model.references, model.outputs, shares=SHARES, seed=1
    )
    np.testing.assert_array_equal(alone, model.curves(model.contributions).deleted)


def test_equal_contributions_are_not_ordered_by_position() -> None:
    found = places(np.zeros((200, 10)), signed=True, seed=0)
    assert (np.sort(found, axis=1) == np.arange(10)).all()
    assert abs(found[:, 0].mean() - 4.5) < 1


def test_intervals_resample_groups() -> None:
    values = np.repeat([0.0, 1.0], 30)
    alone = mean_estimate(values, Units(np.arange(60), "gene"))
    grouped = mean_estimate(values, Units(np.repeat(np.arange(6), 10), "gene"))
    assert alone.value == grouped.value == pytest.approx(0.5)
    assert grouped.high - grouped.low > 2 * (alone.high - alone.low)
    assert np.isnan(mean_estimate(values, Units(np.repeat([0, 1], 30), "gene")).low)
