"""A generator learns from training examples that it can use, and says what it cannot use."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

from exprimo.core.dataset import Dataset, write_dataset
from exprimo.core.errors import (
    ConfigError,
    ExprimoError,
    InputError,
    LeakError,
    MismatchError,
    VersionError,
)
from exprimo.core.ledger import Ledger, keys_of
from exprimo.core.split import Split
from exprimo.generate import generate_fit
from exprimo.generate.config import GenerateConfig
from exprimo.generate.fidelity.memorisation.gate import FEWEST
from exprimo.generate.held_out import FEWEST_HELD_OUT
from exprimo.generate.material import (
    TrainingSequences,
    find_split,
    gather,
    ledger_of,
    refuse_leaks,
)


def _write(path: Path, codes: npt.NDArray[np.uint8], **targets: Any) -> Path:
    with write_dataset(path, {"made": "for tests"}) as out:
        out.examples(pd.DataFrame({"example_id": [f"e{i}" for i in range(len(codes))]}))
        out.input("sequence", [codes])
        for name, (values, kind, *classes) in targets.items():
            out.target(name, values, kind=kind, classes=classes)
    return path


def _random(n: int, length: int = 40) -> npt.NDArray[np.uint8]:
    return np.random.default_rng(5).integers(0, 4, (n, length)).astype(np.uint8)


def _gathered(path: Path, **settings: Any) -> tuple[TrainingSequences, Split]:
    config = GenerateConfig.checked({"dataset": str(path), "split": "random", **settings})
    with Dataset.open(path) as data:
        split = find_split(data, config)
        return gather(data, config, split), split


def test_what_the_test_part_holds_is_refused_with_what_helps_here(motifs: Path) -> None:
    config = GenerateConfig.checked({"dataset": str(motifs), "split": "random"})
    with Dataset.open(motifs) as data:
        split = find_split(data, config)
        learned = Ledger({"generator": keys_of(data, split.rows("test")[:2])})
        with pytest.raises(LeakError, match="leak: generator learned from") as error:
            refuse_leaks(learned, data, split)
    # This command has no option that allows it.
    assert "--allow-leak shows" not in str(error.value)
    assert "--split homology, or --like a run" in str(error.value)


def test_only_training_examples_are_learned_from(motifs: Path) -> None:
    config = GenerateConfig.checked({"dataset": str(motifs), "split": "random", "condition": "y"})
    with Dataset.open(motifs) as data:
        split = find_split(data, config)
        sequences = gather(data, config, split)
        assert set(sequences.rows) == set(split.rows("train"))
        held = np.concatenate([split.rows("val"), split.rows("test")])
        ledger = ledger_of(data, sequences)
        assert ledger.leaks(keys_of(data, held), ("sequence",)) == []
        # What is watched chose the weights, and stands in the ledger under that name.
        watched = keys_of(data, sequences.rows[sequences.watched])
        found = {leak.fitted for leak in ledger.leaks(watched, ("sequence",))}
        assert found == {"generator's choice of weights", "generator's condition"}
        for row, place in zip(sequences.rows[:9], sequences.sequence_of[:9], strict=True):
            stored = data.rows("sequence", np.array([row]))[0]
            assert np.array_equal(sequences.codes[place], stored)
    assert 0.03 < len(sequences.watched) / len(sequences.rows) < 0.07
    assert not set(sequences.learned) & set(sequences.watched)


def test_the_split_of_a_run_says_what_may_be_learned_from(
    motifs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Dataset.open(motifs) as data:
        plain = find_split(data, GenerateConfig(dataset="D", split={"strategy": "random"}))  # type: ignore[arg-type]  # pydantic makes it one
    given = Split(
        plain.example_id, np.roll(plain.part, 7), "random", 9, plain.dataset_sha256, ("gene",)
    )

    class Opened:
        path = Path("RUN")
        split = given
        provenance: ClassVar = {"dataset": {"path": "D.h5"}}

    monkeypatch.setattr("exprimo.training.recorded.like.Run.open", lambda _: Opened)
    sequences, split = _gathered(motifs, like="RUN", split="auto")
    assert split is given
    assert set(sequences.rows) == set(given.rows("train"))
    other = _write(tmp_path / "other.h5", _random(200))
    with pytest.raises(MismatchError, match="another dataset"):
        _gathered(other, like="RUN", split="auto")


def test_without_a_condition_each_sequence_counts_once(tmp_path: Path) -> None:
    path = _write(
        tmp_path / "D.h5",
        np.repeat(_random(300), 2, axis=0),
        y=(np.arange(600.0), "regression"),
    )
    plain, _ = _gathered(path, fit={"watch": 0.0})
    assert len(plain.learned) == len(plain.codes) == len(plain.rows) / 2
    asked, _ = _gathered(path, condition="y", fit={"watch": 0.0})
    assert len(asked.learned) == len(asked.rows) == 2 * len(asked.codes)


def test_a_value_is_standardised_by_the_training_examples(motifs: Path) -> None:
    sequences, _ = _gathered(motifs, condition="y")
    assert sequences.values is not None
    coded = sequences.conditioning.coded(sequences.values)
    assert abs(float(coded.mean())) < 1e-3
    assert float(coded.std()) == pytest.approx(1, abs=1e-3)


def test_a_label_leaves_the_other_classes_out(motifs: Path) -> None:
    sequences, _ = _gathered(motifs, label="1", target="high")
    with Dataset.open(motifs) as data:
        assert set(data.target("high")[sequences.rows]) == {1.0}
    assert sequences.label is not None
    assert sequences.label._asdict() == {"target": "high", "number": 1.0, "classes": ("0", "1")}


def test_too_few_are_refused_with_how_many_are_missing(tmp_path: Path) -> None:
    high = (np.arange(500) % 10 == 0).astype(float)
    path = _write(tmp_path / "D.h5", _random(500), high=(high, "classification"))
    with pytest.raises(InputError, match=r"too few .*class 1 .*at least 100\. Bring \d+ more"):
        _gathered(path, label="1")
    rare = _write(
        tmp_path / "R.h5",
        _random(500),
        kind=(np.where(np.arange(500) % 50, 0.0, 2.0), "multiclass", "down", "none", "up"),
    )
    with pytest.raises(InputError, match=r"kind none: too few .*Found: 0 training .*least 30"):
        _gathered(rare, condition="kind")


def test_mixed_lengths_are_refused(tmp_path: Path) -> None:
    codes = _random(400)
    codes[:200, :3] = 4
    codes[:200, 36:] = 4
    path = _write(tmp_path / "D.h5", codes)
    with pytest.raises(InputError, match=r"mixed lengths\. Found: \d+ of \d+ have 33 bases"):
        _gathered(path)


def test_many_unknown_bases_are_refused_and_few_set_aside(tmp_path: Path) -> None:
    codes = _random(400)
    codes[::5, 10] = 4
    with pytest.raises(InputError, match=r"too many sequences with unknown bases\. Found: N in"):
        _gathered(_write(tmp_path / "many.h5", codes))
    codes = _random(400)
    codes[::20, 10] = 4
    sequences, split = _gathered(_write(tmp_path / "few.h5", codes))
    assert codes.max() == 4
    assert sequences.codes.max() == 3
    aside = len(split.rows("train")) - len(sequences.rows)
    assert sequences.notes["set_aside_with_n"] == aside
    assert aside > 5


def test_few_held_out_sequences_are_told_with_the_option_that_mends_it(tmp_path: Path) -> None:
    codes = _random(900)
    codes[850:] = codes[:50]
    codes[0, 3] = 4
    classes = (np.arange(900) % 3 == 0).astype(float)
    path = _write(tmp_path / "D.h5", codes, high=(classes, "classification"))
    sequences, split = _gathered(path)
    held = np.concatenate([split.rows("val"), split.rows("test")])
    distinct = {row.tobytes() for row in codes[held] if row.max() < 4}
    assert sequences.notes["held_out_distinct"] == len(distinct)
    assert sequences.notes["notes"] == []
    for settings in ({"condition": "high"}, {"label": "1", "target": "high"}):
        rarer, _ = _gathered(path, **settings)
        of_class = {row.tobytes() for row in codes[held[classes[held] == 1]] if row.max() < 4}
        assert rarer.notes["held_out_distinct"] == len(of_class) < FEWEST_HELD_OUT
        (note,) = rarer.notes["notes"]
        assert f"only {len(of_class)} distinct sequences of class 1" in note
        assert "--set 'split.fractions=[0.7,0.15,0.15]'" in note


def test_a_check_needs_two_halves_of_held_out_sequences() -> None:
    assert FEWEST_HELD_OUT == 2 * FEWEST


@pytest.mark.parametrize(
    ("settings", "error", "words"),
    [
        ({"label": "2", "target": "high"}, ConfigError, "no such class.*Expected: 0, 1"),
        ({"label": "1", "target": "y"}, ConfigError, "has values.*--condition y"),
        ({"label": "1"}, InputError, "say which target"),
        ({"label": "1", "condition": "high"}, ConfigError, "one class"),
        ({"target": "high"}, ConfigError, "what label is a class of"),
        ({"condition": "z"}, InputError, "no target z"),
        ({"fit": {"steps": 9, "minutes": 1}}, ConfigError, "not both"),
        ({"generator": "difusion"}, ConfigError, "Did you mean diffusion"),
        ({"options": {"kernel": 4}}, ConfigError, "kernel must be odd"),
        ({"options": {"chanels": 4}}, ConfigError, "Did you mean channels"),
    ],
)
def test_what_cannot_be_is_told(
    settings: dict[str, Any], error: type[ExprimoError], words: str, motifs: Path, tmp_path: Path
) -> None:
    with pytest.raises(error, match=words):
        generate_fit(motifs, tmp_path / "G", **{"split": "random", **settings})
    assert list(tmp_path.iterdir()) == []


def test_another_alphabet_and_no_sequences_are_refused(tmp_path: Path) -> None:
    import h5py

    path = _write(tmp_path / "D.h5", _random(300))
    with h5py.File(path, "r+") as file:
        file.attrs["alphabet"] = "ACGUN"
    with pytest.raises(VersionError, match="another alphabet"):
        generate_fit(path, tmp_path / "G")
    bare = tmp_path / "bare.h5"
    with write_dataset(bare, {}) as out:
        out.examples(pd.DataFrame({"example_id": [f"e{i}" for i in range(300)]}))
        out.input("mean_expression", [np.arange(300, dtype=np.float32)[:, None]])
        out.target("y", np.arange(300.0), kind="regression")
    with pytest.raises(MismatchError, match="this dataset has none"):
        generate_fit(bare, tmp_path / "G", split="random")
