"""Enformer's weights and table of tracks, from a hub and a server of tables on the loopback."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from typer.testing import CliRunner

from exprimo.core.errors import FetchError
from exprimo.data.fetch import enformer as module
from exprimo.data.fetch.enformer import N_TRACKS, fetch_enformer, tracks_path
from exprimo.data.fetch.weights import fetch_weights, weights_path

WEIGHTS = bytes(range(256)) * 200
PATH = "/EleutherAI/enformer-official-rough/resolve/main/pytorch_model.bin"
TABLE = "/tables/targets_human.txt"
ROWS = ["index\tgenome\tidentifier\tfile\tclip\tscale\tsum_stat\tdescription"] + [
    f"{i}\t0\tE{i}\t/{i}.w5\t32\t2\tmean\tDNASE:cell {i}" for i in range(N_TRACKS)
]
TEXT = ("\n".join(ROWS) + "\n").encode()


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXPRIMO_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def both(server, make_page):
    told = {
        "ETag": '"v1"',
        "X-Linked-ETag": f'"{hashlib.sha256(WEIGHTS).hexdigest()}"',
        "X-Linked-Size": str(len(WEIGHTS)),
    }
    server.pages[PATH] = make_page(WEIGHTS, headers=told)
    server.pages[TABLE] = make_page(TEXT)
    return server


def fetched(server, out: Path | None = None, **more) -> list[Path]:
    return fetch_enformer(out, base_url=server.url, table_url=f"{server.url}/tables", **more)


def test_both_arrive_in_the_cache_and_are_fetched_once(both):
    weights, table = fetched(both)
    assert (weights, table) == (weights_path("enformer"), tracks_path())
    assert weights.parent == table.parent
    assert weights.read_bytes() == WEIGHTS
    assert table.read_bytes() == TEXT
    asked = len(both.requests)
    assert fetched(both) == [weights, table]
    assert len(both.requests) == asked + 2  # a size and a checksum


def test_both_go_on_after_a_cut(both, pauses):
    both.pages[PATH].cuts = [0, 1000]
    both.pages[TABLE].cuts = [5000]
    weights, table = fetched(both, pause=pauses.append)
    assert weights.read_bytes() == WEIGHTS
    assert table.read_bytes() == TEXT
    assert [part for part in both.ranges() if part] == ["bytes=5000-", "bytes=1000-"]


def test_a_folder_of_ones_own(both, tmp_path: Path):
    weights, table = fetched(both, tmp_path / "own")
    assert weights == tmp_path / "own" / "enformer.pytorch_model.bin"
    assert table == tmp_path / "own" / "targets_human.txt"


def test_weights_alone_by_name(both):
    assert fetch_weights("enformer", base_url=both.url) == weights_path("enformer")
    assert not tracks_path().exists()


def test_another_table_is_removed_and_no_weights_are_asked_for(both, make_page):
    for content in (b"<html>Sign in</html>\n", "\n".join(ROWS[:9]).encode()):
        both.pages[TABLE] = make_page(content)
        with pytest.raises(FetchError, match="not the table of Enformer's tracks, and was removed"):
            fetched(both)
        assert not tracks_path().exists()
    assert PATH not in {path for path, *_ in both.requests}


def test_the_command_fetches_both(both, monkeypatch: pytest.MonkeyPatch):
    from exprimo.cli.main import app

    monkeypatch.setattr(
        "exprimo.data.fetch.fetch_enformer", lambda out: fetched(both, out), raising=True
    )
    said = CliRunner().invoke(app, ["fetch", "enformer"])
    assert said.exit_code == 0, said.output
    assert str(tracks_path()) in said.output.replace("\n", "")
    assert weights_path("enformer").exists()


def test_the_address_is_that_of_the_authors_folder():
    assert module.TABLES.endswith("calico/basenji/master/manuscripts/cross2020")
