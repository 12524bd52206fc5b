"""The sentences of a chromatin study, from made-up tables of paired differences."""

from __future__ import annotations

from math import nan
from pathlib import Path

import pandas as pd
import pytest

from exprimo.studies.benchmarking import Benchmarked
from exprimo.studies.chromatin.config import ALL, KMERS, MARKS, RIDGE_WITHIN, STATISTICS, WITHIN
from exprimo.studies.chromatin.verdict import verdict

Difference = tuple[str, str, float, float, float]
SPLIT = "gene*cell"


def benchmark(
    *differences: Difference, low: float = 0.7, headline: str = "pearson_r"
) -> Benchmarked:
    """Make a benchmark with these pairs under one split; under another all is better."""
    rows = []
    for a, b, value, below, above in differences:
        rows.append(("model", SPLIT, a, SPLIT, b, headline, value, below, above))
        rows.append(("model", "example", a, "example", b, headline, 0.5, 0.4, 0.6))
        rows.append(("split", SPLIT, a, "example", b, headline, -0.5, -0.6, -0.4))
    columns = ["kind", "split_a", "model_a", "split_b", "model_b", "metric", "value", "low", "high"]
    scores = [
        (row, split, metric, value, low, 0.9)
        for row in (ALL, MARKS)
        for split, metric, value in (
            (SPLIT, headline, 0.8), (SPLIT, "spearman", 0.1), ("example", headline, 0.99),
        )
    ]  # fmt: skip
    table = pd.DataFrame(scores, columns=["model", "split", "metric", "value", "low", "high"])
    paired = pd.DataFrame(rows, columns=columns)
    return Benchmarked(Path("b"), Path("r"), headline, table, paired)


def test_a_row_that_beats_and_one_that_adds() -> None:
    made = benchmark((ALL, "gene_mean", 0.2, 0.1, 0.3), (ALL, MARKS, 0.05, 0.02, 0.08))
    found = verdict(made, SPLIT, ALL)
    assert found["text"] == (
        "marks + statistics + k-mers reaches Pearson r 0.800 [0.700, 0.900] under the gene*cell "
        "split. It beats gene_mean: +0.200 [+0.100, +0.300]. Cell statistics and k-mers add to "
        "marks: +0.050 [+0.020, +0.080]."
    )
    assert found["row"] == ALL
    assert found["steps"] == [
        {"input": "both", "more": ALL, "less": MARKS, "difference": 0.05, "low": 0.02,
         "high": 0.08, "adds": True},
    ]  # fmt: skip
    assert [(step["less"], step["adds"]) for step in found["rivals"]] == [("gene_mean", True)]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (STATISTICS, "Cell statistics make marks worse: −0.050 [−0.080, −0.020]."),
        (KMERS, "K-mers make marks worse: −0.050 [−0.080, −0.020]."),
        (WITHIN, "The scale of each cell type makes marks worse: −0.050 [−0.080, −0.020]."),
    ],
)
def test_what_makes_marks_worse(more: str, said: str) -> None:
    found = verdict(benchmark((more, MARKS, -0.05, -0.08, -0.02)), SPLIT, MARKS)
    assert found["text"].endswith(said)
    assert found["steps"][0]["adds"] is False


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (KMERS, "It is not shown that k-mers add to marks:"),
        (WITHIN, "It is not shown that the scale of each cell type adds to marks:"),
    ],
)
@pytest.mark.parametrize("interval", [(-0.01, 0.03), (0.0, 0.03), (-0.01, 0.0)])
def test_an_interval_with_0_inside_shows_nothing(
    more: str, said: str, interval: tuple[float, float]
) -> None:
    found = verdict(benchmark((more, MARKS, 0.01, *interval)), SPLIT, MARKS)
    assert said in found["text"]
    assert found["steps"][0]["adds"] is False


@pytest.mark.parametrize("interval", [(-0.01, 0.03), (nan, nan)])
def test_a_rival_that_is_not_beaten(interval: tuple[float, float]) -> None:
    found = verdict(benchmark((ALL, "bins_ridge", 0.01, *interval), low=nan), SPLIT, ALL)
    assert "reaches Pearson r 0.800 under" in found["text"]
    assert "It is not shown to beat bins_ridge: +0.010" in found["text"]
    assert "nan" not in found["text"]


def test_a_pair_that_is_stored_the_other_way_round_is_turned() -> None:
    forward = verdict(benchmark((ALL, RIDGE_WITHIN, -0.2, -0.3, -0.1)), SPLIT, ALL)
    backward = verdict(benchmark((RIDGE_WITHIN, ALL, 0.2, 0.1, 0.3)), SPLIT, ALL)
    assert forward == backward
    assert "It is worse than ridge within cells: −0.200 [−0.300, −0.100]." in forward["text"]


def test_steps_among_rows_without_marks_are_given_but_not_said() -> None:
    pairs = [
        (ALL, KMERS, 0.1, 0.05, 0.2), (ALL, STATISTICS, 0.3, 0.2, 0.4),
        (STATISTICS, MARKS, 0.1, 0.05, 0.2),
    ]  # fmt: skip
    found = verdict(benchmark(*pairs), SPLIT, ALL)
    assert [(step["input"], step["less"]) for step in found["steps"]] == [
        ("cell statistics", MARKS), ("k-mers", STATISTICS), ("cell statistics", KMERS),
    ]  # fmt: skip
    assert "add to marks + k-mers" not in found["text"]
    assert found["text"].count(" add to ") == 1


def test_a_row_that_did_not_run_says_nothing() -> None:
    found = verdict(benchmark(), "cell", ALL)
    assert (found["text"], found["steps"], found["rivals"]) == ("", [], [])
