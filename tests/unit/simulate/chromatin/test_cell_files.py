"""The files of a world with cell types, and that a world without is as it was."""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from exprimo.cli.main import app
from exprimo.core.errors import ConfigError, StorageError
from exprimo.simulate import WorldConfig, simulate
from exprimo.simulate.chromatin.bigwig import write_track
from exprimo.simulate.chromatin.config import MARKS, CellsConfig, Mark
from exprimo.simulate.chromatin.tracks import Steps
from exprimo.simulate.config import RegulationConfig

TINY = WorldConfig(genes=40)
NEW = {"cell_expression.tsv", "truth/cells.tsv", "truth/chromatin.tsv", "tracks.tsv"}


def _bytes(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def test_cell_types_are_only_added_and_equal_seeds_give_equal_bytes(tmp_path: Path) -> None:
    plain = simulate(tmp_path / "plain", seed=7, config=TINY)
    for name, seed in (("one", 7), ("two", 7), ("other", 8)):
        simulate(tmp_path / name, seed=seed, config=TINY, cells=2)
    without, one, two, other = (
        _bytes(tmp_path / name) for name in ("plain", "one", "two", "other")
    )
    assert one == two
    tracks = {f"signal/cell0{cell}.{mark.name}.bw" for cell in (1, 2) for mark in MARKS}
    assert set(one) - set(without) == NEW | tracks
    assert [name for name in without if without[name] != one[name]] == ["truth/world.json"]
    # The table of tracks names files, which are called alike in every world.
    drawn = NEW - {"tracks.tsv"} | tracks
    assert all(one[name] != other[name] for name in drawn)
    assert plain.signal is None
    assert plain.cell_expression is None
    assert "cells" not in json.loads(without["truth/world.json"])["config"]


def test_a_further_mark_or_more_noise_leaves_the_other_tracks(tmp_path: Path) -> None:
    further = Mark(name="H2AZ", follows="nothing", shape="peak", level=1.0)
    cells = CellsConfig(cell_types=2)
    more = CellsConfig(cell_types=2, marks=(*MARKS, further), noise_sd=2.0, depth_sd=0.0)
    for name, wanted in (("few", cells), ("more", more)):
        config = TINY.model_copy(update={"cells": wanted.model_copy(update={"efficiency_sd": 0.0})})
        simulate(tmp_path / name, seed=1, config=config)
    few, many = _bytes(tmp_path / "few"), _bytes(tmp_path / "more")
    assert set(many) - set(few) == {"signal/cell01.H2AZ.bw", "signal/cell02.H2AZ.bw"}
    assert few["cell_expression.tsv"] != many["cell_expression.tsv"]
    heights = [text["truth/chromatin.tsv"].splitlines()[1].split(b"\t") for text in (few, many)]
    assert heights[1][:-1] == heights[0]


def test_the_command_asks_for_cell_types(tmp_path: Path, monkeypatch: Any) -> None:
    # The function of the package is called as its folder is, so the module is asked for by name.
    module = import_module("exprimo.simulate.world")
    monkeypatch.setattr(module, "world_config", lambda size: TINY)
    arguments = ["simulate", str(tmp_path / "world"), "--cells", "2", "--json"]
    done = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert done.exit_code == 0
    facts = json.loads(done.output)
    assert facts["counts"]["cell_types"] == 2
    assert len(list(Path(facts["signal"]).iterdir())) == 2 * len(MARKS)
    CliRunner().invoke(app, ["simulate", str(tmp_path / "plain")], catch_exceptions=False)
    assert not (tmp_path / "plain" / "signal").exists()


@pytest.mark.parametrize("cells", [1, -3])
def test_an_impossible_number_of_cell_types_is_refused(tmp_path: Path, cells: int) -> None:
    with pytest.raises(ConfigError, match=r"cells\.cell_types"):
        simulate(tmp_path / "world", config=TINY, cells=cells)
    assert not list(tmp_path.iterdir())


def test_settings_that_contradict_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="different names"):
        CellsConfig.checked({"marks": [MARKS[0], MARKS[0]]})
    with pytest.raises(ConfigError, match="smaller activity"):
        CellsConfig.checked({"activity": (1.0, 0.5)})
    regulation = RegulationConfig(factors=TINY.regulation.factors[3:])
    config = WorldConfig(genes=40, regulation=regulation)
    with pytest.raises(ConfigError, match=r"CORE.*LEAD, MATE"):
        simulate(tmp_path / "world", config=config, cells=2)
    assert not list(tmp_path.iterdir())


def test_every_chromosome_stands_in_every_track_with_whole_reads(cell_world: Any) -> None:
    lengths: dict[str, int] = {}
    for record in cell_world.world.genome.read_text().split(">")[1:]:
        name, body = record.split("\n", 1)
        lengths[name] = len(body.replace("\n", ""))
    for mark in MARKS:
        bases = cell_world.track("cell01", mark.name)
        assert {name: values.size for name, values in bases.items()} == lengths
        for values in bases.values():
            assert np.array_equal(values, np.round(values))
            whole = values[: values.size // 50 * 50].reshape(-1, 50)
            assert (whole == whole[:, :1]).all()


def test_a_track_holds_the_reads_of_each_step(tmp_path: Path) -> None:
    import pybigtools

    steps = Steps(50, {"1": 220, "2": 100, "10": 30})
    reads = np.array([0, 3, 3, 0, 2, 0, 0, 1], dtype=np.int64)
    write_track(tmp_path / "a.bw", reads, steps)
    file = pybigtools.open(str(tmp_path / "a.bw"))
    assert file.chroms() == {"1": 220, "2": 100, "10": 30}
    assert list(file.records("1")) == [(50, 150, 3.0), (200, 220, 2.0)]
    # No reads at all, but the chromosome is there.
    assert list(file.records("2")) == [(0, 100, 0.0)]
    assert list(file.records("10")) == [(0, 30, 1.0)]


def test_a_track_that_cannot_be_written_is_a_storage_error(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"a\.bw"):
        write_track(tmp_path / "none" / "a.bw", np.ones(2, np.int64), Steps(50, {"1": 100}))
