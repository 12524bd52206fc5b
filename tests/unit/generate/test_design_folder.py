"""The whole of guided design: from two Runs and a generator to a folder of judged sequences."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import exprimo
from exprimo.cli.main import app
from exprimo.core.dataset import Dataset, write_dataset
from exprimo.core.errors import (
    ConfigError,
    ExprimoError,
    InputError,
    LeakError,
    MismatchError,
)
from exprimo.core.ledger import Ledger
from exprimo.core.run import Run
from exprimo.core.sequence import Codes, decode, encode
from exprimo.data.fasta import read_fasta, write_fasta
from exprimo.generate import generate_fit
from exprimo.generate.design import generate_design
from exprimo.generate.design.judging import NO_JUDGE
from exprimo.generate.fidelity.memorisation import edit_distance
from exprimo.training.config import TrainConfig
from exprimo.training.run import train_run

LENGTH = 40
QUICK: dict[str, Any] = {"n": 6, "edits": 4, "draws": 4, "threads": 1, "device": "cpu"}


def _dataset(path: Path, codes: Codes, rng: np.random.Generator) -> Path:
    """Write sequences whose target is what a base composition gives, and a little noise."""
    value = (codes == 2).sum(axis=1) - 0.5 * (codes == 0).sum(axis=1)
    with write_dataset(path, {"made": "for tests"}) as out:
        ids = [f"{path.stem}{i}" for i in range(len(codes))]
        out.examples(pd.DataFrame({"example_id": ids}))
        out.input("sequence", [codes])
        out.target("y", value + rng.normal(0, 0.3, len(codes)), kind="regression")
        out.target("high", (value > np.median(value)).astype(float), kind="classification")
        out.target("three", np.digitize(value, (3.0, 6.0)), kind="multiclass",
                   classes=("low", "mid", "high"))  # fmt: skip
    return path


def _train(data: Path, out: Path, target: str = "y", **more: Any) -> Path:
    """Train a linear model on counts of two bases; nobody needs its report."""
    settings: dict[str, Any] = {
        "dataset": str(data),
        "model": "kmer_linear",
        "target": target,
        "split": {"strategy": "random"},
        "options": {"k": 2},
        "machine": {"threads": 1, "device": "cpu"},
    }
    return train_run(TrainConfig.checked({**settings, **more}), out).path


class World:
    """Two datasets of one process, a guide and a judge on each, and generators."""

    def __init__(self, folder: Path, tiny: dict[str, Any]) -> None:
        rng = np.random.default_rng(4)
        codes = rng.integers(0, 4, (1600, LENGTH)).astype(np.uint8)
        self.data = _dataset(folder / "D.h5", codes[:800], rng)
        self.other = _dataset(folder / "O.h5", codes[800:], rng)
        self.guide = _train(self.data, folder / "guide")
        self.judge = _train(self.other, folder / "judge")
        self.classes = {
            name: tuple(
                _train(d, folder / f"{name}_{d.stem}", name) for d in (self.data, self.other)
            )
            for name in ("high", "three")
        }
        fit: dict[str, Any] = {**tiny, "fit": {"steps": 10, "every": 5, "batch_size": 8}}
        self.diffusion = generate_fit(self.data, folder / "GEN", condition="y", **fit).path
        self.plain = generate_fit(self.data, folder / "PLAIN", **fit).path
        fit["options"] = {"channels": 8}
        self.gan = generate_fit(self.data, folder / "GAN", generator="gan", **fit).path


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, tiny: dict[str, Any]) -> World:
    return World(tmp_path_factory.mktemp("design"), tiny)


def _fasta(path: Path, rows: list[str]) -> Path:
    write_fasta(path, ((f"s{i}", encode(row)) for i, row in enumerate(rows)))
    return path


@pytest.mark.parametrize("target", [-4.0, 18.0])
def test_designs_are_judged_beside_what_one_gets_for_free(
    world: World, tmp_path: Path, target: float
) -> None:
    done = generate_design(
        world.guide, world.data, tmp_path / "OUT", target=target, generator=world.diffusion,
        judge=world.judge, **QUICK,
    )  # fmt: skip
    table = done.summary.set_index("method")
    assert list(table.index) == [
        "guidance", "ranked", "asked draw", "greedy", "unguided draw", "start", "held-out nearest",
    ]  # fmt: skip
    assert (table["role"] == "baseline").tolist() == [False, False, True, False, True, True, True]
    # The judge learned the same law from other examples, so it confirms what is real.
    assert table.loc["greedy", "error"] < table.loc["start", "error"] - 2
    assert table.loc["ranked", "error"] < table.loc["asked draw", "error"]
    assert table.loc["guidance", "error"] < table.loc["asked draw", "error"]
    assert (table["error_low"] <= table["error"]).all()
    assert (table["gap"].abs() < 1.5).all()
    assert table.loc["start", "measured"] == pytest.approx(table.loc["start", "judged"], abs=1.0)
    assert done.accuracy["judge"] is not None
    assert done.accuracy["judge"]["value"] > 0.9
    assert done.judged_by == "judge"
    assert any("left out" in note for note in done.notes)  # gradient: the guide is no network


def test_counts_and_distances_are_right(world: World, tmp_path: Path) -> None:
    done = generate_design(
        world.guide, world.data, tmp_path / "OUT", target=18, judge=world.judge, **QUICK
    )
    with Dataset.open(world.data) as data:
        codes = data.rows("sequence", np.arange(len(data)))
        row_of = {name: i for i, name in enumerate(data.column("example_id").tolist())}
    designs = done.designs[done.designs["method"] == "greedy"]
    for row in designs.to_dict("records"):
        made, start = encode(row["sequence"]), codes[row_of[row["start"]]]
        assert row["edits"] == (made != start).sum() == 4
        distances = [edit_distance(made, one) for one in codes]
        assert row["nearest_edits"] == min(distances)
        assert edit_distance(made, codes[row_of[row["nearest"]]]) == min(distances)
        assert row["gc"] == pytest.approx(np.isin(made, (1, 2)).mean())
        assert not row["copy"]
    assert done.designs.loc[done.designs["role"] == "baseline", "copy"].all()
    assert done.summary.set_index("method").loc["held-out nearest", "nearest_edits"] == 0
    # Starts are of the test part, and far from the target.
    split = Run.open(world.guide).split
    test = set(split.example_id[split.rows("test")])
    assert set(designs["start"]) <= test


def test_without_a_judge_every_table_says_so(world: World, tmp_path: Path) -> None:
    done = generate_design(world.guide, world.data, tmp_path / "OUT", target=10, **QUICK)
    assert done.judged_by == NO_JUDGE
    assert (done.designs["judged_by"] == NO_JUDGE).all()
    assert (done.summary["judged_by"] == NO_JUDGE).all()
    assert done.summary["gap"].isna().all()
    np.testing.assert_array_equal(done.designs["judged"], done.designs["guide"])
    assert NO_JUDGE in (tmp_path / "OUT" / "designs.fa").read_text().splitlines()[0]
    assert any(NO_JUDGE in note for note in done.notes)


def test_the_folder_is_whole_and_the_same_seed_gives_the_same(world: World, tmp_path: Path) -> None:
    texts = []
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        generate_design(
            world.guide, world.data, tmp_path / name, target=15, generator=world.diffusion,
            judge=world.judge, seed=seed, guidance=2.0, **QUICK,
        )  # fmt: skip
        texts.append([(tmp_path / name / f"{one}").read_text() for one in
                      ("designs.tsv", "summary.tsv", "designs.fa")])  # fmt: skip
    assert texts[0] == texts[1]
    assert texts[0][0] != texts[2][0]
    folder = tmp_path / "a"
    assert sorted(one.name for one in folder.iterdir()) == [
        "design.json", "designs.fa", "designs.tsv", "ledger.parquet", "summary.tsv",
    ]  # fmt: skip
    told = json.loads((folder / "design.json").read_text())
    assert told["format_version"] == 1
    assert told["settings"]["seed"] == 3
    assert told["target"]["outside_training_range"] == (told["target"]["training_range"][1] < 15)
    assert told["generator"]["asked"] == 15
    assert len(told["guide"]["weights_sha256"]) == 64
    ledger = Ledger.load(folder / "ledger.parquet")
    assert {name.partition(":")[0] for name in ledger.learned} == {"guide", "generator"}
    table = pd.read_csv(folder / "designs.tsv", sep="\t")
    written = {name: decode(codes) for name, codes in read_fasta(folder / "designs.fa")}
    designs = table[table["role"] == "design"]
    assert written == dict(zip(designs["design"], designs["sequence"], strict=True))
    with pytest.raises(ExprimoError, match="exists"):
        generate_design(world.guide, world.data, folder, target=15, **QUICK)


def test_a_judge_that_shares_examples_is_refused(world: World, tmp_path: Path) -> None:
    with pytest.raises(LeakError, match="the judge and the guide learned from the same"):
        generate_design(
            world.guide, world.data, tmp_path / "OUT", target=9, judge=world.guide, **QUICK
        )
    # Trained apart from the guide, but with the generator.
    with pytest.raises(LeakError, match="the judge and the generator"):
        generate_design(
            world.judge, world.other, tmp_path / "OUT", target=9, judge=world.guide,
            generator=world.diffusion, **QUICK,
        )  # fmt: skip
    assert not (tmp_path / "OUT").exists()


def test_a_generator_without_passes_is_ranked(world: World, tmp_path: Path) -> None:
    done = generate_design(
        world.guide, world.data, tmp_path / "OUT", target=9, generator=world.gan, **QUICK
    )
    assert {"ranked", "unguided draw"} <= set(done.summary["method"]) != {"guidance"}
    assert "guidance" not in set(done.summary["method"])
    assert any("passes of gan cannot be guided" in note for note in done.notes)
    assert any("not asked for the target" in note for note in done.notes)
    with pytest.raises(ConfigError, match="passes of gan"):
        generate_design(
            world.guide, world.data, tmp_path / "E", target=9, generator=world.gan,
            methods=["guidance"], **QUICK,
        )  # fmt: skip


def test_a_generator_that_cannot_be_asked_is_steered_all_the_same(
    world: World, tmp_path: Path
) -> None:
    done = generate_design(
        world.guide, world.data, tmp_path / "OUT", target=15, generator=world.plain,
        methods=["guidance", "ranked"], judge=world.judge, **QUICK,
    )  # fmt: skip
    table = done.summary.set_index("method")
    assert list(table.index) == ["guidance", "ranked", "unguided draw", "held-out nearest"]
    assert table.loc["guidance", "error"] < table.loc["unguided draw", "error"] - 2


def test_a_value_that_no_training_example_has_is_said_to_be_one(
    world: World, tmp_path: Path
) -> None:
    def told(target: float, **more: Any) -> list[str]:
        done = generate_design(
            world.guide, world.data, tmp_path / f"{target}", target=target, methods=["ranked"],
            **more, **QUICK,
        )  # fmt: skip
        return [note for note in done.notes if "as extreme as" in note]

    guide, generator = told(60, generator=world.diffusion)
    ends = r"a value as extreme as 60 \(-?[\d.]+ to [\d.]+\)"
    assert re.search(f"example of the guide has {ends}: its predictions there are extra", guide)
    assert re.search(f"example of the generator has {ends}: what it is asked for", generator)
    assert told(9, generator=world.diffusion) == []


def test_classes_are_asked_for_by_probability_or_name(world: World, tmp_path: Path) -> None:
    guide, judge = world.classes["high"]
    done = generate_design(guide, world.data, tmp_path / "P", target="0.95", judge=judge, **QUICK)
    table = done.summary.set_index("method")
    assert table.loc["greedy", "judged"] > table.loc["start", "judged"] + 0.3
    guide, judge = world.classes["three"]
    named = generate_design(guide, world.data, tmp_path / "N", target="high", judge=judge, **QUICK)
    table = named.summary.set_index("method")
    assert table.loc["greedy", "judged"] > table.loc["start", "judged"] + 0.3
    assert set(named.designs["measured"].dropna()) <= {0.0, 1.0}
    with pytest.raises(ConfigError, match="low, mid, high"):
        generate_design(guide, world.data, tmp_path / "E", target="1", **QUICK)
    with pytest.raises(MismatchError, match="something else than the guide"):
        generate_design(
            guide, world.data, tmp_path / "E", target="high", judge=world.judge, **QUICK
        )


def test_sequences_of_ones_own_are_edited(world: World, tmp_path: Path) -> None:
    mine = _fasta(tmp_path / "mine.fa", ["ACGT" * 10, "A" * 40])
    done = generate_design(
        world.guide, world.data, tmp_path / "OUT", target=40, start=mine, judge=world.judge,
        **QUICK,
    )  # fmt: skip
    designs = done.designs[done.designs["method"] == "greedy"]
    assert designs["start"].tolist() == ["s0", "s1"]
    assert designs["longest_run"].tolist()[1] >= 9
    assert any("extrapolated" in note for note in done.notes)
    with Dataset.open(world.other) as data:
        split = Run.open(world.judge).split
        seen = data.rows("sequence", split.rows("train")[:1])[0]
    theirs = _fasta(tmp_path / "theirs.fa", [decode(seen)])
    with pytest.raises(LeakError, match="sequences to start from"):
        generate_design(
            world.guide, world.data, tmp_path / "E", target=9, start=theirs, judge=world.judge,
            **QUICK,
        )  # fmt: skip


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"target": "much"}, "not a value of y"),
        ({"target": "nan"}, "not a value of y"),
        ({"n": 0}, "out of range"),
        ({"n": 1_000_000}, "out of range"),
        ({"draws": 0}, "out of range"),
        ({"edits": 41}, "more edits than bases"),
        ({"seed": -1}, "a seed is 0 or more"),
        ({"tolerance": -1.0}, "not a distance"),
        ({"methods": ["magic"]}, "no such method"),
        ({"methods": []}, "no such method"),
        ({"methods": ["ranked"]}, "none was given"),
        ({"methods": ["gradient"]}, "not a network"),
        ({"guidance": 2.0}, "none was given"),
        ({"generator": "nowhere"}, "no such generator"),
        ({"judge": "nowhere"}, "no such run|/nowhere"),
        ({"start": "nowhere.fa"}, "nowhere.fa"),
    ],
)
def test_bad_input_is_told(
    world: World, tmp_path: Path, wrong: dict[str, Any], message: str
) -> None:
    with pytest.raises(ExprimoError, match=message):
        generate_design(
            world.guide, world.data, tmp_path / "OUT", **{**QUICK, "target": 9, **wrong}
        )
    assert not (tmp_path / "OUT").exists()


def test_a_probability_beyond_1_and_weighing_nothing_are_refused(
    world: World, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match="not a probability"):
        generate_design(world.classes["high"][0], world.data, tmp_path / "E", target=2, **QUICK)
    with pytest.raises(ConfigError, match="no guidance to weigh"):
        generate_design(
            world.guide, world.data, tmp_path / "E", target=9, generator=world.plain,
            guidance=3.0, **QUICK,
        )  # fmt: skip


def test_sequences_of_another_length_are_refused(
    world: World, motifs: Path, tiny: dict[str, Any], tmp_path: Path
) -> None:
    with pytest.raises(MismatchError, match="another length"):
        generate_design(world.guide, motifs, tmp_path / "E", target=9, **QUICK)
    longer = generate_fit(motifs, tmp_path / "GEN", **tiny).path
    with pytest.raises(MismatchError, match="48 bases"):
        generate_design(
            world.guide, world.data, tmp_path / "E", target=9, generator=longer, **QUICK
        )
    short = _fasta(tmp_path / "short.fa", ["ACGT", "A" * 40])
    with pytest.raises(InputError, match="4 bases"):
        generate_design(world.guide, world.data, tmp_path / "E", target=9, start=short, **QUICK)


def test_a_model_of_more_than_sequence_is_refused(world: World, tmp_path: Path) -> None:
    mean = _train(world.data, tmp_path / "mean", model="mean", options={})
    with pytest.raises(ConfigError, match="more than sequence, or something else"):
        generate_design(mean, world.data, tmp_path / "E", target=9, **QUICK)


def test_the_command_prints_a_row_per_method(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exprimo, "generate_design", generate_design, raising=False)
    words = ["generate", "design", str(world.guide), str(world.data), "--target", "15", "-n", "4"]
    words += ["--judge", str(world.judge), "--threads", "1", "--method", "greedy"]
    found = CliRunner().invoke(app, [*words, "-o", str(tmp_path / "OUT")])
    assert found.exit_code == 0, found.output
    assert "judged by judge" in found.output
    assert "start (baseline)" in found.output
    assert "pearson r" in found.output
    as_json = CliRunner().invoke(app, [*words, "--json", "-o", str(tmp_path / "J")])
    assert json.loads(as_json.stdout)["summary"][0]["method"] == "greedy"


@pytest.mark.slow
def test_a_network_is_followed_by_its_slope(world: World, tmp_path: Path) -> None:
    net = _train(world.data, tmp_path / "net", model="cnn", options={}, fit={"epochs": 4})
    done = generate_design(net, world.data, tmp_path / "OUT", target=12, judge=world.judge, **QUICK)
    table = done.summary.set_index("method")
    assert {"greedy", "gradient"} <= set(table.index)
    assert table.loc["gradient", "guide_error"] < table.loc["start", "guide_error"]
    # All substitutions are at least as good as some of them.
    assert table.loc["greedy", "guide_error"] <= table.loc["gradient", "guide_error"] + 0.3
