"""Tracks: both strands, the ends of chromosomes, a genome that is another, a full disk."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from exprimo.core.errors import InputError, MismatchError, StorageError
from exprimo.interpret.attributions import Attributions
from exprimo.interpret.attributions.store import Block, Described, write_attributions
from exprimo.interpret.attributions.tracks import write_tracks

pybigtools = pytest.importorskip("pybigtools")

LENGTH = 4
N = 4
"""The code of a base that is not known."""


def written(
    folder: Path, codes: Any, values: Any, start: list[int], strand: str, length: int | None = None
) -> Mapping[int, float]:
    """Write the track of windows on one chromosome; give the value of each base that has one."""
    places = {
        "chrom": np.array(["c"] * len(start)), "start": np.array(start),
        "end": np.array(start) + LENGTH, "strand": np.array(list(strand)),
    }  # fmt: skip
    ids = np.array([f"e{i}" for i in range(len(start))])
    block = Block(
        {
            "prediction": np.zeros(len(start), np.float32),
            "inputs/sequence/codes": np.array(codes, np.uint8),
            "inputs/sequence/values": np.array(values, np.float32),
        }
    )
    write_attributions(folder / "attributions.h5", [block], Described(ids, {}, places))
    with Attributions.open(folder) as found:
        write_tracks(found, folder, None if length is None else {"c": length})
    with pybigtools.open(str(folder / "tracks" / "sequence.bw")) as track:
        return {int(a): float(v) for a, b, v in track.records("c") if b == a + 1}


def test_each_base_has_the_mean_over_its_windows_on_either_strand(tmp_path: Path) -> None:
    codes = [[0, 1, 2, 3], [0, 1, 2, N]]
    found = written(tmp_path, codes, [[1, 2, 3, 4], [10, 20, 30, 0]], [5, 7], "+-")
    # The second window reads backwards: its N is base 7, where the first alone has a value.
    assert found == {5: 1, 6: 2, 7: 3, 8: (4 + 30) / 2, 9: 20, 10: 10}


@pytest.mark.parametrize(("strand", "codes"), [("+", [N, 0, 1, 2]), ("-", [2, 1, 0, N])])
def test_a_window_may_hang_over_an_end_where_it_holds_no_base(
    tmp_path: Path, strand: str, codes: list[int]
) -> None:
    low = tmp_path / "low"
    low.mkdir()
    assert sorted(written(low, [codes], [[1, 1, 1, 1]], [-1], strand, 9)) == [0, 1, 2]
    high = tmp_path / "high"
    high.mkdir()
    assert sorted(written(high, [codes[::-1]], [[1, 1, 1, 1]], [6], strand, 9)) == [6, 7, 8]


@pytest.mark.parametrize(("start", "strand"), [(-1, "+"), (-1, "-"), (6, "+"), (6, "-"), (30, "+")])
def test_bases_beyond_the_chromosome_tell_of_another_genome(
    tmp_path: Path, start: int, strand: str
) -> None:
    with pytest.raises(MismatchError, match=r"e1.*beyond.*--fasta") as refused:
        written(tmp_path, [[0, 1, 2, 3]] * 2, np.ones((2, 4)), [2, start], "+" + strand, 9)
    # The folder that grows is hidden, and gone when the error is read.
    assert refused.value.file is None
    assert not (tmp_path / "tracks").exists()


def test_windows_of_nothing_but_n_have_no_track(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no base.*--tracks"):
        written(tmp_path, [[N] * 4], np.zeros((1, 4)), [2], "+")


def test_a_full_disk_is_told_once(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "tracks").mkdir()
    (tmp_path / "tracks" / "sequence.bw").symlink_to("/dev/full")
    with pytest.raises(StorageError, match="cannot write a BigWig file"):
        written(tmp_path, [[0, 1, 2, 3]], np.ones((1, 4)), [2], "+")
    assert capfd.readouterr() == ("", "")
