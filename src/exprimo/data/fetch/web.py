"""Talking to web servers: one way to ask, to try again, and to say what went wrong."""

from __future__ import annotations

import http.client
import ssl
import time
from collections.abc import Callable
from html.parser import HTMLParser
from typing import cast
from urllib.error import HTTPError, URLError
from urllib.parse import unquote, urlsplit
from urllib.request import Request, urlopen

from exprimo.core.errors import FetchError, InputError

ATTEMPTS = 5
TIMEOUT_SECONDS = 60.0

_FIRST_PAUSE = 1.0
_LONGEST_PAUSE = 30.0
_TRY_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})

# What may go away by itself: no answer, a broken connection, a busy server.
_MAY_PASS = (URLError, http.client.HTTPException, ConnectionError, TimeoutError, ssl.SSLError)

Pause = Callable[[float], None]


class CutError(Exception):
    """The transfer stopped early; what has arrived stays for the next try."""


class NotThereError(FetchError):
    """The server has no such file or folder."""


def secure_url(url: str) -> str:
    """Check the kind of an address; ftp becomes https.

    Examples
    --------
    >>> secure_url("ftp://ftp.ensembl.org/pub/README")
    'https://ftp.ensembl.org/pub/README'
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https", "ftp") or not parts.netloc:
        raise InputError("not a web address", found=url, expected="https://HOST/PATH")
    return parts._replace(scheme="https").geturl() if parts.scheme == "ftp" else url


def read_page(url: str, *, attempts: int = ATTEMPTS, pause: Pause = time.sleep) -> str:
    """Fetch a small text, such as a listing, into memory."""
    pages: list[str] = []

    def fetch() -> None:
        with open_url(url) as response:
            pages.append(response.read().decode("utf-8", "replace"))

    with_retries(fetch, url, attempts=attempts, pause=pause)
    return pages[0]


def open_url(url: str, headers: dict[str, str] | None = None) -> http.client.HTTPResponse:
    """Open an address for reading; nothing is packed on the way, so that bytes can be counted."""
    request = Request(
        url, headers={"User-Agent": "exprimo", "Accept-Encoding": "identity", **(headers or {})}
    )
    return cast(http.client.HTTPResponse, urlopen(request, timeout=TIMEOUT_SECONDS))


def with_retries(step: Callable[[], None], url: str, *, attempts: int, pause: Pause) -> None:
    """Run ``step`` until it ends well; wait longer after each failure that may pass."""
    attempts = max(attempts, 1)
    for attempt in range(1, attempts + 1):
        try:
            return step()
        except HTTPError as error:
            error.close()
            problem: Exception = error
            if error.code not in _TRY_AGAIN:
                raise _refused(url, error) from error
        except (*_MAY_PASS, CutError) as failure:
            problem = failure
        if attempt == attempts:
            raise _failed(url, problem, attempts) from problem
        pause(min(_FIRST_PAUSE * 2 ** (attempt - 1), _LONGEST_PAUSE))
    return None


def _refused(url: str, error: HTTPError) -> FetchError:
    if error.code in (404, 410):
        return NotThereError(
            "there is no such file at this address",
            record=url,
            found=f"HTTP {error.code}",
            remedy="Check the name, release or accession in a browser",
        )
    return FetchError(
        "the server refuses this file", record=url, found=f"HTTP {error.code} {error.reason}"
    )


def _failed(url: str, error: Exception, attempts: int) -> FetchError:
    reason = error.reason if isinstance(error, URLError) else error
    tries = "1 try" if attempts == 1 else f"{attempts} tries"
    return FetchError(
        f"the download failed after {tries}",
        record=url,
        found=str(reason) or type(reason).__name__,
        remedy="Check the network (and https_proxy, where there is a proxy), then run the same "
        "command again; it goes on where it stopped",
    )


def content_length(response: http.client.HTTPResponse) -> int | None:
    value = response.headers.get("Content-Length", "")
    return int(value) if value.isdecimal() else None


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.targets: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self.targets.extend(value for name, value in attrs if name == "href" and value)


def list_folder(
    url: str, *, attempts: int = ATTEMPTS, pause: Pause = time.sleep
) -> tuple[list[str], list[str]]:
    """Give the names of the files and of the folders that a server's index page lists."""
    page = _Links()
    page.feed(read_page(url.rstrip("/") + "/", attempts=attempts, pause=pause))
    files: list[str] = []
    folders: list[str] = []
    for target in page.targets:
        name = unquote(target)
        bare = name.removesuffix("/")
        # Parents, sorting links and other sites; and nothing that could leave the output folder.
        if not bare or bare[0] in ".?#" or any(mark in bare for mark in "/\\:?\0"):
            continue
        (folders if name.endswith("/") else files).append(bare)
    return sorted(set(files)), sorted(set(folders))
