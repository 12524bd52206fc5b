"""Signals that are independent of one another, forward and backward."""

from __future__ import annotations

import numpy as np
import pandas as pd

from exprimo.genetics.cohort import CisWindow
from exprimo.genetics.eqtl.conditional import Limits, independent_signals
from exprimo.genetics.eqtl.projection import projection
from exprimo.genetics.eqtl.statistics.permutations import orders

LIMITS = Limits(p=0.01, signals=10)


def window_of(dosage: np.ndarray) -> CisWindow:
    n = len(dosage)
    table = pd.DataFrame({"variant_id": [f"v{i}" for i in range(n)], "start": np.arange(n)})
    table = table.assign(
        chrom="1", ref="A", alt="C", record=0, tss_distance=0, af=0.5, ma_samples=9, ma_count=9.0
    )
    columns = {name: table[name].to_numpy() for name in table}
    return CisWindow("g", "1", 0, columns, dosage.astype(np.float32))


def found(dosage: np.ndarray, expression: np.ndarray, limits: Limits = LIMITS) -> list[dict]:
    people = len(expression)
    space = projection(np.random.default_rng(9).normal(size=(people, 2)))
    shuffled = orders(people, 300, seed=1)
    return independent_signals(window_of(dosage), expression, space, shuffled, limits)


def test_a_tag_of_two_causes_is_taken_first_and_given_up() -> None:
    rng = np.random.default_rng(3)
    dosage = rng.binomial(2, 0.5, (12, 300)).astype(float)
    dosage[6] = (dosage[2] + dosage[9]) / 2 + rng.normal(0, 0.35, 300)
    expression = dosage[2] + dosage[9] + rng.normal(size=300)
    first = found(dosage, expression, Limits(0.01, 1))
    assert [row["variant_id"] for row in first] == ["v6"]
    both = found(dosage, expression)
    assert {row["variant_id"] for row in both} == {"v2", "v9"}
    assert all(row["pval_beta"] < 0.01 for row in both)


def test_a_copy_of_a_signal_is_no_further_signal() -> None:
    rng = np.random.default_rng(4)
    dosage = rng.binomial(2, 0.4, (10, 200)).astype(float)
    dosage[7] = dosage[1]
    dosage[8] = 2 - dosage[1]
    (row,) = found(dosage, 0.8 * dosage[1] + rng.normal(size=200))
    assert row["variant_id"] == "v1"
    assert row["rank"] == 1
    assert row["num_var"] == 10


def test_nothing_is_found_where_nothing_is() -> None:
    rng = np.random.default_rng(5)
    n = sum(len(found(rng.binomial(2, 0.4, (15, 100)), rng.normal(size=100))) for _ in range(20))
    assert n <= 2
