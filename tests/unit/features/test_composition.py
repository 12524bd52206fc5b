"""GC and CpG content of cases counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from exprimo.core.sequence import encode
from exprimo.features.composition import (
    COMPOSITION_NAMES,
    composition,
    cpg_content,
    cpg_observed_expected,
    gc_content,
)

CASES = {
    # text: (GC share, CpG share, CpG observed over expected)
    "ACGT": (0.5, 1 / 3, 1 * 4 / (1 * 1)),
    "CCGG": (1.0, 1 / 3, 1 * 4 / (2 * 2)),
    "GCGC": (1.0, 1 / 3, 1 * 4 / (2 * 2)),
    "CNGA": (2 / 3, 0.0, 0.0),
    "AATT": (0.0, 0.0, np.nan),
    "NNNN": (np.nan, np.nan, np.nan),
    "NANA": (0.0, np.nan, np.nan),
}


@pytest.mark.parametrize("text", CASES)
def test_cases_counted_by_hand(text: str) -> None:
    codes = encode(text)[None]
    found = [gc_content(codes)[0], cpg_content(codes)[0], cpg_observed_expected(codes)[0]]
    np.testing.assert_allclose(found, CASES[text])


def test_features_are_finite_and_in_the_order_of_their_names() -> None:
    codes = np.stack([encode(text) for text in CASES])
    table = composition(codes)
    assert table.shape == (len(CASES), len(COMPOSITION_NAMES))
    np.testing.assert_allclose(table, np.nan_to_num(np.array(list(CASES.values()))))


def test_both_strands_have_the_same_composition() -> None:
    codes = np.random.default_rng(0).integers(0, 5, (20, 50)).astype(np.uint8)
    flipped = np.array([3, 2, 1, 0, 4], dtype=np.uint8)[codes[:, ::-1]]
    np.testing.assert_allclose(composition(codes), composition(flipped))
