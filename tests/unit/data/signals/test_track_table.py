"""Tracks by cell type and mark, from text and from tables."""

from __future__ import annotations

from pathlib import Path

import pytest

from exprimo.core.errors import ConfigError, FormatError, InputError
from exprimo.data.signals.track_table import Track, arrange_tracks, read_track_table


def touch(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).touch()


def test_a_grid_keeps_the_order_and_takes_the_marks_that_are_asked_for(tmp_path: Path) -> None:
    touch(tmp_path, "1", "2", "3", "4")
    tracks = [f"B:k4:{tmp_path}/1", f"A:k4:{tmp_path}/2", f"A:k9:{tmp_path}/3"]
    grid = arrange_tracks([*tracks, Track("B", "k9", tmp_path / "4")])
    assert (grid.cells, grid.marks) == (("B", "A"), ("k4", "k9"))
    assert grid.files["B", "k9"] == tmp_path / "4"
    assert arrange_tracks([*tracks], ["k4"]).marks == ("k4",), "k9 of B is not asked for"
    with pytest.raises(InputError, match=r"cell type B, mark k9: a mark of a cell type is missing"):
        arrange_tracks(tracks)
    with pytest.raises(InputError, match=r"no such mark.*'k5'.*k4, k9"):
        arrange_tracks(tracks, ["k5"])


def test_a_pair_twice_or_a_file_that_is_not_there(tmp_path: Path) -> None:
    touch(tmp_path, "1", "2")
    with pytest.raises(ConfigError, match=r"A:k4: two files for the same mark"):
        arrange_tracks([f"A:k4:{tmp_path}/1", f"A:k4:{tmp_path}/2"])
    with pytest.raises(InputError, match=r"nowhere, cell type A, mark k4: no such file"):
        arrange_tracks([f"A:k4:{tmp_path}/nowhere"])


@pytest.mark.parametrize("text", ["A:k4", "A::f", ":k4:f", "A:k4:"])
def test_a_track_needs_three_parts(text: str) -> None:
    with pytest.raises(ConfigError, match="CELL:MARK:FILE"):
        Track.parse(text)


def test_a_file_of_a_track_may_have_colons() -> None:
    assert Track.parse("A:k4:s3:x.bw") == Track("A", "k4", Path("s3:x.bw"))


def test_a_table_of_tracks_needs_every_cell(tmp_path: Path) -> None:
    table = tmp_path / "tracks.csv"
    table.write_text("mark,cell_type,file\nk4,A,a.bw\nk9,A,/data/b.bw\n")
    assert read_track_table(table) == [
        Track("A", "k4", tmp_path / "a.bw"),
        Track("A", "k9", Path("/data/b.bw")),
    ]
    table.write_text("mark,cell_type,file\nk4,,a.bw\n")
    with pytest.raises(FormatError, match="line 2: an empty cell"):
        read_track_table(table)
