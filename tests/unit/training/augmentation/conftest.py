"""Few positives, and samples that carry the stamp of a generator."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd
import pytest

from exprimo.core.dataset import write_dataset
from exprimo.core.dataset.generated import NOT_CHECKED, Generated, stamp_verdict, write_stamp
from exprimo.core.ledger import Ledger
from exprimo.core.sequence import Codes, encode
from exprimo.training import TrainConfig

MOTIF = encode("TGACTCAT")
LENGTH = 40

SampleMaker = Callable[..., Path]
Settings = Callable[..., TrainConfig]


def with_motif(n: int, seed: int) -> Codes:
    """Give random sequences with the motif at one of four places, (n, 40)."""
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, 4, (n, LENGTH)).astype(np.uint8)
    for row in range(n):
        at = 4 + 7 * int(rng.integers(0, 4))
        codes[row, at : at + len(MOTIF)] = MOTIF
    return codes


@pytest.fixture(scope="session")
def rare_codes() -> Codes:
    """400 sequences, the first 80 with the motif."""
    rng = np.random.default_rng(8)
    others = rng.integers(0, 4, (320, LENGTH)).astype(np.uint8)
    return np.concatenate([with_motif(80, 7), others])


@pytest.fixture(scope="session")
def rare(tmp_path_factory: pytest.TempPathFactory, rare_codes: Codes) -> Path:
    """400 examples, a fifth of them positive: targets ``up``, ``y`` (numbers), ``change``."""
    n = len(rare_codes)
    up = np.arange(n) < 80
    path = tmp_path_factory.mktemp("rare") / "rare.h5"
    rng = np.random.default_rng(9)
    with write_dataset(path, {"made": "for tests"}) as out:
        out.examples(
            pd.DataFrame(
                {
                    "example_id": [f"e{i}" for i in range(n)],
                    "gene_id": [f"g{i}" for i in range(n)],
                    "chrom": [f"chr{i % 5 + 1}" for i in range(n)],
                }
            )
        )
        out.input("sequence", [rare_codes])
        out.input("halflife", [rng.normal(size=(n, 2)).astype(np.float32)], labels=("a", "b"))
        out.target("up", up.astype(float), kind="classification")
        out.target("y", 2 * up + rng.normal(0, 0.1, n), kind="regression")
        out.target("change", np.arange(n) % 3, kind="multiclass", classes=("down", "none", "up"))
    return path


@pytest.fixture
def make_sample(tmp_path: Path) -> SampleMaker:
    """Write a stamped sample; ``fidelity=None`` leaves the stamp out."""

    def make(
        codes: Codes,
        asked: Any = 1.0,
        *,
        name: str = "S.h5",
        target: str = "up",
        kind: str = "classification",
        fidelity: str | None = "passed",
        learned: Mapping[str, Any] | None = None,
        generator: Mapping[str, Any] | None = None,
        figures: Mapping[str, Any] | None = None,
    ) -> Path:
        path = tmp_path / name
        with write_dataset(path, {}) as out:
            ids = [f"generated_{i + 1}" for i in range(len(codes))]
            out.examples(pd.DataFrame({"example_id": ids}))
            out.input("sequence", [codes])
            if target:
                values = np.broadcast_to(np.asarray(asked, dtype=float), len(codes))
                out.target(target, np.array(values), kind=kind)
        if fidelity is not None:
            facts = {"family": "diffusion", "path": "GEN", "asked": {"target": None}}
            ledger = Ledger({"generator": learned or {"gene": frozenset({"elsewhere"})}})
            stamp = Generated(generator or facts, ledger, fidelity, figures or {})
            with h5py.File(path, "r+") as file:
                write_stamp(file, stamp)
            if fidelity != NOT_CHECKED:
                stamp_verdict(path, fidelity, figures or {})
        return path

    return make


@pytest.fixture
def settings(rare: Path) -> Settings:
    """Settings of a small run with the sample; keywords change them."""

    def make(sample: Path | None, **changes: Any) -> TrainConfig:
        augment = {} if sample is None else {"sample": str(sample), **changes.pop("augment", {})}
        values = {
            "dataset": str(rare),
            "target": "up",
            "model": "kmer_linear",
            "split": {"strategy": "chromosome", "test_chroms": ["chr1"], "val_chroms": ["chr2"]},
            "machine": {"device": "cpu", "threads": 1, "precision": "fp32"},
            "augment": augment,
            **changes,
        }
        return TrainConfig.checked(values)

    return make
