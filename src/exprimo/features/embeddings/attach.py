"""A store of embeddings as an input of a dataset."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from exprimo.core.dataset import Dataset, InputInfo
from exprimo.features.embeddings.keys import Keys, sequence_keys
from exprimo.features.embeddings.store import EmbeddingStore

INPUT = "embedding"
_BASES_AT_ONCE = 1 << 24


@contextmanager
def attach_embeddings(
    dataset: Dataset, store: str | Path | None
) -> Iterator[EmbeddingStore | None]:
    """Give a dataset the input ``embedding``, (bins, channels), from a store; None changes nothing.

    Raises
    ------
    InputError
        The dataset has no sequences, or the store lacks some of them.
    """
    if store is None:
        yield None
        return
    index = dataset.index("sequence")
    with EmbeddingStore.open(store) as opened:
        keys = dataset_keys(dataset)
        opened.require(keys)

        def take(rows: npt.NDArray[np.int64]) -> npt.NDArray[Any]:
            return opened.rows(keys[rows])

        info = InputInfo(
            INPUT,
            opened.shape,
            np.dtype(opened.manifest.dtype),
            len(keys),
            ("row", "bin", "channel"),
            "",
            (),
        )
        dataset.attach(info, index, take)
        yield opened


def dataset_keys(dataset: Dataset) -> Keys:
    """Hash the distinct sequences of a dataset, in their order."""
    info = dataset.inputs["sequence"]
    size = max(1, _BASES_AT_ONCE // info.shape[0])
    return np.concatenate(
        [
            sequence_keys(dataset.distinct("sequence", start, start + size))
            for start in range(0, info.n_distinct, size)
        ]
    )
