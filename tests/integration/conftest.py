"""A small world, the dataset of its promoters, and the command line called in this process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

import exprimo
from exprimo.cli.main import main
from exprimo.simulate import SimulatedWorld
from exprimo.simulate.config import GenomeConfig, WorldConfig

# A network of 2,000 weights that learns for a second: what it finds does not matter here.
TINY_CNN = {"channels": 8, "stem_channels": 8, "head_channels": 4, "hidden": 8, "grid": 4}


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
