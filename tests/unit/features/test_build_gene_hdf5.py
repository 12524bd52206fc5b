"""HDF5 files of genes to a dataset, by the public function and by the command."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import exprimo
from exprimo.cli.main import main
from exprimo.core.dataset import Dataset
from exprimo.core.errors import ConfigError, InputError
from exprimo.features.build_gene_hdf5 import dataset_hdf5

Write = Callable[..., tuple[Path, np.ndarray]]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a file of random promoters; give its path and the codes in it (4 is N)."""

    def made(name: str, first: int = 0, genes: int = 6, **changed: Any) -> tuple[Path, np.ndarray]:
        rng = np.random.default_rng(first)
        codes = changed.pop("codes", rng.integers(0, 5, (genes, 30)).astype(np.uint8))
        arrays: dict[str, Any] = {
            "gene_id": np.array([f"g{first + i}".encode() for i in range(genes)]),
            "promoter": np.eye(5, 4, dtype=bool)[codes],
            "halflife": rng.normal(size=(genes, 8)).astype(np.float32),
            "label": np.arange(genes) % 2,
        }
        with h5py.File(tmp_path / name, "w") as file:
            for key, values in {**arrays, **changed}.items():
                if values is not None:
                    file[key] = values
        return tmp_path / name, codes

    return made


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Run `exprimo dataset hdf5 ...`; give its exit code, output and message."""

    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["exprimo", "dataset", "hdf5", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    return run


def test_named_parts_become_a_column_and_nothing_is_lost(write: Write, tmp_path: Path) -> None:
    train, codes = write("train.h5")
    val, more = write("valid.h5", first=10, genes=3)
    test, last = write("test.h5", first=20, genes=2)
    made = exprimo.dataset_hdf5({"train": train, "val": val, "test": test}, out=tmp_path / "D.h5")
    assert made.n_examples == 11
    with Dataset.open(made.path) as data:
        every = np.arange(11)
        np.testing.assert_array_equal(
            data.rows("sequence", every), np.concatenate([codes, more, last])
        )
        assert data.column("part").tolist() == ["train"] * 6 + ["val"] * 3 + ["test"] * 2
        assert data.column("gene_id").tolist()[:2] == ["g0", "g1"]
        assert data.targets["label"].kind == "classification"
        with h5py.File(train) as file:
            np.testing.assert_array_equal(data.rows("halflife", every[:6]), file["halflife"])
        assert data.inputs["halflife"].labels[:2] == ("feature_1", "feature_2")
        assert data.provenance["settings"]["parts"] == ["train", "val", "test"]
        assert [Path(one["path"]).name for one in data.provenance["sources"]] == [
            "train.h5", "valid.h5", "test.h5",
        ]  # fmt: skip
        assert data.provenance["channel_evidence"]["verdict"] == "not told"
    assert "Parts: train 6, val 3, test 2; split by them with --split column:part" in made.lines


def test_files_without_parts_have_no_such_column(write: Write, tmp_path: Path) -> None:
    one, _ = write("a.h5")
    two, _ = write("b.h5", first=10)
    made = dataset_hdf5([one, two], out=tmp_path / "D.h5")
    with Dataset.open(made.path) as data:
        assert data.columns == ("example_id", "gene_id")
        assert len(data) == 12
    assert dataset_hdf5(one, out=tmp_path / "E.h5").n_examples == 6


def test_a_promoter_shared_between_parts_is_told(write: Write, tmp_path: Path) -> None:
    train, codes = write("train.h5")
    test, _ = write("test.h5", first=10, codes=codes[[0, 1, 1, 1, 1, 1]])
    made = dataset_hdf5({"train": train, "test": test}, out=tmp_path / "D.h5")
    with Dataset.open(made.path) as data:
        assert data.inputs["sequence"].n_distinct == 6
    assert "Parts: train 6, test 6" in made.lines
    assert any(line.startswith("Warning: 2 promoters stand in more") for line in made.lines)


def test_measurements_names_of_features_and_missing_labels(write: Write, tmp_path: Path) -> None:
    path, codes = write("a.h5", label=np.array([0, 1, 2, 1, 0, 1]), halflife=np.eye(6, 2))
    made = dataset_hdf5(path, out=tmp_path / "D.h5", missing=2, features=["measured", "sd"])
    with Dataset.open(made.path) as data:
        assert data.column("gene_id").tolist() == ["g0", "g1", "g3", "g4", "g5"]
        assert data.target("label").tolist() == [0, 1, 1, 0, 1]
        np.testing.assert_array_equal(data.rows("sequence", np.arange(5)), codes[[0, 1, 3, 4, 5]])
        np.testing.assert_array_equal(
            data.rows("halflife", np.arange(5)), np.eye(6, 2)[[0, 1, 3, 4, 5]]
        )
        assert data.inputs["halflife"].labels == ("measured", "sd")
    assert made.dropped == {"no value for label": 1}
    with pytest.raises(ConfigError, match="not one name for each half-life feature"):
        dataset_hdf5(path, out=tmp_path / "E.h5", missing=2, features=["measured"])
    path, _ = write("b.h5", label=np.linspace(-1, 1, 6))
    with Dataset.open(dataset_hdf5(path, out=tmp_path / "F.h5").path) as data:
        assert data.targets["label"].kind == "regression"


def test_a_part_of_another_name_is_refused(write: Write, tmp_path: Path) -> None:
    path, _ = write("a.h5")
    with pytest.raises(ConfigError, match=r"no such part.*'valid'.*Did you mean val"):
        dataset_hdf5({"valid": path}, out=tmp_path / "D.h5")
    with pytest.raises(ConfigError, match="say which files"):
        dataset_hdf5([], out=tmp_path / "D.h5")
    with pytest.raises(InputError, match="no such file"):
        dataset_hdf5({"train": tmp_path / "none.h5"}, out=tmp_path / "D.h5")
    made = dataset_hdf5(path, out=tmp_path / "D.h5")
    with pytest.raises(InputError, match="an Exprimo dataset already"):
        dataset_hdf5(made.path, out=tmp_path / "E.h5")


def test_the_command(write: Write, command: Any, tmp_path: Path) -> None:
    train, _ = write("train.h5")
    test, _ = write("test=1.h5", first=10)
    code, out, err = command(f"train={train}", f"test={test}", "-o", tmp_path / "D.h5", "--json")
    assert (code, err) == (0, "")
    assert json.loads(out)["n_examples"] == 12
    code, out, err = command(test, "-o", tmp_path / "E.h5")
    assert (code, err) == (0, "")
    assert out.startswith("6 examples of 30 bases written to ")


ROW = np.array([b"g0", b"g1", b"g2", b"g3", b"g4", b"g0"])
HOT = np.eye(4, dtype=np.float32)[np.zeros((6, 30), dtype=int)]
TWO = HOT.copy()
TWO[2, 4, 1] = 1


@pytest.mark.parametrize(
    ("changed", "options", "said"),
    [
        ({"promoter": TWO}, [], "gene g2, position 5: two bases"),
        ({"promoter": HOT / 2}, [], "gene g0, position 1: not one-hot"),
        ({"promoter": None}, [], "no array promoter. Found: gene_id, halflife, label"),
        ({"gene_id": ROW}, [], "gene g0: the same gene occurs twice"),
        ({"halflife": np.full((6, 2), np.nan)}, [], "gene g0, column 1"),
        ({"halflife": np.zeros((5, 2))}, [], "one row for each of 6 promoters"),
        ({"label": np.array([0, 1, 2, 0, 1, 2])}, [], "--missing 2"),
        ({"label": np.array([0, 1, -1, 0, 1, 0])}, [], "gene g2: not a label"),
        ({}, ["--channels", "ACGA"], "not an order of the four bases"),
        ({}, ["--target", "score"], "no array score"),
        ({"score/a": np.zeros(6)}, ["--target", "score/a"], "not usable as the name of a target"),
        ({}, ["--features", "a,b"], "8 names that differ"),
    ],
)
def test_bad_input_through_the_command_leaves_nothing(
    write: Write,
    command: Any,
    tmp_path: Path,
    changed: dict[str, Any],
    options: list[str],
    said: str,
) -> None:
    path, _ = write("a.h5", **changed)
    before = sorted(tmp_path.iterdir())
    code, out, err = command(path, "-o", tmp_path / "D.h5", *options)
    assert (code, out) == (2, "")
    assert said in err
    assert err.count("exprimo: ") == 1
    assert sorted(tmp_path.iterdir()) == before


def test_bad_combinations_through_the_command(write: Write, command: Any, tmp_path: Path) -> None:
    train, _ = write("train.h5")
    test, _ = write("test.h5", first=3)
    longer, _ = write("long.h5", first=10, codes=np.zeros((6, 31), dtype=np.uint8))
    cut = tmp_path / "cut.h5"
    cut.write_bytes(train.read_bytes()[:-100])
    before = sorted(tmp_path.iterdir())
    for arguments, said in (
        ([f"train={train}", f"test={test}"], "3 genes stand in more than one file"),
        ([f"train={train}", f"test={longer}"], "differ in the bases of each promoter"),
        ([f"train={train}", longer], "some files have a part and some have none"),
        ([f"trian={train}"], "Did you mean train?"),
        ([cut], "cut short"),
        ([tmp_path], "this is a folder"),
    ):
        code, out, err = command(*arguments, "-o", tmp_path / "D.h5")
        assert (code, out) == (2, "")
        assert said in err
    assert sorted(tmp_path.iterdir()) == before


def test_damage_found_half_way_leaves_nothing(write: Write, command: Any, tmp_path: Path) -> None:
    path, codes = write("a.h5", genes=60, promoter=None)
    with h5py.File(path, "a") as file:
        promoter = file.create_dataset(
            "promoter", data=np.eye(5, 4, dtype=bool)[codes], chunks=(10, 30, 4), compression="gzip"
        )
        where = promoter.id.get_chunk_info(4)
    content = bytearray(path.read_bytes())
    content[where.byte_offset : where.byte_offset + where.size] = b"\xff" * where.size
    path.write_bytes(content)
    before = sorted(tmp_path.iterdir())
    code, out, err = command(path, "-o", tmp_path / "D.h5")
    assert (code, out) == (2, "")
    assert "promoter: cannot be read: damaged, or cut short" in err
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.slow
def test_memory_does_not_grow_with_the_genes(tmp_path: Path) -> None:
    import subprocess
    import sys

    # Not getrusage: its peak survives exec, so it would be that of the process that runs the tests.
    script = (
        "import sys; import exprimo; "
        "exprimo.dataset_hdf5(sys.argv[1], out=sys.argv[2]); "
        "print(*[line for line in open('/proc/self/status') if line.startswith('VmHWM')])"
    )
    peaks = []
    for genes in (1000, 3000):
        path = tmp_path / f"{genes}.h5"
        rng = np.random.default_rng(genes)
        with h5py.File(path, "w") as file:
            file["gene_id"] = np.array([f"g{i}".encode() for i in range(genes)])
            file["label"] = np.arange(genes) % 2
            file["halflife"] = rng.normal(size=(genes, 8))
            promoter = file.create_dataset(
                "promoter", (genes, 20_000, 4), bool, compression="gzip", compression_opts=1
            )
            for first in range(0, genes, 200):
                codes = rng.integers(0, 4, (200, 20_000))
                promoter[first : first + 200] = np.eye(4, dtype=bool)[codes]
        done = subprocess.run(
            [sys.executable, "-c", script, path, tmp_path / f"D{genes}.h5"],
            capture_output=True,
            text=True,
            check=True,
        )
        peaks.append(int(done.stdout.split()[1]) / 1024)
    # From about 1,000 genes on buffers are full; 2,000 more are 160 MB of bool, 40 MB of codes.
    assert peaks[1] - peaks[0] < 60, peaks
    assert peaks[1] < 600, peaks
