"""A map of examples in two dimensions: UMAP of what a layer says of them.

McInnes, Healy & Melville 2018 (UMAP, arXiv:1802.03426), with exact neighbours. Distances on the
map between far groups mean little, and neither do axes; near examples are alike to the layer.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.optimize import curve_fit
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import ArpackNoConvergence, eigsh
from threadpoolctl import threadpool_limits

from exprimo.core.errors import ConfigError, InputError
from exprimo.evaluate.results import FloatArray
from exprimo.interpret.neighbours import nearest_neighbours

FEWEST, MOST = 8, 50_000
"""Examples that can be mapped; exact neighbours of more would take minutes."""

_NEGATIVES = 5
_MANY = 10_000
_BISECTIONS = 64
_LEAST_WIDTH = 1e-3
_START_WIDTH = 10.0
_NOISE = 1e-4


def layer_map(
    values: NDArray[Any],
    *,
    neighbours: int = 15,
    min_dist: float = 0.1,
    epochs: int | None = None,
    seed: int = 0,
) -> FloatArray:
    """Place examples on a plane so that those with like values are near one another.

    The same values and seed give the same map.

    Parameters
    ----------
    values
        What a layer says of each example, (n, ...); other axes are laid out in one. Distances
        are Euclidean in the layer's own units.
    neighbours
        Examples, counting itself, that each one is compared with; small shows detail, large
        shows the whole. Fewer where there are few examples.
    min_dist
        How near alike examples may be drawn.
    epochs
        Rounds of optimisation; unset: 500 up to 10,000 examples, else 200.

    Returns
    -------
    numpy.ndarray
        Positions, (n, 2).

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> two = rng.normal(size=(60, 5)) + 20 * (np.arange(60) % 2)[:, None]
    >>> places = layer_map(two, epochs=50)
    >>> places.shape, bool(np.array_equal(places, layer_map(two, epochs=50)))
    ((60, 2), True)
    """
    # Not above: reports read this package's tables, and need not wait for the compiler.
    from exprimo.interpret.layout import optimise_layout

    points = _points(values)
    if neighbours < 2 or not 0 <= min_dist < 3 or (epochs is not None and epochs < 1):
        raise ConfigError(
            "not settings of a map",
            found=f"neighbours {neighbours}, min_dist {min_dist}, epochs {epochs}",
            expected="2 neighbours or more, min_dist from 0 to 3, 1 epoch or more",
        )
    n = len(points)
    rounds = epochs or (500 if n <= _MANY else 200)
    # Several threads add up in another order, and a map follows the last bit.
    with threadpool_limits(1, user_api="blas"):
        indices, distances = nearest_neighbours(points, min(neighbours, n - 1) - 1 or 1)
        graph = fuzzy_graph(indices, distances)
        rng = np.random.default_rng(seed)
        start = _start(graph, points, rng)
    heads, tails, strength = _edges(graph, rounds)
    a, b = curve_of(min_dist)
    state = np.uint64(rng.integers(1, 2**63))
    placed = np.ascontiguousarray(start)
    optimise_layout(
        placed, heads, tails, strength.max() / strength, rounds, a, b, _NEGATIVES, state
    )
    return placed


def fuzzy_graph(indices: NDArray[np.int64], distances: FloatArray) -> sparse.csr_array:
    """Turn neighbours into a symmetric graph of memberships from 0 to 1, (n, n).

    Each point's distances are measured from its nearest distinct neighbour on, in a unit of its
    own in which its memberships sum to log2 of its neighbourhood's size (the point itself
    counted; McInnes et al. 2018, algorithms 2 and 3). Two points that take each other for
    neighbours with memberships p and q are joined by p + q − pq.
    """
    n, k = indices.shape
    nonzero = np.where(distances > 0, distances, np.inf)
    nearest = nonzero.min(1)
    nearest = np.where(np.isfinite(nearest), nearest, 0.0)
    beyond = np.maximum(distances - nearest[:, None], 0.0)
    unit = _units(beyond, np.log2(k + 1))
    least = _LEAST_WIDTH * np.where(nearest > 0, distances.mean(1), distances.mean())
    unit = np.maximum(unit, least)
    with np.errstate(invalid="ignore", divide="ignore"):
        member = np.where(beyond > 0, np.exp(-beyond / unit[:, None]), 1.0)
    rows = np.repeat(np.arange(n), k)
    one_way = sparse.csr_array((member.ravel(), (rows, indices.ravel())), shape=(n, n))
    both = one_way.multiply(one_way.T)
    return sparse.csr_array(one_way + one_way.T - both)


def curve_of(min_dist: float) -> tuple[float, float]:
    """Fit a and b of 1 / (1 + a d^2b) to a membership that falls beyond ``min_dist``.

    Examples
    --------
    >>> a, b = curve_of(0.1)
    >>> round(a, 3), round(b, 3)
    (1.577, 0.895)
    """
    d = np.linspace(0, 3, 300)
    wanted = np.where(d < min_dist, 1.0, np.exp(-(d - min_dist)))
    (a, b), _ = curve_fit(lambda x, a, b: 1 / (1 + a * x ** (2 * b)), d, wanted)
    return float(a), float(b)


def _points(values: NDArray[Any]) -> FloatArray:
    points = np.asarray(values, dtype=np.float64).reshape(len(values), -1)
    if not FEWEST <= len(points) <= MOST:
        raise InputError(
            "not a number of examples that can be mapped",
            found=len(points),
            expected=f"{FEWEST} to {MOST:,}",
            remedy="Map a random sample of them" if len(points) > MOST else None,
        )
    if not points.shape[1] or not np.isfinite(points).all():
        raise InputError("a layer's values are missing or infinite", expected="finite numbers")
    return points


def _units(beyond: FloatArray, wanted: float) -> FloatArray:
    """Find each row's unit, in which the memberships sum to ``wanted``, by bisection."""
    low = np.zeros(len(beyond))
    high = np.full(len(beyond), max(float(beyond.max()), 1e-300) * 64)
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        with np.errstate(under="ignore"):
            total = np.exp(-beyond / np.maximum(middle, 1e-300)[:, None]).sum(1)
        low, high = np.where(total < wanted, middle, low), np.where(total < wanted, high, middle)
    return high


