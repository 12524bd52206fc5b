"""The map: its parts against what they promise, its whole against planted structure."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from sklearn.manifold import trustworthiness

from exprimo.core.errors import ConfigError, InputError
from exprimo.interpret.map import curve_of, fuzzy_graph, layer_map
from exprimo.interpret.neighbours import nearest_neighbours


def clusters(
    n: int = 160, apart: float = 12.0, features: int = 10
) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    label = np.arange(n) % 2
    values = rng.normal(size=(n, features))
    values[:, 0] += apart * label
    return values.astype(np.float32), label


def test_neighbours_are_the_nearest_and_far_origins_do_not_matter(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    points = np.random.default_rng(1).normal(size=(150, 6)) + 1e4
    away = cdist(points, points)
    np.fill_diagonal(away, np.inf)
    expected = np.argsort(away, axis=1, kind="stable")[:, :7]
    indices, distances = nearest_neighbours(points, 7)
    np.testing.assert_array_equal(indices, expected)
    np.testing.assert_allclose(distances, np.take_along_axis(away, expected, 1), rtol=1e-9)
    monkeypatch.setattr("exprimo.interpret.neighbours._CELLS", 1000)
    np.testing.assert_array_equal(nearest_neighbours(points, 7)[0], expected)


def test_equal_points_are_neighbours_in_order_of_rows() -> None:
    points = np.zeros((6, 2))
    indices, distances = nearest_neighbours(points, 2)
    assert indices.tolist() == [[1, 2], [0, 2], [0, 1], [0, 1], [0, 1], [0, 1]]
    assert not distances.any()


def test_memberships_sum_to_the_logarithm_of_the_neighbourhood() -> None:
    points = np.random.default_rng(2).normal(size=(200, 5))
    indices, distances = nearest_neighbours(points, 14)
    graph = fuzzy_graph(indices, distances).toarray()
    np.testing.assert_allclose(graph, graph.T)
    assert not graph.diagonal().any()
    assert graph.max() == pytest.approx(1.0)
    assert graph.min() >= 0
    # The nearest neighbour belongs wholly, so whoever names it is joined with 1.
    np.testing.assert_allclose(graph[np.arange(200), indices[:, 0]], 1.0)
    # By hand, for one side of an edge: p + q - pq with p and q from their own bisections.
    i, j = 0, int(indices[0, 5])
    p, q = (_member(distances[a], indices[a], b) for a, b in ((i, j), (j, i)))
    assert graph[i, j] == pytest.approx(p + q - p * q, rel=1e-6)


def _member(distances: np.ndarray, indices: np.ndarray, other: int) -> float:
    """Find one membership by a fine search for the unit."""
    if other not in indices:
        return 0.0
    beyond = distances - distances[0]
    units = np.geomspace(1e-3, 1e3, 400_001)
    totals = np.exp(-beyond[:, None] / units[None, :]).sum(0)
    unit = np.interp(np.log2(15), totals, units)
    return float(np.exp(-beyond[list(indices).index(other)] / unit))


def test_the_published_curve() -> None:
    # umap-learn prints these for its defaults, min_dist 0.1 and spread 1.
    assert curve_of(0.1) == pytest.approx((1.5769, 0.8951), abs=1e-3)


@pytest.mark.parametrize("apart", [12.0, 2.0])
def test_it_is_the_same_every_time_and_another_seed_gives_another(apart: float) -> None:
    values, _ = clusters(apart=apart)
    one = layer_map(values, epochs=100)
    np.testing.assert_array_equal(one, layer_map(values, epochs=100))
    assert one.shape == (160, 2)
    assert abs(one - layer_map(values, epochs=100, seed=1)).max() > 0.1


def test_two_planted_clusters_stand_apart() -> None:
    values, label = clusters()
    places = layer_map(values)
    centres = np.stack([places[label == k].mean(0) for k in (0, 1)])
    spread = max(np.linalg.norm(places[label == k] - centres[k], axis=1).max() for k in (0, 1))
    assert np.linalg.norm(centres[0] - centres[1]) > 2 * spread
    near, _ = nearest_neighbours(places, 15)
    assert (label[near] == label[:, None]).all()


def test_a_rolled_sheet_keeps_its_neighbours() -> None:
    rng = np.random.default_rng(3)
    along, across = rng.uniform(4, 14, 600), rng.uniform(0, 20, 600)
    roll = np.stack([along * np.cos(along), across, along * np.sin(along)], axis=1)
    places = layer_map(roll)
    assert trustworthiness(roll, places, n_neighbors=15) > 0.97
    flat = np.stack([along**2 / 2, across], axis=1)  # the sheet unrolled
    assert trustworthiness(flat, places, n_neighbors=15) > 0.95


@pytest.mark.parametrize(
    "values",
    [
        np.zeros((40, 3)),
        np.arange(8.0)[:, None],
        np.repeat(np.random.default_rng(0).normal(size=(20, 4)), 5, axis=0),
        np.r_[np.zeros((30, 2)), np.ones((30, 2))],
        np.random.default_rng(0).normal(size=(50, 4, 6)).astype(np.float32),
    ],
    ids=["constant", "fewest", "repeated", "two points", "with positions"],
)
def test_odd_layers_have_maps_too(values: np.ndarray) -> None:
    places = layer_map(values, epochs=30)
    assert places.shape == (len(values), 2)
    assert np.isfinite(places).all()


def test_what_has_no_map() -> None:
    with pytest.raises(InputError, match=r"Found: 7\. Expected: 8 to 50,000"):
        layer_map(np.zeros((7, 2)))
    with pytest.raises(InputError, match="Map a random sample"):
        layer_map(np.zeros((50_001, 1)))
    with pytest.raises(InputError, match="missing or infinite"):
        layer_map(np.full((20, 2), np.nan))
    for wrong in ({"neighbours": 1}, {"min_dist": -1.0}, {"epochs": 0}):
        with pytest.raises(ConfigError, match="not settings of a map"):
            layer_map(np.zeros((20, 2)), **wrong)  # type: ignore[arg-type]  # one at a time
