"""The sentences of a study, from made-up tables of paired differences."""

from __future__ import annotations

from math import nan
from pathlib import Path

import pandas as pd
import pytest

from exprimo.studies.benchmarking import Benchmarked
from exprimo.studies.halflife.verdict import BOTH, ENCODED, HALFLIFE_ALONE, PROMOTER, verdict

Difference = tuple[str, str, float, float, float]


def benchmark(
    *differences: Difference, headline: str = "auroc", low: float = 0.7, both: bool = True
) -> Benchmarked:
    """Make a benchmark of both against other rows under homology; under random all is better."""
    rows = []
    for a, b, value, below, above in differences:
        rows.append(("model", "homology", a, "homology", b, headline, value, below, above))
        rows.append(("model", "random", a, "random", b, headline, 0.5, 0.4, 0.6))
        rows.append(("split", "homology", a, "random", b, headline, -0.5, -0.6, -0.4))
    columns = ["kind", "split_a", "model_a", "split_b", "model_b", "metric", "value", "low", "high"]
    scores = [
        (BOTH if both else PROMOTER, "homology", headline, 0.8, low, low + 0.2),
        (BOTH if both else PROMOTER, "homology", "mcc", 0.1, 0.0, 0.2),
        (BOTH if both else PROMOTER, "random", headline, 0.99, 0.98, 1.0),
    ]
    table = pd.DataFrame(scores, columns=["model", "split", "metric", "value", "low", "high"])
    paired = pd.DataFrame(rows, columns=columns)
    return Benchmarked(Path("b"), Path("r"), headline, table, paired)


def test_what_an_interval_above_0_says() -> None:
    found = verdict(benchmark((BOTH, PROMOTER, 0.05, 0.02, 0.08)), "homology")
    assert found["text"] == (
        "Promoter and half-life features together reach AUROC 0.800 [0.700, 0.900] under the "
        "homology split. Half-life features add to the promoter: +0.050 [+0.020, +0.080]."
    )
    assert found["steps"] == [
        {
            "input": "half-life features",
            "name": "half-life features add to the promoter",
            "more": BOTH,
            "less": PROMOTER,
            "difference": 0.05,
            "low": 0.02,
            "high": 0.08,
            "adds": True,
        }
    ]


def test_what_an_interval_below_0_says() -> None:
    found = verdict(benchmark((BOTH, HALFLIFE_ALONE, -0.05, -0.08, -0.02)), "homology")
    assert found["text"].endswith(
        f"The row {BOTH} is worse than {HALFLIFE_ALONE}: −0.050 [−0.080, −0.020]."
    )
    assert found["steps"][0]["adds"] is False


@pytest.mark.parametrize("interval", [(-0.01, 0.03), (0.0, 0.03), (-0.01, 0.0)])
def test_what_an_interval_with_0_inside_says(interval: tuple[float, float]) -> None:
    found = verdict(benchmark((ENCODED, BOTH, 0.01, *interval)), "homology")
    assert "It is not shown that the contrastive encoder adds" in found["text"]
    assert found["steps"][0]["adds"] is False


def test_a_pair_that_is_stored_the_other_way_round_is_turned() -> None:
    forward = verdict(benchmark((BOTH, PROMOTER, 0.05, 0.02, 0.08)), "homology")
    backward = verdict(benchmark((PROMOTER, BOTH, -0.05, -0.08, -0.02)), "homology")
    assert forward == backward


def test_no_interval_is_no_finding_either_way() -> None:
    found = verdict(benchmark((PROMOTER, BOTH, -0.05, nan, nan), low=nan), "homology")
    assert "reach AUROC 0.800 under" in found["text"]
    assert "cannot be told from so few genes: +0.050, without an interval." in found["text"]
    assert "nan" not in found["text"]
    assert found["steps"][0]["adds"] is False


def test_steps_stand_in_order_and_only_where_both_rows_ran() -> None:
    pairs = [(ENCODED, BOTH, 0.1, 0.05, 0.2), (BOTH, PROMOTER, 0.1, 0.05, 0.2)]
    found = verdict(benchmark(*pairs), "homology")
    assert [step["less"] for step in found["steps"]] == [PROMOTER, BOTH]
    alone = verdict(benchmark(both=False), "homology")
    assert alone == {"text": "", "steps": []}


def test_a_regression_is_told_by_its_own_metric() -> None:
    found = verdict(benchmark(headline="pearson_r"), "homology")
    assert "reach Pearson r 0.800" in found["text"]


@pytest.mark.parametrize(("seeds", "said"), [(1, "split, from one training."), (3, "split.")])
def test_one_training_is_said(seeds: int, said: str) -> None:
    made = benchmark()
    made = made._replace(scores=made.scores.assign(n_seeds=seeds))
    assert verdict(made, "homology")["text"].endswith(said)
