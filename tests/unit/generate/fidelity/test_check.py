"""The whole check: from files to a verdict that travels with the sample."""

from __future__ import annotations

import errno
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import exprimo
from exprimo.core.dataset import Dataset, write_dataset
from exprimo.core.dataset.generated import NOT_CHECKED, Generated, read_stamp, write_stamp
from exprimo.core.errors import ConfigError, InputError, LeakError, MismatchError, StorageError
from exprimo.core.ledger import Ledger, keys_of
from exprimo.core.sequence import Codes
from exprimo.data.fasta import write_fasta
from exprimo.generate.fidelity.material import Named, gather_material
from exprimo.splits import make_split

LENGTH = 50
QUICK: dict[str, Any] = {"split": "random", "draws": 2, "queries": 150}
RIVAL_NAMES = {
    "generated",
    "held-out",
    "dinucleotide shuffle",
    "Markov 4",
    "Markov 5",
    "Markov 4 by position",
    "Markov 5 by position",
}


def _process(n: int, rng: np.random.Generator) -> Codes:
    codes = rng.choice(4, (n, LENGTH), p=[0.3, 0.2, 0.2, 0.3]).astype(np.uint8)
    codes[rng.random(n) < 0.6, 20:28] = [3, 2, 0, 1, 3, 1, 0, 3]
    return codes


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("world") / "D.h5"
    codes = _process(2000, np.random.default_rng(0))
    with write_dataset(path, {"made": "for tests"}) as out:
        out.examples(pd.DataFrame({"example_id": [f"e{i}" for i in range(len(codes))]}))
        out.input("sequence", [codes])
        out.target("high", (np.arange(len(codes)) % 2).astype(float), kind="classification")
    return path


def _training(world: Path) -> tuple[Codes, Ledger]:
    with Dataset.open(world) as data:
        rows = make_split(data, "random", seed=0).rows("train")
        return data.rows("sequence", rows), Ledger({"generator": keys_of(data, rows)})


def _sample(path: Path, codes: Codes, ledger: Ledger | None = None) -> Path:
    if path.suffix == ".h5":
        import h5py

        with write_dataset(path, {"made": "for tests"}) as out:
            out.examples(pd.DataFrame({"example_id": [f"g{i}" for i in range(len(codes))]}))
            out.input("sequence", [codes])
        with h5py.File(path, "r+") as file:
            origin = {"path": "/no/such/generator"}
            write_stamp(file, Generated(origin, ledger or Ledger({}), NOT_CHECKED))
        return path
    write_fasta(path, ((f"g{i}", row) for i, row in enumerate(codes)))
    return path


def test_fresh_draws_pass_and_the_verdict_is_stamped(world: Path, tmp_path: Path) -> None:
    _, ledger = _training(world)
    made = _sample(tmp_path / "S.h5", _process(300, np.random.default_rng(9)), ledger)
    before = Dataset.open(made).sha256
    done = exprimo.generate_check(made, world, tmp_path / "C", **QUICK)
    assert done.verdict == "passed"
    assert done.stamped == made
    stamp = read_stamp(made)
    assert stamp is not None
    assert stamp.fidelity == "passed"
    assert stamp.figures["gate"]["near_copies"]["passed"]
    assert Dataset.open(made).sha256 == before
    written = json.loads((tmp_path / "C" / "check.json").read_text())
    assert written["verdict"] == "passed"
    assert written["compared"]["training"] == 1600
    table = pd.read_csv(tmp_path / "C" / "measures.tsv", sep="\t")
    assert set(table["set"]) == RIVAL_NAMES
    assert (table["low"] <= table["value"] + 1e-5).all()
    assert (table["draws"] == 2).all()
    assert len(pd.read_csv(tmp_path / "C" / "positions.tsv", sep="\t")) == LENGTH


def test_measures_rank_what_they_should(world: Path, tmp_path: Path) -> None:
    made = _sample(tmp_path / "S.fa", _process(300, np.random.default_rng(8)))
    done = exprimo.generate_check(made, world, tmp_path / "C", **QUICK)
    wide = done.measures.pivot(index="measure", columns="set", values="value")
    place = wide.loc["position_4mers"]
    # The motif stands at one place: plain chains and shuffles lose that.
    assert place["dinucleotide shuffle"] > 10 * abs(place["generated"]) + 0.5
    assert place["Markov 5"] > 5 * abs(place["Markov 5 by position"])
    assert wide.loc["kmers_1"].max() < 0.01
    assert done.stamped == tmp_path / "S.check.json"
    assert json.loads(done.stamped.read_text())["verdict"] == "passed"


