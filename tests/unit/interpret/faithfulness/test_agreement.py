"""Agreement of explanations that lie in folders."""

from __future__ import annotations

import json
from pathlib import Path

import h5py
import numpy as np
import pytest

from exprimo.core.errors import ConfigError, InputError, MismatchError
from exprimo.interpret.attributions.store import Block, Described, write_attributions
from exprimo.interpret.faithfulness.agreement import agreement

VALUES = np.random.default_rng(0).normal(size=(20, 40)).astype(np.float32)
IDS = np.array([f"g{i}" for i in range(20)])


def make(folder: Path, values: np.ndarray, ids: np.ndarray, name: str = "sequence") -> Path:
    folder.mkdir()
    arrays = {"prediction": np.zeros(len(ids), np.float32), f"inputs/{name}/values": values}
    if name == "sequence":
        # Each example's own bases, told by its name.
        numbers = np.array([int(one.strip("abcdefghijklmnopqrstuvwxyz")) for one in ids])[:, None]
        arrays["inputs/sequence/codes"] = ((numbers + np.arange(40)) % 4).astype(np.uint8)
    about = Described(ids, {"method": folder.name}, {})
    write_attributions(folder / "attributions.h5", [Block(arrays)], about)
    return folder


def test_examples_are_matched_by_name(tmp_path: Path) -> None:
    one = make(tmp_path / "one", VALUES, IDS)
    order = np.random.default_rng(1).permutation(20)[:15]
    other = make(tmp_path / "other", -VALUES[order], IDS[order])
    found = agreement([one, other], tmp_path / "a.json")
    assert found.n_examples == 15
    assert [method for _, method in found.names] == ["one", "other"]
    (pair,) = found.pairs.to_dict("records")
    assert pair["size"] == pytest.approx(1)
    assert pair["signed"] == pytest.approx(-1)
    assert pair["overlap"] == 1
    assert pair["expected"] == 0.5
    written = json.loads((tmp_path / "a.json").read_text())
    assert written["pairs"][0]["input"] == "sequence"
    assert written["n_examples"] == 15


def test_every_pair_is_compared(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    near = VALUES + 0.1 * rng.normal(size=VALUES.shape).astype(np.float32)
    far = rng.normal(size=VALUES.shape).astype(np.float32)
    folders = [make(tmp_path / k, v, IDS) for k, v in (("a", VALUES), ("b", near), ("c", far))]
    pairs = agreement(folders, most=10).pairs
    assert pairs[["one", "other"]].to_numpy().tolist() == [[0, 1], [0, 2], [1, 2]]
    assert pairs["signed"][0] > 0.9
    assert abs(pairs["signed"][1]) < 0.2


def test_what_cannot_be_compared_is_refused(tmp_path: Path) -> None:
    one = make(tmp_path / "one", VALUES, IDS)
    with pytest.raises(ConfigError, match="nothing to agree with"):
        agreement([one])
    other = make(tmp_path / "other", VALUES, np.char.add("x", IDS))
    with pytest.raises(InputError, match="no example is explained by all"):
        agreement([one, other])
    signal = make(tmp_path / "signal", VALUES, IDS, "signal")
    with pytest.raises(MismatchError, match="share no input"):
        agreement([one, signal])


def test_other_sequences_under_the_same_names_are_refused(tmp_path: Path) -> None:
    one = make(tmp_path / "one", VALUES, IDS)
    other = make(tmp_path / "other", VALUES, IDS)
    with h5py.File(other / "attributions.h5", "r+") as file:
        file["inputs/sequence/codes"][3, 7] = 4
    with pytest.raises(MismatchError, match=r"g3: another sequence.*1 of 20 .* differ"):
        agreement([one, other])
