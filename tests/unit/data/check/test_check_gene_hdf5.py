"""What is told about HDF5 files of genes, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from exprimo.data.check import check_file

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def made(**changed: Any) -> Path:
        rng = np.random.default_rng(2)
        arrays: dict[str, Any] = {
            "gene_id": np.array([b"g1", b"g2", b"g3", b"g4"]),
            "promoter": np.eye(5, 4)[np.array([[0, 1, 2, 4, 1]] * 4)],
            "halflife": rng.normal(size=(4, 8)),
            "label": np.array([0, 1, 1, 1]),
        }
        path = tmp_path / "genes.h5"
        with h5py.File(path, "w") as file:
            for key, values in {**arrays, **changed}.items():
                if values is not None:
                    file[key] = values
        return path

    return made


def test_what_a_good_file_holds(write: Write) -> None:
    found = check_file(write(detectionFlagInt=np.array([0.5, np.nan, 1, 2])))
    assert (found.kind, found.problems) == ("gene HDF5", [])
    assert found.facts == {
        "genes": "4 (g1, g2, g3, ...)",
        "half-life features": "8",
        "target label": "classification, 3 of 4 are 1",
        "target detectionFlagInt": "regression, 3 values, 0.5 to 2; 1 missing",
        "promoters": "5 bases each, 20.0% N, GC 75.0%",
        "order of channels": "taken for ACGT; neighbouring bases do not tell",
    }


def test_several_problems_are_all_told(write: Write) -> None:
    promoter = np.eye(5, 4)[np.zeros((4, 5), dtype=int)]
    promoter[1, 2, 3] = 1
    found = check_file(write(promoter=promoter, label=np.array([0, 1, 2, 1])))
    assert not found.ok
    assert len(found.problems) == 2
    assert "gene g3: not a label" in found.problems[0]
    assert "gene g2, position 3: two bases" in found.problems[1]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"gene_id": np.array([b"a", b"a", b"b", b"c"])}, "occurs twice"),
        ({"halflife": None}, "no array halflife or data"),
        ({"label": None}, "no array label or detectionFlagInt"),
        ({"halflife": np.full((4, 1), np.inf)}, "column 1"),
        ({"promoter": np.zeros((4, 5, 4))}, "no base is known"),
    ],
)
def test_one_problem(write: Write, changed: dict[str, Any], said: str) -> None:
    found = check_file(write(**changed))
    assert found.kind == "gene HDF5"
    assert len(found.problems) == 1
    assert said in found.problems[0]


def test_an_unlikely_order_of_channels_is_a_problem(write: Write) -> None:
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 4, (4, 40_000))
    cg = (codes[:, :-1] == 1) & (codes[:, 1:] == 2)
    codes[:, 1:][cg & (rng.random(cg.shape) < 0.8)] = 0
    assert (
        check_file(write(promoter=np.eye(4, dtype=bool)[codes]))
        .facts["order of channels"]
        .startswith("Channels ACGT fit: CG at 0.2")
    )
    swapped = np.array([0, 2, 1, 3])[codes]
    found = check_file(write(promoter=np.eye(4, dtype=bool)[swapped]))
    assert len(found.problems) == 1
    assert "the order AGCT would make it so" in found.problems[0]


def test_another_hdf5_file_is_not_one_of_genes(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "weights.h5", "w") as file:
        file["promoter"] = np.zeros(3)
    assert check_file(tmp_path / "weights.h5").kind == "HDF5 file"
