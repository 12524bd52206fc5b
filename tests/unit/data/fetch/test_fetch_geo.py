"""Series from a server with GEO's layout."""

from __future__ import annotations

import gzip

import pytest

from exprimo.core.errors import FetchError, InputError
from exprimo.data.fetch.geo import fetch_geo, parse_file_list, series_folder

COUNTS = gzip.compress(b"gene\ts1\ng1\t3\n")
SERIES = "/GSE248nnn/GSE248760"


@pytest.fixture
def geo(server, make_page):
    """A series with two supplementary files, a list of sizes and a matrix."""
    server.add_folder(f"{SERIES}/", ["suppl/", "matrix/"])
    server.add_folder(
        f"{SERIES}/suppl/", ["filelist.txt", "GSE248760_RAW.tar", "GSE248760_counts.txt.gz"]
    )
    server.add_folder(f"{SERIES}/matrix/", ["GSE248760_series_matrix.txt.gz"])
    server.pages[f"{SERIES}/suppl/GSE248760_RAW.tar"] = make_page(b"tar" * 10)
    server.pages[f"{SERIES}/suppl/GSE248760_counts.txt.gz"] = make_page(COUNTS)
    server.pages[f"{SERIES}/matrix/GSE248760_series_matrix.txt.gz"] = make_page(COUNTS)
    server.pages[f"{SERIES}/suppl/filelist.txt"] = make_page(
        b"#Archive/File\tName\tTime\tSize\tType\n"
        b"Archive\tGSE248760_RAW.tar\t11/27/2023 10:00:00\t30\tTAR\n"
        b"File\tGSM1.txt.gz\t11/27/2023 10:00:00\t12\tTXT\n"
    )
    return server


def test_supplementary_files_arrive(geo, tmp_path):
    files = fetch_geo("gse248760", tmp_path / "out", base_url=geo.url)
    assert [file.name for file in files] == ["GSE248760_RAW.tar", "GSE248760_counts.txt.gz"]
    assert files[1].read_bytes() == COUNTS


def test_the_matrix_comes_when_asked_for(geo, tmp_path):
    files = fetch_geo("GSE248760", tmp_path / "out", matrix=True, base_url=geo.url)
    assert files[-1].name == "GSE248760_series_matrix.txt.gz"


def test_a_size_other_than_listed_is_damage(geo, make_page, tmp_path):
    geo.pages[f"{SERIES}/suppl/GSE248760_RAW.tar"] = make_page(b"tar")
    with pytest.raises(FetchError, match=r"damaged.*3 bytes.*30 bytes"):
        fetch_geo("GSE248760", tmp_path / "out", base_url=geo.url)


def test_damaged_gzip_is_noticed_without_a_checksum(geo, make_page, tmp_path):
    damaged = COUNTS[:-8] + b"\0\0\0\0" + COUNTS[-4:]
    geo.pages[f"{SERIES}/suppl/GSE248760_counts.txt.gz"] = make_page(damaged)
    with pytest.raises(FetchError, match=r"counts\.txt\.gz.*CRC"):
        fetch_geo("GSE248760", tmp_path / "out", base_url=geo.url)
    assert not (tmp_path / "out" / "GSE248760_counts.txt.gz").exists()


def test_a_series_that_is_not_there(geo, tmp_path):
    with pytest.raises(InputError, match=r"no such series.*GSE999999"):
        fetch_geo("GSE999999", tmp_path / "out", base_url=geo.url)


def test_a_series_without_files(geo, tmp_path):
    del geo.pages[f"{SERIES}/suppl/"]
    with pytest.raises(FetchError, match="no supplementary files"):
        fetch_geo("GSE248760", tmp_path / "out", base_url=geo.url)


@pytest.mark.parametrize(
    ("accession", "folder"),
    [("GSE1", "GSEnnn/GSE1"), ("GSE999", "GSEnnn/GSE999"), ("GSE1000", "GSE1nnn/GSE1000")],
)
def test_a_thousand_series_share_a_folder(accession, folder):
    assert series_folder(accession) == folder


@pytest.mark.parametrize("text", ["GSM123", "GSE", "GSE12a", "../GSE1", "248760", ""])
def test_other_accessions_are_refused(text):
    with pytest.raises(InputError, match="not the accession of a GEO series"):
        series_folder(text)


def test_a_file_list_without_sizes_is_empty():
    assert parse_file_list("<html>moved</html>\n") == {}
