"""A web server on the loopback that can cut connections, lie and refuse."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest


@dataclass
class Page:
    """What the server holds at one path, and how it misbehaves."""

    content: bytes
    headers: dict[str, str] = field(default_factory=lambda: {"ETag": '"v1"'})
    ranges: bool = True
    # One entry per coming request: bytes after which the connection is cut, or an HTTP status.
    cuts: list[int] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)


@dataclass
class Server:
    """The pages by path, and the requests that came, as (path, Range, If-Range)."""

    url: str
    pages: dict[str, Page] = field(default_factory=dict)
    requests: list[tuple[str, str | None, str | None]] = field(default_factory=list)

    def ranges(self) -> list[str | None]:
        return [asked for _, asked, _ in self.requests]

    def add_folder(self, path: str, names: list[str]) -> None:
        links = "".join(f'<a href="{name}">{name}</a>\n' for name in names)
        page = f'<a href="?C=N;O=D">Name</a><a href="../">Parent</a>\n{links}'
        self.pages[path] = Page(page.encode())


class _Handler(BaseHTTPRequestHandler):
    shop: Server

    def log_message(self, *_: object) -> None:
        """Say nothing on the test's standard error."""

    def do_GET(self) -> None:
        asked, condition = self.headers.get("Range"), self.headers.get("If-Range")
        self.shop.requests.append((self.path, asked, condition))
        page = self.shop.pages.get(self.path)
        if page is None:
            self._answer(404, b"", {})
        elif page.statuses:
            self._answer(page.statuses.pop(0), b"", {})
        else:
            self._send(page, asked, condition)

    def _send(self, page: Page, asked: str | None, condition: str | None) -> None:
        total, start, status = len(page.content), 0, 200
        headers = dict(page.headers)
        known = {page.headers.get("ETag"), page.headers.get("Last-Modified")}
        if asked and page.ranges and (condition is None or condition in known):
            start, status = int(asked.removeprefix("bytes=").removesuffix("-")), 206
            if start >= total:
                self._answer(416, b"", {"Content-Range": f"bytes */{total}"})
                return
            headers["Content-Range"] = f"bytes {start}-{total - 1}/{total}"
        body = page.content[start:]
        cut = page.cuts.pop(0) if page.cuts else len(body)
        self._answer(status, body[:cut], headers, length=len(body))

    def _answer(
        self, status: int, body: bytes, headers: dict[str, str], length: int | None = None
    ) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = True


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """Serve on a free port of the loopback until the test ends."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    handler = type("Handler", (_Handler,), {})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as httpd:
        shop = handler.shop = Server(f"http://127.0.0.1:{httpd.server_address[1]}")
        thread = threading.Thread(target=httpd.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield shop
        httpd.shutdown()
        thread.join()


@pytest.fixture
def make_page() -> type[Page]:
    """The class of a page, for tests that want one that misbehaves."""
    return Page


@pytest.fixture
def pauses() -> list[float]:
    """Collects the seconds that a download would have waited."""
    return []
