"""A store of embeddings as an input of a dataset: the right row for each example, or an error."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from exprimo.core.dataset import Dataset, write_dataset
from exprimo.core.errors import InputError
from exprimo.features.embeddings import attach_embeddings
from exprimo.models.pretrained.random_embedding import RandomEmbedding
from exprimo.scoring.embeddings import embed


def write(path: Path, codes: np.ndarray | None) -> Path:
    n = 5 if codes is None else len(codes)
    with write_dataset(path, {}) as out:
        out.examples(pd.DataFrame({"example_id": [f"e{i}" for i in range(n)]}))
        if codes is not None:
            out.input("sequence", [codes])
        out.input("halflife", [np.ones((n, 8), dtype=np.float32)])
    return path


@pytest.fixture
def codes() -> np.ndarray:
    """Five sequences, of which two are equal."""
    drawn = np.random.default_rng(0).integers(0, 4, (5, 30), dtype=np.uint8)
    drawn[3] = drawn[1]
    return drawn


@pytest.fixture
def store(codes: np.ndarray, tmp_path: Path) -> Path:
    embed("random-embedding:4", write(tmp_path / "D.h5", codes), tmp_path / "S", bin=10)
    return tmp_path / "S"


def test_each_example_has_the_embedding_of_its_own_sequence(
    codes: np.ndarray, store: Path, tmp_path: Path
) -> None:
    # Another dataset, in another order: sequences are known by what they are.
    order = np.array([4, 1, 0, 3, 2])
    other = write(tmp_path / "other.h5", codes[order])
    with Dataset.open(other) as data, attach_embeddings(data, store) as opened:
        assert opened is not None
        assert data.inputs["embedding"].shape == (3, 4)
        assert data.inputs["embedding"].n_distinct == 4
        found = data.batch(("embedding", "halflife"), np.array([3, 0]))
        expected = RandomEmbedding(4).embed({"sequence": codes[order][[3, 0]]})
        pooled = expected.reshape(2, 3, 10, 4).mean(2)
        np.testing.assert_allclose(found["embedding"], pooled, atol=1e-3)
        assert found["halflife"].shape == (2, 8)


def test_no_store_changes_nothing(codes: np.ndarray, tmp_path: Path) -> None:
    path = write(tmp_path / "D.h5", codes)
    with Dataset.open(path) as data, attach_embeddings(data, None) as opened:
        assert opened is None
        assert "embedding" not in data.inputs


def test_sequences_that_the_store_lacks(codes: np.ndarray, store: Path, tmp_path: Path) -> None:
    changed = codes.copy()
    changed[0, 7] = (changed[0, 7] + 1) % 4
    other = write(tmp_path / "other.h5", changed)
    with (
        Dataset.open(other) as data,
        pytest.raises(InputError, match=r"not in the store\. Found: 1 of 4"),
        attach_embeddings(data, store),
    ):
        pass


def test_a_dataset_without_sequences(store: Path, tmp_path: Path) -> None:
    other = write(tmp_path / "other.h5", None)
    with (
        Dataset.open(other) as data,
        pytest.raises(InputError, match="sequence"),
        attach_embeddings(data, store),
    ):
        pass
