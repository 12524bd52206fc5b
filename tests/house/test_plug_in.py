"""An installed package adds a model and a backbone, and commands use both by name."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from exprimo.core.dataset import write_dataset
from exprimo.core.errors import ConfigError, InputError
from exprimo.core.predictor import Predictor

CODE = '''
"""A toy plug-in: one trainable baseline, one pretrained model."""

import json
import numpy as np
from exprimo.core.config import Config
from exprimo.core.predictor import Prediction
from exprimo.models import ModelSpec
from exprimo.models.baselines.linear import LinearBaseline


class Options(Config):
    """Options of the toy."""

    base: int = 1
    """Which base it counts."""


def build(config, task):
    def features(batch):
        return (batch["sequence"] == config.base).mean(axis=1, keepdims=True).astype(float)
    return LinearBaseline(features, task)


SPEC = ModelSpec("toy_counter", "baseline", Options, build, ("sequence",), ("regression",),
                 "counts one base", "nobody 1900")
NOT_A_SPEC = 3


class Pretrained:
    inputs = ("sequence",)
    window = None
    outputs = ("n",)

    def __init__(self, weights):
        self.weight = 1.0 if weights is None else json.loads(weights.read_text())["weight"]

    def predict(self, batch):
        mean = self.weight * (batch["sequence"] == 2).sum(axis=1, keepdims=True)
        return Prediction(mean.astype(np.float32), np.full(mean.shape, np.nan, np.float32))


class Backbone:
    """Embeds a base by its code and the code's square."""

    name, digest, alphabet, window = "toy_net", "0" * 64, "ACGTN", 100
    stride, channels, n_tracks = 1, 2, 0

    def __init__(self, weights):
        pass

    def embed(self, batch):
        codes = batch["sequence"].astype(np.float32)
        return np.stack([codes, codes**2], axis=2)

    def tracks(self, batch):
        raise ValueError("no tracks")
'''
ENTRY_POINTS = """
[exprimo.models]
toy_counter = exprimo_toy_plug_in:SPEC
toy_broken = exprimo_toy_plug_in:NOT_A_SPEC

[exprimo.backbones]
toy = exprimo_toy_plug_in:Pretrained
toy_net = exprimo_toy_plug_in:Backbone
"""
CODES = np.random.default_rng(2).integers(0, 4, (30, 50)).astype(np.uint8)


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of installed packages that holds the toy, on this process's path."""
    folder = tmp_path / "site"
    facts = folder / "exprimo_toy_plug_in-1.0.dist-info"
    facts.mkdir(parents=True)
    (folder / "exprimo_toy_plug_in.py").write_text(CODE)
    (facts / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: exprimo-toy-plug-in\nVersion: 1.0\n"
    )
    (facts / "entry_points.txt").write_text(ENTRY_POINTS)
    monkeypatch.syspath_prepend(str(folder))
    return folder


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    path = tmp_path / "D.h5"
    with write_dataset(path, {}) as out:
        out.examples(pd.DataFrame({"example_id": [f"e{i}" for i in range(30)]}))
        out.input("sequence", [CODES])
    return path


@pytest.fixture(autouse=True)
def forget(monkeypatch: pytest.MonkeyPatch) -> None:
    """Load the toy afresh in each test, from that test's folder."""
    monkeypatch.delitem(sys.modules, "exprimo_toy_plug_in", raising=False)


def test_a_plugged_in_model_is_in_the_zoo_and_fits(site: Path) -> None:
    from exprimo.models import get_spec

    spec = get_spec("toy_counter")
    assert spec.config.checked({"base": 2}).base == 2  # type: ignore[attr-defined]  # the toy's own
    with pytest.raises(ConfigError, match="Did you mean base"):
        spec.config.checked({"bas": 2})
    with pytest.raises(ConfigError, match="toy_broken: a plug-in does not offer a ModelSpec"):
        get_spec("toy_broken")
    with pytest.raises(ConfigError, match="Did you mean toy_counter"):
        get_spec("toy_countr")


def test_a_plugged_in_backbone_predicts_with_and_without_a_file(
    site: Path, dataset: Path, tmp_path: Path
) -> None:
    import exprimo
    from exprimo.scoring.resolve import resolve_model

    expected = (CODES == 2).sum(axis=1)
    assert isinstance(resolve_model("toy").predictor, Predictor)
    done = exprimo.predict("toy", dataset, tmp_path / "P.parquet", device="cpu", threads=1)
    np.testing.assert_array_equal(done.table["prediction"], expected)
    weights = tmp_path / "w.json"
    weights.write_text('{"weight": 0.5}')
    done = exprimo.predict(
        f"toy:{weights}", dataset, tmp_path / "Q.parquet", device="cpu", threads=1
    )
    np.testing.assert_array_equal(done.table["prediction"], expected / 2)
    assert done.table["target"].isna().all()
    with pytest.raises(InputError, match="no such file of weights"):
        exprimo.predict("toy:none.json", dataset, tmp_path / "R.parquet", device="cpu")
    with pytest.raises(InputError, match=r"one of .*toy"):
        exprimo.predict("borzoi:w.h5", dataset, tmp_path / "R.parquet", device="cpu")


def test_a_plugged_in_backbone_embeds_a_dataset(site: Path, dataset: Path, tmp_path: Path) -> None:
    import exprimo
    from exprimo.scoring.embeddings import EmbeddingStore, sequence_keys

    done = exprimo.embed("toy_net", dataset, tmp_path / "S", bin=25, dtype="float32")
    assert (done.n_new, done.n_known) == (30, 0)
    with EmbeddingStore.open(tmp_path / "S") as store:
        rows = store.rows(sequence_keys(CODES))
    codes = CODES.astype(np.float64).reshape(30, 2, 25)
    np.testing.assert_allclose(rows[..., 0], codes.mean(2), rtol=1e-6)
    np.testing.assert_allclose(rows[..., 1], (codes**2).mean(2), rtol=1e-6)
    with pytest.raises(ConfigError, match="embeds sequences and predicts nothing"):
        exprimo.predict("toy_net", dataset, tmp_path / "R.parquet", device="cpu")
    with pytest.raises(ConfigError, match="gives no embeddings"):
        exprimo.embed("toy", dataset, tmp_path / "T")


def test_the_command_line_sees_both(site: Path, dataset: Path, tmp_path: Path) -> None:
    from exprimo.cli.main import app

    entries = site / "exprimo_toy_plug_in-1.0.dist-info" / "entry_points.txt"
    entries.write_text(ENTRY_POINTS.replace("toy_broken = exprimo_toy_plug_in:NOT_A_SPEC\n", ""))

    def command(*arguments: str) -> str:
        done = CliRunner().invoke(app, arguments, catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.output

    assert "toy_counter" in command("models")
    listed = json.loads(command("models", "--json"))["models"]
    toy = next(entry for entry in listed if entry["name"] == "toy_counter")
    assert (toy["kind"], toy["summary"]) == ("baseline", "counts one base")
    weights = tmp_path / "w.json"
    weights.write_text('{"weight": 3}')
    out = tmp_path / "P.tsv"
    told = command("predict", f"toy:{weights}", str(dataset), "-o", str(out), "--device", "cpu")
    assert "30 predictions" in told
    table = pd.read_csv(out, sep="\t")
    np.testing.assert_array_equal(table["prediction"], 3 * (CODES == 2).sum(axis=1))
