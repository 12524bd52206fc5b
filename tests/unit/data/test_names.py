"""Tables of gene and chromosome names."""

from __future__ import annotations

from pathlib import Path

import pytest

from exprimo.core.coordinates import reconcile_chromosomes
from exprimo.core.errors import FormatError, InputError, MismatchError
from exprimo.data.names import GeneNames, read_chromosome_names, read_gene_names


def read(folder: Path, text: str) -> GeneNames:
    path = folder / "names.tsv"
    path.write_text(text)
    return read_gene_names(path)


@pytest.mark.parametrize(
    "text",
    [
        "S1\tC1\nS2\tC2\n",
        "systematic\tcommon\nS1\tC1\nS2\tC2\n",
        "Gene_ID,Symbol\r\nS1,C1\r\n\r\nS2,C2\r\n",
        "# made by hand\nS1,C1\nS2,C2",
        'gene,name\n"S1","C1"\nS2,C2\n',
    ],
)
def test_with_and_without_header(tmp_path: Path, text: str) -> None:
    names = read(tmp_path, text)
    assert names.pairs == (("S1", "C1"), ("S2", "C2"))
    assert (names.repeated, names.unnamed, names.ambiguous) == (0, 0, {})


def test_quotes_and_commas_in_a_tsv_are_letters(tmp_path: Path) -> None:
    assert read(tmp_path, "S1\tRPS\"1'\nS2\tIMP1,2\n").pairs == (
        ("S1", "RPS\"1'"),
        ("S2", "IMP1,2"),
    )


@pytest.mark.parametrize(
    ("ids", "into"), [(["S1", "S2"], ["C1", "C2"]), (["C1", "C2"], ["S1", "S2"])]
)
def test_both_directions(tmp_path: Path, ids: list[str], into: list[str]) -> None:
    found = read(tmp_path, "S1\tC1\nS2\tC2\n").translate(ids, into)
    assert found.mapping == dict(zip(ids, into, strict=True))
    assert (found.direct, found.by_table, found.missing, found.ambiguous) == (0, 2, [], [])


def test_direct_matches_go_first_and_all_is_counted(tmp_path: Path) -> None:
    names = read(tmp_path, "S1\tC1\nS2\tC2\nS3\tC3\n")
    found = names.translate(["S3", "C1", "S1", "S2", "X", "X"], into=["C1", "C2", "S3", "Z"])
    # S1 would be C1, which is there already under its own name.
    assert found.mapping == {"S3": "S3", "C1": "C1", "S2": "C2"}
    assert (found.direct, found.by_table) == (2, 1)
    assert found.ambiguous == ["S1"]
    assert found.missing == ["X"]


def test_ambiguous_names_are_used_only_where_one_is_known(tmp_path: Path) -> None:
    names = read(tmp_path, "S1\tC1\nS1\tC9\nS2\tC2\nS3\tC2\nS1\tC1\nS4\t\n")
    assert names.ambiguous == {"S1": ["C1", "C9"], "C2": ["S2", "S3"]}
    assert (names.repeated, names.unnamed) == (1, 1)
    assert names.translate(["S1"], into=["C1"]).mapping == {"S1": "C1"}
    assert names.translate(["S1", "S4"], into=["C1", "C9", "S4"]).ambiguous == ["S1"]
    both = names.translate(["S2", "S3", "S1"], into=["C1", "C2"])
    assert both.mapping == {"S1": "C1"}
    assert both.ambiguous == ["S2", "S3"]


def test_no_overlap_shows_both_heads(tmp_path: Path) -> None:
    names = read(tmp_path, "S1\tC1\n")
    with pytest.raises(MismatchError, match=r"YAL1, YAL2 in the one, ENSG1 in the other.*S1 = C1"):
        names.translate(["YAL1", "YAL2"], into=["ENSG1"])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("S1\tC1\nS2\n", "line 2.*Found: 1 columns in 'S2'"),
        ("S1\tC1\tx\n", "line 1.*Found: 3 columns"),
        ("systematic\tcommon\n", "no pairs"),
        ("\n\n", "no pairs"),
    ],
)
def test_bad_tables(tmp_path: Path, text: str, message: str) -> None:
    for reader in (read_gene_names, read_chromosome_names):
        (tmp_path / "names.tsv").write_text(text)
        with pytest.raises(FormatError, match=message):
            reader(tmp_path / "names.tsv")


def test_missing_table(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        read_gene_names(tmp_path / "none.tsv")


def test_chromosome_names_serve_to_reconcile(tmp_path: Path) -> None:
    path = tmp_path / "chromosomes.tsv"
    path.write_text("theirs\tours\nNC_001133.9\tI\nNC_001224.1\tMito\nNC_001133.9\tI\n")
    table = read_chromosome_names(path)
    assert table == {"NC_001133.9": "I", "NC_001224.1": "Mito"}
    found = reconcile_chromosomes(["I", "II"], ["NC_001133.9", "NC_1"], table=table)
    assert found == {"NC_001133.9": "I"}


def test_chromosome_with_two_names(tmp_path: Path) -> None:
    path = tmp_path / "chromosomes.tsv"
    path.write_text("chrI\tI\nchrI\t1\n")
    with pytest.raises(FormatError, match="lines 1 and 2: a chromosome with two names"):
        read_chromosome_names(path)
    path.write_text("chrI\t\n")
    with pytest.raises(FormatError, match="line 1: an empty cell"):
        read_chromosome_names(path)
