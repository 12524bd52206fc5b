"""The table of tracks: what chooses which, and what is refused."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from exprimo.core.errors import FormatError, InputError, MismatchError
from exprimo.data.tracks import TrackTable, read_tracks

HEADER = "index\tgenome\tidentifier\tfile\tclip\tscale\tsum_stat\tdescription"
DESCRIBED = [
    ("ENCFF833POA", "DNASE:cerebellum male adult (27 years) and male adult (35 years)"),
    ("ENCFF110QGM", "DNASE:frontal cortex male adult (27 years)"),
    ("ENCFF001AAA", "ATAC:liver"),
    ("ENCFF971AHO", "CHIP:H3K27me3:K562"),
    ("ENCFF002BBB", "CHIP:H3K27ac:K562"),
    ("ENCFF003CCC", "CHIP:H3K9me3:liver male adult (31 year)"),
    ("CNhs11760", "CAGE:Whole blood (ribopure), donor090309, donation1"),
    ("CNhs11675", "CAGE:Whole blood (ribopure), donor090325, donation2"),
    ("CNhs11761", "CAGE:blood, adult, pool1"),
    ("CNhs10862", "CAGE:Neutrophils, donor1"),
    ("ENCFF004DDD", "DNASE:WW6"),
    ("ENCFF005EEE", "DNASE:WW6"),
]


def write(folder: Path, rows: list[str], header: str = HEADER) -> Path:
    path = folder / "targets_human.txt"
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


def rows(first: int = 0) -> list[str]:
    return [
        f"{first + i}\t0\t{name}\t/data/{name}.w5\t{32 if i else 384}\t2\tmean\t{text}"
        for i, (name, text) in enumerate(DESCRIBED)
    ]


@pytest.fixture
def table(tmp_path: Path) -> TrackTable:
    return read_tracks(write(tmp_path, rows()))


def test_a_row_is_read_whole(table: TrackTable):
    track = table.tracks[6]
    assert (track.row, track.number, track.identifier, track.assay) == (6, 6, "CNhs11760", "CAGE")
    assert (track.clip, track.scale) == (32, 2)
    assert table.tracks[0].clip == 384


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (["4"], (4,)),
        (["2-4", "3"], (2, 3, 4)),
        (["CNhs11675"], (7,)),
        (["encff971aho"], (3,)),
        (["CHIP"], (3, 4, 5)),
        (["cage"], (6, 7, 8, 9)),
        (["CAGE whole blood"], (6, 7)),
        (["CAGE blood"], (6, 7, 8)),
        (["blood, adult, pool1"], (8,)),
        (["CAGE:blood, adult, pool1"], (8,)),
        (["H3K27me3"], (3,)),
        (["H3K9me3", "H3K27me3"], (5, 3)),
        (["neutrophil"], (9,)),
        (["DNASE WW6"], (10, 11)),
        (["adult male cortex"], (1,)),
        (["liver", "0"], (2, 5, 0)),
    ],
)
def test_what_chooses_which(table: TrackTable, wanted: list[str], expected: tuple[int, ...]):
    assert table.choose(wanted) == expected


def test_part_of_a_word_is_not_the_word(table: TrackTable):
    with pytest.raises(InputError, match="H3K27ac"):
        table.choose(["H3K27a"])
    with pytest.raises(InputError):
        table.choose(["H3K27"])


def test_numbers_are_those_of_the_table_and_rows_those_of_the_head(tmp_path: Path):
    mouse = read_tracks(write(tmp_path, rows(first=5313)))
    assert mouse.choose(["5313-5314", "CNhs11761"]) == (0, 1, 8)
    with pytest.raises(InputError, match="numbers from 5313 to 5324"):
        mouse.choose(["3"])


def test_nothing_found_shows_what_is_near(table: TrackTable):
    with pytest.raises(InputError) as refused:
        table.choose(["CAGE", "CAGE whole blod"])
    assert "'CAGE whole blod'" in str(refused.value)
    assert "CAGE:Whole blood (ribopure), donor090309" in str(refused.value)
    with pytest.raises(InputError, match="Near it: CAGE:"):
        table.choose(["CNhs11769"])
    with pytest.raises(InputError, match="Look into the table"):
        table.choose(["zzzz"])
    with pytest.raises(InputError, match="numbers from 0 to 11"):
        table.choose(["12-20"])


def test_tracks_of_one_description_are_told_apart(table: TrackTable):
    assert table.names([2, 10]) == ("ATAC:liver", "DNASE:WW6 (ENCFF004DDD)")


def test_a_table_of_another_head_is_refused(table: TrackTable):
    table.check_number(12, "toy")
    with pytest.raises(MismatchError, match=r"12 tracks.*5,313"):
        table.check_number(5313, "enformer")


def test_fewer_columns_will_do(tmp_path: Path):
    path = write(tmp_path, ["0\tE1\tno assay here"], "index\tidentifier\tdescription")
    track = read_tracks(path).tracks[0]
    assert track.assay == ""
    assert math.isnan(track.clip)


def test_damaged_tables_are_refused(tmp_path: Path):
    with pytest.raises(FormatError, match="not a table of tracks"):
        read_tracks(write(tmp_path, ["a\tb"], "gene\tcount"))
    with pytest.raises(FormatError, match="line 3"):
        read_tracks(write(tmp_path, [rows()[0], rows()[1].rpartition("\t")[0]]))
    with pytest.raises(FormatError, match="lines 2 and 3"):
        read_tracks(write(tmp_path, [rows()[0], rows()[0]]))
    with pytest.raises(FormatError, match="not the number of a track"):
        read_tracks(write(tmp_path, ["x\tE\tCAGE:a"], "index\tidentifier\tdescription"))
    with pytest.raises(FormatError, match="without tracks"):
        read_tracks(write(tmp_path, []))