@pytest.mark.parametrize("share", [0.0, 0.02])
def test_a_generator_that_copies_fails(world: Path, tmp_path: Path, share: float) -> None:
    training, ledger = _training(world)
    rng = np.random.default_rng(1)
    copied = training[rng.choice(len(training), 300, replace=False)]
    shift = (rng.random(copied.shape) < share) * rng.integers(1, 4, copied.shape)
    made = _sample(tmp_path / "S.h5", ((copied + shift) % 4).astype(np.uint8), ledger)
    done = exprimo.generate_check(made, world, tmp_path / "C", **QUICK)
    assert done.verdict == "failed"
    assert not done.gate["near_copies"]["passed"]
    stamp = read_stamp(made)
    assert stamp is not None
    assert stamp.fidelity == "failed"
    assert stamp.figures["reasons"] == list(done.reasons)


def test_a_collapsed_generator_fails(world: Path, tmp_path: Path) -> None:
    modes = _process(5, np.random.default_rng(2))
    made = _sample(tmp_path / "S.fa.gz", np.repeat(modes, 60, axis=0))
    done = exprimo.generate_check(made, world, tmp_path / "C", **QUICK)
    assert done.verdict == "failed"
    assert done.gate["collapse"]["unique_fraction"] == pytest.approx(5 / 300)


def test_the_same_seed_gives_the_same_tables(world: Path, tmp_path: Path) -> None:
    made = _sample(tmp_path / "S.fa", _process(200, np.random.default_rng(7)))
    one, other = (exprimo.generate_check(made, world, tmp_path / c, **QUICK) for c in "AB")
    pd.testing.assert_frame_equal(one.measures, other.measures)


def test_held_out_sequences_that_were_learned_from_are_refused(world: Path, tmp_path: Path) -> None:
    with Dataset.open(world) as data:
        everything = Ledger({"generator": keys_of(data, np.arange(2000))})
    made = _sample(tmp_path / "S.h5", _process(200, np.random.default_rng(6)), everything)
    with pytest.raises(LeakError, match="--generator GEN, or --like RUN") as refused:
        exprimo.generate_check(made, world, tmp_path / "C", **QUICK)
    # The command has no such option.
    assert "--allow-leak" not in str(refused.value)


