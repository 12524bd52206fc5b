"""The folder of a trained model: opened only when whole, refused with the reason."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from exprimo.core.errors import FormatError, InputError, LockedError, VersionError
from exprimo.core.files.atomic import atomic_directory, partial_path
from exprimo.core.run import (
    PREDICTION_COLUMNS,
    Run,
    read_predictions,
    write_json,
    write_predictions,
)

TABLE = pd.DataFrame(
    {
        "example_id": ["a", "b"],
        "target": np.array([1.5, np.nan], np.float32),
        "prediction": np.array([0.25, -2.0], np.float32),
        "prediction_sd": np.array([np.nan, np.nan], np.float32),
    }
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "RUN"
    made.mkdir()
    write_json(made / "provenance.json", {"format_version": 1, "dataset": {}, "split": {}})
    return made


def test_a_run_is_named_after_its_folder(folder: Path) -> None:
    run = Run.open(folder)
    assert run.name == "RUN"
    assert run.provenance == {"format_version": 1, "dataset": {}, "split": {}}
    assert run.config_path.name == "config.toml"
    assert run.weights_path.name == "model.safetensors"


def test_a_missing_run_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no such run.*exprimo train"):
        Run.open(tmp_path / "RUN")


def test_an_unfinished_run_says_how_to_go_on(tmp_path: Path) -> None:
    partial_path(tmp_path / "RUN").mkdir()
    with pytest.raises(InputError, match=r"did not finish.*--resume"):
        Run.open(tmp_path / "RUN")


def test_a_growing_run_is_named_as_such(tmp_path: Path) -> None:
    with (
        atomic_directory(tmp_path / "RUN"),
        pytest.raises(LockedError, match="another process is writing this"),
    ):
        Run.open(tmp_path / "RUN")


def test_a_file_is_no_run(tmp_path: Path) -> None:
    (tmp_path / "D.h5").write_bytes(b"data")
    with pytest.raises(FormatError, match="a file, not a run"):
        Run.open(tmp_path / "D.h5")


def test_a_folder_of_something_else_is_no_run(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"not a run: provenance\.json is missing"):
        Run.open(tmp_path)


@pytest.mark.parametrize("version", [None, "x", 0])
def test_an_impossible_version_is_refused(version: object, folder: Path) -> None:
    (folder / "provenance.json").write_text(json.dumps({"format_version": version}))
    with pytest.raises(FormatError, match="format version"):
        Run.open(folder)


def test_a_newer_run_is_refused(folder: Path) -> None:
    (folder / "provenance.json").write_text('{"format_version": 2}')
    with pytest.raises(VersionError, match=r"newer Exprimo. Found: format_version 2"):
        Run.open(folder)


@pytest.mark.parametrize(
    ("content", "problem"),
    [(b"{", "not valid JSON"), (b"\xff", "not valid JSON"), (b"[1]", "not a JSON object")],
)
def test_broken_json_is_named(content: bytes, problem: str, folder: Path) -> None:
    (folder / "metrics.json").write_bytes(content)
    with pytest.raises(FormatError, match=rf"metrics\.json: {problem}"):
        _ = Run.open(folder).metrics


def test_a_missing_history_is_named(folder: Path) -> None:
    with pytest.raises(FormatError, match="no history of a run"):
        Run.open(folder).history()


def test_json_holds_null_where_there_is_no_number(tmp_path: Path) -> None:
    path = tmp_path / "m.json"
    write_json(path, {"a": float("nan"), "b": [float("inf"), 1.5], "c": {"d": (None, "β")}})
    assert json.loads(path.read_text()) == {"a": None, "b": [None, 1.5], "c": {"d": [None, "β"]}}


def test_predictions_survive_the_disk(tmp_path: Path) -> None:
    path = tmp_path / "p.parquet"
    write_predictions(path, TABLE)
    pd.testing.assert_frame_equal(read_predictions(path), TABLE)
    assert tuple(TABLE) == PREDICTION_COLUMNS


def test_predictions_as_text_keep_gaps_empty(tmp_path: Path) -> None:
    write_predictions(tmp_path / "p.tsv", TABLE)
    assert (tmp_path / "p.tsv").read_text().splitlines() == [
        "\t".join(PREDICTION_COLUMNS),
        "a\t1.5\t0.25\t",
        "b\t\t-2.0\t",
    ]
    write_predictions(tmp_path / "p.jsonl", TABLE)
    lines = [json.loads(line) for line in (tmp_path / "p.jsonl").read_text().splitlines()]
    assert lines[1] == {"example_id": "b", "target": None, "prediction": -2, "prediction_sd": None}
    write_predictions(tmp_path / "p.json", TABLE)
    assert json.loads((tmp_path / "p.json").read_text()) == [
        {"example_id": "a", "target": 1.5, "prediction": 0.25, "prediction_sd": None},
        lines[1],
    ]


def test_an_unknown_kind_of_output_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"p\.xlsx: unknown kind of output"):
        write_predictions(tmp_path / "p.xlsx", TABLE)
    assert list(tmp_path.iterdir()) == []


def test_tables_that_are_no_predictions_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "p.parquet"
    with pytest.raises(FormatError, match="not a table of predictions"):
        read_predictions(path)
    path.write_bytes(b"text")
    with pytest.raises(FormatError, match="not a table of predictions"):
        read_predictions(path)
    TABLE.drop(columns="target").to_parquet(path)
    with pytest.raises(FormatError, match="columns are missing"):
        read_predictions(path)


def test_metrics_without_a_key_are_refused_by_name(folder: Path) -> None:
    (folder / "metrics.json").write_text('{"task": "regression"}')
    with pytest.raises(FormatError, match=r"metrics.json, target, model, .*a key is missing"):
        _ = Run.open(folder).metrics


@pytest.mark.parametrize("suffix", ["parquet", "tsv", "json", "jsonl"])
def test_a_folder_called_tilde_is_not_the_home(
    suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    monkeypatch.chdir(tmp_path)
    write_predictions(f"~/p.{suffix}", TABLE)
    assert [path.name for path in (tmp_path / "~").iterdir()] == [f"p.{suffix}"]
    assert list((tmp_path / "home").iterdir()) == []
