"""Scores and the pairing of bins, worked out by hand."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest

from exprimo.core.errors import ConfigError
from exprimo.scoring.sequences import SequenceModel
from exprimo.scoring.variants.scores import score, score_kind
from exprimo.scoring.variants.windows.bins import partner_bins
from exprimo.scoring.variants.windows.edits import Edits

REFERENCE = np.array([[[1, 3, 5], [0, 0, 3]]], dtype=np.float32)
ALTERNATE = np.array([[[2, 3, 1], [0, 3, 3]]], dtype=np.float32)


def _model(bin_size: int, first_bin: int, n_bins: int) -> SequenceModel:
    return cast(
        SequenceModel, SimpleNamespace(bin_size=bin_size, first_bin=first_bin, n_bins=n_bins)
    )


def _edit(first: int, n_ref: int, n_alt: int, anchor: int, minus: bool = False) -> Edits:
    one = (np.array([value]) for value in (first, n_ref, n_alt))
    return Edits.of(*one, np.array([minus]), anchor=anchor)


def test_scores_per_track() -> None:
    found = score("difference", REFERENCE, ALTERNATE)
    np.testing.assert_allclose(found.ref_pred, [[3, 1]])
    np.testing.assert_allclose(found.alt_pred, [[2, 2]])
    np.testing.assert_allclose(found.raw_score, [[-1, 1]])
    found = score("absolute", REFERENCE, ALTERNATE)
    np.testing.assert_allclose(found.raw_score, [[5 / 3, 1]])
    found = score("lfc", REFERENCE, ALTERNATE)
    np.testing.assert_allclose(found.raw_score, [[np.log2(3 / 4), np.log2(3 / 2)]])


def test_scores_over_all_tracks() -> None:
    found = score("published", REFERENCE, ALTERNATE)
    # Sum over bins of the mean over two tracks: 6 and 6, first allele minus second.
    np.testing.assert_allclose([found.ref_pred, found.alt_pred], [[[6]], [[6]]])
    np.testing.assert_allclose(found.raw_score, [[0]])
    rising = score("published", REFERENCE, REFERENCE + 1)
    np.testing.assert_allclose(rising.raw_score, [[-3]])
    found = score("matrix", REFERENCE, ALTERNATE)
    np.testing.assert_allclose(found.raw_score, [[0]])
    assert found.absolute_score is not None
    np.testing.assert_allclose(found.absolute_score, [[1 + 4 + 3]])


def test_bins_without_a_partner_are_left_out_on_both_sides() -> None:
    partners = np.array([[1, 2, -1]])
    found = score("difference", REFERENCE, ALTERNATE, partners)
    np.testing.assert_allclose(found.ref_pred, [[2, 0]])
    np.testing.assert_allclose(found.alt_pred, [[2, 3]])
    found = score("matrix", REFERENCE, ALTERNATE, partners)
    np.testing.assert_allclose(found.raw_score, [[4 + 0 + 6 - 4]])
    assert np.isnan(score("difference", REFERENCE, ALTERNATE, np.full((1, 3), -1)).raw_score).all()
    assert np.isnan(score("matrix", REFERENCE, ALTERNATE, np.full((1, 3), -1)).raw_score).all()


def test_short_indels_compare_equal_bins() -> None:
    model = _model(128, 0, 8)
    for edit in (_edit(600, 1, 60, 512), _edit(500, 60, 1, 512), _edit(100, 1, 1, 512)):
        found = partner_bins(edit, model)
        assert found is None or found.tolist() == [list(range(8))]


def test_long_indels_compare_moved_bins_on_the_far_side() -> None:
    model = _model(10, 0, 8)
    # 20 bases come in before base 50; base 40 is the anchor.
    found = partner_bins(_edit(50, 0, 20, 40), model)
    assert found is not None
    assert found.tolist() == [[0, 1, 2, 3, 4, 7, -1, -1]]
    # The same on the other side: what lies before moves to the left.
    found = partner_bins(_edit(30, 0, 20, 40), model)
    assert found is not None
    assert found.tolist() == [[-1, -1, 0, 3, 4, 5, 6, 7]]
    # Bases 50 to 69 go: bins 5 and 6 are gone, and what follows comes nearer.
    found = partner_bins(_edit(50, 20, 0, 40), model)
    assert found is not None
    assert found.tolist() == [[0, 1, 2, 3, 4, 5, 5, 5]]
    # Base for base, nothing moves.
    assert partner_bins(_edit(30, 20, 20, 40), model) is None
    # One bin is the whole window.
    assert partner_bins(_edit(50, 20, 0, 40), _model(80, 0, 1)) is None


def test_moved_bins_show_the_same_dna() -> None:
    """A model that reads each bin alone sees no change but where the variant is."""
    rng = np.random.default_rng(0)
    window = rng.normal(size=80).astype(np.float32)
    model = _model(10, 0, 8)
    new = np.concatenate([window[:45], np.zeros(20, np.float32), window[45:]])[:80]
    edit = _edit(45, 0, 20, 40)
    reference = window.reshape(1, 1, 8, 10).sum(3)
    alternate = new.reshape(1, 1, 8, 10).sum(3)
    partners = partner_bins(edit, model)
    assert partners is not None
    compared = partners[0] >= 0
    moved = alternate[0, 0, partners[0][compared]] - reference[0, 0, compared]
    changed = np.flatnonzero(np.abs(moved) > 1e-5)
    assert np.flatnonzero(compared)[changed].tolist() == [4]


@pytest.mark.parametrize(
    ("minus", "anchor", "new_begin"),
    [
        # Forward, the left bases pair: 10 with the first new one, 11 with the second; 12 and 13
        # are gone, so the base behind the new ones comes to the anchor's index.
        (False, 10, 10),
        (False, 11, 10),
        (False, 12, 10),
        (False, 13, 11),
        # On the minus strand 12 and 13 pair, and the first new one comes where 10 or 11 was.
        (True, 13, 12),
        (True, 12, 12),
        (True, 11, 11),
        (True, 10, 10),
    ],
)
def test_an_anchor_that_is_replaced(minus: bool, anchor: int, new_begin: int) -> None:
    assert _edit(10, 4, 2, anchor, minus).alt_first.tolist() == [new_begin]


def test_a_score_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ConfigError, match="log fold change"):
        score_kind("lfc", positive=False)
    with pytest.raises(ConfigError, match="no such score"):
        score_kind("sum", positive=True)
    assert score_kind("lfc", positive=True) == "lfc"
