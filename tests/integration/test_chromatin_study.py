"""A study of histone marks through the command line: whole, resumed, judged, and its leaks."""

from __future__ import annotations

import csv
import json
import os
import re
import signal
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import exprimo
from exprimo.core.dataset import Dataset
from exprimo.core.run import Run
from exprimo.studies.chromatin.config import ALL, MARKS
from exprimo.training import TrainConfig

pytestmark = pytest.mark.slow

ROWS = ("gene_mean", "bins_ridge", MARKS, ALL, "attentive_chrome")
# Where there is sequence these come without being asked.
ADDED = ("mean", "gc_content", "kmer_linear")
SPLITS = ("gene*cell", "example")
TABLES = ("benchmark/table.tsv", "cells.tsv", "genes.tsv")
BOX = {"device": "cpu", "threads": 1, "precision": "fp32"}


@pytest.fixture
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Write pages without figures, whose drawing takes longer than a tiny study."""
    # By import_module: exprimo.report, as an attribute, is the command.
    monkeypatch.setattr(import_module("exprimo.report.page"), "draw_all", lambda _: {})


def _run(folder: Path, row: str, split: str) -> Run:
    part = "benchmark"
    return Run.open(
        folder / part / "runs" / f"{row.replace(' ', '-')}-{split.replace('*', '-x-')}-s0"
    )


def test_everything_is_written_and_nothing_else(chromatin_study: tuple[Path, str]) -> None:
    folder, said = chromatin_study
    assert {path.name for path in folder.iterdir()} == {
        "settings.toml", "dataset.h5", "benchmark", "binary", "interpretation", "cells.tsv",
        "genes.tsv", "study.json", "report.html", "figures",
    }  # fmt: skip
    assert {path.name for path in (folder / "interpretation").iterdir()} == {
        "mark_bins.tsv", "kmer_bins.tsv", "raised.tsv", "raised_outputs.tsv", "attention.tsv",
        "interpretation.json", "faithfulness.json", "faithfulness.tsv", "faithfulness_curves.tsv",
    }  # fmt: skip
    assert list(folder.rglob(".*")) == []
    facts = json.loads((folder / "study.json").read_text())
    assert (facts["kind"], facts["split"], facts["row"]) == ("chromatin", "gene*cell", ALL)
    assert facts["question"].endswith("marks and sequence, in cell types never seen?")
    assert facts["verdict"]["text"].startswith(f"{ALL} reaches Pearson r")
    assert facts["verdict"]["text"] in said
    assert [step["input"] for step in facts["verdict"]["steps"]] == ["both"]
    assert [step["less"] for step in facts["verdict"]["rivals"]] == ["gene_mean", "bins_ridge"]
    assert facts["truth"].keys() == set(SPLITS)
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert facts["question"].replace("'", "&#39;") in page
    assert len(re.findall(r'<figure[^>]*class="[^"]*figure', page)) >= 15


def test_every_row_is_judged_in_every_test_cell_type(chromatin_study: tuple[Path, str]) -> None:
    folder, _ = chromatin_study
    scores = pd.read_csv(folder / "benchmark" / "table.tsv", sep="\t")
    rows = {*ROWS, *ADDED}
    assert set(zip(scores["model"], scores["split"], strict=True)) == {
        (row, split) for row in rows for split in SPLITS
    }
    roles = dict(zip(scores["model"], scores["role"], strict=True))
    assert {row for row, role in roles.items() if role == "model"} == {
        MARKS, ALL, "attentive_chrome",
    }  # fmt: skip
    cells = pd.read_csv(folder / "cells.tsv", sep="\t")
    here = cells[(cells["split"] == "gene*cell") & (cells["model"] == MARKS)]
    assert set(here["cell_type"]) == {"cell01", "cell02", "mean over cell types"}
    assert set(here["metric"]) == {"pearson_r", "spearman", "r2", "mse", "auroc_high"}
    genes = pd.read_csv(folder / "genes.tsv", sep="\t").set_index(["model", "split"])
    assert genes.loc[(MARKS, "gene*cell"), "n_cell_types"] == 2
    assert genes.loc[(MARKS, "example"), "n_cell_types"] == 7
    # A value per gene says nothing of how its cell types differ.
    assert genes.loc[("gene_mean", "gene*cell"), "pooled_r"] == 0
    # No row does better than the expectation under the truth.
    truth = json.loads((folder / "study.json").read_text())["truth"]
    best = scores[scores["metric"] == "pearson_r"].groupby("split")["value"].max()
    for split in SPLITS:
        assert best[split] < truth[split]["pearson_r"]["value"] < 1


def test_rows_read_what_they_say(chromatin_study: tuple[Path, str]) -> None:
    folder, _ = chromatin_study
    read = {row: _run(folder, row, "gene*cell").metrics["inputs"] for row in ROWS}
    assert read == {
        "gene_mean": ["gene"],
        "bins_ridge": ["signal"],
        MARKS: ["signal"],
        ALL: ["signal", "cell_context", "kmer_bins"],
        "attentive_chrome": ["signal"],
    }
    with Dataset.open(folder / "dataset.h5") as data:
        # K-mers are counted on the fly.
        assert set(data.inputs) == {"signal", "cell_context", "sequence"}
        assert data.inputs["signal"].labels == ("H3K4me3", "H3K4me1", "H3K27me3")
        assert data.inputs["sequence"].n_distinct == 150
    vocabulary = TrainConfig.load(_run(folder, ALL, "gene*cell").config_path).options["vocabulary"]
    assert 3 < len(vocabulary) <= 64
    assert all(set(kmer) <= set("ACGT") for kmer in vocabulary)


@pytest.mark.parametrize("row", [MARKS, ALL, "bins_ridge"])
def test_no_fitted_thing_saw_a_test_gene_or_a_test_cell(
    chromatin_study: tuple[Path, str], row: str
) -> None:
    folder, _ = chromatin_study
    run = _run(folder, row, "gene*cell")
    with Dataset.open(folder / "dataset.h5") as data:
        genes, cells = data.column("gene_id"), data.column("cell_type")
    test = run.split.rows("test")
    assert set(cells[test]) == {"cell01", "cell02"}
    assert set(run.split.held_out) >= {"gene", "cell_type"}
    assert run.ledger.learned
    for fitted, learned in run.ledger.learned.items():
        assert not set(genes[test]) & set(learned["gene"]), fitted
        assert not {"cell01", "cell02"} & set(learned["cell_type"]), fitted


def test_the_gene_mean_knows_the_genes_where_examples_are_dealt_one_by_one(
    chromatin_study: tuple[Path, str],
) -> None:
    scores = pd.read_csv(chromatin_study[0] / "benchmark" / "table.tsv", sep="\t")
    r = scores[scores["metric"] == "pearson_r"].set_index(["model", "split"])
    assert r.loc[("gene_mean", "example"), "low"] > 0.5
    assert r.loc[("gene_mean", "gene*cell"), "value"] == r.loc[("mean", "gene*cell"), "value"] == 0
    run = _run(chromatin_study[0], "gene_mean", "example")
    assert run.split.held_out == ()


def test_the_gene_mean_says_of_unseen_genes_what_the_mean_says(
    chromatin_study: tuple[Path, str], tmp_path: Path
) -> None:
    predicted = {}
    for row in ("gene_mean", "mean"):
        run = exprimo.train(
            chromatin_study[0] / "dataset.h5", tmp_path / row, model=row,
            split={"strategy": "gene"}, machine=BOX,
        )  # fmt: skip
        predicted[row] = Run.open(run.path).predictions().set_index("example_id")
    with Dataset.open(chromatin_study[0] / "dataset.h5") as data:
        test = data.column("example_id")[Run.open(tmp_path / "mean").split.rows("test")]
    assert len(test) > 50
    told = [predicted[row]["prediction"].loc[test.tolist()] for row in ("gene_mean", "mean")]
    np.testing.assert_allclose(told[0], told[1], rtol=1e-6)


@pytest.mark.usefixtures("undrawn")
def test_a_run_of_the_study_replays_to_equal_predictions(
    chromatin_study: tuple[Path, str], command: Any, tmp_path: Path
) -> None:
    run = _run(chromatin_study[0], ALL, "gene*cell")
    ended = command("run", run.config_path, "-o", tmp_path / "again")
    assert (ended.code, ended.err) == (0, "")
    again = Run.open(tmp_path / "again")
    pd.testing.assert_frame_equal(again.predictions(), run.predictions())


@pytest.mark.usefixtures("undrawn")
def test_a_finished_study_is_refused_anew_and_resumed_unchanged(
    chromatin_home: Path, chromatin_study: tuple[Path, str], command: Any, untouched: Any
) -> None:
    folder, _ = chromatin_study
    with untouched(folder):
        refused = command("run", chromatin_home / "study.toml")
        refused.assert_says("a study stands here already", "--resume")
        refused = command(
            "run", chromatin_home / "study.toml", "--resume", "--set", "benchmark.ensemble=3"
        )
        refused.assert_says("started with other settings")


# Dies as soon as the state of an epoch of the second network stands.
DYING = """
import os, signal, sys
from pathlib import Path
from exprimo.cli.main import main
from exprimo.training import loop
whole, folder = loop.load_batch, Path(sys.argv.pop(1))
def load_or_die(*arguments):
    if list(folder.glob(".benchmark.partial/runs/.marks-+-*.partial/state-*.safetensors")):
        os.kill(os.getpid(), signal.SIGKILL)
    return whole(*arguments)
