"""One contract for every model of the zoo, driven from the registry."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from exprimo.core.errors import ConfigError, FormatError, MismatchError, VersionError
from exprimo.core.predictor import Predictor
from exprimo.models import Shapes, all_specs, default_baselines, get_spec
from exprimo.models.cnn import Cnn, CnnConfig
from exprimo.models.network import HasFeatures, NetworkPredictor, flip, one_hot_table, to_tensors
from exprimo.models.stored import load_model, save_model
from exprimo.models.trees import BoostedTrees, TreeSettings, grow, quantise
from exprimo.models.zoo import ModelSpec, build_baseline, trained_network

RNG = np.random.default_rng(5)
CODES = RNG.integers(0, 5, (40, 90)).astype(np.uint8)
BATCH = {"sequence": CODES}
TARGET = RNG.integers(0, 2, 40).astype(float)
BATCH["mean_expression"] = RNG.random((40, 1)).astype(np.float32)
BATCH["halflife"] = RNG.normal(size=(40, 8)).astype(np.float32)
BATCH["signal"] = RNG.gamma(1.0, size=(40, 5, 20)).astype(np.float32)
BATCH["cell_context"] = RNG.random((40, 10, 20)).astype(np.float32)
BATCH["kmer_bins"] = RNG.integers(0, 9, (40, 125, 20)).astype(np.uint8)
BATCH["gene"] = RNG.integers(1, 30, (40, 1)).astype(np.int64)
CASES = [(spec.name, task) for spec in all_specs() for task in spec.tasks]
SMALL = {
    "cnn": {"channels": 8, "stem_channels": 8, "hidden": 8, "head_channels": 4},
    "onehot_xgboost": {"rounds": 5},
}
SMALL["enformer"] = {"weights": "none"}
SMALL["cnn_xgboost"] = {"net_options": SMALL["cnn"], "rounds": 5}
CLASSES = {"multiclass": ("down", "none", "up")}
OF_CLASSES = np.arange(40) % 3.0


def _shapes(task, window: int = 90) -> Shapes:
    classes = CLASSES.get(task, ())
    return Shapes({"sequence": (window,)}, task, len(classes) or 1, classes)


def _network(spec: ModelSpec, options: dict[str, Any], task) -> tuple[torch.nn.Module, Shapes]:
    config = spec.config.checked(options)
    read = {name: BATCH[name].shape[1:] for name in spec.inputs_read(config)}
    shapes = _shapes(task)._replace(inputs=read)
    return spec.build(config, shapes), shapes


def _fitted(name: str, task):
    spec = get_spec(name)
    config = spec.config.checked(SMALL.get(name, {}))
    target = OF_CLASSES if task == "multiclass" else TARGET
    if spec.kind != "baseline":
        torch.manual_seed(0)
        net, options = trained_network(spec, config)
        members = [_network(net, options.model_dump(), task) for _ in range(2)]
        network = NetworkPredictor(
            [member for member, _ in members], members[0][1], center=1.5, scale=2.0
        )
        if spec.kind == "network":
            return network, config
        return spec.build(
            network, [_trees(x, target, task) for x in network.features(BATCH)]
        ), config
    model = build_baseline(spec, config, task, CLASSES.get(task, ()))

    def stream():
        return iter([(BATCH, target)])

    model.fit(stream, stream)
    return model, config


def _trees(features: np.ndarray, target: np.ndarray, task) -> BoostedTrees:
    matrices = quantise(lambda: [(features, target, None)], lambda: [(features, target, None)])
    return grow(matrices, TreeSettings(2, 0.3, 3, 0), task, len(CLASSES.get(task, ()))).trees


@pytest.mark.parametrize(("name", "task"), CASES)
def test_a_saved_model_predicts_the_same(name: str, task, tmp_path: Path) -> None:
    model, config = _fitted(name, task)
    path = tmp_path / "model.safetensors"
    save_model(path, model, model=name, options=config.model_dump(mode="json"), task=task)
    again = load_model(path)
    before, after = model.predict(BATCH), again.predict(BATCH)
    np.testing.assert_array_equal(before.mean, after.mean)
    np.testing.assert_array_equal(before.sd, after.sd)
    assert after.mean.shape == (40, len(CLASSES.get(task, "1")))
    assert after.mean.dtype == after.sd.dtype == np.float32
    assert again.outputs == model.outputs
    assert isinstance(again, Predictor)


@pytest.mark.parametrize(("name", "task"), CASES)
def test_probabilities_are_probabilities(name: str, task) -> None:
    if task == "regression":
        assert get_spec(name).tasks
        return
    model = _fitted(name, task)[0]
    mean = model.predict(BATCH).mean
    assert ((mean >= 0) & (mean <= 1)).all()
    if task == "multiclass":
        assert model.outputs == CLASSES[task]
        np.testing.assert_allclose(mean.sum(axis=1), 1, atol=1e-5)


def test_spread_is_that_of_the_members() -> None:
    model, _ = _fitted("cnn", "regression")
    members = model.predict_members(BATCH)
    found = model.predict(BATCH)
    np.testing.assert_allclose(found.mean, members.mean(0))
    np.testing.assert_allclose(found.sd, members.std(0, ddof=1))


def test_one_hot_is_acgt_and_n_is_zero() -> None:
    tensors = to_tensors({"sequence": np.array([[0, 1, 2, 3, 4]], np.uint8)}, one_hot_table(CPU))
    expected = np.concatenate([np.eye(4), np.zeros((4, 1))], axis=1)
    np.testing.assert_array_equal(tensors["sequence"][0].numpy(), expected)


def test_flip_is_the_reverse_complement() -> None:
    from exprimo.core.sequence import reverse_complement

    table = one_hot_table(CPU)
    turned = flip(to_tensors(BATCH, table))["sequence"]
    expected = to_tensors({"sequence": reverse_complement(CODES)}, table)["sequence"]
    assert torch.equal(turned, expected)


def test_both_strands_make_the_prediction_symmetric() -> None:
    from exprimo.core.sequence import reverse_complement

    shapes = Shapes({"sequence": (90,)}, "regression")
    torch.manual_seed(1)
    net = Cnn(CnnConfig.checked(SMALL["cnn"]), shapes)
    model = NetworkPredictor([net], shapes, both_strands=True)
    forward = model.predict(BATCH).mean
    backward = model.predict({"sequence": reverse_complement(CODES)}).mean
    np.testing.assert_allclose(forward, backward, atol=1e-5)


@pytest.mark.parametrize("window", [8, 80, 600, 2000, 20_000])
def test_cnn_takes_any_window(window: int) -> None:
    net = Cnn(CnnConfig.checked(SMALL["cnn"]), Shapes({"sequence": (window,)}, "regression")).eval()
    with torch.inference_mode():
        assert net({"sequence": torch.zeros(2, 4, window)}).shape == (2, 1)


def test_another_window_is_refused() -> None:
    model, _ = _fitted("cnn", "regression")
    with pytest.raises(MismatchError, match=r"shape \(90,\)"):
        model.predict({"sequence": CODES[:, :50]})


def _rewrite(source: Path, target: Path, **changes: str) -> None:
    with safe_open(source, framework="pt") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 -- no dict
        header = {**file.metadata(), **changes}
    save_file(tensors, target, metadata=header)


@pytest.mark.parametrize(
    ("changes", "message"),
    [({"format_version": "99"}, "newer Exprimo"), ({"alphabet": "ACTGN"}, "another alphabet")],
)
def test_checkpoints_of_another_kind_are_refused(changes, message: str, tmp_path: Path) -> None:
    model, config = _fitted("kmer_linear", "regression")
    save_model(
        tmp_path / "a.safetensors",
        model,
        model="kmer_linear",
        options=config.model_dump(),
        task="regression",
    )
    _rewrite(tmp_path / "a.safetensors", tmp_path / "b.safetensors", **changes)
    with pytest.raises(VersionError, match=message):
        load_model(tmp_path / "b.safetensors")


def test_a_checkpoint_cut_short_is_refused(tmp_path: Path) -> None:
    model, config = _fitted("cnn", "regression")
    path = tmp_path / "a.safetensors"
    save_model(path, model, model="cnn", options=config.model_dump(mode="json"), task="regression")
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(FormatError, match="cut short"):
        load_model(path)


def test_unknown_names_suggest_the_nearest() -> None:
    with pytest.raises(ConfigError, match=r"Did you mean kmer_linear\?"):
        get_spec("kmer_linaer")


def test_every_task_has_its_baselines() -> None:
    for task in ("regression", "classification", "multiclass"):
        for name in default_baselines(task):
            assert task in get_spec(name).tasks


@pytest.mark.parametrize("name", [spec.name for spec in all_specs() if spec.kind == "network"])
def test_every_network_shows_the_features_that_its_last_layer_reads(name: str) -> None:
    spec = get_spec(name)
    torch.manual_seed(0)
    net = _network(spec, SMALL.get(name, {}), "regression")[0].eval()
    assert isinstance(net, HasFeatures)
    inputs = to_tensors(BATCH, one_hot_table(CPU))
    with torch.inference_mode():
        features = net.features(inputs)
        outputs = net(inputs)
    assert features.shape[0] == 40
    assert features.ndim == 2
    assert torch.isfinite(features).all()
    # What is left is linear: forty outputs are explained by the features without a rest.
    design = np.column_stack([np.ones(40), features.double().numpy()])
    if design.shape[1] < 40:
        rest = np.linalg.lstsq(design, outputs.double().numpy(), rcond=None)[1]
        assert rest.size == 0 or rest[0] < 1e-6


@pytest.mark.parametrize("name", ["gc_content", "kmer_linear", "onehot_xgboost"])
def test_baselines_refuse_another_window_too(name: str) -> None:
    model, _ = _fitted(name, "regression")
    with pytest.raises(MismatchError, match=r"shape \(90,\)"):
        model.predict({"sequence": CODES[:, :50]})


def test_even_kernels_and_too_wide_pooling_are_refused() -> None:
    with pytest.raises(ConfigError, match="give an odd one"):
        CnnConfig.checked({"kernel": 4})
    with pytest.raises(ConfigError, match="wider than the window"):
        Cnn(CnnConfig(stem_pool=100), Shapes({"sequence": (60,)}, "regression"))


CPU = torch.device("cpu")


def test_a_row_cites_what_its_options_use() -> None:
    spec = get_spec("halflife_cnn")
    told = {
        "": {"dna": "none"},
        "Nguyen et al. 2023 for HyenaDNA": {"dna": "embedding"},
        "Schroff et al. 2015 for the triplet loss": {"halflife": "encoded"},
    }
    for cited, options in told.items():
        assert spec.cited(spec.config.checked(options)) == cited
    assert get_spec("lstm").cited(get_spec("lstm").config()) == get_spec("lstm").citation
