"""Edit distances against the textbook table, and neighbours against all pairs."""

from __future__ import annotations

import numpy as np
import pytest

from exprimo.core.sequence import Codes
from exprimo.generate.fidelity.memorisation import edit_distance, nearest_training


def _table(one: Codes, other: Codes) -> int:
    row = list(range(len(other) + 1))
    for i, x in enumerate(one, 1):
        above, row = row, [i]
        for j, y in enumerate(other, 1):
            row.append(min(above[j] + 1, row[-1] + 1, above[j - 1] + int(x != y)))
    return row[-1]


@pytest.mark.parametrize(
    ("n", "m"), [(1, 1), (5, 9), (63, 64), (64, 64), (65, 60), (128, 130), (200, 190), (1, 70)]
)
def test_equals_the_whole_table(n: int, m: int) -> None:
    rng = np.random.default_rng(n)
    for _ in range(4):
        one, other = (rng.integers(0, 4, size).astype(np.uint8) for size in (n, m))
        assert edit_distance(one, other) == _table(one, other)
        near = np.delete(np.insert(one, n // 2, 2), n // 3)
        assert edit_distance(one, near) == _table(one, near) <= 2


def test_empty_sequences() -> None:
    nothing = np.empty(0, np.uint8)
    assert edit_distance(nothing, np.zeros(3, np.uint8)) == 3
    assert edit_distance(nothing, nothing) == 0


def test_candidates_find_what_all_pairs_find_and_claim_no_more() -> None:
    rng = np.random.default_rng(1)
    training = rng.integers(0, 4, (300, 200)).astype(np.uint8)
    queries = rng.integers(0, 4, (40, 200)).astype(np.uint8)
    queries[:20] = training[50:70]
    for row in range(20):  # 0 to 19 substitutions
        queries[row, rng.choice(200, row, replace=False)] ^= 1
    whole = nearest_training(queries, training, exhaustive=True)
    quick = nearest_training(queries, training, exhaustive=False)
    assert whole.proven.all()
    assert quick.row[:20].tolist() == whole.row[:20].tolist() == list(range(50, 70))
    assert (quick.distance[:20] == whole.distance[:20]).all()
    assert quick.proven[:15].all()
    assert not quick.proven[20:].any()
    assert (quick.distance >= whole.distance).all()
    assert (quick.distance == whole.distance)[quick.proven].all()


def test_the_bound_holds_where_a_word_repeats_more_often_than_is_stored() -> None:
    training = np.zeros((60, 400), np.uint8)
    training[np.arange(60), np.arange(60) + 100] = 1
    queries = np.zeros((3, 400), np.uint8)
    queries[0, 130] = 1
    quick = nearest_training(queries, training, exhaustive=False)
    whole = nearest_training(queries, training, exhaustive=True)
    assert (quick.distance == whole.distance)[quick.proven].all()
    assert (quick.distance >= whole.distance).all()
