"""From genes or HDF5 files to a dataset with sequence and half-life; shares of bins."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from exprimo.core.dataset import Dataset
from exprimo.studies.halflife.interpretation import shared_out
from exprimo.studies.halflife.source import build_dataset


def write_file(path: Path, first: int, channels: str = "ACGT") -> np.ndarray:
    rng = np.random.default_rng(first)
    codes = rng.integers(0, 4, (6, 20))
    order = ["ACGT".index(letter) for letter in channels]
    with h5py.File(path, "w") as file:
        file["gene_id"] = np.array([f"G{first + i}".encode() for i in range(6)])
        file["promoter"] = np.eye(4, dtype=bool)[codes][..., order]
        file["halflife"] = rng.normal(size=(6, 8))
        file["label"] = np.arange(6) % 2
        file["level"] = rng.normal(size=6)
    return codes


def test_three_files_become_parts(study: Any, tmp_path: Path) -> None:
    names = {"train": "a.h5", "val": "b.h5", "test": "c.h5"}
    codes = [write_file(tmp_path / name, 10 * k) for k, name in enumerate(names.values())]
    build_dataset(study(hdf5=names), tmp_path, tmp_path / "D.h5")
    with Dataset.open(tmp_path / "D.h5") as data:
        assert data.column("part").tolist() == ["train"] * 6 + ["val"] * 6 + ["test"] * 6
        np.testing.assert_array_equal(data.rows("sequence", np.arange(18)), np.concatenate(codes))
        assert data.the_target(None).kind == "classification"
        assert data.inputs["halflife"].shape == (8,)


def test_one_file_has_no_parts_and_may_order_its_channels(study: Any, tmp_path: Path) -> None:
    codes = write_file(tmp_path / "a.h5", 0, "TGCA")
    made = study(hdf5={"train": "a.h5", "channels": "TGCA", "target": "level"})
    build_dataset(made, tmp_path, tmp_path / "D.h5")
    with Dataset.open(tmp_path / "D.h5") as data:
        assert "part" not in data.columns
        assert data.the_target(None).kind == "regression"
        np.testing.assert_array_equal(data.rows("sequence", np.arange(6)), codes)


@pytest.mark.parametrize(
    ("bins", "width", "length"), [(4, 5, 20), (4, 5, 17), (1, 9, 4), (7, 1, 7)]
)
def test_each_base_has_an_equal_share_and_sums_stay(bins: int, width: int, length: int) -> None:
    of_bins = np.random.default_rng(1).normal(size=(3, bins)).astype(np.float32)
    shares = shared_out(of_bins, width, length)
    assert shares.shape == (3, length)
    np.testing.assert_allclose(shares.sum(1), of_bins.sum(1), rtol=1e-5)
    for number in range(bins):
        own = shares[:, number * width : min((number + 1) * width, length)]
        np.testing.assert_allclose(own.sum(1), of_bins[:, number], rtol=1e-5)
        assert (own == own[:, :1]).all()
