"""Thinning crowds and placing names."""

from __future__ import annotations

import numpy as np
import pytest

from exprimo.report.charts.crowding import place_notes, sparse


def test_a_thinned_crowd_keeps_its_outline() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=40_000), rng.normal(size=40_000)
    kept = sparse(x, y, 2_000)
    assert 1_900 <= kept.size <= 2_000
    # Lone points are what a reader looks for: each extreme of each axis is still there.
    for values in (x, y):
        assert {int(values.argmin()), int(values.argmax())} <= set(kept.tolist())
    # A random choice of as many would keep one in twenty of the rim.
    rim = np.hypot(x, y) > 3.3
    assert np.isin(np.flatnonzero(rim), kept).mean() > 0.8


def test_thinning_is_the_same_each_time_and_leaves_few_alone() -> None:
    x = np.random.default_rng(1).random(5_000)
    assert np.array_equal(sparse(x, x, 300), sparse(x, x, 300))
    assert sparse(x[:10], x[:10], 300).tolist() == list(range(10))
    assert sparse(np.zeros(0), np.zeros(0), 5).size == 0
    assert sparse(np.zeros(50), np.zeros(50), 7).size == 7


def test_names_never_cover_one_another() -> None:
    rng = np.random.default_rng(2)
    x, y = rng.random(60), rng.random(60)
    plot = (400.0, 270.0)
    notes = place_notes(x, y, [f"sample_{i}" for i in range(60)], ((0, 1), (0, 1)), plot=plot)
    assert 20 < len(notes) <= 60
    boxes = []
    for note in notes:
        half = 2.2 * len(note.text)
        centre = note.x * plot[0] + note.right, note.y * plot[1] + note.up
        boxes.append((centre[0] - half, centre[1] - 4, centre[0] + half, centre[1] + 4))
    for i, a in enumerate(boxes):
        assert a[0] >= 0
        assert a[2] <= plot[0]
        for b in boxes[i + 1 :]:
            assert not (a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3])


def test_names_cover_no_other_point_and_no_line_of_another_name() -> None:
    rng = np.random.default_rng(4)
    x, y = rng.random(12), rng.random(12)
    crowd = rng.random(120), rng.random(120)
    plot = (400.0, 270.0)
    notes = place_notes(
        x, y, [f"gene_{i}" for i in range(12)], ((0, 1), (0, 1)), plot=plot, around=crowd
    )
    assert len(notes) >= 4
    others = np.column_stack([np.append(x, crowd[0]) * plot[0], np.append(y, crowd[1]) * plot[1]])
    for note in notes:
        half = 2.2 * len(note.text)
        at = note.x * plot[0] + note.right, note.y * plot[1] + note.up
        inside = (np.abs(others[:, 0] - at[0]) < half) & (np.abs(others[:, 1] - at[1]) < 4)
        assert not inside.any()
        for other in notes:
            if other is note:
                continue
            # The line ends at the edge of its own name that faces the point.
            own = min(2.2 * len(other.text), abs(other.right))
            end = np.array([other.right - np.sign(other.right) * own, 0.6 * other.up])
            line = np.array([other.x * plot[0], other.y * plot[1]]) + np.linspace(
                np.zeros(2), end, 20
            )
            crossed = (np.abs(line[:, 0] - at[0]) < half) & (np.abs(line[:, 1] - at[1]) < 3)
            assert not crossed.any()


def test_names_stay_within_reach_of_their_points() -> None:
    rng = np.random.default_rng(3)
    x, y = rng.random(80), rng.random(80)
    near = place_notes(x, y, ["ab"] * 80, ((0, 1), (0, 1)), reach=8.0)
    far = place_notes(x, y, ["ab"] * 80, ((0, 1), (0, 1)))
    assert len(near) < len(far)
    assert max(abs(note.up) for note in near) < 15


def test_notes_stand_at_the_data_not_at_the_logarithms() -> None:
    mean = np.array([10.0, 1000.0])
    notes = place_notes(
        np.log10(mean), np.zeros(2), ["a", "b"], ((0, 4), (-1, 1)), data=(mean, np.zeros(2))
    )
    assert [note.x for note in notes] == pytest.approx([10.0, 1000.0])
