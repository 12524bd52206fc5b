"""LD that belongs to the z-scores passes; LD of others and flipped alleles are seen."""

from __future__ import annotations

import numpy as np
import pytest

from exprimo.core.errors import MismatchError
from exprimo.genetics.finemap import check_ld


def _ld(n, decay):
    at = np.arange(n)
    return decay ** np.abs(at[:, None] - at)


def _draw(rng, ld):
    return np.linalg.cholesky(ld) @ rng.normal(size=len(ld))


def test_the_right_ld_needs_no_shrinkage():
    rng = np.random.default_rng(0)
    ld = _ld(300, 0.9)
    right = check_ld(_draw(rng, ld), ld)
    wrong = check_ld(_draw(rng, _ld(300, 0.3)), ld)
    assert right.shrinkage < 0.01
    assert wrong.shrinkage > 0.2
    assert right.surprise.std() == pytest.approx(1, abs=0.15)


def test_kriging_equals_the_conditional_normal():
    ld = _ld(6, 0.7)
    z = np.array([1.0, 2.0, -0.5, 0.3, 1.4, 0.9])
    found = check_ld(z, ld)
    used = (1 - found.shrinkage) * ld + found.shrinkage * np.eye(6)
    rest = [0, 1, 2, 4, 5]
    weights = np.linalg.solve(used[np.ix_(rest, rest)], used[rest, 3])
    tolerance = 2e-3  # where shrinkage is nearly 0, a little of I is added
    assert found.expected[3] == pytest.approx(weights @ z[rest], abs=tolerance)
    assert found.variance[3] == pytest.approx(1 - weights @ used[rest, 3], abs=tolerance)


def test_a_flipped_allele_is_named():
    rng = np.random.default_rng(1)
    ld = _ld(100, 0.95)
    z = _draw(rng, ld) + 7 * ld[50]
    assert not check_ld(z, ld).flipped.any()
    z[48] *= -1
    assert np.flatnonzero(check_ld(z, ld).flipped).tolist() == [48]


def test_other_variants_are_refused():
    with pytest.raises(MismatchError, match="other variants"):
        check_ld([1.0, 2.0], np.eye(3))
