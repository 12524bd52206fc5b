"""Sequences with targets."""

from __future__ import annotations

import gzip

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exprimo.core.errors import ConfigError, FormatError, InputError
from exprimo.core.sequence import decode
from exprimo.data.sequence_table import read_sequence_table

TILES = (
    "id\tchrom\tpos\tstrand\tcore\trep1\tyfp\tset\n"
    "a\tIV\t100\t+\tACGT\t1\t1.5\tx\n"
    "b\t\t\t\tTTTT\t\t2.5\ty\n"
    "c\tV\t7\t-\tGGGG\t3\t\tx\n"
    "d\tV\t9\t-\tacgu\t4\t-1\t\n"
)
ALL = {
    "sequence": "core",
    "target": "yfp",
    "chrom": "chrom",
    "start": "pos",
    "strand": "strand",
    "example_id": "id",
    "group": "set",
}


@pytest.fixture
def table(tmp_path):
    def write(text: str):
        path = tmp_path / "tiles.tsv.gz"
        path.write_bytes(gzip.compress(text.encode()))
        return path

    return write


def letters(tiles):
    return [decode(row) for row in tiles.codes]


def test_everything_that_is_known(table):
    tiles = read_sequence_table(table(TILES), **ALL, extra_targets=["rep1"])
    assert tiles.examples.to_dict("list") == {
        "example_id": ["a", "b", "d"],
        "chrom": ["IV", "", "V"],
        "start": [100, -1, 9],
        "end": [104, -1, 13],
        "strand": ["+", "", "-"],
        "group": ["x", "y", ""],
    }
    assert letters(tiles) == ["ACGT", "TTTT", "ACGT"]
    assert tiles.codes.dtype == np.uint8
    assert tiles.notes == {"rows": 4, "dropped_no_target": 1, "padded": 0}
    np.testing.assert_array_equal(tiles.targets["yfp"], np.float32([1.5, 2.5, -1]))
    np.testing.assert_array_equal(tiles.targets["rep1"], np.float32([1, np.nan, 4]))
    assert tiles.targets["yfp"].dtype == np.float32


def test_only_a_sequence_and_a_target(table):
    tiles = read_sequence_table(table(TILES), sequence="core", target="yfp")
    assert tiles.examples.to_dict("list") == {"example_id": ["row1", "row2", "row4"]}


def test_positions_from_one(table):
    tiles = read_sequence_table(table(TILES), **ALL, one_based=True)
    assert tiles.examples["start"].tolist() == [99, -1, 8]
    assert tiles.examples["end"].tolist() == [103, -1, 12]


def test_flanks_are_attached_but_have_no_position(table):
    tiles = read_sequence_table(table(TILES), **ALL, prefix="gg", suffix="N")
    assert letters(tiles)[1] == "GGTTTTN"
    assert tiles.examples.loc[0, ["start", "end"]].tolist() == [100, 104]


def test_shorter_sequences_are_centred(table):
    text = "seq\ty\nACGTA\t1\nGG\t2\nT\t3\nCCCC\t4\n"
    tiles = read_sequence_table(table(text), sequence="seq", target="y", prefix="A", suffix="T")
    assert letters(tiles) == ["AACGTAT", "NAGGTNN", "NNATTNN", "ACCCCTN"]
    assert tiles.notes["padded"] == 3


@given(st.lists(st.text("ACGTN", min_size=1, max_size=9), min_size=1, max_size=20))
@settings(max_examples=25, derandomize=True, deadline=None)
def test_no_base_is_lost_in_blocks_and_padding(tmp_path_factory, sequences):
    path = tmp_path_factory.mktemp("tiles") / "t.tsv"
    path.write_text("seq\ty\n" + "".join(f"{s}\t1\n" for s in sequences))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("exprimo.data.sequence_table._BLOCK_ROWS", 3)
        tiles = read_sequence_table(path, sequence="seq", target="y")
    longest = max(map(len, sequences))
    for row, sequence in zip(letters(tiles), sequences, strict=True):
        left = (longest - len(sequence)) // 2
        assert row == ("N" * left + sequence).ljust(longest, "N")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("seq\ty\nACGT\t1\nAC-T\t2\n", r"line 3, base 3: not a DNA letter. Found: '-'"),
        ("seq\ty\nACGT\t1\nAC T\t2\n", r"line 3, base 3"),
        ("seq\ty\nACGT\t1\nMÉ\t2\n", r"line 3, base 2"),
        ("seq\ty\nACGT\t1\n\t2\n", r"line 3: an empty sequence"),
        ("seq\ty\nACGT\thigh\n", r"line 2, column y: not a number. Found: 'high'"),
        ("seq\ty\nACGT\t\nAC\tNA\n", r"no sequence with a target. Found: 2 rows, all without 'y'"),
        ("seq\ty\n", r"a header and no rows"),
        ("seq\ty\nACGT\n", r"line 2"),
    ],
)
def test_a_wrong_table(table, text, problem):
    with pytest.raises(FormatError, match=problem) as caught:
        read_sequence_table(table(text), sequence="seq", target="y")
    assert "tiles.tsv.gz" in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("d\tV", "a\tV", r"example 'a': the same example occurs twice.*lines 2 and 5"),
        ("d\tV", "\tV", r"line 5: an example without an id"),
        ("\t9\t", "\t-1\t", r"line 5: not a position"),
        ("\t9\t", "\t9.5\t", r"line 5: not a position"),
        ("\t9\t", "\tnine\t", r"line 5, start: not a number"),
        ("9\t-", "9\tminus", r"line 5: not a strand. Found: 'minus'"),
    ],
)
def test_a_wrong_place_or_name(table, old, new, problem):
    with pytest.raises(FormatError, match=problem):
        read_sequence_table(table(TILES.replace(old, new)), **ALL)


def test_position_zero_is_wrong_when_counting_from_one(table):
    text = TILES.replace("\t9\t", "\t0\t")
    assert read_sequence_table(table(text), **ALL).examples["start"].iloc[2] == 0
    with pytest.raises(FormatError, match="a whole number >= 1"):
        read_sequence_table(table(text), **ALL, one_based=True)


@pytest.mark.parametrize("argument", ["sequence", "target", "chrom", "start", "strand", "group"])
def test_an_unknown_column_is_named(table, argument):
    with pytest.raises(InputError, match=r"no such column. Found: 'corr'.*nearest name is 'core'"):
        read_sequence_table(table(TILES), **{**ALL, argument: "corr"})


@pytest.mark.parametrize("flank", ["prefix", "suffix"])
def test_a_flank_must_be_dna(table, flank):
    with pytest.raises(FormatError, match=f"{flank}, base 1"):
        read_sequence_table(table(TILES), **ALL, **{flank: "?"})


def test_a_start_without_a_chromosome_means_nothing(table):
    with pytest.raises(ConfigError, match="needs a chromosome"):
        read_sequence_table(table(TILES), sequence="core", target="yfp", start="pos")


def test_numbers_that_cannot_be_stored_are_named(table):
    path = table("s\ty\tz\tc\tp\nAC\t1\t1e300\tI\t1e300\n")
    with pytest.raises(FormatError, match=r"line 2, column z: .*too large.*Found: '1e300'"):
        read_sequence_table(path, sequence="s", target="y", extra_targets=["z"])
    with pytest.raises(FormatError, match=r"line 2: not a position\. Found: '1e300'"):
        read_sequence_table(path, sequence="s", target="y", chrom="c", start="p")
