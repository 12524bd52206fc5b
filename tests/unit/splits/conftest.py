"""Small datasets for the tests of splits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from exprimo.core.dataset import Dataset, write_dataset
from exprimo.core.sequence import Codes

MakeDataset = Callable[..., Dataset]


@pytest.fixture
def make_dataset(tmp_path: Path) -> Iterator[MakeDataset]:
    """Write and open a dataset with the given columns and sequences (or k-mer counts)."""
    with ExitStack() as stack:

        def make(
            sequences: Codes | None = None, second: Codes | None = None, **columns: object
        ) -> Dataset:
            path = tmp_path / f"D{len(list(tmp_path.iterdir()))}.h5"
            table = pd.DataFrame(columns)
            if "example_id" not in table:
                n = len(table) if columns or sequences is None else len(sequences)
                table["example_id"] = [f"e{row}" for row in range(n)]
            with write_dataset(path, {}) as out:
                out.examples(table)
                if sequences is not None:
                    out.input("sequence", [sequences])
                    if second is not None:
                        out.input("sequence_2", [second])
                else:
                    out.input("kmers", [np.zeros((len(table), 2), np.float32)], labels=["A", "C"])
            return stack.enter_context(Dataset.open(path))

        yield make