def test_a_disk_that_is_full_while_stamping_leaves_the_command_to_be_given_again(
    world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = _sample(tmp_path / "S.h5", _process(200, np.random.default_rng(4)), _training(world)[1])

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("exprimo.generate.fidelity.check.stamp_verdict", full)
        with pytest.raises(StorageError, match="run the same command again"):
            exprimo.generate_check(made, world, tmp_path / "C", **QUICK)
    assert [one.name for one in tmp_path.iterdir()] == ["S.h5"]
    done = exprimo.generate_check(made, world, tmp_path / "C", **QUICK)
    stamp = read_stamp(made)
    assert stamp is not None
    assert stamp.fidelity == done.verdict


def test_training_is_what_the_ledger_says(world: Path, tmp_path: Path) -> None:
    training, ledger = _training(world)
    made = _sample(tmp_path / "S.h5", _process(200, np.random.default_rng(5)), ledger)
    material = gather_material(made, world, Named(None, None, "random", 0))
    assert {row.tobytes() for row in material.training} == {row.tobytes() for row in training}
    assert len(material.held_out) == 400


@pytest.mark.parametrize(
    ("codes", "error", "words"),
    [
        (np.full((200, LENGTH), 4, np.uint8), InputError, "unknown bases"),
        (np.zeros((200, LENGTH + 1), np.uint8), MismatchError, "another length"),
        (np.zeros((10, LENGTH), np.uint8), InputError, "too few generated"),
    ],
)
def test_what_cannot_be_compared_is_refused(
    world: Path, tmp_path: Path, codes: Codes, error: type[Exception], words: str
) -> None:
    made = _sample(tmp_path / "S.fa", codes)
    with pytest.raises(error, match=words):
        exprimo.generate_check(made, world, tmp_path / "C", **QUICK)
    assert not (tmp_path / "C").exists()
    assert not (tmp_path / "S.check.json").exists()


def test_another_alphabet_and_mixed_lengths_are_refused(world: Path, tmp_path: Path) -> None:
    protein = tmp_path / "P.fa"
    protein.write_text(">a\nMKQLEDKVEELLSKNYHLENEVARLKKLVGER\n")
    with pytest.raises(InputError, match="not a DNA letter"):
        exprimo.generate_check(protein, world, tmp_path / "C", **QUICK)
    mixed = tmp_path / "M.fa"
    mixed.write_text(">a\nACGT\n>b\nACG\n")
    with pytest.raises(InputError, match="mixed lengths"):
        exprimo.generate_check(mixed, world, tmp_path / "C", **QUICK)


def test_a_dataset_that_was_not_generated_and_an_unknown_split_are_refused(
    world: Path, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match="not generated"):
        exprimo.generate_check(world, world, tmp_path / "C", **QUICK)
    made = _sample(tmp_path / "S.fa", _process(200, np.random.default_rng(4)))
    with pytest.raises(ConfigError, match="held out"):
        exprimo.generate_check(made, world, tmp_path / "C")
    with pytest.raises(ConfigError, match="once"):
        exprimo.generate_check(made, world, tmp_path / "C", like="R", generator="G")
    with pytest.raises(ConfigError, match="too few"):
        exprimo.generate_check(made, world, tmp_path / "C", **{**QUICK, "draws": 0})


def test_motifs_are_counted_beside_held_out_ones(world: Path, tmp_path: Path) -> None:
    rows = ["0 0 0 1", "0 0 1 0", "1 0 0 0", "0 1 0 0", "0 0 0 1", "0 1 0 0", "1 0 0 0", "0 0 0 1"]
    meme = tmp_path / "m.meme"
    meme.write_text(
        "MEME version 4\n\nMOTIF M1 AP1\nletter-probability matrix:\n" + "\n".join(rows) + "\n"
    )
    made = _sample(tmp_path / "S.fa", _process(300, np.random.default_rng(3)))
    done = exprimo.generate_check(made, world, tmp_path / "C", motifs=meme, **QUICK)
    table = pd.read_csv(tmp_path / "C" / "motifs.tsv", sep="\t")
    assert table.loc[0, "present_generated"] == pytest.approx(0.6, abs=0.1)
    assert table.loc[0, "present_held_out"] == pytest.approx(0.6, abs=0.1)
    assert table.loc[0, "places_generated"] < 0.05
    wide = done.measures.pivot(index="measure", columns="set", values="value")
    assert wide.loc["motif_rate", "dinucleotide shuffle"] > 2


@pytest.fixture(scope="module")
def runs(world: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Train one small network on the generator's dataset, and one on other sequences."""
    folder = tmp_path_factory.mktemp("runs")
    codes = _process(800, np.random.default_rng(77))
    has = (codes[:, 20:28] == [3, 2, 0, 1, 3, 1, 0, 3]).all(axis=1)
    with write_dataset(folder / "other.h5", {"made": "for tests"}) as out:
        out.examples(pd.DataFrame({"example_id": [f"o{i}" for i in range(len(codes))]}))
        out.input("sequence", [codes])
        out.target("high", has.astype(float), kind="classification")
    for name, path in (("same", world), ("other", folder / "other.h5")):
        exprimo.train(
            path,
            folder / name,
            model="cnn",
            split={"strategy": "random"},
            fit={"epochs": 2},
            machine={"threads": 1, "device": "cpu"},
        )
    return folder / "same", folder / "other"


@pytest.mark.slow
def test_a_model_and_an_oracle_look_too(
    world: Path, runs: tuple[Path, Path], tmp_path: Path
) -> None:
    same, other = runs
    made = _sample(tmp_path / "S.fa", _process(300, np.random.default_rng(2)))
    done = exprimo.generate_check(
        made, world, tmp_path / "C", model=same, oracle=other, threads=1, **QUICK
    )
    wide = done.measures.pivot(index="measure", columns="set", values="value")
    assert wide.loc["two_sample", "generated"] == pytest.approx(0.5, abs=0.12)
    assert wide.loc["two_sample", "held-out"] == pytest.approx(0.5, abs=0.12)
    assert wide.loc["activity_distance", "generated"] < 0.4
    with pytest.raises(LeakError, match="same examples"):
        exprimo.generate_check(made, world, tmp_path / "E", oracle=same, threads=1, **QUICK)


def test_a_set_like_shuffles_passes_the_gate_with_a_word(world: Path, tmp_path: Path) -> None:
    plain = np.random.default_rng(3).choice(4, (300, LENGTH), p=[0.3, 0.2, 0.2, 0.3])
    made = _sample(tmp_path / "S.fa", plain.astype(np.uint8))
    done = exprimo.generate_check(made, world, tmp_path / "C", **QUICK)
    assert done.verdict == "passed"
    assert done.notes[0].startswith("no better than shuffles: position_4mers is ")
    facts = json.loads((tmp_path / "C" / "check.json").read_text())
    assert facts["notes"] == list(done.notes)
    assert facts["compared"]["held_out_groups"] == facts["compared"]["held_out"]
