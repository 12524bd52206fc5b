"""Three unequal classes that two motifs tell apart."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from exprimo.core.dataset import write_dataset
from exprimo.core.sequence import encode

CLASSES = ("down", "none", "up")


@pytest.fixture(scope="session")
def changes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """500 sequences of 60 bp: 15% hold one motif (down), 25% another (up), the rest none.

    Targets: ``change`` (three classes) and ``up`` (1 where that motif stands). Motifs stand at one
    of four places, so that trees on single bases can find them, too.
    """
    rng = np.random.default_rng(21)
    n, length = 500, 60
    codes = rng.integers(0, 4, (n, length)).astype(np.uint8)
    change = rng.choice(3, n, p=[0.15, 0.6, 0.25])
    motifs = {0: encode("TGACTCAT"), 2: encode("CCGGAAGT")}
    for row in range(n):
        if change[row] in motifs:
            at = 10 + 10 * int(rng.integers(0, 4))
            codes[row, at : at + 8] = motifs[change[row]]
    path = tmp_path_factory.mktemp("changes") / "changes.h5"
    with write_dataset(path, {"made": "for tests"}) as out:
        out.examples(pd.DataFrame({"example_id": [f"e{i}" for i in range(n)]}))
        out.input("sequence", [codes])
        out.target("change", change, kind="multiclass", classes=CLASSES)
        out.target("up", (change == 2).astype(float), kind="classification")
    return path
