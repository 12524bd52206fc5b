"""Tables that the builder reads: tracks, and expression in two layouts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from exprimo.core.errors import ConfigError, FormatError, InputError
from exprimo.data.signals.track_table import arrange_tracks, read_track_table
from exprimo.features.chromatin import Track
from exprimo.features.chromatin.expression import read_expression
from exprimo.features.chromatin.from_binned import BinnedFile
from exprimo.features.chromatin.spool import Spool


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


def test_a_file_of_a_track_may_have_colons(tmp_path: Path) -> None:
    assert Track.parse("A:k4:s3:x.bw") == Track("A", "k4", Path("s3:x.bw"))
    odd = tmp_path / "a:b.npz"
    odd.touch()
    assert BinnedFile.parse(str(odd)) == BinnedFile(None, odd)
    assert BinnedFile.parse("E003:b.npz") == BinnedFile("E003", Path("b.npz"))
    with pytest.raises(ConfigError, match="CELL:FILE"):
        BinnedFile.parse("E003:")


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


def test_wide_and_long_expression_are_the_same(tmp_path: Path) -> None:
    wide, long = tmp_path / "wide.tsv", tmp_path / "long.tsv"
    wide.write_text("gene_id\tA\tB\ng1\t1\t2\ng2\tNA\t4\n")
    long.write_text("cell_type,gene_id,expression\nA,g1,1\nB,g1,2\nC,g1,9\nB,g2,4\n")
    assert list(read_expression(long).columns) == ["A", "B", "C"]
    for path in (wide, long):
        found = read_expression(path, ["B", "A"])
        assert found.index.tolist() == ["g1", "g2"]
        np.testing.assert_array_equal(found.to_numpy(), [[2.0, 1.0], [4.0, np.nan]])
        with pytest.raises(InputError, match=r"no such cell type.*'b'.*nearest name is 'B'"):
            read_expression(path, ["b"])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("gene_id\tcell_type\texpression\ng1\tA\t1\ng1\tA\t2\n", "line 3, gene g1, cell type A"),
        ("gene_id\tcell_type\texpression\ng1\tA\thigh\n", "not a number"),
        ("gene_id\tcell_type\texpression\n\tA\t1\n", "without a gene or a cell type"),
        ("gene_id\tcell_type\tvalue\ng1\tA\t1\n", "no such column"),
        ("gene_id\tcell_type\texpression\n", "no genes"),
        ("gene_id\tA\ng1\tinf\n", "not a number"),
    ],
)
def test_bad_tables_of_expression(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "e.tsv"
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        read_expression(path)


def test_a_spool_gives_back_what_it_got(tmp_path: Path) -> None:
    rows = np.arange(60, dtype=np.float32).reshape(10, 2, 3)
    with Spool(tmp_path) as spool:
        assert list(spool.rows(0, 3)) == []
        for some in (rows[:4], rows[4:4], rows[4:]):
            spool.append(some)
        assert len(spool) == 10
        np.testing.assert_array_equal(np.concatenate(list(spool.rows(3, 9))), rows[3:9])
        with pytest.raises(ValueError, match="beside"):
            spool.append(rows.astype(np.float64))
    assert list(tmp_path.iterdir()) == [], "the file has no name"
