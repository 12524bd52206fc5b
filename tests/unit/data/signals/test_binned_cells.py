"""Binned signal: DeepChrome's table and NumPy arrays, and how each can be wrong."""

from __future__ import annotations

import gzip
import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from exprimo.core.errors import ConfigError, ExprimoError, FormatError, InputError
from exprimo.data.signals import BinnedCell, read_binned

FIVE = ("H3K4me3", "H3K4me1", "H3K36me3", "H3K9me3", "H3K27me3")


def table(n_genes: int = 3, n_bins: int = 4) -> list[list[object]]:
    """Rows in which the value of mark m in bin b of gene g is 100 g + 10 m + b."""
    return [
        [f"00{g}", b + 1, *(100 * g + 10 * m + b for m in range(5)), g % 2]
        for g in range(n_genes)
        for b in range(n_bins)
    ]


def write_table(path: Path, rows: list[list[object]]) -> Path:
    text = "".join(",".join(map(str, row)) + "\n" for row in rows)
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path


@pytest.mark.parametrize("name", ["E003.csv", "E003.csv.gz"])
def test_deepchromes_table(tmp_path: Path, name: str) -> None:
    (found,) = read_binned(write_table(tmp_path / name, table()))
    assert found.cell == "E003"
    assert found.genes == ("000", "001", "002")
    assert found.marks == ("H3K27me3", "H3K36me3", "H3K4me1", "H3K4me3", "H3K9me3")
    assert found.values.shape == (3, 5, 4)
    assert found.values[2, 3].tolist() == [230, 231, 232, 233]
    assert found.label is not None
    assert found.label.tolist() == [0, 1, 0]
    assert found.expression is None
    assert "DeepChrome" in found.note


def test_a_header_names_marks_and_marks_are_chosen(tmp_path: Path) -> None:
    rows = [["gene", "bin", *FIVE, "expression"], *table(2)]
    rows[1:] = [[*row[:-1], 2.5] for row in rows[1:]]
    path = write_table(tmp_path / "t.csv", rows)
    (found,) = read_binned(path, cell="E003", marks=["H3K27me3", "H3K4me3"])
    assert (found.cell, found.marks, found.note) == ("E003", ("H3K27me3", "H3K4me3"), "")
    assert found.values[0, :, 0].tolist() == [40, 0]
    assert found.expression is not None
    assert found.expression.tolist() == [2.5, 2.5]
    with pytest.raises(InputError, match="no such mark"):
        next(read_binned(path, marks=["H3K9ac"]))


def changed(row: int, column: int, value: object) -> Callable[[], list[list[object]]]:
    def make() -> list[list[object]]:
        rows = table()
        rows[row][column] = value
        return rows

    return make


def without(row: int) -> Callable[[], list[list[object]]]:
    return lambda: [one for at, one in enumerate(table()) if at != row]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (without(5), r"line 6, gene 001: bins that are missing or out of order. Found: bin 3"),
        (without(11), "gene 002: a gene with missing or additional bins. Found: 3 bins"),
        (changed(1, 1, 3), "line 2, gene 000: bins that are missing or out of order"),
        (changed(6, 7, 0), "gene 001: label that differs between the bins"),
        (changed(4, 3, "x"), r"line 5, gene 001, column 4: not a finite number.* Found: 'x'"),
        (changed(4, 3, ""), "line 5, gene 001, column 4"),
        (changed(4, 3, "nan"), "line 5, gene 001, column 4"),
        (changed(4, 3, "inf"), "line 5, gene 001, column 4"),
        (changed(4, 7, "1,9"), "a row with another number of fields"),
        (lambda: [*table()[:-1], ["002", 4, 1]], "line 12, gene 002, column 4"),
        (lambda: [*table(), *table(1)], "the same gene occurs twice"),
        (lambda: [row[:6] for row in table()], "another number of marks"),
        (lambda: [["g", 1]], "not a table of binned signal"),
    ],
)
def test_a_table_that_cannot_be_used(
    tmp_path: Path, make: Callable[[], list[list[object]]], message: str
) -> None:
    with pytest.raises(FormatError, match=message):
        list(read_binned(write_table(tmp_path / "t.csv", make())))


