"""A study of promoter and half-life that cannot be meant: one message, and nothing written."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from exprimo.core.files.atomic import write_lock
from exprimo.simulate import SimulatedWorld
from exprimo.studies.halflife.config import HalflifeStudy
from exprimo.studies.halflife.source import build_dataset

pytestmark = pytest.mark.slow

KIND = 'kind = "promoter-halflife"\n'
STUDY = f"""{KIND}truth = "world/truth"

[genes]
fasta = "world/genome.fa"
genes = "world/genes.gtf"
targets = "world/expression.tsv"
target = "expression"
upstream = 150
downstream = 50
"""
HDF5 = f'{KIND}[hdf5]\ntrain = "train.h5"\nval = "val.h5"\ntest = "test.h5"\n'


@pytest.fixture
def home(world: SimulatedWorld, tmp_path: Path) -> Path:
    """A study beside a world that may be spoilt."""
    shutil.copytree(world.folder, tmp_path / "home" / "world")
    (tmp_path / "home" / "study.toml").write_text(STUDY)
    return tmp_path / "home"


def _no_coding(text: str) -> str:
    """Leave genes, transcripts and exons, as a file of non-coding genes has them."""
    kept = {"gene", "transcript", "exon"}
    lines = text.splitlines()
    return "".join(f"{x}\n" for x in lines if x.startswith("#") or x.split("\t")[2] in kept)


def _constant(text: str) -> str:
    head, *rows = text.splitlines()
    column = head.split("\t").index("expression")
    changed = []
    for row in rows:
        cells = row.split("\t")
        cells[column] = "3.5"
        changed.append("\t".join(cells))
    return "\n".join([head, *changed, ""])


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        ("expression.tsv", _constant, ("one value only", "3.5")),
        ("genes.gtf", _no_coding, ("CDS",)),
        ("genome.fa", None, ("genome.fa", "no such file")),
        ("genes.gtf", None, ("genes.gtf", "no such file")),
        ("expression.tsv", None, ("expression.tsv", "no such file")),
        ("truth/sites.tsv", None, ("sites.tsv", "no such file")),
        (
            "truth/components.tsv",
            lambda text: text.replace("\n", "\nX"),
            ("components.tsv", "another world"),
        ),
    ],
)
def test_files_that_cannot_be_used_leave_nothing(
    home: Path, command: Any, name: str, change: Any, said: tuple[str, ...]
) -> None:
    file = home / "world" / name
    if change is None:
        file.unlink()
    else:
        file.write_text(change(file.read_text()))
    command("run", home / "study.toml").assert_says(*said)
    assert {path.name for path in home.iterdir()} == {"world", "study.toml"}


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("benchmark.models=['promotor alone']", ("no such row", "mean promoter alone?")),
        ("dataset='D.h5'", ("exactly one of", "genes and dataset")),
        ("benchmark.splits=['homolgy']", ("mean homology?",)),
        ("benchmark.splits=['cell']", ("cell", "column")),
        ("benchmark.above=99", ("one class only", "cut at 99")),
        ("benchmark.target='expresion'", ("expresion", "expression")),
        ("interpretation.row='half-life alone'", ("interpretation.row", "no promoter")),
        ("interpretation.row='cnn'", ("interpretation.row", "not compared")),
        ("interpretation.layer='dense.9'", ("dense.9", "no layer of this name", "dense.0")),
        ("benchmark.options={'promoter + half-life'={hidden=[]}}", ("no such linear layer",)),
        ("interpretation.smooth=10", ("interpretation.smooth", "odd")),
        ("genes.halflife_table='none.tsv'", ("none.tsv", "no such file")),
        ("embeddings.model='hyenadna-smal-32k'", ("hyenadna-smal-32k",)),
        ("embeddings.model='hyenadna-small-32k:w.ckpt'", ("w.ckpt", "no such file")),
        ("preset='published'", ("embeddings",)),
        ("benchmark.splits=['column:strand']", ("too few groups", "2 values of strand")),
    ],
)
def test_settings_that_cannot_be_meant(
    home: Path, out: Path, command: Any, setting: str, said: tuple[str, ...]
) -> None:
    refused = command("run", home / "study.toml", "-o", out / "R", "--set", setting)
    refused.assert_says(*said)
    assert list(out.iterdir()) == []
    assert {path.name for path in home.iterdir()} == {"world", "study.toml"}


def test_no_source_and_absent_files_of_genes(tmp_path: Path, command: Any) -> None:
    study = tmp_path / "study.toml"
    study.write_text(KIND)
    command("run", study).assert_says("exactly one of", "none is given")
    study.write_text(HDF5)
    command("run", study).assert_says("train.h5", "no such file")
    (tmp_path / "train.h5").write_text("looked into later")
    command("run", study).assert_says("val.h5", "no such file")
    assert {path.name for path in tmp_path.iterdir()} == {"study.toml", "train.h5"}


def test_what_stands_in_the_folder_is_neither_used_nor_removed(
    home: Path, out: Path, command: Any
) -> None:
    (out / "interpretation").mkdir()
    command("run", home / "study.toml", "-o", out).assert_says("stands where", "interpretation")
    (out / "interpretation").rmdir()
    (out / "dataset.h5").write_text("somebody's own")
    for more in ((), ("--resume",)):
        command("run", home / "study.toml", "-o", out, *more).assert_says("dataset.h5")
        assert [path.name for path in out.iterdir()] == ["dataset.h5"]
        assert (out / "dataset.h5").read_text() == "somebody's own"


def test_a_study_that_another_process_writes_is_left_alone(home: Path, command: Any) -> None:
    results = home / "results"
    results.mkdir()
    (results / "notes.txt").write_text("mine")
    with write_lock(results):
        command("run", home / "study.toml").assert_says("another process is writing this")
        assert {path.name for path in results.iterdir()} == {"notes.txt"}


def test_a_source_that_changed_since_is_noticed(home: Path, command: Any) -> None:
    study = HalflifeStudy.load(home / "study.toml")
    results = home / "results"
    # As a kill leaves it once the dataset stands.
    study.save(results / "settings.toml")
    build_dataset(study, home, results / "dataset.h5")
    table = home / "world" / "expression.tsv"
    table.write_text(table.read_text() + "\n")
    refused = command("run", home / "study.toml", "--resume")
    refused.assert_says("a file has changed since this study was started", "expression.tsv")
