"""Chromatin that cannot be meant, by the command line: one message each, and nothing written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pybigtools
import pytest

from exprimo.core.dataset import Dataset

# Base b of the only chromosome has the signal b. TSSs: base 6 (plus), bases 15 and 35 (minus).
LENGTH = 40
GENES = "I\t6\t12\tfirst\t0\t+\nI\t10\t16\tmiddle\t0\t-\nI\t30\t36\tlast\t0\t-\n"
EXPRESSION = "gene_id\tliver\tbrain\nfirst\t1\t4\nmiddle\t2\t5\nlast\t3\t9\n"
TRACKS = [(cell, mark) for cell in ("liver", "brain") for mark in ("H3K4me3", "H3K9me3")]


def _bigwig(path: Path, signal: Any, chrom: str = "I", length: int = LENGTH) -> None:
    rows = [(chrom, at, at + 1, float(value)) for at, value in enumerate(signal)]
    pybigtools.open(str(path), "w").write({chrom: length}, iter(rows))


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Annotation, expression and four tracks, in the folder where commands run."""
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.chdir(folder)
    (folder / "genes.bed").write_text(GENES)
    (folder / "e.tsv").write_text(EXPRESSION)
    for cell, mark in TRACKS:
        _bigwig(folder / f"{cell}.{mark}.bw", range(LENGTH))
    return folder


def _tracks() -> list[str]:
    return [
        part
        for cell, mark in TRACKS
        for part in ("--signal", f"{cell}:{mark}:{cell}.{mark}.bw")
    ]  # fmt: skip


def _line(*more: object, tracks: list[str] | None = None) -> list[object]:
    bins = ["--bins", "4", "--bin-size", "4", "--scale", "raw"]
    found = _tracks() if tracks is None else tracks
    return [
        "dataset", "chromatin", "--genes", "genes.bed", *found, *bins,
        "--expression", "e.tsv", "-o", "../out/D.h5", *more,
    ]  # fmt: skip


def test_bins_off_the_end_are_zero_and_flagged(home: Path, out: Path, command: Any) -> None:
    done = command(*_line())
    assert (done.code, done.err) == (0, "")
    assert "2 windows leave their chromosome" in done.out
    with Dataset.open(out / "D.h5") as data:
        assert data.column("gene_id").tolist() == ["first", "middle", "last"] * 2
        assert data.column("clipped").tolist() == [True, False, True] * 2
        signal = data.rows("signal", np.arange(6))
    # first: bins of bases -2..1, 2..5, 6..9, 10..13; what lies before base 0 counts as 0.
    np.testing.assert_allclose(signal[0, 0], [0.25, 3.5, 7.5, 11.5])
    # middle: 8..23 backwards: 23..20, 19..16, 15..12, 11..8, so that bin 2 begins with base 15.
    np.testing.assert_allclose(signal[1, 0], [21.5, 17.5, 13.5, 9.5])
    # last: 28..43 backwards; bases 40 to 43 are not there.
    np.testing.assert_allclose(signal[2, 0], [0.0, 37.5, 33.5, 29.5])
    np.testing.assert_array_equal(signal[:3], signal[3:])


def _other_chromosomes(home: Path) -> None:
    for cell, mark in TRACKS:
        _bigwig(home / f"{cell}.{mark}.bw", range(LENGTH), chrom="scaffold_7")


def _nan(home: Path) -> None:
    signal = np.arange(LENGTH, dtype=float)
    signal[9] = np.nan
    _bigwig(home / "brain.H3K9me3.bw", signal)


def _unknown_genes(home: Path) -> None:
    (home / "e.tsv").write_text("gene_id\tliver\tbrain\nTP53\t1\t4\nMYC\t2\t5\n")


def _other_cells(home: Path) -> None:
    (home / "e.tsv").write_text(EXPRESSION.replace("brain", "brian"))


def _cut_short(home: Path) -> None:
    file = home / "brain.H3K4me3.bw"
    file.write_bytes(file.read_bytes()[:200])


def _shorter(home: Path) -> None:
    _bigwig(home / "brain.H3K4me3.bw", range(30), length=30)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (_other_chromosomes, ("liver.H3K4me3.bw", "scaffold_7", "genes.bed", "I")),
        (_nan, ("brain.H3K9me3.bw", "nan", "I")),
        (_unknown_genes, ("e.tsv", "TP53", "first", "--gene-names")),
        (_other_cells, ("e.tsv", "brain", "brian")),
        (_cut_short, ("brain.H3K4me3.bw",)),
        (_shorter, ("brain.H3K4me3.bw", "30 bases", "40 bases")),
        (lambda home: (home / "brain.H3K4me3.bw").unlink(), ("brain.H3K4me3.bw", "no such file")),
    ],
)
def test_files_that_cannot_be_used(
    home: Path, out: Path, command: Any, spoil: Any, said: tuple[str, ...]
) -> None:
    spoil(home)
    command(*_line()).assert_says(*said)
    assert list(out.iterdir()) == []