loop.load_batch = load_or_die
main()
"""


@pytest.mark.usefixtures("undrawn")
def test_a_killed_study_resumes_to_the_same_tables(
    chromatin_home: Path,
    chromatin_study: tuple[Path, str],
    command: Any,
    program: Any,
    tmp_path: Path,
) -> None:
    whole, folder = chromatin_study[0], tmp_path / "results"
    line = ["run", chromatin_home / "study.toml", "-o", folder]
    line += ["--set", "benchmark.splits=['gene*cell']", "--set", "binary.models=[]"]
    died = program(folder, *line, script=DYING)
    assert died.returncode == -signal.SIGKILL, died.stderr
    runs = folder / ".benchmark.partial" / "runs"
    finished = [path for path in runs.iterdir() if not path.name.startswith(".")]
    hidden = [path.name for path in runs.iterdir() if path.name.startswith(".") and path.is_dir()]
    # Baselines and a network are whole; the next one died between its epochs.
    assert len(finished) == len(ADDED) + 3
    assert hidden == [".marks-+-statistics-+-k-mers-gene-x-cell-s0.partial"]
    assert not (folder / "cells.tsv").exists()
    before = {path.name: (path / "metrics.json").stat().st_mtime_ns for path in finished}
    ended = command(*line, "--resume")
    assert (ended.code, ended.err) == (0, "")
    for name, written in before.items():
        path = folder / "benchmark" / "runs" / name / "metrics.json"
        assert path.stat().st_mtime_ns == written
    for row in ROWS:
        ours, theirs = (_run(one, row, "gene*cell") for one in (folder, whole))
        pd.testing.assert_frame_equal(ours.predictions(), theirs.predictions())
    for name in TABLES:
        lines = [
            [text for text in (one / name).read_text().splitlines() if "\tgene*cell\t" in text]
            for one in (folder, whole)
        ]
        assert lines[0] == lines[1], name
        assert len(lines[0]) >= len(ROWS)
    for name in ("mark_bins.tsv", "kmer_bins.tsv", "raised.tsv", "attention.tsv"):
        ours_theirs = [(one / "interpretation" / name).read_bytes() for one in (folder, whole)]
        assert ours_theirs[0] == ours_theirs[1], name
    assert list(folder.rglob(".*")) == []


@pytest.fixture(scope="module")
def cell_run(chromatin_study: tuple[Path, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ridge regression that was trained on six cell types of the study's dataset."""
    out = tmp_path_factory.mktemp("cell") / "run"
    exprimo.train(
        chromatin_study[0] / "dataset.h5",
        out,
        model="bins_ridge",
        split={"strategy": "cell", "test_cells": ("cell01",), "val_cells": ("cell03",)},
        machine=BOX,
    )
    return out


