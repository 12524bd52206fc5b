"""``exprimo embed`` and ``exprimo fetch weights`` on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import exprimo
from exprimo.cli.main import app
from exprimo.core.dataset import write_dataset


def command(*arguments: object) -> str:
    done = CliRunner().invoke(app, [str(a) for a in arguments], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    path = tmp_path / "D.h5"
    with write_dataset(path, {}) as out:
        out.examples(pd.DataFrame({"example_id": ["a", "b", "c"]}))
        out.input("sequence", [np.random.default_rng(0).integers(0, 4, (3, 100), dtype=np.uint8)])
    return path


def test_embed_says_what_it_wrote(dataset: Path, tmp_path: Path) -> None:
    store = tmp_path / "S"
    told = command("embed", "random-embedding:4", dataset, "-o", store, "--bin", 50)
    assert f"Wrote 3 embeddings of 2 bins x 4 channels to {store}" in told
    facts = json.loads(
        command("embed", "random-embedding:4", dataset, "-o", store, "--bin", 50, "--json")
    )
    assert facts == {
        "path": str(store), "n_new": 0, "n_known": 3, "shape": [2, 4], "bytes": 0,
    }  # fmt: skip


@pytest.mark.parametrize("words", [["weights", "hyenadna-tiny-1k"], ["hyenadna-tiny-1k"]])
def test_weights_are_fetched_with_and_without_the_word(
    words: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []

    def fetch(name: str, out: Path | None) -> Path:
        asked.append((name, out))
        return Path("w.ckpt")

    monkeypatch.setattr(exprimo, "fetch_weights", fetch, raising=False)
    assert "Wrote w.ckpt" in command("fetch", *words, "-o", "here")
    assert asked == [("hyenadna-tiny-1k", Path("here"))]


def test_an_unknown_thing_to_fetch_is_still_an_error() -> None:
    done = CliRunner().invoke(app, ["fetch", "hyenadna-none"])
    assert done.exit_code == 2
    assert "No such command" in done.output
