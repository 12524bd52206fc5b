"""Pretrained and odd models, explained: what is planted at a place shows there, sums add up."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor, nn
from typer.testing import CliRunner

import exprimo
from exprimo.cli.main import app
from exprimo.core.dataset import Dataset, write_dataset
from exprimo.core.errors import ConfigError
from exprimo.core.run import Run
from exprimo.core.sequence import encode
from exprimo.data.fetch.weights import weights_path
from exprimo.interpret.attributions import Attributions
from exprimo.interpret.attributions.engine import how_far, subject_of
from exprimo.interpret.attributions.method import Attributed, MethodConfig, Subject, make_method
from exprimo.interpret.attributions.models import together
from exprimo.interpret.attributions.models.embedded import ThroughHyena
from exprimo.interpret.explain import explain
from exprimo.models.network import NetworkPredictor
from exprimo.models.pretrained.enformer import TOY, random_enformer, save_enformer
from exprimo.models.pretrained.enformer.tuning import EnformerTuning, TunedEnformer
from exprimo.models.pretrained.hyenadna import (
    CHECKPOINTS,
    HyenaBackbone,
    HyenaConfig,
    HyenaNetwork,
)
from exprimo.models.pretrained.xpresso.predictor import XpressoPredictor
from exprimo.models.xpresso import WINDOW, Xpresso, XpressoConfig
from exprimo.models.zoo import Shapes
from exprimo.training import TrainConfig, train_run

METHODS = ("saliency", "gradient_x_input", "integrated_gradients", "deeplift", "mutagenesis")
ADDING_UP = ("integrated_gradients", "deeplift")
MOTIF, SITE = "TGACTC", 7_100
SMALL = TOY.model_copy(update={"window": 512, "bins": 8, "depth": 1})


def explained(subject: Subject, codes: np.ndarray, method: str, **settings: Any) -> Attributed:
    settings = {"method": method, "references": 2, "steps": 64, **settings}
    names = subject.predictor.inputs
    return make_method(subject, MethodConfig.checked(settings)).explain(dict.fromkeys(names, codes))


def adds_up(found: Attributed) -> float:
    assert found.convergence is not None
    assert float(found.convergence.moved.min()) > 0
    return how_far(found.convergence).share


def stored(path: Path, **inputs: Any) -> Path:
    n = len(next(iter(inputs.values())))
    rng = np.random.default_rng(0)
    with write_dataset(path, {"settings": {"upstream": inputs["sequence"].shape[1] // 2}}) as out:
        names = [f"e{i}" for i in range(n)]
        out.examples(pd.DataFrame({"example_id": names, "gene_id": names}))
        for name, values in inputs.items():
            out.input(name, [values])
        out.target("y", rng.normal(size=n), kind="regression")
    return path


@pytest.fixture(scope="module")
def counting(tmp_path_factory: pytest.TempPathFactory) -> Subject:
    """Xpresso whose output is the number of bins that hold a motif."""
    shapes = Shapes({"sequence": (WINDOW,), "halflife": (6,)}, "regression")
    network = Xpresso(XpressoConfig(), shapes)
    with torch.no_grad():
        for weight in network.parameters():
            weight.zero_()
        network.conv1.weight[0, encode(MOTIF).astype(int), range(6)] = 1
        network.conv1.bias[0] = -5
        network.conv2.weight[0, 0, 4] = 1
        network.dense1.weight[0, : 35 * 32 : 32] = 1
        network.dense2.weight[0, 0] = 1
        network.output.linear.weight[0, 0] = 1
    codes = np.random.default_rng(0).integers(0, 2, (2, WINDOW)).astype(np.uint8)
    codes[:, SITE : SITE + 6] = encode(MOTIF)
    path = stored(tmp_path_factory.mktemp("x") / "D.h5", sequence=codes)
    with Dataset.open(path) as data:
        predictor = XpressoPredictor(network, 6).fitted_to(data)
        return subject_of(predictor, data, MethodConfig(), "regression", np.arange(2))


@pytest.mark.slow
@pytest.mark.parametrize("method", METHODS)
def test_xpresso_shows_a_motif_where_it_stands(counting: Subject, method: str) -> None:
    codes = np.random.default_rng(1).integers(0, 2, (1, WINDOW)).astype(np.uint8)
    codes[:, SITE : SITE + 6] = encode(MOTIF)
    found = explained(counting, codes, method, background="zeros")
    assert found.outputs.tolist() == [1.0]
    values = found.values["sequence"][0]
    assert set(np.argsort(-np.abs(values))[:6]) == set(range(SITE, SITE + 6))
    if method in ADDING_UP:
        assert adds_up(found) < 0.05
    if method == "mutagenesis":
        np.testing.assert_allclose(values[SITE : SITE + 6], 1, atol=1e-5)
        assert np.abs(np.delete(values, np.arange(SITE, SITE + 6))).max() < 1e-5


def tuned(tune: str, tmp_path: Path, names: tuple[str, ...] = ("sequence",)) -> Subject:
    weights = save_enformer(random_enformer(SMALL, 2), tmp_path / "small.st")
    torch.manual_seed(0)
    haplotypes = "both" if len(names) > 1 else "one"
    options = {"weights": f"enformer:{weights}", "tune": tune, "haplotypes": haplotypes}
    shapes = Shapes(dict.fromkeys(names, (SMALL.window,)), "regression")
    module = TunedEnformer(EnformerTuning.checked(options), shapes)
    network = NetworkPredictor([module], shapes)
    return Subject(network, network, names, 0, "regression", lambda batch: batch, {})


CODES = np.random.default_rng(4).integers(0, 4, (2, SMALL.window)).astype(np.uint8)


@pytest.mark.slow
@pytest.mark.parametrize("tune", ["head", "lora", "all"])
def test_contributions_of_enformer_add_up(tune: str, tmp_path: Path) -> None:
    subject = tuned(tune, tmp_path)
    found = explained(subject, CODES, "deeplift")
    assert adds_up(found) < 1e-3
    predicted = subject.net.predict({"sequence": CODES}).mean[:, 0]
    np.testing.assert_allclose(found.outputs, predicted, atol=1e-4)
    few, more = (
        adds_up(explained(subject, CODES[:1], "integrated_gradients", steps=steps))
        for steps in (8, 64)
    )
    assert more < few / 2
    assert explained(subject, CODES, "gradient_x_input").values["sequence"].any(1).all()


def test_both_haplotypes_of_enformer_are_explained(tmp_path: Path) -> None:
    subject = tuned("head", tmp_path, ("sequence", "sequence_2"))
    found = explained(subject, CODES, "deeplift")
    assert adds_up(found) < 1e-3
    # The same bases in both copies contribute the same.
    both = [found.values[name] for name in subject.names]
    np.testing.assert_allclose(*both, atol=1e-5)


@pytest.mark.slow
def test_what_a_bin_of_enformer_reads_lies_there(tmp_path: Path) -> None:
    subject = tuned("all", tmp_path)
    module: Any = subject.net.members[0]
    module.bins = slice(0, 1)  # of eight
    with torch.no_grad():
        # Without attention a bin reads its own bases and a few beside them.
        module.network.layers[0].attention[1].to_out.weight.zero_()
    first = SMALL.cropped * SMALL.bin_size
    for method in ("saliency", "deeplift", "mutagenesis"):
        codes = CODES[:1] if method == "mutagenesis" else CODES
        size = np.abs(explained(subject, codes, method).values["sequence"]).sum(0)
        near = size[: first + 160].sum() / size.sum()
        assert near > 0.99, method
        assert size[first : first + 32].min() > 0, method


def test_long_windows_have_no_rule(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(together, "_LONGEST", 511)
    subject = tuned("head", tmp_path)
    with pytest.raises(ConfigError, match=r"integrated_gradients, gradient_x_input or mutagenesis"):
        explained(subject, CODES, "deeplift")
    assert explained(subject, CODES, "gradient_x_input").values["sequence"].any(1).all()


class OneBin(nn.Module):
    """Reads one bin of an embedding."""

    def forward(self, inputs: dict[str, Tensor]) -> Tensor:
        read = inputs["embedding"][:, 3]
        return torch.tanh(read).mean(1, keepdim=True)


def through_hyena() -> tuple[Subject, HyenaBackbone]:
    torch.manual_seed(0)
    trunk = HyenaNetwork(HyenaConfig(d_model=16, n_layer=2, d_inner=24, l_max=80)).eval()
    for weight in trunk.parameters():
        weight.requires_grad_(False)
    module = ThroughHyena(trunk, 8, OneBin())
    network = NetworkPredictor([module], Shapes({"sequence": (60,)}, "regression"))
    subject = Subject(network, network, ("sequence",), 0, "regression", lambda batch: batch, {})
    return subject, HyenaBackbone(trunk, name="small", digest="d" * 64)


def test_bases_reach_what_reads_embeddings_as_tokens_do() -> None:
    subject, backbone = through_hyena()
    codes = np.random.default_rng(3).integers(0, 5, (3, 60)).astype(np.uint8)
    hidden = backbone.embed({"sequence": codes})[:, 24:32].mean(1)
    expected = np.tanh(hidden).mean(1)
    np.testing.assert_allclose(subject.net.predict({"sequence": codes}).mean[:, 0], expected, 1e-4)


@pytest.mark.parametrize("method", METHODS)
def test_hyenadna_is_explained_base_by_base(method: str) -> None:
    subject, _ = through_hyena()
    codes = np.random.default_rng(3).integers(0, 4, (2, 60)).astype(np.uint8)
    found = explained(subject, codes, method)
    values = np.abs(found.values["sequence"])
    # The network reads from left to right: nothing behind the bin reaches it.
    assert values[:, 32:].max() < 1e-6 < values[:, 24:32].max()
    if method in ADDING_UP:
        assert adds_up(found) < 0.02


def trained(dataset: Path, out: Path, model: str, options: dict[str, Any], **more: Any) -> Run:
    settings = {
        "dataset": str(dataset), "target": "y", "model": model, "options": options,
        "split": {"strategy": "random"}, "fit": {"epochs": 1},
        "machine": {"device": "cpu", "threads": 1, "precision": "fp32"}, **more,
    }  # fmt: skip
    return train_run(TrainConfig.checked(settings), out)


def told(run: Run, dataset: Path, out: Path, *options: str) -> dict[str, Any]:
    """Explain from the command line; give ``interpretation.json``."""
    asked = ["explain", str(run.path), str(dataset), "-o", str(out), "--no-check", "--threads", "1"]
    asked += ["--references", "2", "--most", "2", "--device", "cpu", *options]
    done = CliRunner().invoke(app, asked, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    found: dict[str, Any] = json.loads((out / "interpretation.json").read_text())
    return found


@pytest.mark.slow
def test_a_run_of_enformer_from_the_command_line(tmp_path: Path) -> None:
    codes = np.random.default_rng(0).integers(0, 4, (20, 256)).astype(np.uint8)
    dataset = stored(tmp_path / "D.h5", sequence=codes)
    run = trained(dataset, tmp_path / "RUN", "enformer", {"weights": "none"})
    for method in METHODS:
        loose = ("--max-delta", "50") if method == "integrated_gradients" else ()
        summary = told(run, dataset, tmp_path / method, "--method", method, *loose)
        assert summary["method_name"] == method
        with Attributions.open(tmp_path / method) as found:
            assert np.abs(found.values()).sum(1).min() > 0


@pytest.fixture
def embedded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Run, Path]:
    """A Run on embeddings of a small HyenaDNA with random weights, where fetched ones lie."""
    monkeypatch.setenv("EXPRIMO_CACHE", str(tmp_path / "cache"))
    config = HyenaConfig(d_model=16, n_layer=1, d_inner=24, l_max=80)
    monkeypatch.setitem(CHECKPOINTS, "hyenadna-tiny-1k", config)
    torch.manual_seed(0)
    state = HyenaNetwork(config).state_dict()
    path = weights_path("hyenadna-tiny-1k")
    path.parent.mkdir(parents=True)
    torch.save({"state_dict": {f"model.{name}": value for name, value in state.items()}}, path)
    rng = np.random.default_rng(0)
    dataset = stored(
        tmp_path / "D.h5",
        sequence=rng.integers(0, 4, (20, 60)).astype(np.uint8),
        halflife=rng.normal(size=(20, 8)).astype(np.float32),
    )
    store = tmp_path / "STORE"
    exprimo.embed("hyenadna-tiny-1k", dataset, store, bin=8, device="cpu", threads=1)
    options = {"dna": "embedding"}
    run = trained(dataset, tmp_path / "RUN", "halflife_cnn", options, embeddings=str(store))
    return run, dataset


@pytest.mark.slow
def test_a_run_on_hyenadna_from_the_command_line(
    embedded: tuple[Run, Path], tmp_path: Path
) -> None:
    run, dataset = embedded
    for method in METHODS[:-1]:
        told(run, dataset, tmp_path / method, "--method", method)
        with Attributions.open(tmp_path / method) as found:
            assert found.values(input="embedding").shape == (2, 8, 16)
    table = pd.read_csv(tmp_path / "deeplift" / "embedding_bins.tsv", sep="\t")
    assert table["offset"].tolist() == list(range(-30, 34, 8))
    with pytest.raises(ConfigError, match="--input sequence"):
        explain(run.path, dataset, tmp_path / "M", method="mutagenesis", device="cpu")
    predicted = {}
    for method in METHODS:
        out = tmp_path / f"base_{method}"
        told(run, dataset, out, "--method", method, "--input", "sequence", "--steps", "64")
        with Attributions.open(out) as found:
            assert found.values().shape == (2, 60)
            predicted[method] = found.prediction
    with Attributions.open(tmp_path / "deeplift") as found:
        # Stored embeddings are rounded to three digits.
        for values in predicted.values():
            np.testing.assert_allclose(values, found.prediction, atol=1e-2)


def test_embeddings_of_other_weights_are_refused(
    embedded: tuple[Run, Path], tmp_path: Path
) -> None:
    run, dataset = embedded
    path = weights_path("hyenadna-tiny-1k")
    torch.save(torch.load(path, weights_only=True) | {"epoch": torch.tensor(1)}, path)
    with pytest.raises(exprimo.ExprimoError, match="not those that made the embeddings"):
        explain(run.path, dataset, tmp_path / "E", inputs=["sequence"], device="cpu")
