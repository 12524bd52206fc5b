"""Downloads against a server that cuts, lies and refuses."""

from __future__ import annotations

import gzip
import hashlib
import json
from pathlib import Path

import pytest

from exprimo.core.errors import ConfigError, FetchError, InputError
from exprimo.core.progress import show_progress
from exprimo.data.fetch.checksum import bsd_sum, compute_checksum, parse_checksum
from exprimo.data.fetch.download import download
from exprimo.data.fetch.web import list_folder, read_page, secure_url

CONTENT = bytes(range(256)) * 400
SHA256 = "sha256:" + hashlib.sha256(CONTENT).hexdigest()


def left_behind(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_a_file_arrives_whole_and_alone(server, make_page, pauses, tmp_path):
    server.pages["/a.bin"] = make_page(CONTENT)
    target = download(f"{server.url}/a.bin", tmp_path / "new" / "a.bin", checksum=SHA256)
    assert target.read_bytes() == CONTENT
    assert left_behind(target.parent) == {"a.bin"}


def test_a_cut_connection_is_resumed_where_it_stopped(server, make_page, pauses, tmp_path):
    server.pages["/a.bin"] = make_page(CONTENT, cuts=[1000, 500])
    target = download(
        f"{server.url}/a.bin", tmp_path / "a.bin", checksum=SHA256, pause=pauses.append
    )
    assert target.read_bytes() == CONTENT
    assert server.ranges() == [None, "bytes=1000-", "bytes=1500-"]
    assert [condition for _, _, condition in server.requests] == [None, '"v1"', '"v1"']
    assert pauses == [1.0, 2.0]


def test_the_partial_file_outlives_the_process(server, make_page, pauses, tmp_path):
    server.pages["/a.bin"] = make_page(CONTENT, cuts=[1000])
    with pytest.raises(FetchError, match=r"failed after 1 try.*cut after 1,000 of 102,400 bytes"):
        download(f"{server.url}/a.bin", tmp_path / "a.bin", attempts=1, pause=pauses.append)
    assert (tmp_path / "a.bin.part").read_bytes() == CONTENT[:1000]
    assert not (tmp_path / "a.bin").exists()
    download(f"{server.url}/a.bin", tmp_path / "a.bin", pause=pauses.append)
    assert server.ranges() == [None, "bytes=1000-"]
    assert (tmp_path / "a.bin").read_bytes() == CONTENT
    assert left_behind(tmp_path) == {"a.bin"}


def test_an_interrupted_download_goes_on_later(server, make_page, tmp_path):
    class Impatient:
        def start(self, description: str, total: int | None) -> object:
            return description

        def advance(self, task: object, steps: int, note: str) -> None:
            if steps:
                raise KeyboardInterrupt

        def finish(self, task: object) -> None:
            pass

    server.pages["/a.bin"] = make_page(CONTENT * 10)
    with show_progress(Impatient()), pytest.raises(KeyboardInterrupt):
        download(f"{server.url}/a.bin", tmp_path / "a.bin")
    held = (tmp_path / "a.bin.part").stat().st_size
    assert 0 < held < len(CONTENT) * 10
    download(f"{server.url}/a.bin", tmp_path / "a.bin")
    assert server.ranges() == [None, f"bytes={held}-"]
    assert (tmp_path / "a.bin").read_bytes() == CONTENT * 10


def test_a_server_that_ignores_ranges_starts_again(server, make_page, pauses, tmp_path):
    server.pages["/a.bin"] = make_page(CONTENT, ranges=False, cuts=[1000])
    target = download(f"{server.url}/a.bin", tmp_path / "a.bin", pause=pauses.append)
    assert target.read_bytes() == CONTENT


def test_a_file_that_changed_on_the_server_is_not_mixed(server, make_page, pauses, tmp_path):
    server.pages["/a.bin"] = make_page(CONTENT, cuts=[1000])
    with pytest.raises(FetchError):
        download(f"{server.url}/a.bin", tmp_path / "a.bin", attempts=1, pause=pauses.append)
    changed = b"z" * 5000
    server.pages["/a.bin"] = make_page(changed, headers={"ETag": '"v2"'})
    download(f"{server.url}/a.bin", tmp_path / "a.bin", pause=pauses.append)
    assert (tmp_path / "a.bin").read_bytes() == changed


@pytest.mark.parametrize(
    ("headers", "checksum", "resumed"),
    [
        ({"Last-Modified": "Mon, 01 Jan 2024 00:00:00 GMT"}, None, True),
        ({"ETag": 'W/"weak"'}, None, False),
        ({}, None, False),
        ({}, SHA256, True),
    ],
)
def test_resuming_needs_proof_that_both_halves_are_one_file(
    server, make_page, pauses, tmp_path, headers, checksum, resumed
):
    server.pages["/a.bin"] = make_page(CONTENT, headers=headers, cuts=[1000])
    target = download(
        f"{server.url}/a.bin", tmp_path / "a.bin", checksum=checksum, pause=pauses.append
    )
    assert target.read_bytes() == CONTENT
    assert server.ranges() == [None, "bytes=1000-" if resumed else None]


def test_a_partial_file_of_another_address_is_not_continued(server, make_page, pauses, tmp_path):
    (tmp_path / "a.bin.part").write_bytes(b"other")
    notes = {"url": "http://elsewhere/a.bin", "validator": '"v1"'}
    (tmp_path / "a.bin.part.json").write_text(json.dumps(notes))
    server.pages["/a.bin"] = make_page(CONTENT)
    download(f"{server.url}/a.bin", tmp_path / "a.bin", pause=pauses.append)
    assert server.ranges() == [None]
    assert (tmp_path / "a.bin").read_bytes() == CONTENT


@pytest.mark.parametrize("held", [CONTENT, CONTENT + b"more"])
def test_a_partial_file_with_nothing_left_to_send(server, make_page, pauses, tmp_path, held):
    (tmp_path / "a.bin.part").write_bytes(held)
    notes = {"url": f"{server.url}/a.bin", "validator": '"v1"'}
    (tmp_path / "a.bin.part.json").write_text(json.dumps(notes))
    server.pages["/a.bin"] = make_page(CONTENT)
    download(f"{server.url}/a.bin", tmp_path / "a.bin", pause=pauses.append)
    assert (tmp_path / "a.bin").read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("checks", "named"),
    [
        ({"checksum": "sha256:" + "0" * 64}, "sha256 0000"),
        ({"checksum": "md5:" + "0" * 32}, "md5 0000"),
        ({"checksum": "sum:1:1"}, "sum 1:1"),
        ({"size": 5}, "5 bytes"),
        ({"gzip": True}, "a whole gzip file"),
    ],
)
def test_damage_is_told_and_removed(server, make_page, pauses, tmp_path, checks, named):
    server.pages["/a.bin"] = make_page(CONTENT)
    with pytest.raises(FetchError, match="arrived damaged") as caught:
        download(f"{server.url}/a.bin", tmp_path / "a.bin", pause=pauses.append, **checks)
    assert named in str(caught.value)
    assert f"{server.url}/a.bin" in str(caught.value)
    assert left_behind(tmp_path) == set()