def cell_array(n_genes: int = 4, n_bins: int = 6, columns: int = 7) -> npt.NDArray[np.float64]:
    array = np.random.default_rng(1).gamma(1, 1, (n_genes, n_bins, columns))
    array[:, :, 0] = 1_000 + np.arange(n_genes)[:, None]
    if columns == 7:
        array[:, :, 6] = np.arange(n_genes)[:, None] + 0.5
    return array


def test_an_array_for_each_cell_type(tmp_path: Path) -> None:
    first, second = cell_array(), cell_array(columns=6)
    np.savez_compressed(tmp_path / "train.npz", E003=first, E004=second)
    cells = list(read_binned(tmp_path / "train.npz", marks=FIVE))
    assert [one.cell for one in cells] == ["E003", "E004"]
    assert cells[0].genes == ("1000", "1001", "1002", "1003")
    assert cells[0].marks == FIVE
    np.testing.assert_array_equal(cells[0].values[2, 4], first[2, :, 5].astype(np.float32))
    assert cells[0].expression is not None
    assert cells[0].expression.tolist() == [0.5, 1.5, 2.5, 3.5]
    assert cells[1].expression is None
    assert cells[1].values.shape == (4, 5, 6)
    (one,) = read_binned(tmp_path / "train.npz", cell="E004")
    assert one.marks == ("mark_1", "mark_2", "mark_3", "mark_4", "mark_5")
    assert "numbered" in one.note
    with pytest.raises(InputError, match="no such cell type"):
        list(read_binned(tmp_path / "train.npz", cell="E005"))


def save_cell(change: Callable[[npt.NDArray[np.float64]], object]) -> Callable[[Path], None]:
    def save(path: Path) -> None:
        array = cell_array()
        found = change(array)
        np.savez(path, E003=array if found is None else np.asarray(found))

    return save


def put(where: tuple[int, int, int], value: float) -> Callable[[npt.NDArray[np.float64]], None]:
    return lambda array: array.__setitem__(where, value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (put((2, 3, 0), 77), "E003, row 3: gene id that differs between the bins"),
        (put((2, 3, 6), 77), "E003, gene 1002: expression that differs"),
        (put((2, 3, 4), np.nan), "E003, gene 1002, mark_4, bin 4: signal that is no finite"),
        (put((2, 3, 4), np.inf), "E003, gene 1002, mark_4, bin 4: signal that is no finite"),
        (lambda a: a[:, :, :4], r"E003: an array that is not genes × bins × columns"),
        (lambda a: a.transpose(0, 2, 1), "gene id that differs"),
        (lambda a: a[0], "not genes × bins × columns"),
        (lambda a: a[:0], "not genes × bins × columns"),
        (lambda a: a.astype(str), "not genes × bins × columns"),
        (lambda a: a + 0.25, "row 1: a gene id that is no whole number"),
        (lambda a: np.concatenate([a, a]), "gene 1000: the same gene occurs twice"),
        (lambda a: (a + 1e8).astype(np.float32), "no whole number|differs"),
    ],
)
def test_an_array_of_a_cell_type_that_cannot_be_used(
    tmp_path: Path, change: Callable[[npt.NDArray[np.float64]], object], message: str
) -> None:
    save_cell(change)(tmp_path / "t.npz")
    with pytest.raises(FormatError, match=message):
        list(read_binned(tmp_path / "t.npz"))


def stacks(**others: object) -> dict[str, npt.NDArray[np.generic]]:
    made: dict[str, object] = {
        "signal": np.arange(24.0).reshape(2, 3, 4), "gene_id": np.array(["g1", "g2"]),
        "expression": np.array([1.5, np.nan]), "label": np.array([1, 0]),
        "marks": np.array(["a", "b", "c"]),
    }  # fmt: skip
    made |= others
    return {name: np.asarray(array) for name, array in made.items() if array is not None}


def read_one(path: Path, **options: object) -> BinnedCell:
    return next(read_binned(path, **options))  # type: ignore[arg-type]  # options of each test


