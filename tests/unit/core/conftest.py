"""A second process that obeys through pipes, and a small dataset."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from exprimo.core.dataset import write_dataset

Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def start() -> Iterator[Start]:
    """Start Python code; it tells by printing, and is told through its standard input."""
    running: list[subprocess.Popen[str]] = []

    def begin(code: str, *arguments: object) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(code), *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        running.append(process)
        return process

    yield begin
    for process in running:
        process.kill()
        process.communicate()


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six examples of four distinct sequences, one target with a gap, one class."""
    path = tmp_path_factory.mktemp("small") / "D.h5"
    rows = np.array([[0, 1, 2, 3], [3, 3, 3, 3], [0, 1, 2, 3], [4, 4, 4, 4]], np.uint8)
    table = pd.DataFrame(
        {
            "example_id": [f"e{i}" for i in range(6)],
            "gene_id": ["g1", "g2", "g1", "g3", "g4", "g2"],
            "cell_type": ["β", None, "β", "K562", "K562", "β"],
            "start": [1, 2, np.nan, 4, 5, 6],
            "clipped": [False, True, False, None, False, False],
        }
    )
    with write_dataset(path, {"genome": "made up"}) as out:
        out.examples(table)
        last = np.array([[0, 0, 0, 0], [3, 3, 3, 3]], np.uint8)
        assert out.input("sequence", [rows, last]) == 4
        out.target("level", [0.5, np.nan, 2, 3, 4, 5], kind="regression", units="log2 TPM")
        out.target("high", [0, 1, np.nan, 1, 0, 1], kind="classification")
    return path