@pytest.mark.parametrize(
    ("tracks", "more", "said"),
    [
        (_tracks()[:-2], (), ("cell type brain, mark H3K9me3", "missing")),
        (
            [*_tracks(), "--signal", "liver:H3K4me3:liver.H3K9me3.bw"],
            (),
            ("liver:H3K4me3", "two files", "liver.H3K9me3.bw"),
        ),
        ([*_tracks(), "--signal", "liver.bw"], (), ("CELL:MARK:FILE", "liver.bw")),
        (None, ("--marks", "H3K27me3"), ("H3K27me3", "H3K4me3")),
        (None, ("--sequences", "s.csv"), ("--sequences",)),
        (["--binned", "x.npz"], (), ("tracks", "binned")),
        ([], (), ("--signal CELL:MARK:FILE", "--binned FILE")),
    ],
)
def test_options_that_cannot_be_meant(
    home: Path, out: Path, command: Any, tracks: Any, more: Any, said: tuple[str, ...]
) -> None:
    command(*_line(*more, tracks=tracks)).assert_says(*said)
    assert list(out.iterdir()) == []


def _published(n_genes: int = 6, n_bins: int = 4, seed: int = 0) -> np.ndarray:
    """Make an array as published files have it: gene id, five marks, expression, in each bin."""
    rng = np.random.default_rng(seed)
    array = np.empty((n_genes, n_bins, 7), dtype=np.float32)
    array[:, :, 0] = np.arange(1, n_genes + 1)[:, None]
    array[:, :, 1:6] = rng.gamma(1.0, size=(n_genes, n_bins, 5))
    array[:, :, 6] = rng.normal(size=n_genes)[:, None]
    return array


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ({"C1": _published()[:, :, :4]}, ("C1", "(6, 4, 4)", "(genes, bins, 6 or 7)")),
        ({"C1": _published()[0]}, ("C1", "(4, 7)")),
        ({"C1": _published(), "C2": _published(n_bins=5)}, ("C2", "Found: 5", "Expected: 4")),
        ({"C1": _published().astype(object)}, ("C1", "pickled objects", "never loaded")),
        ({"C1": np.where(np.eye(4, 7, 2), np.nan, _published())}, ("C1", "gene 1", "nan")),
        ({"signal": np.ones((3, 2, 4)), "gene_id": np.array(["a", "b"])}, ("(3, 2, 4)", "2 gene")),
    ],
)
def test_arrays_that_are_something_else(
    tmp_path: Path, out: Path, command: Any, arrays: dict[str, Any], said: tuple[str, ...]
) -> None:
    np.savez(tmp_path / "cells.npz", **arrays)
    refused = command(
        "dataset", "chromatin", "--binned", tmp_path / "cells.npz", "-o", out / "D.h5"
    )
    refused.assert_says("cells.npz", *said)
    assert list(out.iterdir()) == []


@pytest.fixture
def binned(tmp_path: Path, command: Any) -> Path:
    """A study of three cell types of 60 genes without sequence, and its dataset."""
    cells = {f"C{number}": _published(60, seed=number) for number in range(3)}
    np.savez(tmp_path / "cells.npz", **cells)
    done = command(
        "dataset", "chromatin", "--binned", tmp_path / "cells.npz", "-o", tmp_path / "D.h5"
    )
    assert (done.code, done.err) == (0, "")
    (tmp_path / "study.toml").write_text('kind = "chromatin"\ndataset = "D.h5"\n')
    return tmp_path / "study.toml"


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (["benchmark.models=['markz']"], ("benchmark.models", "markz", "Did you mean marks?")),
        (["binary.models=['histone_fcm']"], ("binary.models", "histone_fcm", "histone_fcn")),
        (["benchmark.models=['marks + k-mers']"], ("marks + k-mers", "sequence", "--fasta")),
        (["benchmark.test_cells=['C9']"], ("C9", "C0")),
        (["benchmark.test_cells=['C0', 'C1', 'C2']"], ("too few cell types", "0 of 3")),
        (["benchmark.splits=['cel']"], ("cel", "Did you mean cell?")),
        (["benchmark.splits=['chromosome']"], ("split needs the column chrom",)),
        (["benchmark.above='median'"], ("benchmark.above", "[binary]")),
        (["benchmark.target='expresion'"], ("expresion", "expression")),
        (["interpretation.row='deepchrom'"], ("interpretation", "deepchrom", "not compared")),
        (["interpretation.row='bins_ridge'"], ("interpretation", "bins_ridge", "no network")),
        (["benchmark.options={marks={widht=8}}"], ("widht", "width")),
        (["binned.files=['cells.npz']"], ("exactly one of", "binned and dataset")),
        (["truth='truth'"], ("truth", "chromatin.tsv", "no such file")),
    ],
)
def test_studies_that_cannot_be_meant(
    binned: Path, out: Path, command: Any, settings: list[str], said: tuple[str, ...]
) -> None:
    options = [part for text in settings for part in ("--set", text)]
    command("run", binned, "-o", out / "R", *options).assert_says(*said)
    assert list(out.iterdir()) == []


def test_one_cell_type_leaves_none_to_hold_out(tmp_path: Path, out: Path, command: Any) -> None:
    np.savez(tmp_path / "cells.npz", C1=_published(60))
    study = tmp_path / "study.toml"
    study.write_text('kind = "chromatin"\n[binned]\nfiles = ["cells.npz"]\n')
    command("run", study, "-o", out / "R").assert_says("cell", "1 value")
    assert list(out.iterdir()) == []
    study.write_text('kind = "chromatin"\n[binned]\nfiles = ["C2:cells.npz"]\n')
    command("run", study, "-o", out / "R").assert_says("cells.npz", "C2", "C1")
    study.write_text('kind = "chromatin"\n[binned]\nfiles = ["cell.npz"]\n')
    command("run", study, "-o", out / "R").assert_says("cell.npz", "no such file")
    assert list(out.iterdir()) == []