def _start(graph: sparse.csr_array, points: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Begin from the graph's slowest modes, or from principal components if it is in pieces."""
    n_pieces, _ = connected_components(graph, directed=False)
    start = _modes(graph) if n_pieces == 1 and len(points) > 2 * FEWEST else None
    if start is None:
        start = _components(points)
    start = start * (_START_WIDTH / max(float(abs(start).max()), 1e-300))
    start = start + rng.normal(0, _NOISE, start.shape)
    low, high = start.min(0), start.max(0)
    spread: FloatArray = _START_WIDTH * (start - low) / (high - low)
    return spread


def _modes(graph: sparse.csr_array) -> FloatArray | None:
    """Give the second and third eigenvector of the normalised Laplacian, None if not found."""
    scale = sparse.diags_array(1 / np.sqrt(graph.sum(1)))
    walk = scale @ graph @ scale
    n = graph.shape[0]
    try:
        values, vectors = eigsh(
            walk, 3, which="LA", v0=np.ones(n), tol=1e-4, maxiter=20 * n, ncv=min(n, 20)
        )
    except ArpackNoConvergence:
        return None
    return _signed(vectors[:, np.argsort(-values)[1:3]])


def _components(points: FloatArray) -> FloatArray:
    centred = points - points.mean(0)
    if centred.shape[1] == 1:
        centred = np.column_stack([centred, np.zeros(len(centred))])
    _, axes = np.linalg.eigh(centred.T @ centred)
    return _signed(centred @ axes[:, [-1, -2]])


def _signed(vectors: FloatArray) -> FloatArray:
    """Turn each column so that its largest value is positive; eigenvectors have no sign."""
    largest = vectors[abs(vectors).argmax(0), range(vectors.shape[1])]
    turned: FloatArray = vectors * np.where(largest < 0, -1.0, 1.0)
    return turned


def _edges(
    graph: sparse.csr_array, rounds: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], FloatArray]:
    """List the edges that are strong enough to be drawn at least once."""
    pairs = sparse.coo_array(graph)
    heads, tails = (np.asarray(c, dtype=np.int64) for c in pairs.coords)
    strong = pairs.data >= pairs.data.max() / rounds
    order = np.lexsort((tails[strong], heads[strong]))
    return heads[strong][order], tails[strong][order], pairs.data[strong][order]
