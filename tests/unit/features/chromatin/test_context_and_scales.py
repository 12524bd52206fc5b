"""The context of a cell type against NumPy, and the scales against their formulas."""

from __future__ import annotations

import numpy as np
import pytest

from exprimo.core.errors import ConfigError, FormatError, InputError
from exprimo.features.chromatin import CellContext, cell_context, context_labels
from exprimo.features.chromatin.scales import (
    check_scales,
    library_factor,
    scale_expression,
    scale_signal,
)


@pytest.mark.parametrize("chunk", [1, 7, 1000])
def test_context_equals_numpy_however_it_is_cut(chunk: int) -> None:
    rng = np.random.default_rng(0)
    # A high common level is where a sum of squares would lose its digits.
    signal = (1e4 + rng.gamma(2.0, size=(500, 3, 5))).astype(np.float32)
    context = CellContext()
    for start in range(0, len(signal), chunk):
        context.add(signal[start : start + chunk])
    context.add(signal[:0])
    exact = signal.astype(np.float64)
    expected = np.concatenate([exact.mean(axis=0), exact.std(axis=0)])
    np.testing.assert_allclose(context.statistics(), expected, rtol=1e-5)
    np.testing.assert_allclose(cell_context(signal), expected, rtol=1e-5)


def test_context_names_means_before_deviations() -> None:
    assert context_labels(["a", "b"]) == ("mean a", "mean b", "sd a", "sd b")
    with pytest.raises(InputError, match="without genes"):
        CellContext().statistics()


def test_scales_follow_their_formulas() -> None:
    values = np.array([0.0, 1.0, 7.5], dtype=np.float32)
    np.testing.assert_array_equal(scale_signal(values, "raw"), values)
    np.testing.assert_allclose(scale_signal(values, "log1p"), np.log(values + 1), rtol=1e-6)
    asinh = np.log(values + np.sqrt(values**2 + 1))
    np.testing.assert_allclose(scale_signal(values, "asinh"), asinh, rtol=1e-6)
    np.testing.assert_allclose(scale_expression(values, "log2"), np.log2(values + 1), rtol=1e-6)
    assert scale_signal(-values, "asinh").dtype == np.float32
    missing = np.array([np.nan, np.nan])
    assert np.isnan(scale_expression(missing, "log2")).all(), "missing is not below 0"


def test_a_negative_signal_has_no_logarithm() -> None:
    with pytest.raises(FormatError, match=r"cell type A, mark K4.*-0\.5.*asinh or raw"):
        scale_signal(np.array([1.0, -0.5]), "log1p", record="cell type A, mark K4")
    with pytest.raises(FormatError, match="an expression below 0"):
        scale_expression(np.array([np.nan, -1.0]), "log2")


def test_unknown_scales_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"--scale.*log10.*raw, log1p, asinh"):
        check_scales("log10", "raw")
    with pytest.raises(ConfigError, match=r"--expression-scale.*log1p.*raw, log2, asinh"):
        check_scales("raw", "log1p")


def test_library_size_is_reads_per_million_or_a_mean_of_one() -> None:
    assert library_factor("bed", 4e6, None, record="") == 0.25
    assert library_factor("bigwig", 300.0, 100, record="") * 3.0 == pytest.approx(1.0)
    with pytest.raises(ConfigError, match=r"A K4.*--fasta"):
        library_factor("bedgraph", 10.0, None, record="A K4")
    with pytest.raises(FormatError, match="without signal"):
        library_factor("bam", 0.0, None, record="A K4")
