"""Reading: what it gives, what it refuses, and how little memory it takes."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest

from exprimo.core.dataset import Dataset, write_dataset
from exprimo.core.errors import FormatError, InputError, StorageError, VersionError
from exprimo.core.sequence import decode

Damage = Callable[[h5py.File], None]


def test_it_tells_what_it_holds(small: Path) -> None:
    with Dataset.open(small) as data:
        assert len(data) == 6
        assert data.columns == ("example_id", "gene_id", "cell_type", "start", "clipped")
        assert data.provenance == {"genome": "made up"}
        info = data.inputs["sequence"]
        assert (info.shape, info.dtype, info.n_distinct) == ((4,), np.uint8, 4)
        assert info.axes == ("row", "position")
        assert {name: (t.kind, t.units) for name, t in data.targets.items()} == {
            "level": ("regression", "log2 TPM"),
            "high": ("classification", ""),
        }
        assert len(data.sha256) == 64
        table = data.examples()
        assert tuple(table) == data.columns
        assert table["gene_id"].tolist() == ["g1", "g2", "g1", "g3", "g4", "g2"]


def test_rows_batches_and_distinct_rows_agree(small: Path) -> None:
    with Dataset.open(small) as data:
        rows = data.rows("sequence", np.arange(6))
        assert [decode(row) for row in rows] == ["ACGT", "TTTT", "ACGT", "NNNN", "AAAA", "TTTT"]
        assert data.index("sequence").tolist() == [0, 1, 0, 2, 3, 1]
        every = data.distinct("sequence", 0, 4)
        np.testing.assert_array_equal(every[data.index("sequence")], rows)
        np.testing.assert_array_equal(data.distinct("sequence", 1, 3), every[1:3])
        np.testing.assert_array_equal(data.distinct("sequence", 2, 99), every[2:])
        batch = data.batch(("sequence",), np.array([5, 0]))
        np.testing.assert_array_equal(batch["sequence"], rows[[5, 0]])


def test_no_examples_give_no_rows(small: Path) -> None:
    with Dataset.open(small) as data:
        assert data.rows("sequence", np.array([], np.int64)).shape == (0, 4)
        assert data.distinct("sequence", 4, 9).shape == (0, 4)


def test_rows_can_be_changed_without_changing_the_file(small: Path) -> None:
    with Dataset.open(small) as data:
        rows = data.rows("sequence", np.array([0]))
        rows[:] = 4
        assert decode(data.rows("sequence", np.array([0]))[0]) == "ACGT"


def test_a_missing_target_is_nan_never_zero(small: Path) -> None:
    with Dataset.open(small) as data:
        level = data.target("level")
        assert level.dtype == np.float32
        np.testing.assert_array_equal(level, np.array([0.5, np.nan, 2, 3, 4, 5], np.float32))
        assert np.isnan(data.target("high")[2])


def test_what_is_not_there_is_named_with_what_is(small: Path) -> None:
    with Dataset.open(small) as data:
        for ask, message in (
            (lambda: data.target("levl"), r"no target levl\. Expected: high, level"),
            (lambda: data.the_target("levl"), "no target levl"),
            (lambda: data.column("lab"), r"no column lab\. Expected: example_id"),
            (lambda: data.rows("halflife", np.array([0])), "dataset promoters --halflife"),
            (lambda: data.rows("kmers", np.array([0])), r"no input kmers\. Expected: sequence"),
        ):
            with pytest.raises(InputError, match=message):
                ask()
        with pytest.raises(IndexError):
            data.rows("sequence", np.array([6]))


def test_several_targets_need_a_name(small: Path) -> None:
    with Dataset.open(small) as data:
        assert data.the_target("high").kind == "classification"
        with pytest.raises(InputError, match=r"say which target\. Found: high, level"):
            data.the_target()


@pytest.mark.parametrize("n_targets", [0, 1])
def test_a_single_target_needs_none(n_targets: int, tmp_path: Path) -> None:
    with write_dataset(tmp_path / "D.h5", {}) as out:
        out.examples(pd.DataFrame({"example_id": ["a"]}))
        out.input("sequence", [np.zeros((1, 3), np.uint8)])
        if n_targets:
            out.target("y", [1], kind="regression")
    with Dataset.open(tmp_path / "D.h5") as data:
        if n_targets:
            assert data.the_target().name == "y"
        else:
            with pytest.raises(InputError, match="no target at all"):
                data.the_target()


@pytest.fixture
def copy(small: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(small, tmp_path / "D.h5"))


@pytest.mark.parametrize(
    ("attribute", "value", "kind", "message"),
    [
        ("format_version", 99, VersionError, r"newer Exprimo\. Found: format_version 99"),
        ("format_version", "x", FormatError, "not an Exprimo dataset"),
        ("alphabet", "ACTGN", VersionError, "another alphabet"),
        ("format", "loom", FormatError, "an HDF5 file, but not an Exprimo dataset"),
    ],
)
def test_other_formats_are_refused(
    attribute: str, value: object, kind: type[Exception], message: str, copy: Path
) -> None:
    with h5py.File(copy, "r+") as file:
        file.attrs[attribute] = value
    with pytest.raises(kind, match=rf"D\.h5: .*{message}"):
        Dataset.open(copy)


@pytest.mark.parametrize("cut", [0, 10, 1000, -1])
def test_a_truncated_file_is_refused(cut: int, copy: Path) -> None:
    copy.write_bytes(copy.read_bytes()[:cut])
    with pytest.raises(FormatError, match=r"D\.h5: cut short, or damaged"):
        Dataset.open(copy)


def test_text_folders_and_nothing_are_refused(tmp_path: Path) -> None:
    (tmp_path / "unable to lock.h5").write_text("gene\tcount\n")
    with pytest.raises(FormatError, match="not an HDF5 file"):
        Dataset.open(tmp_path / "unable to lock.h5")
    (tmp_path / "genome.fa").write_text(">chr1\nACGT\n")
    with pytest.raises(FormatError, match=r"a FASTA file, not .*dataset promoters"):
        Dataset.open(tmp_path / "genome.fa")
    with pytest.raises(FormatError, match="a folder, not a dataset"):
        Dataset.open(tmp_path)
    with pytest.raises(InputError, match=r"no such dataset.*-o none\.h5"):
        Dataset.open(tmp_path / "none.h5")


def test_a_repacked_file_is_refused_rather_than_misread(copy: Path) -> None:
    with h5py.File(copy, "r+") as file:
        values = file["inputs/sequence/values"][:]
        del file["inputs/sequence/values"]
        file.create_dataset("inputs/sequence/values", data=values, compression="gzip")
    with (
        Dataset.open(copy) as data,
        pytest.raises(FormatError, match="chunked or compressed"),
    ):
        data.rows("sequence", np.array([0]))


def test_a_file_cut_short_while_open_is_named(copy: Path) -> None:
    with Dataset.open(copy) as data:
        data.index("sequence")
        offset = data._file["inputs/sequence/values"].id.get_offset()
        with open(copy, "r+b") as handle:
            handle.truncate(offset + 3)
        for read in (
            lambda: data.rows("sequence", np.array([0])),
            lambda: data.distinct("sequence", 0, 4),
        ):
            with pytest.raises(StorageError, match=r"D\.h5: the dataset was cut short"):
                read()


def test_a_file_that_may_not_be_read_is_named(copy: Path, start) -> None:
    copy.chmod(0)
    process = start(
        """
        import os, sys
        from exprimo.core.dataset import Dataset
        from exprimo.core.errors import InputError
        os.chdir(sys.argv[1])
        os.chmod(".", 0o755)
        if os.getuid() == 0:  # whom no permission stops
            os.setuid(65534)
        try:
            Dataset.open("D.h5")
        except InputError as error:
            print(error)
        """,
        copy.parent,
    )
    told, complaint = process.communicate()
    assert told.startswith("D.h5: you may not read this file"), complaint


def test_closing_twice_is_harmless_and_leaves_no_handle(small: Path) -> None:
    data = Dataset.open(small)
    data.close()
    data.close()
    with pytest.raises((ValueError, KeyError)):
        len(data)


@pytest.mark.slow
def test_opening_is_lazy_and_memory_does_not_grow_with_the_examples(tmp_path: Path, start) -> None:
    process = start(
        """
        import json, sys
        from pathlib import Path
        import numpy as np, pandas as pd
        from exprimo.core.dataset import Dataset, write_dataset

        LENGTH = 2000

        def anonymous():
            lines = Path("/proc/self/status").read_text().splitlines()
            return next(int(l.split()[1]) * 1024 for l in lines if l.startswith("RssAnon"))

        def was_read():
            lines = Path("/proc/self/io").read_text().splitlines()
            return next(int(l.split()[1]) for l in lines if l.startswith("rchar"))

        def write(n):
            path = Path(sys.argv[1]) / f"{n}.h5"
            chunks = (
                np.random.default_rng(i).integers(0, 4, (500, LENGTH), np.uint8)
                for i in range(n // 500)
            )
            with write_dataset(path, {}) as out:
                out.examples(pd.DataFrame({"example_id": np.arange(n).astype(str)}))
                out.input("sequence", chunks)
            return path

        def read(path):
            before, seen = anonymous(), was_read()
            with Dataset.open(path) as data:
                opened = was_read() - seen
                assert data.inputs["sequence"].shape == (LENGTH,)
                total = 0
                order = np.random.default_rng(0).permutation(len(data))
                for first in range(0, len(data), 64):
                    total += data.rows("sequence", order[first : first + 64]).size
                return {"opened": opened, "total": total, "grown": anonymous() - before}

        paths = [write(n) for n in (2_000, 20_000)]
        read(paths[0])  # the libraries' own first-time memory
        print(json.dumps([read(path) for path in paths]))
        """,
        tmp_path,
    )
    told, complaint = process.communicate()
    assert process.returncode == 0, complaint
    once, tenfold = json.loads(told)
    assert tenfold["total"] == 10 * once["total"] == 40_000_000
    assert tenfold["opened"] < 100_000
    assert tenfold["grown"] - once["grown"] < 2_000_000  # the index alone, 8 bytes an example


def _replace(member: str, values: object) -> Damage:
    def damage(file: h5py.File) -> None:
        del file[member]
        if values is not None:
            file[member] = values

    return damage


def _set(owner: str, attribute: str, value: object) -> Damage:
    def damage(file: h5py.File) -> None:
        if value is None:
            del file[owner].attrs[attribute]
        else:
            file[owner].attrs[attribute] = value

    return damage


@pytest.mark.parametrize(
    ("damage", "member"),
    [
        (_replace("examples", None), "examples"),
        (_replace("inputs", None), "inputs"),
        (_replace("inputs", 3), "inputs"),
        (_replace("examples/gene_id", None), "examples/gene_id"),
        (_replace("examples/start", np.arange(5)), "examples/start"),
        (_replace("examples/start", np.zeros(6)), "examples/start"),
        (_replace("inputs/sequence/values", None), "inputs/sequence/values"),
        (_replace("inputs/sequence/values", np.zeros((4, 4))), "inputs/sequence/values"),
        (_replace("inputs/sequence/values", np.zeros(4, np.uint8)), "inputs/sequence/values"),
        (_replace("inputs/sequence/index", np.zeros(6)), "inputs/sequence/index"),
        (_replace("inputs/sequence/index", np.arange(4)), "inputs/sequence/index"),
        (_replace("targets/level", np.zeros(6)), "targets/level"),
        (_replace("targets/level", np.zeros(5, np.float32)), "targets/level"),
        (_replace("targets/level", np.zeros(6, np.float32)), "targets/level, attribute kind"),
        (_set("targets/level", "kind", "rank"), "targets/level, attribute kind"),
        (_set("inputs/sequence", "axes", None), "inputs/sequence, attribute axes"),
        (_set("examples", "columns", 3), "examples, attribute columns"),
        (_set("examples", "columns", ["gene_id"]), "examples"),
        (_set("/", "sha256", None), "attribute sha256"),
        (_set("/", "n_examples", "six"), "attribute n_examples"),
        (_set("/", "n_examples", 7), "examples/example_id"),
        (_set("/", "provenance", "{"), "attribute provenance"),
        (_set("/", "provenance", "[]"), "attribute provenance"),
    ],
)
def test_a_damaged_part_is_named_on_opening(damage: Damage, member: str, copy: Path) -> None:
    with h5py.File(copy, "r+") as file:
        damage(file)
    with pytest.raises(FormatError, match=rf"D\.h5, (, )?{member}: a dataset that is damaged"):
        Dataset.open(copy)


@pytest.mark.parametrize("row", [-1, 4])
def test_an_index_beyond_the_stored_rows_is_named(row: int, copy: Path) -> None:
    with h5py.File(copy, "r+") as file:
        file["inputs/sequence/index"][2] = row
    with (
        Dataset.open(copy) as data,
        pytest.raises(FormatError, match=r"inputs/sequence/index: .*Expected: 0 to 3"),
    ):
        data.rows("sequence", np.array([0]))


def test_what_builds_a_dataset_is_named_with_every_builder(tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match=r"promoters\|table\|features\|hdf5\|chromatin .* -o D\.h5"
    ):
        Dataset.open(tmp_path / "D.h5")
