"""Training like an earlier run: what is taken over, what wins over it, what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import exprimo
from exprimo.cli import main as cli
from exprimo.core.dataset import write_dataset
from exprimo.core.errors import ConfigError, InputError, MismatchError
from exprimo.core.run import Run
from exprimo.training import SplitConfig, TrainConfig, train_run
from exprimo.training.recorded import train_like

MACHINE = {"device": "cpu", "threads": 1, "precision": "fp32"}
SPLIT = {"strategy": "chromosome", "test_chroms": ["c1"], "val_chroms": ["c2"]}


def made(path: Path, seed: int) -> Path:
    """Write 200 sequences of 30 bases on five chromosomes; ``y`` counts G, ``up`` cuts it."""
    codes = np.random.default_rng(seed).integers(0, 4, (200, 30)).astype(np.uint8)
    y = (codes == 2).sum(axis=1).astype(float)
    with write_dataset(path, {"made": "for tests"}) as out:
        chroms = [f"c{row % 5 + 1}" for row in range(len(codes))]
        ids = [f"e{row}" for row in range(len(codes))]
        out.examples(pd.DataFrame({"example_id": ids, "chrom": chroms}))
        out.input("sequence", [codes])
        out.target("y", y, kind="regression")
        out.target("up", (y > 7).astype(float), kind="classification")
    return path


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(tmp_path_factory.mktemp("like") / "D.h5", 1)


@pytest.fixture(scope="module")
def before(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A network whose every setting differs from the default."""
    config = TrainConfig.checked(
        {
            "dataset": str(data),
            "model": "cnn",
            "target": "up",
            "seed": 3,
            "ensemble": 2,
            "level": 0.8,
            "split": SPLIT,
            "fit": {"epochs": 2, "batch_size": 16, "learning_rate": 0.004, "shift": 2,
                    "reverse_complement": "augment", "imbalance": "focal", "focal_gamma": 1.5},
            "machine": MACHINE,
            "options": {"channels": 8},
        }
    )  # fmt: skip
    return train_run(config, tmp_path_factory.mktemp("like") / "RUN")


def settings(data: Path, **given: Any) -> dict[str, Any]:
    return {"dataset": str(data), "machine": MACHINE, **given}


def test_the_same_again_is_the_same_run(data: Path, before: Run, tmp_path: Path) -> None:
    config, split = train_like(before.path, settings(data))
    again = train_run(config, tmp_path / "AGAIN", split=split)
    assert again.config_path.read_text() == before.config_path.read_text()
    pd.testing.assert_frame_equal(again.predictions(), before.predictions())
    # The same words again give it back.
    config, split = train_like(before.path, settings(data))
    assert train_run(config, tmp_path / "AGAIN", split=split, resume=True).path == again.path


def test_what_is_given_wins_and_the_rest_stays(data: Path, before: Run) -> None:
    was = TrainConfig.load(before.config_path)
    given = settings(
        data, seed=7, fit={"epochs": 5, "shift": None}, options={"kernel": 5}, target=None
    )
    config, split = train_like(before.path, given)
    assert (config.seed, config.fit.epochs, config.options["kernel"]) == (7, 5, 5)
    assert (config.target, config.ensemble, config.level) == ("up", 2, 0.8)
    assert config.options["channels"] == 8
    assert config.fit == was.fit.model_copy(update={"epochs": 5})
    assert split is not None
    np.testing.assert_array_equal(split.part, before.split.part)


def test_the_machine_is_not_taken_over(data: Path, before: Run) -> None:
    assert train_like(before.path, {"dataset": str(data)}).config.machine.threads is None


def test_another_treatment_of_classes_leaves_its_gamma_behind(data: Path, before: Run) -> None:
    fit = train_like(before.path, settings(data, fit={"imbalance": "oversample"})).config.fit
    assert (fit.imbalance, fit.focal_gamma, fit.learning_rate) == ("oversample", 2.0, 0.004)


def test_another_model_brings_its_own_options_and_fit(data: Path, before: Run) -> None:
    config, split = train_like(before.path, settings(data, model="kmer_linear"))
    assert (config.model, config.target, config.seed) == ("kmer_linear", "up", 3)
    assert (config.options, config.fit.epochs, config.ensemble) == ({}, None, 1)
    assert split is not None


def test_another_split_may_be_given(data: Path, before: Run) -> None:
    config, split = train_like(before.path, settings(data, split="random"))
    assert (config.split, split) == (SplitConfig(strategy="random"), None)
    config, split = train_like(before.path, settings(data, split={"test_chroms": ["c4"]}))
    assert split is None
    assert config.split == SplitConfig(
        strategy="chromosome", test_chroms=("c4",), val_chroms=("c2",)
    )
    # What the run had, said again, is no other split.
    assert train_like(before.path, settings(data, split=SPLIT)).split is not None


def test_a_cut_belongs_to_its_target(data: Path, tmp_path: Path) -> None:
    config = TrainConfig.checked(
        settings(data, model="gc_content", target="y", above=7.0, split=SPLIT)
    )
    run = train_run(config, tmp_path / "RUN")
    assert train_like(run.path, settings(data)).config.above == 7.0
    assert train_like(run.path, settings(data, target="up")).config.above is None


def test_generated_sequences_are_taken_over_until_others_are_named(
    data: Path, before: Run, tmp_path: Path
) -> None:
    was = TrainConfig.load(before.config_path)
    augment = {"sample": "S.h5", "ratio": 0.5, "insist": True, "sha256": "abc"}
    config = TrainConfig.checked({**was.model_dump(), "augment": augment})
    for name in ("split.parquet", "provenance.json"):
        (tmp_path / name).write_bytes((before.path / name).read_bytes())
    config.save(tmp_path / "config.toml")
    assert train_like(tmp_path, settings(data)).config.augment == config.augment
    kept = train_like(tmp_path, settings(data, augment={"ratio": 0.7})).config.augment
    assert (kept.sample, kept.ratio, kept.sha256) == ("S.h5", 0.7, "abc")
    other = train_like(tmp_path, settings(data, augment={"sample": "T.h5"})).config.augment
    assert (other.sample, other.ratio, other.insist, other.sha256) == ("T.h5", 1.0, False, None)


def test_a_run_of_another_dataset_is_refused(before: Run, tmp_path: Path) -> None:
    other = made(tmp_path / "other.h5", 2)
    with pytest.raises(MismatchError, match="was trained on another dataset") as error:
        train_like(before.path, settings(other))
    for word in (str(other), str(before.path), "D.h5 had", "name a run of this one"):
        assert word in str(error.value)


def test_no_such_run(data: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such run"):
        train_like(tmp_path / "none", settings(data))


def test_an_unknown_setting_beside_it(data: Path, before: Run) -> None:
    with pytest.raises(ConfigError, match="unknown key"):
        train_like(before.path, settings(data, sed=1))


def test_from_the_command_line(
    data: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    first = exprimo.train(
        data, tmp_path / "RUN", model="gc_content", target="up", seed=4, split=SPLIT
    )
    words = ["exprimo", "train", str(data), "--like", str(first.path), "-o", str(tmp_path / "R")]
    monkeypatch.setattr("sys.argv", words)
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert (ended.value.code or 0, capsys.readouterr().err) == (0, "")
    again = TrainConfig.load(tmp_path / "R" / "config.toml")
    assert again == TrainConfig.load(first.config_path)
    monkeypatch.setattr("sys.argv", [*words[:-1], str(tmp_path / "S"), "--set", "like=RUN"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 2
    assert "argument of its own" in capsys.readouterr().err
