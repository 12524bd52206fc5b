"""Expression and covariates fitted on training people."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from exprimo.core.errors import InputError, LeakError
from exprimo.data.genotypes import Genotypes
from exprimo.data.phenotypes import PersonalExpression
from exprimo.genetics.cohort import Cohort, prepared

GENES, PEOPLE = 60, 50


@pytest.fixture
def cohort() -> Cohort:
    random = np.random.default_rng(1)
    hidden = random.normal(size=(1, PEOPLE))
    values = np.exp(random.normal(size=(GENES, 1)) * hidden + random.normal(size=(GENES, PEOPLE)))
    genes = pd.DataFrame(
        {"gene_id": [f"g{i}" for i in range(GENES)], "chrom": "1", "start": 1, "end": 2}
    )
    people = tuple(f"P{i}" for i in range(PEOPLE))
    return Cohort(
        cast(Genotypes, None), people, PersonalExpression(genes, people, values, Path("e.bed")),
        random.normal(size=(PEOPLE, 1)), ("age",), {},
    )  # fmt: skip


def test_test_people_change_nothing(cohort: Cohort) -> None:
    training = np.arange(PEOPLE) < 35
    ready, _ = prepared(cohort, training, transforms=["log2", "inverse_normal"], hidden=2)
    odd = cohort.expression.values.copy()
    odd[:, ~training] = odd[:, ~training][:, ::-1] * 7
    other, _ = prepared(
        cohort._replace(expression=cohort.expression._replace(values=odd)),
        training, transforms=["log2", "inverse_normal"], hidden=2,
    )  # fmt: skip
    np.testing.assert_array_equal(
        ready.expression.values[:, training], other.expression.values[:, training]
    )
    np.testing.assert_allclose(ready.covariates[training], other.covariates[training])
    expected = stats.norm.ppf(stats.rankdata(cohort.expression.values[:, training], axis=1) / 36)
    np.testing.assert_allclose(ready.expression.values[:, training], expected)


def test_factors_join_the_covariates(cohort: Cohort) -> None:
    ready, ledger = prepared(cohort, transforms=["inverse_normal"], hidden="auto")
    assert ready.covariate_names == ("age", "hidden_PC1")
    np.testing.assert_array_equal(ready.covariates[:, :1], cohort.covariates)
    assert abs(np.corrcoef(ready.covariates.T)[0, 1]) < 1e-10
    assert set(ledger.learned) == {"expression transforms", "hidden factors"}
    with pytest.raises(InputError, match="hidden_PC1"):
        prepared(cohort._replace(covariate_names=("hidden_PC1",)), hidden=1)


def test_the_ledger_names_the_training_people(cohort: Cohort) -> None:
    training = np.arange(PEOPLE) < 35
    _, ledger = prepared(cohort, training, transforms=["zscore"])
    held_out = frozenset(np.array(cohort.people)[~training].tolist())
    ledger.check({"individual": held_out}, ["individual"])
    with pytest.raises(LeakError, match="expression transforms"):
        ledger.check({"individual": held_out | {"P3"}}, ["individual"])


def test_nothing_asked_nothing_done(cohort: Cohort) -> None:
    ready, ledger = prepared(cohort)
    assert ready == cohort
    assert not ledger.learned
    with pytest.raises(InputError, match="training people"):
        prepared(cohort, np.zeros(PEOPLE, dtype=bool))
