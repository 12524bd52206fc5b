"""The stamp of generated sequences: written, read, replaced, and refused where it is damaged."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest

from exprimo.core.dataset import Dataset, write_dataset
from exprimo.core.dataset.generated import (
    Generated,
    check_command,
    read_stamp,
    stamp_verdict,
    write_stamp,
)
from exprimo.core.errors import FormatError
from exprimo.core.ledger import Ledger

# More than the 64 KiB that an attribute of HDF5 may hold.
LEARNED = frozenset(f"{i:016x}" for i in range(20_000))


@pytest.fixture
def stamped(tmp_path: Path) -> Path:
    path = tmp_path / "S.h5"
    with write_dataset(path, {}) as out:
        out.examples(pd.DataFrame({"example_id": ["a", "b"]}))
        out.input("sequence", [np.zeros((2, 8), np.uint8)])
    with h5py.File(path, "r+") as file:
        ledger = Ledger({"generator": {"sequence": LEARNED, "gene": frozenset({"g1"})}})
        write_stamp(file, Generated({"family": "diffusion", "seed": 3}, ledger))
    return path


def test_it_comes_back_as_it_was_written(stamped: Path) -> None:
    stamp = read_stamp(stamped)
    assert stamp is not None
    assert stamp.fidelity == "not checked"
    assert stamp.generator == {"family": "diffusion", "seed": 3}
    assert stamp.ledger.learned["generator"] == {
        "sequence": LEARNED, "gene": frozenset({"g1"}),
    }  # fmt: skip


def test_a_verdict_replaces_another(stamped: Path) -> None:
    for verdict, copied in (("failed", 0.4), ("passed", 0.0)):
        stamp_verdict(stamped, verdict, {"copied": copied})
        stamp = read_stamp(stamped)
        assert stamp is not None
        assert (stamp.fidelity, stamp.figures) == (verdict, {"copied": copied})
    with Dataset.open(stamped) as data:
        assert len(data) == 2


def test_an_empty_ledger_is_one(stamped: Path) -> None:
    with h5py.File(stamped, "r+") as file:
        del file["generated"]
        write_stamp(file, Generated({}, Ledger({})))
    stamp = read_stamp(stamped)
    assert stamp is not None
    assert stamp.ledger.learned == {}


def test_a_damaged_stamp_is_refused(stamped: Path) -> None:
    with h5py.File(stamped, "r+") as file:
        del file["generated/generator"]
    with pytest.raises(FormatError, match="damaged"):
        read_stamp(stamped)


def test_the_command_of_a_check_can_be_given_as_it_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert check_command(tmp_path / "S.h5", "D.h5") == "exprimo generate check S.h5 D.h5 -o S-check"
    for name, free in (("S-check", "S-check2"), ("S-check2", "S-check3")):
        (tmp_path / name).mkdir()
        assert check_command("S.h5", "D.h5").endswith(f"-o {free}")
    assert check_command("my S.fa.gz", "/other/D.h5", generator="GEN") == (
        "exprimo generate check 'my S.fa.gz' /other/D.h5 --generator GEN -o 'my S-check'"
    )
