"""What a chromatin study refuses before any stage, and what once the dataset stands."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from exprimo.core.dataset import Dataset
from exprimo.core.errors import ConfigError, InputError
from exprimo.studies.chromatin.checks import check_dataset, check_files, check_settings
from exprimo.studies.chromatin.config import MARKS, WITHIN
from exprimo.studies.chromatin.plan import study_benchmark

TRACKS = {"genes": "g.gtf", "expression": "e.tsv", "signals": ["A:H3K4me3:a.bw"]}


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"benchmark": {"models": ["markz"]}}, "benchmark.models.* Did you mean marks"),
        ({"binary": {"models": ["deepchrom"]}}, "binary.models.* Did you mean deepchrome"),
        ({"benchmark": {"above": "median"}}, "benchmark.above: this study learns"),
        ({"benchmark": {"splits": ["gene*cel"]}}, "Did you mean cell"),
        ({"benchmark": {"options": {MARKS: {"widht": 4}}}}, "width"),
        ({"benchmark": {"presets": {"deepchrome": "publishd"}}}, "no such preset"),
        ({"interpretation": {"row": "cnn"}}, "the row to be explained is not compared"),
        ({"interpretation": {"row": "bins_ridge"}}, "no network that reads marks"),
        ({"interpretation": {"attention": "absent"}}, "the row to be explained is not compared"),
        (
            {"benchmark": {"models": ["cnn", MARKS]}, "interpretation": {"row": "cnn"}},
            "no network that reads marks",
        ),
    ],
)
def test_settings_that_no_stage_could_use(study: Any, values: Any, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        check_settings(study(**values))


def test_settings_that_can_be_used(study: Any) -> None:
    check_settings(study())
    models = [MARKS, "attentive_chrome", "mine", "bins_boosting"]
    check_settings(
        study(
            benchmark={"models": models, "variants": {"mine": "deepchrome"}, "splits": ["auto"]},
            binary={"models": ["mine"]},
            interpretation={"row": "mine", "attention": "attentive_chrome"},
        )
    )


@pytest.mark.parametrize(
    ("values", "absent"),
    [
        ({"dataset": "D.h5"}, "D.h5"),
        ({"tracks": TRACKS}, "a.bw"),
        ({"tracks": {**TRACKS, "fasta": "g.fa"}}, "g.fa"),
        ({"tracks": {**TRACKS, "signals": [], "signal_table": "t.tsv"}}, "t.tsv"),
        ({"binned": {"files": ["b.npz", "C1:c.npz"]}}, "c.npz"),
        ({"dataset": "D.h5", "truth": "truth"}, "chromatin.tsv"),
    ],
)
def test_absent_files_are_named(study: Any, tmp_path: Path, values: Any, absent: str) -> None:
    for name in {"D.h5", "g.gtf", "e.tsv", "a.bw", "g.fa", "b.npz"} - {absent}:
        (tmp_path / name).write_text("x")
    with pytest.raises(InputError, match=f"{absent}: no such file"):
        check_files(study(**values), tmp_path)


ROWS = {"models": [MARKS, WITHIN, "gene_mean"], "splits": ["gene*cell"]}
LEVELS = np.random.default_rng(1).normal(size=(4, 12))


@pytest.mark.parametrize(
    ("values", "target", "made", "said"),
    [
        (ROWS, LEVELS, {"signal": False}, "holds no signal.*exprimo dataset chromatin"),
        (ROWS, LEVELS > 0, {"kind": "classification"}, "the target has classes"),
        (ROWS, np.ones((4, 12)), {}, "expression: the target never varies"),
        (ROWS, np.full((4, 12), np.nan), {}, "the target never varies, or is not known"),
        ({**ROWS, "models": ["marks + k-mers"]}, LEVELS, {}, "marks . k-mers reads.*--sequences"),
        ({**ROWS, "test_cells": ["C7"]}, LEVELS, {}, "C7"),
        (ROWS, LEVELS[:1], {}, "cell"),
        (ROWS, LEVELS, {"named": False}, "gene_id|cell_type"),
        ({**ROWS, "models": ["gene_mean", "bins_ridge"]}, LEVELS, {}, "nothing can be explained"),
    ],
)
def test_datasets_that_cannot_be_used(
    study: Any, write_cells: Any, values: Any, target: Any, made: Any, said: str
) -> None:
    planned = study(benchmark=values)
    path = write_cells(target, **made)
    with Dataset.open(path) as data:
        config = study_benchmark(planned, path, data.inputs)
        with pytest.raises(InputError, match=said):
            check_dataset(planned, path.parent, data, config)


def test_a_dataset_that_can_be_used(study: Any, write_cells: Any) -> None:
    path = write_cells(LEVELS)
    planned = study(benchmark={**ROWS, "test_cells": ["C1"], "val_cells": ["C0"]})
    with Dataset.open(path) as data:
        check_dataset(planned, path.parent, data, study_benchmark(planned, path, data.inputs))
