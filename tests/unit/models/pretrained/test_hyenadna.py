"""HyenaDNA: what its equations promise, its two ways of computing, and its files."""

from __future__ import annotations

import importlib.util
import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from exprimo.core.errors import ConfigError, FormatError, InputError, MismatchError
from exprimo.core.predictor import Backbone
from exprimo.models.pretrained.hyenadna import (
    CHECKPOINTS,
    HyenaBackbone,
    HyenaConfig,
    HyenaNetwork,
    load_hyenadna,
    open_hyenadna,
)
from exprimo.models.pretrained.hyenadna import backbone as backbone_module
from exprimo.models.pretrained.hyenadna import filter as filter_module
from exprimo.models.pretrained.hyenadna import inference as inference_module
from exprimo.models.pretrained.hyenadna.inference import hidden_vectors
from exprimo.models.pretrained.hyenadna.network import to_tokens
from exprimo.models.pretrained.hyenadna.operator import convolve
from exprimo.models.pretrained.hyenadna.spectrum import fast_length

# The benchmark's rival is the same network as its equations stand: an oracle that shares no code.
_SPEC = importlib.util.spec_from_file_location(
    "plain_hyenadna", Path(__file__).parents[4] / "benchmarks" / "rivals" / "plain_hyenadna.py"
)
assert _SPEC is not None
assert _SPEC.loader is not None
RIVAL = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(RIVAL)

SMALL = HyenaConfig(d_model=16, n_layer=2, d_inner=24, l_max=1_500)


def network(seed: int = 0) -> HyenaNetwork:
    torch.manual_seed(seed)
    made = HyenaNetwork(SMALL)
    for parameter in made.parameters():
        parameter.requires_grad_(False)
        if parameter.ndim == 1:
            parameter.add_(0.1 * torch.randn_like(parameter))
    return made.eval()


def backbone(seed: int = 0) -> HyenaBackbone:
    return HyenaBackbone(network(seed), name="small", digest="d" * 64)


def codes(rows: int, bases: int, seed: int = 1) -> np.ndarray[Any, np.dtype[np.uint8]]:
    return np.random.default_rng(seed).integers(0, 5, (rows, bases), dtype=np.uint8)


def test_the_transform_convolves_causally() -> None:
    rng = np.random.default_rng(3)
    values, taps = rng.normal(size=(2, 37)), rng.normal(size=(2, 37))
    spectrum = torch.fft.rfft(torch.tensor(taps), n=fast_length(2 * 37))
    found = convolve(torch.tensor(values), spectrum).numpy()
    expected = [np.convolve(v, t)[:37] for v, t in zip(values, taps, strict=True)]
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_lengths_are_fast_and_never_too_short() -> None:
    for least in range(1, 5_000):
        length = fast_length(least)
        assert least <= length <= 1.34 * least
        assert length / (length & -length) in (1, 3, 5, 9)


@pytest.mark.parametrize("bases", [1, 2, 63, 512, 1_100, 1_498])
def test_both_ways_and_the_plain_form_agree(bases: int) -> None:
    made, tokens = network(), to_tokens(torch.from_numpy(codes(2, bases)))
    with torch.inference_mode():
        fast, simple = hidden_vectors(made, tokens), made(tokens)
        plain = RIVAL.plain_hyenadna(made.state_dict(), tokens, SMALL.n_layer)
    scale = float(plain.abs().max())
    assert float((fast - plain).abs().max()) < 1e-5 * scale
    assert float((simple - plain).abs().max()) < 1e-5 * scale


def test_a_vector_sees_its_base_and_what_stands_before_only() -> None:
    made, one = backbone(), codes(1, 300)
    other = one.copy()
    other[0, 200] = (other[0, 200] + 1) % 4
    first, second = (made.embed({"sequence": c})[0] for c in (one, other))
    np.testing.assert_allclose(first[:200], second[:200], atol=1e-5)
    assert np.abs(first[200:] - second[200:]).max(axis=1).min() > 1e-5


def test_an_embedding_is_one_vector_per_base_without_special_tokens() -> None:
    made, batch = backbone(), codes(3, 50)
    assert isinstance(made, Backbone)
    batch.setflags(write=False)
    found = made.embed({"sequence": batch})
    batch.setflags(write=True)
    assert (found.shape, found.dtype) == ((3, 50, 16), np.float32)
    tokens = to_tokens(torch.from_numpy(batch))
    assert tokens[0, 0] == 0
    assert tokens[0, -1] == 1
    assert set(tokens[:, 1:-1].unique().tolist()) == {7, 8, 9, 10, 11}
    with torch.inference_mode():
        np.testing.assert_allclose(found, made.network(tokens)[:, 1:-1], atol=1e-5)
    with pytest.raises(ConfigError, match="predicts no tracks"):
        made.tracks({})


