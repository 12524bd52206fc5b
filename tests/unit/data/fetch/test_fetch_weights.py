"""Published weights from a hub that redirects, cuts, lies and refuses."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from exprimo.core.errors import FetchError, InputError
from exprimo.data.fetch.weights import PUBLISHED, fetch_weights, weights_path

CONTENT = bytes(range(256)) * 300
SHA256 = hashlib.sha256(CONTENT).hexdigest()
NAME = "hyenadna-tiny-1k"
PATH = "/LongSafari/hyenadna-tiny-1k-seqlen/resolve/main/weights.ckpt"


def headers(sha256: str = SHA256, size: int = len(CONTENT)) -> dict[str, str]:
    return {"ETag": '"v1"', "X-Linked-ETag": f'"{sha256}"', "X-Linked-Size": str(size)}


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("EXPRIMO_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_weights_arrive_checked_in_the_cache_and_are_fetched_once(server, make_page, cache):
    server.pages[PATH] = make_page(CONTENT, headers=headers())
    target = fetch_weights(NAME, base_url=server.url)
    assert target == weights_path(NAME) == cache / "weights" / NAME / "weights.ckpt"
    assert target.read_bytes() == CONTENT
    asked = len(server.requests)
    assert fetch_weights(NAME, base_url=server.url) == target
    assert len(server.requests) == asked + 1  # the checksum alone


def test_a_folder_of_ones_own_is_written_to(server, make_page, tmp_path):
    server.pages[PATH] = make_page(CONTENT, headers=headers())
    target = fetch_weights(NAME, tmp_path / "own", base_url=server.url)
    assert target == tmp_path / "own" / "hyenadna-tiny-1k.weights.ckpt"
    assert target.read_bytes() == CONTENT


def test_a_cut_download_goes_on(server, make_page, pauses):
    # The first answer is to the question for the checksum.
    server.pages[PATH] = make_page(CONTENT, headers=headers(), cuts=[0, 1000, 500])
    target = fetch_weights(NAME, base_url=server.url, pause=pauses.append)
    assert target.read_bytes() == CONTENT
    assert server.ranges() == [None, None, "bytes=1000-", "bytes=1500-"]
    assert {path.name for path in target.parent.iterdir()} == {"weights.ckpt"}


def test_what_arrives_with_another_checksum_is_removed(server, make_page):
    server.pages[PATH] = make_page(CONTENT, headers=headers(sha256="0" * 64))
    with pytest.raises(FetchError, match=rf"damaged, and was removed.*{SHA256}.*{'0' * 64}"):
        fetch_weights(NAME, base_url=server.url)
    assert list(weights_path(NAME).parent.iterdir()) == []


def test_a_server_without_checksums_is_not_believed(server, make_page):
    for answered in ({"ETag": '"v1"'}, {"ETag": '"v1"', "X-Linked-ETag": '"short"'}):
        server.pages[PATH] = make_page(CONTENT, headers=answered)
        with pytest.raises(FetchError, match="does not say what the file's checksum is"):
            fetch_weights(NAME, base_url=server.url)


def test_a_file_that_is_not_there_is_an_error_at_once(server, pauses):
    with pytest.raises(FetchError, match=r"there is no such file.*HTTP 404"):
        fetch_weights(NAME, base_url=server.url, pause=pauses.append)
    assert pauses == []


def test_a_busy_server_is_asked_again(server, make_page, pauses):
    server.pages[PATH] = make_page(CONTENT, headers=headers(), statuses=[503])
    assert fetch_weights(NAME, base_url=server.url, pause=pauses.append).exists()
    assert pauses == [1.0]


@pytest.fixture
def redirecting(monkeypatch: pytest.MonkeyPatch):
    """A hub as it is: a move to another name, then a redirection that carries the checksum."""
    import threading
    from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None: ...

        def do_GET(self) -> None:
            answers = {
                PATH: (307, {"Location": "/renamed"}),
                "/renamed": (302, {"Location": "/store/blob", **headers()}),
            }
            status, told = answers.get(self.path, (200, {"ETag": '"blob"'}))
            body = CONTENT if status == 200 else b""
            self.send_response(status)
            for name, value in {**told, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as httpd:
        thread = threading.Thread(target=httpd.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{httpd.server_address[1]}"
        httpd.shutdown()
        thread.join()


def test_the_checksum_is_read_off_the_redirection(redirecting):
    assert fetch_weights(NAME, base_url=redirecting).read_bytes() == CONTENT


def test_unknown_names_suggest_the_nearest():
    with pytest.raises(InputError, match="Did you mean hyenadna-small-32k"):
        fetch_weights("hyenadna-smal-32k")
    assert {"hyenadna-tiny-1k", "hyenadna-small-32k", "hyenadna-large-1m"} <= set(PUBLISHED)
