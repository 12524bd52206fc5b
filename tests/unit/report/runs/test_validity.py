"""Doubts that stand before any comparison: a giant group, uneven parts, a dead network."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

from exprimo.report.runs.distrust import doubts
from exprimo.report.runs.doubt import Doubt
from exprimo.report.runs.reading import read_material
from exprimo.report.runs.validity import validity_lines

NOTES: dict[str, int | str] = {
    "giant_homology": "one of 9 whole groups holds 96.0% of the examples: 90 of 95 windows overlap",
    "uneven_homology": "train 96.0% of 80.0% wanted",
}


def found(run: Path, notes: dict[str, int | str]) -> list[Doubt]:
    material = read_material(run)
    split = replace(material.split_of["homology"], notes=notes)
    return doubts(replace(material, split_of={"homology": split}))


def test_a_giant_group_that_bends_the_parts_is_serious(run: Path) -> None:
    said = found(run, NOTES)[0]
    assert said[:2] == ("serious", "The homology split has one giant group")
    assert said.text.startswith("One of 9 whole groups holds 96.0%")
    assert said.source == "split.parquet"


def test_uneven_parts_alone_are_a_caution(run: Path) -> None:
    uneven = {"uneven_homology": NOTES["uneven_homology"]}
    said = {doubt.title: doubt.weight for doubt in found(run, uneven)}
    assert said["The homology split has parts of other sizes than wanted"] == "caution"
    assert not any("sizes" in doubt.title for doubt in found(run, {}))


def test_a_dead_network_is_serious_and_said_on_the_console(run: Path, tmp_path: Path) -> None:
    assert validity_lines(run) == []
    copy = shutil.copytree(run, tmp_path / "run")
    metrics = json.loads((copy / "metrics.json").read_text())
    (copy / "metrics.json").write_text(json.dumps(metrics | {"constant": True}))
    serious = [d.title for d in doubts(read_material(copy)) if d.weight == "serious"]
    assert "The predictions of cnn are constant" in serious
    assert validity_lines(copy)[0].startswith("SERIOUS: The predictions of cnn are constant. Every")


def test_people_held_out_say_little_where_genes_are_not(run: Path) -> None:
    material = read_material(run)
    weights = {}
    for held in (("individual",), ("gene", "individual"), ("gene",)):
        split = replace(material.split_of["homology"], held_out=held)
        told = doubts(replace(material, split_of={"homology": split}))
        weights[held] = [d.weight for d in told if "genes" in d.title]
    assert weights == {
        ("individual",): ["serious"],
        ("gene", "individual"): ["caution"],
        ("gene",): [],
    }
