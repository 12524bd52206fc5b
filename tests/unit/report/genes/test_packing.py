"""Numbers that are packed come back, and what is lost is bounded."""

from __future__ import annotations

import json

import numpy as np
import pytest

from exprimo.report.genes.packing import bounded_bytes, packed, signed_bytes, unpacked


@pytest.mark.parametrize("kind", ["f8", "f4", "i4", "i1", "u1"])
def test_what_is_packed_comes_back(kind: str) -> None:
    values = np.random.default_rng(0).integers(0, 100, (7, 5, 3))
    found = unpacked(json.loads(json.dumps(packed(values, kind))))
    assert found.shape == (7, 5, 3)
    assert (found == values).all()


def test_missing_numbers_stay_missing() -> None:
    assert np.isnan(unpacked(packed([1.0, np.nan]))[1])


def test_signed_bytes_are_off_by_half_a_step_at_most() -> None:
    rng = np.random.default_rng(1)
    values = rng.normal(size=(50, 300)) * rng.lognormal(0, 3, (50, 1))
    found = signed_bytes(values)
    error = np.abs(found.steps * found.scale[:, None].astype(float) - values).max(1)
    most = np.abs(values).max(1)
    assert (error <= most / 254 * 1.0001).all()
    assert found.steps.dtype == np.int8
    # The strongest base keeps its value and its sign.
    at = np.abs(values).argmax(1)
    rows = np.arange(50)
    kept = found.steps[rows, at] * found.scale
    assert np.allclose(kept, values[rows, at], rtol=1e-6)


def test_bounded_bytes_are_off_by_half_a_step_at_most() -> None:
    rng = np.random.default_rng(2)
    values = rng.gamma(1.0, 5.0, (40, 100)) - 3
    found = bounded_bytes(values)
    step = (found.high - found.low) / 255
    back = found.low[:, None] + found.steps * step[:, None]
    assert (np.abs(back - values).max(1) <= step / 2 * 1.001).all()
    assert np.allclose(back.max(1), values.max(1), rtol=1e-5)


@pytest.mark.parametrize("value", [0.0, 3.5, np.nan])
def test_rows_without_variation(value: float) -> None:
    values = np.full((2, 4), value)
    signed, bounded = signed_bytes(values), bounded_bytes(values)
    known = np.nan_to_num(values)
    assert np.allclose(signed.steps * signed.scale[:, None], known)
    assert np.allclose(bounded.low[:, None] + bounded.steps * 0.0, known)
