"""A file of contributions: what is written reads back, in part and whole."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from exprimo.core.errors import FormatError, InputError, MismatchError, VersionError
from exprimo.interpret.attributions import Attributions
from exprimo.interpret.attributions.store import Block, Described, write_attributions

N, LENGTH = 7, 5
RNG = np.random.default_rng(0)
CODES = RNG.integers(0, 5, (N, LENGTH)).astype(np.uint8)
HYPOTHETICAL = RNG.normal(size=(N, 4, LENGTH)).astype(np.float32)
SETTINGS = {"steps": 16, "inputs": ["sequence"]}
ABOUT = Described(
    np.array([f"gène{i}" for i in range(N)]),
    {"method": "deeplift", "settings": SETTINGS, "tss_index": 2, "output": "value"},
    {
        "chrom": np.array(["1"] * N), "start": np.arange(N), "end": np.arange(N) + LENGTH,
        "strand": np.array(["+"] * N),
    },
)  # fmt: skip


def blocks() -> Iterator[Block]:
    for start in range(0, N, 3):
        here = slice(start, start + 3)
        yield Block(
            {
                "prediction": np.arange(N, dtype=np.float32)[here],
                "inputs/sequence/codes": CODES[here],
                "inputs/sequence/values": HYPOTHETICAL[here, 0],
                "inputs/sequence/hypothetical": HYPOTHETICAL[here],
                "delta": np.full(N, 0.25, np.float32)[here],
            }
        )


@pytest.fixture
def file(tmp_path: Path) -> Path:
    write_attributions(tmp_path / "attributions.h5", blocks(), ABOUT)
    return tmp_path / "attributions.h5"


def test_what_is_written_reads_back(file: Path) -> None:
    with Attributions.open(file.parent) as found:
        assert (found.n, found.length, found.inputs) == (N, LENGTH, ("sequence",))
        assert found.example_id.tolist() == ABOUT.example_id.tolist()
        assert found.prediction.tolist() == list(range(N))
        np.testing.assert_array_equal(found.codes(), CODES)
        np.testing.assert_array_equal(found.values(slice(2, 4)), HYPOTHETICAL[2:4, 0])
        picked = np.array([5, 0, 5])
        np.testing.assert_array_equal(found.hypothetical(picked), HYPOTHETICAL[picked])
        np.testing.assert_array_equal(
            found.mapped("inputs/sequence/hypothetical")[3], HYPOTHETICAL[3]
        )
        assert found.attrs["settings"] == SETTINGS
        assert found.attrs["tss_index"] == 2
        assert list(found.convergence()) == ["delta"]
        assert found.places["strand"].tolist() == ["+"] * N


def test_what_is_no_file_of_contributions_is_refused(file: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="exprimo explain"):
        Attributions.open(tmp_path / "nothing.h5")
    text = tmp_path / "text.h5"
    text.write_text("no HDF5")
    with pytest.raises(FormatError, match="not an HDF5 file"):
        Attributions.open(text)
    with h5py.File(tmp_path / "other.h5", "w"):
        pass
    with pytest.raises(FormatError, match="not of contributions"):
        Attributions.open(tmp_path / "other.h5")
    with h5py.File(file, "a") as changed:
        changed.attrs["format_version"] = 99
    with pytest.raises(VersionError, match="newer Exprimo"):
        Attributions.open(file)


def test_what_an_explanation_does_not_hold_is_named(file: Path) -> None:
    with (
        Attributions.open(file) as found,
        pytest.raises(InputError, match="sequence: codes, hypothetical, values"),
    ):
        found.values(input="signal")


def test_too_few_examples_leave_no_file(tmp_path: Path) -> None:
    short = list(blocks())[:2]
    with pytest.raises(MismatchError, match="another number of examples"):
        write_attributions(tmp_path / "A.h5", short, ABOUT)
    assert list(tmp_path.iterdir()) == []


def replaced(name: str, made: Callable[[Any], Any]) -> Callable[[h5py.File], None]:
    """Give what puts another array in the place of one."""

    def change(file: h5py.File) -> None:
        values = made(file[name][:])
        del file[name]
        file[name] = values

    return change


def without(name: str) -> Callable[[h5py.File], None]:
    return lambda file: file.__delitem__(name)


def saying(name: str, value: Any) -> Callable[[h5py.File], None]:
    return lambda file: file.attrs.__setitem__(name, value)


VALUES = "inputs/sequence/values"


@pytest.mark.parametrize(
    ("change", "record"),
    [
        (without("example_id"), "example_id"),
        (without("prediction"), "prediction"),
        (without("inputs"), "inputs"),
        (without("inputs/sequence"), "inputs"),
        (without(VALUES), VALUES),
        (replaced(VALUES, lambda v: v[:3]), VALUES),
        (replaced(VALUES, lambda v: v.sum(1)), VALUES),
        (replaced(VALUES, lambda v: v.astype("S8")), VALUES),
        (replaced("inputs/sequence/codes", lambda v: v[:, :3]), "inputs/sequence/codes"),
        (replaced("inputs/sequence/codes", lambda v: v * 1.0), "inputs/sequence/codes"),
        (
            replaced("inputs/sequence/hypothetical", lambda v: v.transpose(0, 2, 1)),
            "inputs/sequence/hypothetical",
        ),
        (replaced("delta", lambda v: v[:2]), "delta"),
        (replaced("start", lambda v: v[:2]), "start"),
        (without("strand"), "strand"),
        (saying("settings", "{cut"), "settings"),
        (saying("tss_index", "x"), "tss_index"),
        (saying("tss_index", LENGTH), "tss_index"),
    ],
)
def test_a_file_that_was_changed_is_refused(
    file: Path, change: Callable[[h5py.File], None], record: str
) -> None:
    with h5py.File(file, "a") as opened:
        change(opened)
    with pytest.raises(FormatError) as refused, Attributions.open(file):
        pass
    assert str(refused.value.record) == record
    assert str(refused.value.file) == str(file)
    assert "exprimo explain" in str(refused.value)


def test_a_group_in_the_place_of_an_array_is_refused(file: Path) -> None:
    with h5py.File(file, "a") as opened:
        del opened[VALUES]
        opened.create_group(VALUES)
    with pytest.raises(FormatError, match="values"), Attributions.open(file):
        pass


@pytest.mark.parametrize("rows", [None, slice(4, 7), np.array([1, 6])])
def test_numbers_that_are_none_are_refused(file: Path, rows: Any) -> None:
    with h5py.File(file, "a") as opened:
        opened[VALUES][6, 1] = np.nan
        opened["inputs/sequence/hypothetical"][6, 0, 1] = np.inf
        opened["inputs/sequence/codes"][6, 1] = 5
    with Attributions.open(file) as found:
        for read in (found.values, found.hypothetical, found.codes):
            with pytest.raises(FormatError, match="not what exprimo explain writes"):
                read(rows)
        np.testing.assert_array_equal(found.codes(slice(0, 6)), CODES[:6])


def test_a_file_that_was_cut_short_is_refused(file: Path) -> None:
    whole = file.read_bytes()
    for size in (0, 7, 500, len(whole) // 2, len(whole) - 1):
        file.write_bytes(whole[:size])
        with pytest.raises(FormatError, match="cut short"), Attributions.open(file):
            pass
