"""SuSiE beside tensorQTL's, on a made-up region (tests/fixtures/finemap)."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from exprimo.genetics.finemap import SusieSettings, preset, susie

GOLDEN = Path(__file__).parents[3] / "fixtures" / "finemap" / "susie_tensorqtl.json"


@pytest.fixture(scope="module")
def golden():
    return json.loads(GOLDEN.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def dosage(golden):
    return np.array([[int(cell) for cell in row] for row in golden["dosage"]], dtype=float)


def test_em_gives_what_tensorqtl_gives(golden, dosage):
    found = susie(dosage, golden["trait"], settings=SusieSettings(**preset("tensorqtl")))
    np.testing.assert_allclose(found.pip, golden["pip"], atol=1e-9)
    np.testing.assert_allclose(found.prior_variance, golden["prior_variance"], atol=1e-9)
    assert found.residual_variance == pytest.approx(golden["residual_variance"], rel=1e-9)
    np.testing.assert_allclose(found.elbo, golden["elbo"], rtol=1e-9)
    sets = [sorted(one.variants.tolist()) for one in found.sets]
    assert sorted(sets) == sorted(golden["sets"])


def test_likelihood_gives_nearly_the_same(golden, dosage):
    found = susie(dosage, golden["trait"])
    np.testing.assert_allclose(found.pip, golden["pip"], atol=0.01)