def test_gzip_is_read_through(server, make_page, tmp_path):
    packed = gzip.compress(CONTENT)
    server.pages["/a.gz"] = make_page(packed)
    server.pages["/short.gz"] = make_page(packed[:-9])
    assert download(f"{server.url}/a.gz", tmp_path / "a.gz", gzip=True).stat().st_size == len(
        packed
    )
    with pytest.raises(FetchError, match="cut short"):
        download(f"{server.url}/short.gz", tmp_path / "short.gz", gzip=True)


def test_a_missing_file_is_not_asked_for_twice(server, pauses, tmp_path):
    with pytest.raises(FetchError, match=r"no such file.*HTTP 404.*Check the name"):
        download(f"{server.url}/gone", tmp_path / "gone", pause=pauses.append)
    assert len(server.requests) == 1
    assert pauses == []
    assert left_behind(tmp_path) == set()


def test_a_refusal_names_its_reason(server, make_page, pauses, tmp_path):
    server.pages["/a.bin"] = make_page(CONTENT, statuses=[403])
    with pytest.raises(FetchError, match=r"refuses this file.*HTTP 403"):
        download(f"{server.url}/a.bin", tmp_path / "a.bin", pause=pauses.append)


def test_a_busy_server_is_asked_again(server, make_page, pauses, tmp_path):
    server.pages["/a.bin"] = make_page(CONTENT, statuses=[503, 429, 500])
    download(f"{server.url}/a.bin", tmp_path / "a.bin", checksum=SHA256, pause=pauses.append)
    assert pauses == [1.0, 2.0, 4.0]


