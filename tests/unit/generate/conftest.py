"""Sequences with a motif at one place in 60% of a class, and small settings that learn them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from exprimo.core.dataset import write_dataset
from exprimo.core.sequence import encode

MOTIF, PLACE = encode("TGACTCAT"), 20


@pytest.fixture(scope="session")
def motifs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """2,000 sequences of 48 bp; in 60% of class 1 of ``high`` a motif stands at base 20.

    ``y`` is 2 with the motif and 0 without, with a little noise. Five chromosomes.
    """
    rng = np.random.default_rng(3)
    n, length = 2000, 48
    codes = rng.integers(0, 4, (n, length)).astype(np.uint8)
    high = rng.random(n) < 0.5
    has = high & (rng.random(n) < 0.6)
    codes[has, PLACE : PLACE + len(MOTIF)] = MOTIF
    path = tmp_path_factory.mktemp("motifs") / "motifs.h5"
    ids = [f"e{i}" for i in range(n)]
    with write_dataset(path, {"made": "for tests"}) as out:
        out.examples(
            pd.DataFrame({"example_id": ids, "chrom": [f"chr{i % 5 + 1}" for i in range(n)]})
        )
        out.input("sequence", [codes])
        out.target("high", high.astype(float), kind="classification")
        out.target("y", 2 * has + rng.normal(0, 0.2, n), kind="regression")
    return path


@pytest.fixture(scope="session")
def tiny() -> dict[str, Any]:
    """Settings of a fit that takes a second and learns next to nothing."""
    return {
        "split": "random",
        "machine": {"threads": 1, "precision": "fp32"},
        "options": {"channels": 8, "blocks": 1},
        "fit": {"steps": 20, "every": 5, "batch_size": 8},
    }