def test_named_stacks(tmp_path: Path) -> None:
    np.savez(tmp_path / "E003.npz", **stacks())  # type: ignore[arg-type]  # numpy's stubs want bool
    found = read_one(tmp_path / "E003.npz", marks=("c", "a"))
    assert (found.cell, found.genes, found.marks) == ("E003", ("g1", "g2"), ("c", "a"))
    assert found.values[1].tolist() == [[20, 21, 22, 23], [12, 13, 14, 15]]
    assert found.expression is not None
    assert found.expression[0] == 1.5
    assert np.isnan(found.expression[1])
    assert found.label is not None
    assert found.label.tolist() == [1, 0]


@pytest.mark.parametrize(
    ("others", "message"),
    [
        ({"gene_id": None}, "no array gene_id"),
        ({"gene_id": ["g1"]}, "not genes × marks × bins"),
        ({"gene_id": ["g1", "g1"]}, "gene g1: the same gene occurs twice"),
        ({"signal": np.ones((2, 3))}, "not genes × marks × bins"),
        ({"marks": ["a"]}, "another number of marks than names"),
        ({"expression": [1.0]}, "expression: an array that does not fit"),
        ({"expression": [1.0, np.inf]}, "gene g2: expression that is no finite"),
        ({"label": [1, 2]}, "label: a label that is neither 0 nor 1"),
        ({"marks": np.array(["a", "b", None])}, "array marks: an array of pickled objects"),
    ],
)
def test_stacks_that_cannot_be_used(
    tmp_path: Path, others: dict[str, object], message: str
) -> None:
    np.savez(tmp_path / "t.npz", **stacks(**others))  # type: ignore[arg-type]  # as above
    with pytest.raises(FormatError, match=message):
        list(read_binned(tmp_path / "t.npz"))


def test_an_array_with_a_file_of_genes(tmp_path: Path) -> None:
    path = tmp_path / "E003.npy"
    np.save(path, np.ones((2, 3, 4), dtype=np.float16))
    with pytest.raises(InputError, match=r"E003\.genes\.txt"):
        read_one(path)
    (tmp_path / "E003.genes.txt").write_text("g1\ng2\n")
    assert read_one(path).genes == ("g1", "g2")
    (tmp_path / "other.txt").write_text("g1\n")
    with pytest.raises(FormatError, match="with 1 gene ids"):
        read_one(path, genes=tmp_path / "other.txt")


class Bomb:
    """Would run code when loaded."""

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return (Path.touch, (Path("exploded"),))


def test_nothing_is_ever_unpickled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    objects = np.array([Bomb(), 1], dtype=object)
    np.savez("a.npz", E003=objects)
    np.save("b.npy", objects)
    Path("b.genes.txt").write_text("g1\n")
    Path("c.npz").write_bytes(pickle.dumps(Bomb()))
    for name, message in (("a.npz", "array E003: an array of pickled"), ("b.npy", "pickled"),
                          ("c.npz", "a pickle, which is never loaded")):  # fmt: skip
        with pytest.raises(FormatError, match=message):
            list(read_binned(name))
    assert not Path("exploded").exists()


@pytest.mark.parametrize("part", [0.3, 0.9])
def test_damaged_archives_are_refused(tmp_path: Path, part: float) -> None:
    np.savez(tmp_path / "t.npz", E003=cell_array())
    raw = (tmp_path / "t.npz").read_bytes()
    (tmp_path / "t.npz").write_bytes(raw[: int(part * len(raw))])
    with pytest.raises(FormatError, match="damaged, or cut short"):
        list(read_binned(tmp_path / "t.npz"))


def test_a_changed_value_is_noticed_by_its_checksum(tmp_path: Path) -> None:
    np.savez(tmp_path / "t.npz", E003=cell_array())
    raw = bytearray((tmp_path / "t.npz").read_bytes())
    raw[800] ^= 0xFF
    (tmp_path / "t.npz").write_bytes(raw)
    with pytest.raises(FormatError, match="damaged"):
        list(read_binned(tmp_path / "t.npz"))


def test_empty_files_and_names_of_marks(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("")
    with pytest.raises(FormatError, match="the file is empty"):
        read_binned(tmp_path / "t.csv")
    np.savez(tmp_path / "t.npz")
    with pytest.raises(ExprimoError, match=r"without arrays|cut short"):
        list(read_binned(tmp_path / "t.npz"))
    write_table(tmp_path / "t.csv", table())
    with pytest.raises(ConfigError, match="cannot be told apart"):
        read_binned(tmp_path / "t.csv", marks=["a", "a"])
