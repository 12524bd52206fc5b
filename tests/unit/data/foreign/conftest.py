"""Small HDF5 files of genes in the layout of the published works."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

LENGTH = 40


@pytest.fixture
def gene_file(tmp_path: Path) -> Callable[..., tuple[Path, np.ndarray]]:
    """Write a file of random promoters; give its path and the codes in it (4 is N)."""

    def write(
        name: str = "train.h5",
        genes: int = 6,
        dtype: Any = bool,
        length: int = LENGTH,
        first: int = 0,
        **changed: Any,
    ) -> tuple[Path, np.ndarray]:
        rng = np.random.default_rng(first + 5)
        codes = rng.integers(0, 5, (genes, length)).astype(np.uint8)
        arrays: dict[str, Any] = {
            "gene_id": np.array([f"ENSG{first + i:011d}".encode() for i in range(genes)]),
            "promoter": np.eye(5, 4)[codes].astype(dtype),
            "halflife": rng.normal(size=(genes, 8)),
            "label": np.arange(genes) % 2,
        }
        options = changed.pop("promoter_options", {})
        arrays |= changed
        path = tmp_path / name
        with h5py.File(path, "w") as file:
            for key, values in arrays.items():
                if values is not None:
                    more = options if key == "promoter" else {}
                    file.create_dataset(key, data=values, **more)
        return path, codes

    return write
