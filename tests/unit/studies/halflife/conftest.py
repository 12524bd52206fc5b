"""Studies of made-up file names, and datasets of a few genes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from exprimo.core.dataset import write_dataset
from exprimo.core.sequence import encode
from exprimo.studies.halflife import HalflifeStudy

MakeStudy = Callable[..., HalflifeStudy]


@pytest.fixture
def study() -> MakeStudy:
    """Make a study of a dataset; arguments are its keys and tables."""

    def make(**values: Any) -> HalflifeStudy:
        sources = {"genes", "hdf5", "dataset"} & set(values)
        return HalflifeStudy.checked(values if sources else {"dataset": "D.h5", **values})

    return make


@pytest.fixture
def write_genes(tmp_path: Path) -> Callable[..., Path]:
    """Write a dataset of genes: columns of the table, sequences as text, a target."""

    def write(
        columns: dict[str, list[Any]],
        sequences: list[str],
        target: list[float],
        *,
        kind: Any = "regression",
        halflife: bool = True,
        classes: tuple[str, ...] = (),
    ) -> Path:
        path = tmp_path / "D.h5"
        table = pd.DataFrame({"example_id": [f"g{i}" for i in range(len(target))], **columns})
        with write_dataset(path, {}) as out:
            out.examples(table)
            out.input("sequence", [np.stack([encode(text) for text in sequences])])
            if halflife:
                out.input("halflife", [np.ones((len(target), 8), dtype=np.float32)])
            more = {"classes": classes} if classes else {}
            out.target("expression", np.array(target), kind=kind, **more)
        return path

    return write