def test_the_filter_is_kept_per_length_and_made_anew_for_other_weights() -> None:
    made = backbone()
    filters = made.network.backbone.layers[0].mixer.filter_fn
    first = made.embed({"sequence": codes(1, 40)})
    with torch.inference_mode():
        assert filters.spectrum(42) is filters.spectrum(42)
        assert filters.spectrum(42) is not filters.spectrum(43)
    assert torch.is_grad_enabled()
    assert filters.spectrum(42) is not filters.spectrum(42)
    made.network.load_state_dict(network(seed=5).state_dict())
    second = made.embed({"sequence": codes(1, 40)})
    np.testing.assert_array_equal(second, backbone(seed=5).embed({"sequence": codes(1, 40)}))
    assert np.abs(first - second).max() > 0.01


def test_filters_too_large_to_keep_are_made_group_by_group(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made, batch = backbone(), {"sequence": codes(2, 400)}
    kept = made.embed(batch)
    assert made.network.backbone.layers[0].mixer.filter_fn._kept
    monkeypatch.setattr(filter_module, "_KEPT_BYTES", 0)
    monkeypatch.setattr(inference_module, "_GROUP_NUMBERS", 0)
    monkeypatch.setattr(inference_module, "_FEWEST", 4)
    other = backbone()
    np.testing.assert_allclose(other.embed(batch), kept, atol=1e-5)
    assert not other.network.backbone.layers[0].mixer.filter_fn._kept
    assert other.memory(400) < made.memory(400) + 2**20


def test_gradients_reach_every_weight() -> None:
    made = HyenaNetwork(SMALL)
    made(to_tokens(torch.from_numpy(codes(1, 30)))).square().sum().backward()
    without = [name for name, p in made.named_parameters() if p.grad is None]
    assert without == []


def test_memory_is_told_beforehand_and_bounds_the_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    made = backbone()
    assert made.memory(1_000) < made.memory(1_400) < made.memory(1_400, rows=2)
    each = made.memory(1_000, 2) - made.memory(1_000)
    monkeypatch.setattr(backbone_module, "_BUDGET", made.memory(1_000) + 2 * each)
    monkeypatch.setattr(backbone_module, "_free_memory", lambda _: 10**9)
    assert made.rows_at_once(1_000) == 3
    many = codes(5, 1_000)
    together = made.embed({"sequence": many})
    monkeypatch.setattr(backbone_module, "_BUDGET", 0)
    assert made.rows_at_once(1_000) == 1
    np.testing.assert_array_equal(made.embed({"sequence": many}), together)
    monkeypatch.setattr(backbone_module, "_free_memory", lambda _: 1000)
    assert made.rows_at_once(1_000) == 1  # it had as much already
    with pytest.raises(InputError, match=r"does not fit into memory.*1,000 bases, which need"):
        backbone().embed({"sequence": many})


def test_sequences_that_it_cannot_read_are_refused() -> None:
    with pytest.raises(MismatchError, match=r"1,499 bases\. Expected: 1 to 1,498 bases"):
        backbone().embed({"sequence": codes(1, 1_499)})
    with pytest.raises(MismatchError, match="a base code above 4"):
        backbone().embed({"sequence": np.full((1, 9), 5, dtype=np.uint8)})


class _Settings:
    """Stands for what training leaves in a checkpoint; its module is gone when it is read."""

    def __init__(self) -> None:
        self.content = {"layers": [1, 2]}

    def __setstate__(self, _: Any) -> None:
        raise AssertionError("code of a checkpoint ran")


@pytest.fixture
def checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Weights as they were published: prefixed, wrapped, with a head and foreign classes."""
    gone = types.ModuleType("settings_of_training")
    monkeypatch.setitem(sys.modules, "settings_of_training", gone)
    monkeypatch.setattr(_Settings, "__module__", "settings_of_training")
    gone._Settings = _Settings  # type: ignore[attr-defined]  # a made-up module
    state = {
        "model." + name.replace(".mixer.", ".mixer.layer.").replace(".mlp.", ".mlp.layer."): value
        for name, value in network().state_dict().items()
    }
    state["model.lm_head.weight"] = torch.zeros(16, 16)
    path = tmp_path / "weights.ckpt"
    torch.save({"state_dict": state, "hyper_parameters": _Settings(), "epoch": 3}, path)
    monkeypatch.delitem(sys.modules, "settings_of_training")
    return path


def test_a_published_checkpoint_loads_strictly_and_runs_nothing(checkpoint: Path) -> None:
    loaded = load_hyenadna(checkpoint, SMALL)
    for name, value in network().state_dict().items():
        assert torch.equal(loaded.state_dict()[name], value), name
    assert not any(p.requires_grad for p in loaded.parameters())


def test_safetensors_load_with_and_without_copies_of_shared_weights(tmp_path: Path) -> None:
    state = {name: value.clone() for name, value in network().state_dict().items()}
    save_file(state, tmp_path / "all.safetensors")
    fewer = {n: v for n, v in state.items() if not n.endswith(("filter.3.freq", "filter.5.freq"))}
    save_file(fewer, tmp_path / "fewer.safetensors")
    batch = {"sequence": codes(1, 20)}
    for name in ("all", "fewer"):
        loaded = load_hyenadna(tmp_path / f"{name}.safetensors", SMALL)
        found = HyenaBackbone(loaded, name="x", digest="0").embed(batch)
        np.testing.assert_array_equal(found, backbone().embed(batch))
    state["backbone.layers.0.mixer.filter_fn.implicit_filter.3.freq"] += 1
    save_file(state, tmp_path / "torn.safetensors")
    with pytest.raises(MismatchError, match="are not shared"):
        load_hyenadna(tmp_path / "torn.safetensors", SMALL)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"n_layer": 3}, r"backbone.layers.2.mixer.*is missing"),
        ({"n_layer": 1}, r"backbone.layers.1.mixer.*is too much"),
        ({"d_model": 8}, r"word_embeddings.weight has shape \(16, 16\) and not \(16, 8\)"),
        ({"l_max": 99}, r"pos_emb.z has shape \(1, 1500, 5\) and not \(1, 99, 5\)"),
    ],
)
def test_weights_of_another_architecture_are_refused(
    checkpoint: Path, change: dict[str, int], told: str
) -> None:
    config = SMALL.model_copy(update=change)
    with pytest.raises(MismatchError, match=told) as caught:
        load_hyenadna(checkpoint, config, name="hyenadna-x")
    assert "the weights are not those of hyenadna-x" in str(caught.value)
    assert "Found: 2 blocks of 16 channels" in str(caught.value)
    assert f"Expected: {config.n_layer} blocks of {config.d_model} channels" in str(caught.value)


def test_files_that_are_cut_or_foreign_are_refused(checkpoint: Path, tmp_path: Path) -> None:
    whole = checkpoint.read_bytes()
    for kept in (len(whole) - 30, len(whole) // 2, 100):
        checkpoint.write_bytes(whole[:kept])
        with pytest.raises(FormatError, match="not a whole torch checkpoint"):
            load_hyenadna(checkpoint, SMALL)
    state = {name: value.clone() for name, value in network().state_dict().items()}
    cut = tmp_path / "cut.safetensors"
    save_file(state, cut)
    cut.write_bytes(cut.read_bytes()[:-100])
    with pytest.raises(FormatError, match="not a whole safetensors"):
        load_hyenadna(cut, SMALL)
    (tmp_path / "page.html").write_text("<html>")
    with pytest.raises(FormatError, match="neither a torch checkpoint nor a safetensors file"):
        load_hyenadna(tmp_path / "page.html", SMALL)
    torch.save({"state_dict": {"fc.weight": torch.zeros(2)}}, tmp_path / "other.ckpt")
    with pytest.raises(FormatError, match="no HyenaDNA weights in this file"):
        load_hyenadna(tmp_path / "other.ckpt", SMALL)
    with pytest.raises(InputError, match="no such file of weights"):
        load_hyenadna(tmp_path / "none.ckpt", SMALL)


def test_a_name_finds_fetched_weights_or_says_how_to_get_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EXPRIMO_CACHE", str(tmp_path))
    with pytest.raises(InputError, match="exprimo fetch weights hyenadna-tiny-1k"):
        open_hyenadna("hyenadna-tiny-1k")
    torch.manual_seed(0)
    made = HyenaNetwork(CHECKPOINTS["hyenadna-tiny-1k"])
    place = tmp_path / "weights" / "hyenadna-tiny-1k" / "weights.ckpt"
    place.parent.mkdir(parents=True)
    torch.save(made.state_dict(), place)
    opened = open_hyenadna("hyenadna-tiny-1k")
    assert (opened.window, opened.channels, len(opened.digest)) == (1_024, 128, 64)
