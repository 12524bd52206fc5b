"""The rows of the table: what each is made of, what is asked, trained for classes, explained."""

from __future__ import annotations

from typing import Any

import pytest

from exprimo.core.errors import ConfigError
from exprimo.studies.benchmarking.plan import answer_split
from exprimo.studies.chromatin.config import (
    ALL,
    BASELINES,
    KMERS,
    MARKS,
    RIDGE_WITHIN,
    ROWS,
    STATISTICS,
    WITHIN,
)
from exprimo.studies.chromatin.plan import (
    binary_benchmark,
    compared_rows,
    explained_row,
    row_inputs,
    study_benchmark,
    study_question,
)

EVERYTHING = ("signal", "cell_context", "sequence")
BINNED = ("signal", "cell_context")


def test_rows_of_one_trunk_differ_in_what_they_read_alone(study: Any) -> None:
    config = study_benchmark(study(), "D.h5", EVERYTHING)
    assert config.models == (*BASELINES, *ROWS)
    same = {name for name, model in config.variants.items() if model == "histone_fcn"}
    assert same == {MARKS, STATISTICS, WITHIN, KMERS, ALL}
    reading = {"cell_statistics", "kmers", "within_cell"}
    assert all(set(config.options.get(name, {})) <= reading for name in same)
    assert MARKS not in config.options
    assert config.options[ALL] == {"cell_statistics": True, "kmers": True}
    assert (config.variants[RIDGE_WITHIN], config.role(RIDGE_WITHIN)) == ("bins_ridge", "baseline")
    assert config.role(MARKS) == "model"
    assert config.fit.evaluate_train
    assert (config.ensemble, config.members) == (3, "folds")


@pytest.mark.parametrize(
    ("row", "read"),
    [
        (MARKS, {"signal"}),
        (STATISTICS, {"signal", "cell_context"}),
        (WITHIN, {"signal", "cell_context"}),
        (KMERS, {"signal", "sequence"}),
        (ALL, {"signal", "cell_context", "sequence"}),
        (RIDGE_WITHIN, {"signal", "cell_context"}),
        ("gene_mean", set()),
        ("mark_sum", {"signal"}),
        ("histone_autoencoder", {"signal", "sequence"}),
    ],
)
def test_what_a_dataset_must_hold_for_a_row(study: Any, row: str, read: set[str]) -> None:
    assert row_inputs(study(), row) == read


def test_options_decide_what_a_row_reads(study: Any) -> None:
    made = study(
        benchmark={"models": ["mine"], "variants": {"mine": "histone_fcn"},
                   "options": {"mine": {"kmers": True}}}
    )  # fmt: skip
    assert row_inputs(made, "mine") == {"signal", "sequence"}


def test_without_sequence_rows_that_read_it_are_left_out_unless_asked_for(study: Any) -> None:
    rows = compared_rows(study(), BINNED)
    assert set(BASELINES) | {MARKS, STATISTICS, WITHIN, "deepchrome"} <= set(rows)
    assert not {KMERS, ALL, "histone_autoencoder"} & set(rows)
    assert compared_rows(study(benchmark={"models": [ALL]}), BINNED) == (ALL,)


def test_what_the_study_sets_wins_over_the_row(study: Any) -> None:
    made = study(
        benchmark={
            "models": [ALL, "wide", "deepchrome"],
            "variants": {"wide": "histone_fcn"},
            "options": {ALL: {"kmers": False, "width": 4}, "wide": {"width": 9}},
            "presets": {"wide": "published"},
        }
    )
    config = study_benchmark(made, "D.h5", EVERYTHING)
    assert config.options == {
        ALL: {"cell_statistics": True, "kmers": False, "width": 4},
        "wide": {"width": 9},
    }
    assert config.variants == {ALL: "histone_fcn", "wide": "histone_fcn"}
    assert config.presets == {"wide": "published"}


