"""A Run: what it holds, that it learns, that it resumes exactly, that it leaves nothing half."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import load_file

from exprimo.core.errors import ConfigError, InputError, LeakError, MismatchError
from exprimo.core.files.atomic import partial_path
from exprimo.core.run import PREDICTION_COLUMNS, Run
from exprimo.training import TrainConfig, train_run
from exprimo.training import loop as loop_module

TINY = {"channels": 16, "stem_channels": 24, "hidden": 16, "head_channels": 8, "dropout": 0.1}


def _config(dataset: Path, **changes) -> TrainConfig:
    values = {
        "dataset": str(dataset),
        "target": "y",
        "split": {"strategy": "homology"},
        "fit": {"epochs": 3, "batch_size": 32, "average": 0.9},
        "machine": {"device": "cpu", "threads": 1, "precision": "fp32"},
        "options": TINY,
        **changes,
    }
    return TrainConfig.checked(values)


@pytest.fixture(scope="module")
def unbroken(planted: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return train_run(_config(planted), tmp_path_factory.mktemp("runs") / "unbroken")


def test_a_run_holds_what_the_design_names(unbroken: Run) -> None:
    names = {path.name for path in unbroken.path.iterdir()}
    assert names == {
        "config.toml",
        "split.parquet",
        "model.safetensors",
        "metrics.json",
        "predictions.parquet",
        "history.csv",
        "provenance.json",
        "ledger.parquet",
    }
    assert tuple(unbroken.predictions().columns) == PREDICTION_COLUMNS
    assert len(unbroken.history()) == 3


def test_its_config_replays_it(unbroken: Run, tmp_path: Path) -> None:
    again = train_run(TrainConfig.load(unbroken.config_path), tmp_path / "again")
    pd.testing.assert_frame_equal(again.predictions(), unbroken.predictions())


def test_predictions_cover_every_part_with_observed_values(unbroken: Run) -> None:
    table = unbroken.predictions()
    counts = unbroken.split.counts()
    assert len(table) == counts["train"] + counts["val"] + counts["test"]
    assert table["target"].notna().all()
    assert table["prediction_sd"].isna().all()


def test_metrics_carry_intervals_over_homology_groups(unbroken: Run) -> None:
    metrics = unbroken.metrics
    estimate = metrics["parts"]["test"]["pearson_r"]
    assert metrics["unit"] == "homology group"
    assert estimate["low"] <= estimate["value"] <= estimate["high"]
    table = unbroken.predictions().set_index("example_id")
    split = unbroken.split
    test = table.loc[split.example_id[split.rows("test")]]
    expected = np.corrcoef(test["target"], test["prediction"])[0, 1]
    assert estimate["value"] == pytest.approx(expected, abs=1e-6)


def _assert_equal_runs(one: Run, other: Run) -> None:
    ours, theirs = load_file(one.weights_path), load_file(other.weights_path)
    assert ours.keys() == theirs.keys()
    for name, values in ours.items():
        np.testing.assert_array_equal(values, theirs[name], err_msg=name)
    pd.testing.assert_frame_equal(one.predictions(), other.predictions())
    drop = ["seconds"]
    pd.testing.assert_frame_equal(
        one.history().drop(columns=drop), other.history().drop(columns=drop)
    )


def test_an_interrupted_run_resumes_to_the_same_end(
    planted: Path, unbroken: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config, out = _config(planted), tmp_path / "resumed"
    whole = loop_module.save_state

    def save_then_stop(*arguments) -> None:
        whole(*arguments)
        raise KeyboardInterrupt

    for _ in range(2):
        monkeypatch.setattr(loop_module, "save_state", save_then_stop)
        with pytest.raises(KeyboardInterrupt):
            train_run(config, out, resume=True)
        assert not out.exists()
        assert partial_path(out).is_dir()
    monkeypatch.setattr(loop_module, "save_state", whole)
    _assert_equal_runs(train_run(config, out, resume=True), unbroken)
    assert not partial_path(out).exists()


@pytest.mark.slow
def test_sigkill_in_mid_epoch_then_resume_ends_the_same(
    planted: Path, unbroken: Run, tmp_path: Path
) -> None:
    out = tmp_path / "killed"
    config_file = tmp_path / "config.toml"
    _config(planted).save(config_file)
    script = textwrap.dedent(
        """
        import os, signal, sys
        from exprimo.training import TrainConfig, train_run, loop
        step = loop.load_batch
        calls = 0
        def load_or_die(*arguments):
            global calls
            calls += 1
            if calls == 20:                      # in the second epoch of fifteen steps
                os.kill(os.getpid(), signal.SIGKILL)
            return step(*arguments)
        loop.load_batch = load_or_die
        train_run(TrainConfig.load(sys.argv[1]), sys.argv[2])
        """
    )
    died = subprocess.run(
        [sys.executable, "-c", script, str(config_file), str(out)],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        check=False,
    )
    assert died.returncode == -signal.SIGKILL
    assert not out.exists()
    with pytest.raises(InputError, match="did not finish"):
        Run.open(out)
    with pytest.raises(InputError, match="--resume"):
        train_run(_config(planted), out)
    _assert_equal_runs(train_run(_config(planted), out, resume=True), unbroken)


def test_resuming_with_other_settings_is_refused(
    planted: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = loop_module.save_state

    def save_then_stop(*arguments) -> None:
        whole(*arguments)
        raise KeyboardInterrupt

    monkeypatch.setattr(loop_module, "save_state", save_then_stop)
    with pytest.raises(KeyboardInterrupt):
        train_run(_config(planted), tmp_path / "r")
    with pytest.raises(MismatchError, match="seed"):
        train_run(_config(planted, seed=5), tmp_path / "r", resume=True)


def test_resuming_a_finished_run_gives_it_back_unless_settings_differ(
    planted: Path, unbroken: Run
) -> None:
    again = train_run(_config(planted), unbroken.path, resume=True)
    assert again.metrics == unbroken.metrics
    with pytest.raises(MismatchError, match=r"started with other settings.*seed|seed.*settings"):
        train_run(_config(planted, seed=5), unbroken.path, resume=True)
    other = _config(planted, options={**TINY, "channels": 24})
    with pytest.raises(MismatchError, match="options"):
        train_run(other, unbroken.path, resume=True)


def test_an_error_before_training_leaves_nothing(planted: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="unknown key"):
        train_run(_config(planted, options={"chanels": 3}), tmp_path / "r")
    assert list(tmp_path.iterdir()) == []


def test_a_baseline_learns_the_motif_less_well_than_it_could(planted: Path, tmp_path: Path) -> None:
    run = train_run(
        _config(planted, model="kmer_linear", target="high", options={"k": 3}), tmp_path / "r"
    )
    metrics = run.metrics
    assert metrics["headline"] == "auroc"
    assert 0.5 < metrics["parts"]["test"]["auroc"]["value"] < 1
    assert metrics["threshold"]["chosen_on"] == "val"
    assert 0 < metrics["majority"]["accuracy"] < 1


def test_ensembles_give_a_spread_and_conformal_intervals(planted: Path, tmp_path: Path) -> None:
    config = _config(planted, ensemble=2, fit={"epochs": 2, "batch_size": 64, "average": 0.9})
    run = train_run(config, tmp_path / "r")
    assert (run.predictions()["prediction_sd"] > 0).all()
    conformal = run.metrics["conformal"]
    assert not conformal["scaled"]  # the spread of two members says too little
    assert 0.6 < conformal["coverage"]["value"] <= 1
    assert set(run.history()["member"]) == {0, 1}


def test_the_ledger_refuses_a_split_that_was_tampered_with(
    planted: Path, unbroken: Run, tmp_path: Path
) -> None:
    from exprimo.core.dataset import Dataset
    from exprimo.training.judging import check_leaks

    with Dataset.open(planted) as data:
        seen = unbroken.split.rows("train")[:3]
        with pytest.raises(LeakError, match="weights learned from"):
            check_leaks(unbroken.ledger, data, seen, ("gene", "sequence"), allow=False)
        leaks = check_leaks(unbroken.ledger, data, seen, ("gene", "sequence"), allow=True)
    named = {key for leak in leaks if leak.unit == "gene" for key in leak.keys}
    assert named == {f"g{row}" for row in seen}


def test_provenance_names_the_dataset_and_its_bytes(unbroken: Run, planted: Path) -> None:
    facts = json.loads((unbroken.path / "provenance.json").read_text())
    assert facts["dataset"]["path"] == str(planted.resolve())
    assert facts["sources"][0]["bytes"] == planted.stat().st_size
    assert facts["split"]["strategy"] == "homology"


def test_resuming_a_finished_run_with_the_same_words_gives_it_back(
    planted: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(planted.parent)
    config = TrainConfig.checked({"dataset": planted.name, "target": "y", "model": "gc_content"})
    done = train_run(config, tmp_path / "r")
    again = train_run(config, tmp_path / "r", resume=True)
    assert again.path == done.path
    with pytest.raises(MismatchError, match=r"Found: seed = 4\. Expected: seed = 0"):
        train_run(config.model_copy(update={"seed": 4}), tmp_path / "r", resume=True)


def test_a_second_writer_is_not_told_to_remove_the_first(planted: Path, tmp_path: Path) -> None:
    from exprimo.core.errors import LockedError
    from exprimo.core.files.atomic import atomic_directory

    config = _config(planted, model="gc_content")
    with (
        atomic_directory(tmp_path / "r"),
        pytest.raises(LockedError, match="another process is writing"),
    ):
        train_run(config, tmp_path / "r")


def test_a_part_with_one_class_is_refused_before_training(planted: Path, tmp_path: Path) -> None:
    import shutil

    import h5py

    one = tmp_path / "one.h5"
    shutil.copy(planted, one)
    with h5py.File(one, "r+") as file:
        file["targets/high"][:] = 1
    with pytest.raises(InputError, match="the train part holds one class only"):
        train_run(_config(one, target="high"), tmp_path / "r")
    assert not (tmp_path / "r").exists()


def test_a_leak_that_is_allowed_is_left_in_and_stamped(planted: Path, tmp_path: Path) -> None:
    import shutil

    import h5py

    copies = tmp_path / "copies.h5"
    shutil.copy(planted, copies)
    with h5py.File(copies, "r+") as file:
        rows = file["inputs/sequence/index"]
        rows[1] = rows[0]  # the same sequence on chr1 and chr2
    config = _config(
        copies,
        model="gc_content",
        options={},
        split={"strategy": "chromosome", "test_chroms": ["chr1"], "val_chroms": ["chr3"]},
    )
    honest = train_run(config, tmp_path / "honest")
    assert honest.metrics["leaks"] == []
    assert honest.split.counts()["none"] == 1
    stamped = train_run(config, tmp_path / "stamped", allow_leak=True).metrics
    assert stamped["allow_leak"]
    assert {(leak["unit"], leak["n"]) for leak in stamped["leaks"]} == {("sequence", 1)}
