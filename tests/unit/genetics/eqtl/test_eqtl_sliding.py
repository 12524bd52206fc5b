"""Windows that share variants are prepared as if each stood alone."""

from __future__ import annotations

import numpy as np

from exprimo.genetics.cohort import CisWindow
from exprimo.genetics.eqtl import sliding
from exprimo.genetics.eqtl.projection import projection
from exprimo.genetics.eqtl.statistics.association import prepare


def test_every_window_is_as_prepared_alone(monkeypatch) -> None:
    rng = np.random.default_rng(0)
    dosage = rng.integers(0, 3, (200, 30)).astype(np.float32)
    space = projection(rng.normal(size=(30, 3)))
    prepared_rows = []

    def counting(rows, space, *, out):
        prepared_rows.append(len(rows))
        return prepare(rows, space, out=out)

    monkeypatch.setattr(sliding, "prepare", counting)
    running = sliding.SlidingPrepared(space)
    # Forward by steps, a jump, a step back, within, an empty one, another chromosome.
    spans = [(s, s + 50) for s in range(0, 120, 8)]
    spans += [(170, 190), (130, 166), (140, 160), (166, 166), (0, 8)]
    chroms = ["1"] * (len(spans) - 1) + ["2"]
    kept = []
    for (low, high), chrom in zip(spans, chroms, strict=True):
        found = running.of(CisWindow("g", chrom, 0, {}, dosage[low:high], place=low))
        alone = prepare(dosage[low:high], space)
        np.testing.assert_allclose(found.unit, alone.unit, rtol=0, atol=1e-14)
        np.testing.assert_allclose(found.length, alone.length, rtol=1e-12)
        assert np.array_equal(found.usable, alone.usable)
        kept.append((found.unit, alone.unit))
    # Threads may read a window while later ones are prepared.
    for unit, expected in kept:
        np.testing.assert_allclose(unit, expected, rtol=0, atol=1e-14)
    assert prepared_rows == [50] + [8] * 14 + [20, 36, 8]