def _other_world(home: Path, cells: dict[str, str], out: Path, *, expression: bool) -> Path:
    """Build a dataset of some tracks of the world, whose cell types get new names."""
    signals = [
        f"{name}:{mark}:{home / 'world' / 'signal' / f'{cell}.{mark}.bw'}"
        for cell, name in cells.items()
        for mark in ("H3K4me3", "H3K4me1", "H3K27me3")
    ]
    table = None
    if expression:
        table = out.with_suffix(".expression.tsv")
        known = pd.read_csv(home / "world" / "cell_expression.tsv", sep="\t")
        known[["gene_id", *cells]].rename(columns=cells).to_csv(table, sep="\t", index=False)
    exprimo.dataset_chromatin(
        out=out, genes=home / "world" / "genes.gtf", signals=signals, bins=20, expression=table
    )
    return out


def test_a_cell_type_on_both_sides_is_a_leak(
    chromatin_home: Path, cell_run: Path, command: Any, tmp_path: Path
) -> None:
    known = _other_world(
        chromatin_home, {"cell01": "cell01", "cell05": "cell05"}, tmp_path / "known.h5",
        expression=True,
    )  # fmt: skip
    refused = command("evaluate", cell_run, known, "-o", tmp_path / "M.json")
    refused.assert_says("leak", "cell_type cell05", "--allow-leak")
    assert not (tmp_path / "M.json").exists()
    shown = command("evaluate", cell_run, known, "--allow-leak", "-o", tmp_path / "M.json")
    assert shown.code == 0
    assert json.loads((tmp_path / "M.json").read_text())["leaks"]
    # The same tracks under names that the run has never met are another matter.
    unseen = _other_world(
        chromatin_home, {"cell01": "cell01", "cell02": "new"}, tmp_path / "unseen.h5",
        expression=True,
    )  # fmt: skip
    judged = command("evaluate", cell_run, unseen, "-o", tmp_path / "U.json")
    assert (judged.code, judged.err) == (0, "")
    found = json.loads((tmp_path / "U.json").read_text())
    assert found["leaks"] == []
    assert found["metrics"]["pearson_r"]["value"] > 0.4


def test_a_table_to_hand_in_has_the_columns_that_were_asked_for(
    chromatin_home: Path, cell_run: Path, command: Any, tmp_path: Path
) -> None:
    unseen = _other_world(
        chromatin_home, {"cell01": "C51"}, tmp_path / "unseen.h5", expression=False
    )
    out = tmp_path / "S.csv"
    ended = command(
        "predict", cell_run, unseen, "--format", "csv", "--columns", "id,expression", "-o", out
    )
    assert (ended.code, ended.err) == (0, "")
    with out.open(newline="") as text:
        rows = list(csv.reader(text))
    assert rows[0] == ["id", "expression"]
    with Dataset.open(unseen) as data:
        expected = [f"C51_{gene}" for gene in data.column("gene_id")]
        assert data.targets == {}
    assert [row[0] for row in rows[1:]] == expected
    assert len(set(expected)) == 150
    values = np.array([float(row[1]) for row in rows[1:]])
    assert values.std() > 0.3
    assert os.listdir(tmp_path).count("S.csv") == 1
