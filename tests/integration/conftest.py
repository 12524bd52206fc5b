"""A small world, the dataset of its promoters, and the command line called in this process."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

import exprimo
from exprimo.cli.main import main
from exprimo.simulate import SimulatedWorld
from exprimo.simulate.chromatin.config import CellsConfig
from exprimo.simulate.config import GenomeConfig, WorldConfig

# A network of 2,000 weights that learns for a second: what it finds does not matter here.
TINY_CNN = {"channels": 8, "stem_channels": 8, "head_channels": 4, "hidden": 8, "grid": 4}

_TRUNK = "{ width = 8, most = 8, layers = 3, halving = [1] }"
# Ten thousand times is more than any 3-mer occurs among so few genes.
_TRUNK_OF_ALL = _TRUNK.replace(" }", ", kmer_least = 1000 }")
CHROMATIN_STUDY = f"""
kind = "chromatin"
truth = "world/truth"

[tracks]
genes = "world/genes.gtf"
signal_table = "world/tracks.tsv"
expression = "world/cell_expression.tsv"
fasta = "world/genome.fa"
bins = 20
marks = ["H3K4me3", "H3K4me1", "H3K27me3"]

[benchmark]
models = ["gene_mean", "bins_ridge", "marks", "marks + statistics + k-mers", "attentive_chrome"]
splits = ["gene*cell", "example"]
test_cells = ["cell01", "cell02"]
val_cells = ["cell03"]
ensemble = 2

[benchmark.fit]
epochs = 2
batch_size = 64

[benchmark.machine]
threads = 1
device = "cpu"
precision = "fp32"

[benchmark.options]
"marks" = {_TRUNK}
"marks + statistics + k-mers" = {_TRUNK_OF_ALL}
"attentive_chrome" = {{ units = 2, mark_units = 2 }}

[interpretation]
examples = 20
raised = 4
"""
PROGRAM = "from exprimo.cli.main import main; main()"


class Outcome(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def message(self) -> str:
        """The one message of a refused command; fails if there is more, less, or a traceback."""
        assert self.code == 2, (self.code, self.out, self.err)
        assert self.out == ""
        assert self.err.startswith("exprimo: ")
        assert self.err.count("exprimo: ") == 1
        assert self.err.endswith("\n")
        assert self.err.count("\n") == 1, self.err
        assert "Traceback" not in self.err
        assert "Error(" not in self.err
        return self.err.strip()

    def assert_says(self, *parts: object) -> None:
        """Check that the one message holds each of these."""
        for part in parts:
            assert str(part) in self.message


Command = Callable[..., Outcome]


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Run one command as `exprimo ...` would, in this process."""

    def run(*arguments: object) -> Outcome:
        monkeypatch.setattr("sys.argv", ["exprimo", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        code = ended.value.code
        assert code is None or isinstance(code, int)
        return Outcome(code or 0, said.out, said.err)

    return run


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> SimulatedWorld:
    """A world of 300 genes on three chromosomes; read-only."""
    config = WorldConfig(genes=300, genome=GenomeConfig(chromosomes=4))
    return exprimo.simulate(tmp_path_factory.mktemp("tiny") / "world", seed=3, config=config)


@pytest.fixture(scope="session")
def promoters(world: SimulatedWorld) -> Path:
    """The dataset of the world's promoters; read-only."""
    out = world.folder.parent / "promoters.h5"
    exprimo.dataset_promoters(
        fasta=world.genome,
        genes=world.genes,
        targets=world.expression,
        target="expression",
        upstream=150,
        downstream=50,
        out=out,
    )
    return out


@pytest.fixture(scope="session")
def tiny_cnn() -> dict[str, int]:
    """Options of a network of 2,000 weights that learns within a second."""
    return TINY_CNN


@pytest.fixture(scope="session")
def trained(promoters: Path) -> Path:
    """A Run of the tiny network on those promoters, split by homology; read-only."""
    out = promoters.parent / "run"
    exprimo.train(
        promoters,
        out,
        split={"strategy": "homology"},
        fit={"epochs": 2, "batch_size": 32},
        machine={"device": "cpu", "threads": 1, "precision": "fp32"},
        options=TINY_CNN,
    )
    return out


@pytest.fixture(scope="session")
def benchmarked(promoters: Path) -> Path:
    """A benchmark of the tiny network under three splits, from two seeds; read-only."""
    out = promoters.parent / "benchmark"
    exprimo.benchmark(
        promoters,
        out,
        models=["cnn"],
        splits=["random", "chromosome", "homology"],
        seeds=2,
        fractions=[0.5],
        fit={"epochs": 2, "batch_size": 32},
        machine={"device": "cpu", "threads": 1, "precision": "fp32"},
        options={"cnn": TINY_CNN},
    )
    return out


def call_program(*arguments: object, script: str = PROGRAM) -> subprocess.CompletedProcess[str]:
    """Run the program in a process of its own, or a script that becomes it."""
    return subprocess.run(
        [sys.executable, "-c", script, *map(str, arguments)],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="session")
def program() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run the program in a process of its own, or a script that becomes it."""
    return call_program


@pytest.fixture(scope="session")
def chromatin_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A world of 150 genes in seven cell types, and a study of it; read-only."""
    home = tmp_path_factory.mktemp("chromatin")
    config = WorldConfig(
        genes=150, genome=GenomeConfig(chromosomes=4), cells=CellsConfig(cell_types=7)
    )
    exprimo.simulate(home / "world", seed=1, config=config)
    (home / "study.toml").write_text(CHROMATIN_STUDY)
    return home


@pytest.fixture(scope="session")
def chromatin_study(chromatin_home: Path) -> tuple[Path, str]:
    """The folder of that study's results, and what the program said; read-only."""
    ended = call_program("run", chromatin_home / "study.toml")
    assert (ended.returncode, ended.stderr) == (0, "")
    return chromatin_home / "results", ended.stdout


def _listing(folder: Path) -> dict[str, tuple[int, int]]:
    """Give every file and folder below, hidden ones too, with size and time of change."""
    return {
        str(path.relative_to(folder)): (path.stat().st_size, path.stat().st_mtime_ns)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@contextmanager
def _untouched(folder: Path) -> Iterator[None]:
    """Check that the block writes nothing into a folder and changes nothing there."""
    before = _listing(folder), {path.name for path in folder.iterdir()}
    yield
    assert (_listing(folder), {path.name for path in folder.iterdir()}) == before


Untouched = Callable[[Path], AbstractContextManager[None]]


@pytest.fixture
def untouched() -> Untouched:
    """Check that a block writes nothing into a folder and changes nothing there."""
    return _untouched


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """An empty folder that must stay empty."""
    folder = tmp_path / "out"
    folder.mkdir()
    return folder


@pytest.fixture
def files(world: SimulatedWorld, tmp_path: Path) -> dict[str, Path]:
    """A copy of the world's files to spoil."""
    copies = {}
    for path in (world.genome, world.genes, world.expression):
        copies[path.name] = tmp_path / path.name
        copies[path.name].write_bytes(path.read_bytes())
    return copies


@pytest.fixture
def build(command: Command, out: Path) -> Callable[[dict[str, Path]], Outcome]:
    """Build a dataset of such files in the empty folder, which must stay empty."""

    def refused(files: dict[str, Path]) -> Outcome:
        with _untouched(out):
            return command(
                "dataset", "promoters", "--fasta", files["genome.fa"], "--genes",
                files["genes.gtf"], "--targets", files["expression.tsv"], "--target", "expression",
                "--upstream", 150, "--downstream", 50, "-o", out / "D.h5",
            )  # fmt: skip

    return refused
