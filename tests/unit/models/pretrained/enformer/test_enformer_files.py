"""Enformer's files, its Backbone, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch
from safetensors.torch import save_file

from exprimo.core.errors import ConfigError, FormatError, InputError, MismatchError
from exprimo.core.files.provenance import sha256_file
from exprimo.core.predictor import Backbone
from exprimo.data.fetch.weights import weights_path
from exprimo.models.pretrained import open_pretrained, pretrained_names
from exprimo.models.pretrained.enformer import (
    TOY,
    EnformerBackbone,
    EnformerConfig,
    load_enformer,
    open_enformer,
    random_enformer,
    save_enformer,
)

STATE = random_enformer(seed=5).state_dict()


@pytest.fixture(scope="module")
def toy_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_enformer(random_enformer(seed=5), tmp_path_factory.mktemp("toy") / "toy.st")


def windows(rows: int = 2, seed: int = 0) -> npt.NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 5, (rows, TOY.window)).astype(np.uint8)


def opened(path: Path, name: str = "enformer") -> EnformerBackbone:
    found = open_pretrained(name, str(path))
    assert isinstance(found, EnformerBackbone)
    return found


def test_a_saved_network_comes_back_by_name(toy_file: Path):
    backbone = opened(toy_file)
    assert isinstance(backbone, Backbone)
    assert backbone.network.config == TOY
    assert backbone.digest == sha256_file(toy_file)
    assert {"enformer", "enformer-mouse"} <= set(pretrained_names())
    for name, tensor in backbone.network.state_dict().items():
        assert torch.equal(tensor, STATE[name]), name


def test_shapes_and_what_is_chosen_before_the_head(toy_file: Path):
    backbone = opened(toy_file)
    batch = {"sequence": windows()}
    tracks = backbone.tracks(batch)
    assert backbone.embed(batch).shape == (2, backbone.n_bins, backbone.channels) == (2, 48, 96)
    assert tracks.shape == (2, backbone.n_tracks, backbone.n_bins) == (2, 12, 48)
    assert tracks.dtype == np.float32
    assert tracks.min() > 0
    chosen = backbone.predict_tracks(batch, [7, 2, 7], slice(23, 26))
    np.testing.assert_allclose(chosen, tracks[:, [7, 2, 7], 23:26], rtol=1e-5)
    assert backbone.predict_tracks(batch, [], slice(0, 3)).shape == (2, 0, 3)


def test_the_head_of_mice_has_its_own_tracks(toy_file: Path):
    human, mouse = opened(toy_file), opened(toy_file, "enformer-mouse")
    batch = {"sequence": windows(1)}
    assert mouse.n_tracks == 4
    np.testing.assert_array_equal(human.embed(batch), mouse.embed(batch))
    assert not np.allclose(human.tracks(batch)[:, :4], mouse.tracks(batch))


def test_precision_can_be_changed(toy_file: Path):
    backbone = opened(toy_file)
    batch = {"sequence": windows(1)}
    exact = backbone.tracks(batch)
    backbone.precision = "bf16"
    near = backbone.tracks(batch)
    assert not np.array_equal(exact, near)
    assert np.corrcoef(exact.ravel(), near.ravel())[0, 1] > 0.99
    backbone.precision = "fp32"
    np.testing.assert_array_equal(backbone.tracks(batch), exact)


def test_a_torch_file_with_the_port_s_second_names(tmp_path: Path):
    places = {"stem": 1, "conv_tower": 2, "transformer": 4, "final_pointwise": 6}
    twice = dict(STATE)
    for name, tensor in STATE.items():
        part, rest = name.split(".", 1)
        if part in places:
            twice[f"_trunk.{places[part]}.{rest}"] = tensor
    torch.save(twice, tmp_path / "pytorch_model.bin")
    # As safetensors of shared tensors keep one name, which may be either.
    only = {k: v.clone() for k, v in twice.items() if k.startswith(("_trunk.", "_heads."))}
    save_file(only, tmp_path / "model.safetensors")
    for file in ("pytorch_model.bin", "model.safetensors"):
        network = load_enformer(tmp_path / file, TOY)
        for name, tensor in network.state_dict().items():
            assert torch.equal(tensor, STATE[name]) or name.endswith("tracked"), name


def test_sizes_are_read_off_the_tensors(tmp_path: Path):
    torch.save(STATE, tmp_path / "toy.pt")
    config = load_enformer(tmp_path / "toy.pt").config
    told = {"window": 1536 * 32, "bins": 896, "gamma": "pytorch"}
    assert {**config.model_dump(), "divisible_by": 4} == {**TOY.model_dump(), **told}
    assert config.tower() == TOY.tower()


def test_the_published_sizes_are_read_off_too():
    from exprimo.models.pretrained.enformer.loading import infer_config
    from exprimo.models.pretrained.enformer.network import EnformerNetwork

    with torch.device("meta"):
        state = EnformerNetwork(EnformerConfig()).state_dict()
    config = infer_config(state)
    assert config == EnformerConfig(gamma="tensorflow")
    assert config.tensorflow_gamma


@pytest.mark.parametrize("kind", ["toy.pt", "toy.safetensors"])
def test_files_cut_short_are_refused(kind: str, tmp_path: Path):
    file = tmp_path / kind
    if kind.endswith(".pt"):
        torch.save(STATE, file)
    else:
        save_enformer(random_enformer(seed=5), file)
    file.write_bytes(file.read_bytes()[:-5000])
    with pytest.raises(FormatError, match="not a whole"):
        open_enformer("enformer", file)


def test_weights_of_another_model_are_refused(tmp_path: Path):
    save_file({"backbone.layers.0.mixer.weight": torch.zeros(2)}, tmp_path / "other.st")
    with pytest.raises(FormatError, match=r"no Enformer weights.*backbone\.layers"):
        open_enformer("enformer", tmp_path / "other.st")


def test_a_missing_an_additional_and_a_wrong_tensor_are_named(tmp_path: Path):
    state = {**STATE, "stem.9.bias": torch.zeros(1), "_heads.human.0.bias": torch.zeros(3)}
    del state["stem.0.bias"]
    save_file(state, tmp_path / "odd.st")
    with pytest.raises(MismatchError) as refused:
        load_enformer(tmp_path / "odd.st", TOY)
    for part in ("stem.0.bias is missing", "stem.9.bias is too much", "(3,) and not (12,)"):
        assert part in str(refused.value)


def test_two_names_of_one_part_must_agree(tmp_path: Path):
    save_file({**STATE, "_trunk.1.0.bias": STATE["stem.0.bias"] + 1}, tmp_path / "two.st")
    with pytest.raises(FormatError, match=r"two different tensors.*|stem\.0\.bias"):
        load_enformer(tmp_path / "two.st", TOY)


def test_nothing_fetched_yet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("EXPRIMO_CACHE", str(tmp_path))
    with pytest.raises(InputError, match="exprimo fetch enformer"):
        open_pretrained("enformer")
    place = weights_path("enformer")
    assert place.name == "pytorch_model.bin"
    place.parent.mkdir(parents=True)
    save_enformer(random_enformer(seed=5), place)
    assert open_pretrained("enformer").n_bins == 48  # type: ignore[attr-defined]  # a Backbone


def test_a_network_without_a_head_for_mice(tmp_path: Path):
    human = TOY.model_copy(update={"tracks": {"human": 2}})
    file = save_enformer(random_enformer(human), tmp_path / "human.st")
    with pytest.raises(ConfigError, match=r"no head for mouse.*Use enformer"):
        open_enformer("enformer-mouse", file)


def test_bad_windows_and_tracks_are_refused(toy_file: Path):
    backbone = opened(toy_file)
    with pytest.raises(MismatchError, match="2,000 bases"):
        backbone.embed({"sequence": windows()[:, :2000]})
    with pytest.raises(MismatchError, match="above 4"):
        backbone.embed({"sequence": windows() + np.uint8(1)})
    with pytest.raises(ConfigError, match=r"track 12.*0 to 11"):
        backbone.predict_tracks({"sequence": windows()}, [12], slice(0, 1))
