"""What was learned from is named when it would be judged on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from exprimo.core.dataset import Dataset
from exprimo.core.errors import FormatError, LeakError
from exprimo.core.ledger import Leak, Ledger, keys_of, sequence_keys
from exprimo.core.sequence import canonical_hashes, encode

LEDGER = Ledger(
    {
        "weights": {"gene": frozenset({"g1", "g2"}), "sequence": frozenset({"aa"})},
        "threshold": {"gene": frozenset({"g2"})},
    }
)


def test_a_leak_is_named_with_what_learned_and_what_it_saw() -> None:
    with pytest.raises(LeakError) as caught:
        LEDGER.check({"gene": frozenset({"g1", "g2", "g9"})}, ["gene"])
    message = str(caught.value)
    assert message.startswith("gene g1, g2: leak: weights learned from")
    assert "Found: 2 shared keys (gene)" in message
    assert "--allow-leak" in message


def test_whoever_cannot_allow_it_is_told_what_else_helps() -> None:
    with pytest.raises(LeakError, match=r"Split anew\.$"):
        LEDGER.check({"gene": frozenset({"g1"})}, ["gene"], remedy="Split anew")


def test_allowing_returns_every_leak() -> None:
    judged = {"gene": frozenset({"g2", "g9"}), "sequence": frozenset({"aa"})}
    assert LEDGER.check(judged, ("gene", "sequence"), allow=True) == [
        Leak("weights", "gene", ("g2",)),
        Leak("weights", "sequence", ("aa",)),
        Leak("threshold", "gene", ("g2",)),
    ]


def test_only_what_the_split_holds_out_counts() -> None:
    assert LEDGER.check({"gene": frozenset({"g1"})}, ("sequence",)) == []
    assert LEDGER.check({"gene": frozenset({"g9"})}, ("gene",)) == []
    assert LEDGER.check({}, ("gene", "sequence")) == []


def test_units_may_come_from_an_iterator() -> None:
    judged = {"gene": frozenset({"g2"})}
    assert LEDGER.leaks(judged, iter(["sequence", "gene"])) == LEDGER.leaks(judged, ["gene"])
    assert len(LEDGER.leaks(judged, iter(["sequence", "gene"]))) == 2


def test_it_survives_the_disk(tmp_path: Path) -> None:
    LEDGER.save(tmp_path / "ledger.parquet")
    assert Ledger.load(tmp_path / "ledger.parquet") == LEDGER


def test_an_empty_ledger_survives_the_disk(tmp_path: Path) -> None:
    Ledger({}).save(tmp_path / "ledger.parquet")
    assert Ledger.load(tmp_path / "ledger.parquet") == Ledger({})


def test_merging_keeps_the_keys_of_both() -> None:
    other = Ledger({"weights": {"gene": frozenset({"g5"})}, "scaler": {}})
    merged = LEDGER.merged(other).learned
    assert set(merged) == {"weights", "threshold", "scaler"}
    assert merged["weights"]["gene"] == {"g1", "g2", "g5"}
    assert merged["weights"]["sequence"] == {"aa"}


@pytest.mark.parametrize("content", [b"", b"PAR1 not really", b"{}"])
def test_another_file_is_not_taken_for_a_ledger(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "ledger.parquet"
    path.write_bytes(content)
    with pytest.raises(FormatError, match=r"ledger\.parquet: not a ledger"):
        Ledger.load(path)


def test_keys_of_examples_are_their_genes_cells_and_sequences(small: Path) -> None:
    with Dataset.open(small) as data:
        keys = keys_of(data, np.array([1, 2, 3]))
    assert keys["gene"] == {"g2", "g1", "g3"}
    assert keys["cell_type"] == {"β", "K562"}  # a missing cell type is no key
    assert "individual" not in keys
    sequences = np.stack([encode("TTTT"), encode("ACGT"), encode("NNNN")])
    assert keys["sequence"] == set(canonical_hashes(sequences))


def test_equal_sequences_give_one_key(small: Path) -> None:
    with Dataset.open(small) as data:
        assert len(sequence_keys(data, np.array([0, 2, 0]))) == 1


def test_a_folder_called_tilde_is_not_the_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    ledger = Ledger({"weights": {"gene": frozenset({"g1"})}})
    ledger.save("~/x.parquet")
    assert (tmp_path / "~" / "x.parquet").is_file()
    assert Ledger.load("~/x.parquet") == ledger