def test_an_unknown_host_is_one_clear_error(pauses, tmp_path, monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(FetchError, match=r"failed after 3 tries.*Check the network"):
        download("http://host.invalid/a", tmp_path / "a", attempts=3, pause=pauses.append)
    assert pauses == [1.0, 2.0]


def test_a_closed_port_is_one_clear_error(server, pauses, tmp_path):
    with pytest.raises(FetchError, match="refused"):
        download("http://127.0.0.1:1/a", tmp_path / "a", attempts=2, pause=pauses.append)


def test_what_is_already_there_is_not_fetched_again(server, make_page, tmp_path):
    server.pages["/a.bin"] = make_page(CONTENT)
    target = tmp_path / "a.bin"
    target.write_bytes(CONTENT)
    download(f"{server.url}/a.bin", target, checksum=SHA256)
    download(f"{server.url}/a.bin", target, size=len(CONTENT))
    assert server.requests == []
    download(f"{server.url}/a.bin", target)
    assert len(server.requests) == 1


@pytest.mark.parametrize("checks", [{}, {"checksum": SHA256}, {"size": 102_400}])
def test_another_file_is_never_replaced(server, make_page, tmp_path, checks):
    server.pages["/a.bin"] = make_page(CONTENT)
    (tmp_path / "a.bin").write_bytes(b"mine")
    with pytest.raises(InputError, match="another file of this name"):
        download(f"{server.url}/a.bin", tmp_path / "a.bin", **checks)
    assert (tmp_path / "a.bin").read_bytes() == b"mine"


def test_progress_counts_bytes(server, make_page, tmp_path):
    class Sink:
        total: int | None = None
        done = 0

        def start(self, description: str, total: int | None) -> object:
            self.total = total
            return description

        def advance(self, task: object, steps: int, note: str) -> None:
            self.done += steps

        def finish(self, task: object) -> None:
            pass

    server.pages["/a.bin"] = make_page(CONTENT)
    sink = Sink()
    with show_progress(sink):
        download(f"{server.url}/a.bin", tmp_path / "a.bin")
    assert (sink.total, sink.done) == (len(CONTENT), len(CONTENT))


@pytest.mark.parametrize("url", ["file:///etc/passwd", "a.bin", "https:///path"])
def test_only_web_addresses_are_opened(url, tmp_path):
    with pytest.raises(InputError, match="not a web address"):
        download(url, tmp_path / "a")


def test_ftp_addresses_go_over_https():
    assert secure_url("ftp://ftp.ncbi.nlm.nih.gov/geo/") == "https://ftp.ncbi.nlm.nih.gov/geo/"


def test_a_listing_gives_names_and_nothing_that_leads_outside(server):
    server.add_folder(
        "/pub/",
        ["b.gz", "a%20b.txt", "sub/", "/pub/", "https://other/x", "..%2Fevil", ".hidden", "b.gz"],
    )
    assert list_folder(f"{server.url}/pub") == (["a b.txt", "b.gz"], ["sub"])


def test_a_page_is_read_as_text(server, make_page):
    server.pages["/p"] = make_page("häm".encode())
    assert read_page(f"{server.url}/p") == "häm"


# Printed by the `sum` of GNU coreutils 9.1.
@pytest.mark.parametrize(
    ("content", "expected"),
    [(b"hello\n", (36979, 1)), (b"", (0, 0)), (b"a" * 1025, None)],
)
def test_bsd_sum_is_that_of_the_command(tmp_path, content, expected):
    file = tmp_path / "f"
    file.write_bytes(content)
    assert bsd_sum(file) == (expected or (slow_sum(content), 2))


def test_bsd_sum_over_several_blocks(tmp_path, monkeypatch):
    monkeypatch.setattr("exprimo.data.fetch.checksum._CHUNK", 1000)
    file = tmp_path / "f"
    file.write_bytes(CONTENT)
    assert bsd_sum(file) == (slow_sum(CONTENT), 100)


def slow_sum(content: bytes) -> int:
    total = 0
    for byte in content:
        total = ((total >> 1) + ((total & 1) << 15) + byte) % 65536
    return total


def test_checksums_by_name(tmp_path):
    file = tmp_path / "f"
    file.write_bytes(b"abc")
    assert compute_checksum(file, "md5") == "900150983cd24fb0d6963f7d28e17f72"
    assert compute_checksum(file, "sha256").startswith("ba7816bf8f01cfea")
    assert parse_checksum("md5: 900150983CD24FB0D6963F7D28E17F72")[1].startswith("900150983cd2")


@pytest.mark.parametrize("text", ["sha256:12", "crc:1", "sum:x:1", "sum:5", "", "md5:" + "g" * 32])
def test_a_wrong_checksum_is_refused_before_the_download(text):
    with pytest.raises(ConfigError, match="not a checksum"):
        parse_checksum(text)
