"""Xpresso: the published architecture, Keras files, half-life features."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

from exprimo.core.dataset import Dataset, write_dataset
from exprimo.core.errors import ConfigError, FormatError, InputError, MismatchError
from exprimo.core.predictor import Predictor
from exprimo.models.pretrained import open_pretrained
from exprimo.models.pretrained.xpresso import PUBLISHED_FEATURES, load_xpresso
from exprimo.models.pretrained.xpresso.keras_weights import read_keras_weights
from exprimo.models.xpresso import Xpresso, XpressoConfig
from exprimo.models.zoo import Shapes, get_spec
from exprimo.training.config import TrainConfig
from exprimo.training.fitting import with_preset

WINDOW = 10_500
Arrays = dict[str, tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]]


def layers(n_features: int, seed: int = 0) -> Arrays:
    rng = np.random.default_rng(seed)
    shapes = {
        "conv1d_1": (6, 4, 128),
        "conv1d_2": (9, 128, 32),
        "dense_1": (1120 + n_features, 64),
        "dense_2": (64, 2),
        "dense_3": (2, 1),
    }
    return {
        name: (
            rng.normal(0, 0.1, shape).astype(np.float32),
            rng.normal(0, 0.1, shape[-1]).astype(np.float32),
        )
        for name, shape in shapes.items()
    }


def write_keras(path: Path, arrays: Arrays) -> Path:
    """Write weights as Keras 2.0 lays them out, among layers without any."""
    with h5py.File(path, "w") as file:
        group = file.create_group("model_weights")
        names = ["promoter", *arrays, "dropout_1"]
        group.attrs["layer_names"] = [name.encode() for name in names]
        for name in names:
            inner = group.create_group(name)
            stored = dict(zip(("kernel:0", "bias:0"), arrays.get(name, ()), strict=False))
            inner.attrs["weight_names"] = [f"{name}/{key}".encode() for key in stored]
            for key, values in stored.items():
                inner[f"{name}/{key}"] = values
    return path


def by_hand(arrays: Arrays, codes: npt.NDArray[np.uint8], halflife: npt.NDArray[np.float64]):
    """Compute the published network step by step, channels last as in Keras."""
    x = np.eye(5)[codes][:, :4]
    for name, pool, (left, right) in (("conv1d_1", 30, (2, 3)), ("conv1d_2", 10, (4, 4))):
        kernel, bias = arrays[name]
        padded = np.pad(x, ((left, right), (0, 0)))
        windows = np.lib.stride_tricks.sliding_window_view(padded, len(kernel), axis=0)
        x = np.maximum(np.einsum("pcw,wco->po", windows, kernel) + bias, 0)
        x = x.reshape(-1, pool, x.shape[1]).max(axis=1)
    x = np.concatenate([x.ravel(), halflife])
    for name in ("dense_1", "dense_2"):
        x = np.maximum(x @ arrays[name][0] + arrays[name][1], 0)
    return x @ arrays["dense_3"][0] + arrays["dense_3"][1]


def sequences(n: int) -> npt.NDArray[np.uint8]:
    return np.random.default_rng(4).integers(0, 5, (n, WINDOW), dtype=np.uint8)


def test_the_network_has_the_published_size() -> None:
    shapes = Shapes({"sequence": (WINDOW,), "halflife": (6,)}, "regression")
    made = Xpresso(XpressoConfig(), shapes)
    assert sum(p.numel() for p in made.parameters()) == 112_357
    eight = Xpresso(XpressoConfig(), shapes._replace(inputs={**shapes.inputs, "halflife": (8,)}))
    assert sum(p.numel() for p in eight.parameters()) == 112_485
    without = Xpresso(XpressoConfig(halflife=False), shapes)
    assert sum(p.numel() for p in without.parameters()) == 112_357 - 6 * 64
    short = Shapes({"sequence": (200,), "halflife": (6,)}, "regression")
    assert Xpresso(XpressoConfig(), short).pools == (30, 6)


def test_a_keras_file_predicts_what_its_layers_say(tmp_path: Path) -> None:
    arrays, codes = layers(6), sequences(3)
    predictor = load_xpresso(write_keras(tmp_path / "w.h5", arrays))
    assert isinstance(predictor, Predictor)
    assert (predictor.inputs, predictor.window) == (("sequence",), WINDOW)
    expected = [by_hand(arrays, row, np.zeros(6)) for row in codes]
    found = predictor.predict({"sequence": codes})
    np.testing.assert_allclose(found.mean, expected, atol=1e-5)
    assert np.isnan(found.sd).all()


def test_weights_alone_without_the_model_around_them_are_read_too(tmp_path: Path) -> None:
    whole = write_keras(tmp_path / "w.h5", layers(6))
    with h5py.File(whole) as source, h5py.File(tmp_path / "bare.h5", "w") as bare:
        for name in source["model_weights"]:
            source.copy(f"model_weights/{name}", bare)
        bare.attrs["layer_names"] = source["model_weights"].attrs["layer_names"]
    for name, (kernel, bias) in layers(6).items():
        found = read_keras_weights(tmp_path / "bare.h5")[name]
        np.testing.assert_array_equal(found.kernel, kernel)
        np.testing.assert_array_equal(found.bias, bias)


def dataset(path: Path, labels: tuple[str, ...], values: npt.NDArray[np.float32]) -> Dataset:
    n = len(values)
    with write_dataset(path, {}) as out:
        out.examples(pd.DataFrame({"example_id": [f"e{i}" for i in range(n)]}))
        out.input("sequence", [sequences(1).repeat(n, axis=0)])
        out.input("halflife", [values], labels=labels)
    return Dataset.open(path)


def test_half_life_features_are_found_by_name_and_standardised_over_the_genes(
    tmp_path: Path,
) -> None:
    arrays = layers(8)
    path = write_keras(tmp_path / "w.h5", arrays)
    rng = np.random.default_rng(0)
    values = rng.normal(3, 2, (150, 9)).astype(np.float32)
    values[7, 2] = np.nan
    labels = ("own", *reversed(PUBLISHED_FEATURES))
    predictor = open_pretrained("xpresso-halflife", str(path))
    with dataset(tmp_path / "D.h5", labels, values) as data:
        fitted = predictor.fitted_to(data)  # type: ignore[attr-defined]  # Xpresso has it
        batch = data.batch(fitted.inputs, np.array([0, 7]))
        found = fitted.predict(batch).mean
    ours = values[:, ::-1][:, :8].astype(np.float64)
    z = (ours - np.nanmean(ours, axis=0)) / np.nanstd(ours, axis=0)
    expected = [by_hand(arrays, sequences(1)[0], np.nan_to_num(z[row])) for row in (0, 7)]
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert abs(found[0, 0] - found[1, 0]) > 1e-4


def test_what_does_not_fit_is_refused_with_a_way_out(tmp_path: Path) -> None:
    eight = write_keras(tmp_path / "eight.h5", layers(8))
    with pytest.raises(MismatchError, match=r"--upstream 7000 --downstream 3500"):
        load_xpresso(eight).predict({"sequence": sequences(1)[:, :2000]})
    reader = open_pretrained("xpresso-halflife", str(eight))
    few = np.random.default_rng(0).normal(size=(20, 8)).astype(np.float32)
    with (
        dataset(tmp_path / "few.h5", PUBLISHED_FEATURES, few) as data,
        pytest.raises(InputError, match=r"too few genes.*Found: 20"),
    ):
        reader.fitted_to(data)  # type: ignore[attr-defined]  # Xpresso has it
    with (
        dataset(tmp_path / "other.h5", tuple("abcdefgh"), few) as data,
        pytest.raises(MismatchError, match=r"log10_utr5_length.*Found: a, b, c"),
    ):
        reader.fitted_to(data)  # type: ignore[attr-defined]  # Xpresso has it
    with pytest.raises(MismatchError, match=r"another number of half-life features.*Found: 2"):
        load_xpresso(eight, features=("utr5_gc", "cds_gc"))
    six = write_keras(tmp_path / "six.h5", layers(6))
    with pytest.raises(ConfigError, match="not published which half-life features"):
        open_pretrained("xpresso-halflife", str(six))
    assert load_xpresso(six, features=PUBLISHED_FEATURES[:6]).inputs == ("sequence", "halflife")


def test_other_files_are_refused(tmp_path: Path) -> None:
    path = write_keras(tmp_path / "w.h5", layers(6))
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(FormatError, match="not a Keras HDF5 file, or cut short"):
        load_xpresso(path)
    arrays = layers(6)
    arrays["conv1d_1"] = (np.zeros((5, 4, 128), np.float32), arrays["conv1d_1"][1])
    with pytest.raises(MismatchError, match=r"not the weights of Xpresso.*\(5, 4, 128\)"):
        load_xpresso(write_keras(tmp_path / "other.h5", arrays))
    with h5py.File(tmp_path / "empty.h5", "w"):
        pass
    with pytest.raises(FormatError, match="not of Keras weights"):
        load_xpresso(tmp_path / "empty.h5")
    with pytest.raises(InputError, match="no such file of weights"):
        load_xpresso(tmp_path / "none.h5")
    with pytest.raises(InputError, match="xpresso needs a file"):
        open_pretrained("xpresso")


def test_the_zoo_trains_it_from_scratch_with_published_settings() -> None:
    spec = get_spec("xpresso")
    assert spec.inputs_read(XpressoConfig()) == ("sequence", "halflife")
    assert spec.inputs_read(XpressoConfig(halflife=False)) == ("sequence",)
    settings = with_preset(TrainConfig(dataset="D.h5", model="xpresso", preset="published"))
    fit = settings.fit
    assert (fit.optimizer, fit.learning_rate, fit.batch_size) == ("adam", 0.001, 128)
    assert (fit.epochs, fit.patience, fit.schedule) == (100, 5, "constant")
