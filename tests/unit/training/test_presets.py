"""Presets: what they set, what wins over them, and that a benchmark passes them on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from exprimo.core.errors import ConfigError
from exprimo.core.split import Split
from exprimo.models import all_specs, get_spec
from exprimo.studies.benchmarking.config import BenchmarkConfig
from exprimo.studies.benchmarking.plan import plan_runs, train_config
from exprimo.studies.listing import models
from exprimo.training import TrainConfig, train_run
from exprimo.training.fitting import with_preset

ADAM = {"optimizer": "adam", "learning_rate": 1e-3, "weight_decay": 0.0, "beta2": 0.999}
WHOLE = {"average": 0.0, "batch_size": 256, "shift": 0}
PUBLISHED: dict[str, dict[str, Any]] = {
    "cnn2d": {**ADAM, **WHOLE, "schedule": "constant", "clip": 0.0, "epochs": 20},
    "cnn_xgboost": {**ADAM, **WHOLE, "schedule": "constant", "clip": 0.0, "epochs": 20},
    "cnn_bilstm": {**ADAM, **WHOLE, "schedule": "plateau", "clip": 1.0, "epochs": 5},
    "transformer": {**WHOLE, "optimizer": "adamw", "schedule": "cosine", "clip": 1.0, "epochs": 5},
    "onehot_xgboost": {"imbalance": "downsample"},
}


def _config(model: str = "cnn2d", **values: Any) -> TrainConfig:
    return TrainConfig.checked({"dataset": "D.h5", "model": model, "preset": "published", **values})


@pytest.mark.parametrize("model", PUBLISHED)
def test_the_fit_is_the_published_one(model: str) -> None:
    fit = with_preset(_config(model)).fit
    assert {name: getattr(fit, name) for name in PUBLISHED[model]} == PUBLISHED[model]
    # Trained to the end: the published programs did not stop early.
    assert fit.patience is None or fit.patience == fit.epochs
    assert fit.imbalance == PUBLISHED[model].get("imbalance", "none")


def test_every_preset_is_one_that_the_model_takes() -> None:
    found = [(spec, name) for spec in all_specs() for name in spec.presets]
    assert {spec.name for spec, _ in found} >= set(PUBLISHED)
    for spec, name in found:
        settled = with_preset(_config(spec.name, preset=name))
        spec.config.checked(settled.options)
        assert spec.presets[name].note


def test_what_is_set_by_hand_wins_also_inside() -> None:
    own = _config("cnn_xgboost", fit={"epochs": 3}, options={"net_options": {"hidden": 32}})
    settled = with_preset(own)
    assert settled.fit.epochs == 3
    assert settled.fit.batch_size == 256
    assert settled.options["net_options"]["hidden"] == 32
    assert settled.options["net_options"]["channels"] == (16, 32)
    plain = with_preset(_config("onehot_xgboost", fit={"imbalance": "none"}))
    assert plain.fit.imbalance == "none"


def test_without_a_preset_a_model_has_what_suits_it() -> None:
    fit = with_preset(_config("transformer", preset=None)).fit
    assert fit.learning_rate == get_spec("transformer").fit["learning_rate"]
    assert with_preset(_config("cnn", preset=None)).fit.learning_rate is None


def test_an_unknown_preset_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"cnn2d has no such preset.*publisht.*published"):
        with_preset(_config(preset="publisht"))
    with pytest.raises(ConfigError, match="this model has no presets"):
        with_preset(_config("cnn"))


def test_models_lists_them_with_their_settings() -> None:
    preset = models("cnn2d")[0]["presets"]["published"]
    assert preset["options"]["widths"] == (2, 2)
    assert preset["fit"]["epochs"] == 20
    assert models("mean")[0]["presets"] == {}


def _benchmark(**values: Any) -> BenchmarkConfig:
    return BenchmarkConfig.checked({"dataset": "D.h5", "models": ["onehot_xgboost"], **values})


def test_a_benchmark_passes_presets_on() -> None:
    config = _benchmark(presets={"onehot_xgboost": "published"})
    split = Split(np.array(["a"]), np.array(["train"]), "random", 0, "", ())
    made = {
        run.model: train_config(run, config, split) for run in plan_runs(config, "classification")
    }
    assert made["onehot_xgboost"].preset == "published"
    assert made["onehot_xgboost"].fit.imbalance == "downsample"
    assert made["kmer_linear"].preset is None
    assert made["kmer_linear"].fit.imbalance == "none"


def test_a_benchmark_refuses_presets_of_nobody() -> None:
    with pytest.raises(ConfigError, match="of a model that is not compared"):
        plan_runs(_benchmark(presets={"cnn2d": "published"}), "classification")
    with pytest.raises(ConfigError, match="has no such preset"):
        plan_runs(_benchmark(presets={"onehot_xgboost": "x"}), "classification")


def test_a_run_stores_what_its_preset_set(changes: Path, tmp_path: Path) -> None:
    config = _config(
        dataset=str(changes),
        target="up",
        split="random",
        fit={"epochs": 1},
        machine={"device": "cpu", "threads": 1},
    )
    run = train_run(config, tmp_path / "r")
    stored = TrainConfig.load(run.config_path)
    assert stored.preset == "published"
    assert stored.fit.schedule == "constant"
    assert stored.fit.epochs == 1
    assert stored.options["widths"] == [2, 2]
    # The same command finds its run again.
    assert train_run(config, tmp_path / "r", resume=True).path == run.path
