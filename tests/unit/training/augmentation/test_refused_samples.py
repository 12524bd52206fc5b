"""Samples that a run must not learn from, and settings that make no sense of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from exprimo.core.dataset import Dataset, write_dataset
from exprimo.core.errors import ConfigError, InputError, LeakError, MismatchError, VersionError
from exprimo.core.ledger import keys_of
from exprimo.core.run import Run
from exprimo.training import TrainConfig, train_run

Make = Callable[..., Path]
Settings = Callable[..., TrainConfig]


def codes(n: int = 200, length: int = 40) -> Any:
    return np.random.default_rng(1).integers(0, 4, (n, length)).astype(np.uint8)


@pytest.fixture
def train(settings: Settings, tmp_path: Path) -> Callable[..., Run]:
    def run(sample: Path | None, **changes: Any) -> Run:
        return train_run(settings(sample, **changes), tmp_path / "R")

    return run


Train = Callable[..., Run]


def test_nobody_checked(train: Train, make_sample: Make, rare: Path) -> None:
    sample = make_sample(codes(), fidelity="not checked")
    command = f"exprimo generate check {sample} {rare} -o {sample.with_name('S-check')}"
    with pytest.raises(InputError, match="nobody has checked") as error:
        train(sample)
    assert command in str(error.value)
    assert "--insist" in str(error.value)
    run = train(sample, augment={"insist": True})
    assert run.metrics["augment"]["fidelity"] == "not checked"
    assert run.metrics["augment"]["insist"]


def test_the_gate_failed(train: Train, make_sample: Make) -> None:
    sample = make_sample(codes(), fidelity="failed", figures={"reasons": ["near copies: 40%"]})
    with pytest.raises(InputError, match=r"failed: near copies: 40%.*--insist"):
        train(sample)
    assert train(sample, augment={"insist": True}).metrics["augment"]["fidelity"] == "failed"


def test_not_generated(train: Train, make_sample: Make) -> None:
    with pytest.raises(InputError, match=r"were not generated.*exprimo generate sample"):
        train(make_sample(codes(), fidelity=None), augment={"insist": True})


@pytest.mark.parametrize("part", ["test", "val"])
@pytest.mark.parametrize("unit", ["gene", "sequence"])
def test_a_generator_that_learned_from_what_is_held_out(
    part: str, unit: str, train: Train, make_sample: Make, rare: Path
) -> None:
    with Dataset.open(rare) as data:
        # Examples 0, 5, ... are on chr1, which judges; 1, 6, ... on chr2, which tunes.
        seen = keys_of(data, np.array([0 if part == "test" else 1, 2, 3]))
    sample = make_sample(codes(), learned={unit: seen[unit]})
    with pytest.raises(LeakError, match="the generator learned from examples that") as error:
        train(sample, augment={"insist": True})
    assert "1 shared keys" in str(error.value)
    assert "--allow-leak" not in str(error.value)
    with Dataset.open(rare) as data:
        fine = keys_of(data, np.array([2, 3, 4]))
    assert train(make_sample(codes(), learned=fine, name="F.h5")).metrics["augment"]["n"] == 144


def test_no_sample_there(train: Train, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such dataset") as error:
        train(tmp_path / "none.h5")
    assert "generate fit D.h5 --like RUN" in str(error.value)
    assert "exprimo generate sample GEN -n N -o none.h5" in str(error.value)
    assert "exprimo dataset" not in str(error.value)


def test_a_fasta_of_generated_sequences(train: Train, tmp_path: Path) -> None:
    (tmp_path / "S.fa").write_text(">generated_1\nACGT\n")
    with pytest.raises(InputError, match=r"FASTA does not say.*generate sample .* -o S\.h5"):
        train(tmp_path / "S.fa")


def test_another_length(train: Train, make_sample: Make) -> None:
    with pytest.raises(MismatchError, match=r"30 bases.*40 bases"):
        train(make_sample(codes(length=30)))


def test_another_alphabet(train: Train, make_sample: Make) -> None:
    sample = make_sample(codes())
    with h5py.File(sample, "r+") as file:
        file.attrs["alphabet"] = "ACGU"
    with pytest.raises(VersionError, match="alphabet"):
        train(sample)


def test_asked_for_as_negatives(train: Train, make_sample: Make) -> None:
    with pytest.raises(MismatchError, match="asked for as negatives"):
        train(make_sample(codes(), 0.0))
    low = make_sample(codes(), 0.3, target="y", kind="regression", name="low.h5")
    with pytest.raises(MismatchError, match=r"asked for 0\.3.*above 1"):
        train(low, target="y", above=1.0)


def test_asked_for_by_something_else(train: Train, make_sample: Make) -> None:
    with pytest.raises(MismatchError, match=r"asked for by nothing.*--condition up"):
        train(make_sample(codes(), target=""))
    other = make_sample(codes(), target="other", name="other.h5")
    with pytest.raises(MismatchError, match=r"asked for by other \(classification\)"):
        train(other)


def test_too_few_says_the_command_that_draws_enough(train: Train, make_sample: Make) -> None:
    with pytest.raises(InputError, match="too few generated positives") as error:
        train(make_sample(codes(100)))
    told = str(error.value)
    assert "Found: 100 of 100. Expected: 144" in told
    assert "exprimo generate sample GEN -n 144 -o S.h5" in told
    mixed = make_sample(codes(200), np.arange(200) % 2, name="mixed.h5")
    with pytest.raises(InputError, match=r"generate sample GEN -n 144 --target 1 -o"):
        train(mixed)
    facts = {"family": "gan", "path": "/g/GEN", "asked": {"target": 2.0}}
    high = make_sample(
        codes(100), 2.0, target="y", kind="regression", name="high.h5", generator=facts
    )
    with pytest.raises(InputError, match=r"generate sample /g/GEN -n 144 --target 2 -o"):
        train(high, target="y", above=1.0)


def test_as_many_again_are_drawn_for_copies_of_held_out_ones(
    train: Train, make_sample: Make, rare_codes: Any
) -> None:
    drawn = codes(100)
    drawn[:50] = rare_codes[0]
    with pytest.raises(InputError, match=r"50 of 100 \(50 equal to held-out ones\).*-n 288 -o"):
        train(make_sample(drawn))


def test_a_ratio_that_is_there_already(train: Train, make_sample: Make) -> None:
    with pytest.raises(ConfigError, match=r"48 positives and 192 negatives, a ratio of 0\.25"):
        train(make_sample(codes()), augment={"ratio": 0.25})


def test_targets_without_positives(train: Train, make_sample: Make) -> None:
    sample = make_sample(codes())
    with pytest.raises(ConfigError, match=r"two classes has positives.*regression.*--above"):
        train(sample, target="y", model="kmer_linear")
    with pytest.raises(ConfigError, match=r"two classes has positives.*multiclass"):
        train(sample, target="change")


def test_a_cut_by_cell_type(rare: Path, make_sample: Make, train: Train, tmp_path: Path) -> None:
    path = tmp_path / "cells.h5"
    with Dataset.open(rare) as data, write_dataset(path, {}) as out:
        table = data.examples()
        out.examples(table.assign(cell_type=np.where(np.arange(len(table)) % 2, "A", "B")))
        out.input("sequence", [data.rows("sequence", np.arange(len(data)))])
        out.target("y", data.target("y"), kind="regression")
    sample = make_sample(codes(), 2.0, target="y", kind="regression")
    with pytest.raises(ConfigError, match="no cell type"):
        train(sample, dataset=str(path), target="y", above="cell-median", model="gc_content")


@pytest.mark.parametrize(
    ("model", "why"),
    [
        ({"model": "halflife_cnn"}, "reads more than a generated sequence has"),
        ({"model": "majority"}, "reads nothing"),
    ],
)
def test_models_of_other_inputs(
    model: dict[str, Any], why: str, train: Train, make_sample: Make
) -> None:
    with pytest.raises(ConfigError, match=why):
        train(make_sample(codes()), **model)


def test_two_ways_at_once(train: Train, make_sample: Make) -> None:
    sample = make_sample(codes())
    for way in ("oversample", "class_weights"):
        with pytest.raises(ConfigError, match=f"two ways at once.*{way}"):
            train(sample, fit={"imbalance": way})


@pytest.mark.parametrize(
    "augment", [{"ratio": 2.0}, {"insist": True}, {"sample": "S.h5", "ratio": 0.0}]
)
def test_settings_that_do_nothing(augment: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=r"augment"):
        TrainConfig.checked({"dataset": "D.h5", "augment": augment})


def test_a_refusal_leaves_nothing(train: Train, make_sample: Make, tmp_path: Path) -> None:
    with pytest.raises(InputError):
        train(make_sample(codes(100)))
    assert [path.name for path in tmp_path.iterdir()] == ["S.h5"]
