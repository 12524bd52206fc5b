"""What counts as a predictor, and how plug-ins are found by name."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path

import numpy as np
import pytest

from exprimo.core.errors import ConfigError
from exprimo.core.predictor import Backbone, Batch, Prediction, Predictor, find_plug_in, plug_ins


class _Constant:
    inputs = ("sequence",)
    window = None
    outputs = ("y",)

    def predict(self, batch: Batch) -> Prediction:
        n = len(batch["sequence"])
        return Prediction(np.ones((n, 1), np.float32), np.full((n, 1), np.nan, np.float32))


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An installed package that offers one model and one backbone."""
    facts = tmp_path / "toy-1.0.dist-info"
    facts.mkdir()
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: toy\nVersion: 1.0\n")
    (facts / "entry_points.txt").write_text(
        "[exprimo.models]\nlinear_toy = string:digits\n"
        "[exprimo.backbones]\ntoy_net = string:ascii_lowercase\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    assert metadata.version("toy") == "1.0"


def test_anything_with_the_four_parts_is_a_predictor() -> None:
    assert isinstance(_Constant(), Predictor)
    assert not isinstance(_Constant(), Backbone)
    assert not isinstance(object(), Predictor)
    mean, sd = _Constant().predict({"sequence": np.zeros((3, 5), np.uint8)})
    assert mean.shape == sd.shape == (3, 1)


def test_built_in_names_come_first(installed: None) -> None:
    assert find_plug_in("exprimo.models", "linear_toy", {"linear_toy": 7}) == 7


def test_an_installed_plug_in_is_loaded_by_name(installed: None) -> None:
    assert find_plug_in("exprimo.models", "linear_toy", {}) == "0123456789"
    assert set(plug_ins("exprimo.backbones")) == {"toy_net"}


def test_an_unknown_name_suggests_the_nearest_of_both(installed: None) -> None:
    with pytest.raises(ConfigError, match="no such model") as caught:
        find_plug_in("exprimo.models", "linear_tog", {"cnn": 1})
    assert "one of cnn, linear_toy" in str(caught.value)
    assert "Did you mean linear_toy?" in str(caught.value)


def test_without_any_backbone_it_says_so() -> None:
    with pytest.raises(ConfigError, match=r"no such backbone\. Expected: one of none installed"):
        find_plug_in("exprimo.backbones", "enformer", {})