def test_the_question_follows_inputs_and_splits(study: Any) -> None:
    assert "and sequence, in cell types never seen?" in study_question(study(), EVERYTHING)
    assert "sequence" not in study_question(study(), BINNED)
    dealt = study(benchmark={"splits": ["gene", "example"]})
    assert study_question(dealt, BINNED).endswith("histone marks?")
    assert study_question(study(question="Why?", benchmark={"question": "x"}), BINNED) == "Why?"


def test_high_and_low_are_trained_once_under_the_split_that_answers(study: Any) -> None:
    made = study(
        benchmark={"seeds": 2, "fractions": [0.5], "options": {MARKS: {"width": 4},
                   ALL: {"width": 5}}, "ensemble": 2, "test_cells": ["C1"]},
        binary={"models": [MARKS, "deepchrome", "absent"]},
    )  # fmt: skip
    with pytest.raises(ConfigError):
        study(binary={"model": [MARKS]})
    config = study_benchmark(made, "D.h5", EVERYTHING)
    binary = binary_benchmark(made, config, "gene*cell")
    assert binary is not None
    assert (binary.models, binary.splits) == ((MARKS, "deepchrome"), ("gene*cell",))
    assert (binary.above, binary.fractions, binary.seeds) == ("cell-median", (), 2)
    assert (binary.options, binary.variants) == (
        {MARKS: {"width": 4}}, {MARKS: "histone_fcn"},
    )  # fmt: skip
    assert (binary.ensemble, binary.test_cells) == (2, ("C1",))
    assert binary_benchmark(study(binary={"models": []}), config, "gene") is None
    assert binary_benchmark(study(), study_benchmark(study(), "D.h5", BINNED), "gene") is None


def test_the_row_that_reads_most_is_explained_unless_another_is_named(study: Any) -> None:
    assert explained_row(study(), ("bins_ridge", MARKS, ALL)) == ALL
    assert explained_row(study(), ("gene_mean", MARKS, "deepchrome", WITHIN)) == WITHIN
    named = study(interpretation={"row": "deepchrome"})
    assert explained_row(named, (ALL, "deepchrome")) == "deepchrome"
    with pytest.raises(ConfigError, match="not compared"):
        explained_row(named, (ALL, MARKS))


def test_a_network_is_explained_whatever_else_is_compared(study: Any) -> None:
    # A ridge regression that reads more than the network has no gradients.
    assert explained_row(study(), ("gene_mean", RIDGE_WITHIN, MARKS)) == MARKS
    assert explained_row(study(), (RIDGE_WITHIN, "deepchrome")) == "deepchrome"
    mine = study(benchmark={"models": ["mine"], "variants": {"mine": "histone_fcn"}})
    assert explained_row(mine, ("mine", "bins_ridge")) == "mine"
    with pytest.raises(ConfigError, match="no network that reads marks is compared"):
        explained_row(study(), (*BASELINES, RIDGE_WITHIN, "cnn"))


@pytest.mark.parametrize(
    ("splits", "strictest"),
    [
        (("example", "gene", "cell", "gene*cell"), "gene*cell"),
        (("example", "cell"), "cell"),
        (("example",), "example"),
    ],
)
def test_the_strictest_split_answers(splits: tuple[str, ...], strictest: str) -> None:
    assert answer_split(splits) == strictest


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"dataset": "D.h5", "binned": {"files": ["a.npz"]}}, "binned and dataset is given"),
        ({"dataset": None}, "none is given"),
        ({"binned": {"files": []}}, "files"),
        ({"tracks": {"genes": "g", "expression": "e"}}, "signals or signal_table"),
        (
            {"tracks": {"genes": "g", "expression": "e", "signals": ["a:b:c"],
                        "signal_table": "t"}},
            "signals or signal_table",
        ),
        ({"interpretation": {"examples": 3}}, "examples"),
        ({"binari": {}}, "binary"),
    ],
)  # fmt: skip
def test_files_that_do_not_say_what_is_meant(study: Any, values: Any, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        study(**values)
