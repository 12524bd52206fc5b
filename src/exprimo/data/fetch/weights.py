"""Published weights from the Hugging Face hub, checked against the checksum that the hub keeps."""

from __future__ import annotations

import difflib
import os
import time
from email.message import Message
from pathlib import Path
from typing import Any, NamedTuple
from urllib.error import HTTPError
from urllib.parse import urljoin
from urllib.request import HTTPRedirectHandler, Request, build_opener

from exprimo.core.errors import FetchError, InputError
from exprimo.data.fetch.download import download
from exprimo.data.fetch.web import ATTEMPTS, TIMEOUT_SECONDS, Pause, with_retries

HUB = "https://huggingface.co"
_SHA256_DIGITS = 64
_MOST_REDIRECTS = 5


class Published(NamedTuple):
    """Where weights lie on the hub."""

    repository: str
    file: str = "weights.ckpt"


PUBLISHED = {
    "hyenadna-tiny-1k": Published("LongSafari/hyenadna-tiny-1k-seqlen"),
    "hyenadna-tiny-1k-d256": Published("LongSafari/hyenadna-tiny-1k-seqlen-d256"),
    "hyenadna-tiny-16k": Published("LongSafari/hyenadna-tiny-16k-seqlen-d128"),
    "hyenadna-small-32k": Published("LongSafari/hyenadna-small-32k-seqlen"),
    "hyenadna-medium-160k": Published("LongSafari/hyenadna-medium-160k-seqlen"),
    "hyenadna-medium-450k": Published("LongSafari/hyenadna-medium-450k-seqlen"),
    "hyenadna-large-1m": Published("LongSafari/hyenadna-large-1m-seqlen"),
    "enformer": Published("EleutherAI/enformer-official-rough", "pytorch_model.bin"),
}


class Listed(NamedTuple):
    """What the hub says about a file."""

    sha256: str
    size: int | None


def weights_path(name: str) -> Path:
    """Give the place of fetched weights: in ``EXPRIMO_CACHE``, else in ``~/.cache/exprimo``.

    Examples
    --------
    >>> weights_path("hyenadna-tiny-1k").parts[-3:]
    ('weights', 'hyenadna-tiny-1k', 'weights.ckpt')
    """
    named = os.environ.get("EXPRIMO_CACHE")
    base = Path(named) if named else Path.home() / ".cache" / "exprimo"
    return base / "weights" / name / _published(name).file


def fetch_weights(
    name: str,
    out: str | Path | None = None,
    *,
    base_url: str = HUB,
    pause: Pause = time.sleep,
) -> Path:
    """Download the published weights of a pretrained model.

    The file is resumed after a cut, and counts only when its SHA-256 is the one that the hub
    keeps for it.

    Parameters
    ----------
    name
        One of `PUBLISHED`, such as ``hyenadna-small-32k``.
    out
        Folder to write to; by default the cache, where the name alone finds the weights.
    base_url
        Another server with the paths of the hub.
    pause
        Called with the seconds to wait between tries.

    Examples
    --------
    >>> fetch_weights("hyenadna-small-32k")                      # doctest: +SKIP
    """
    published = _published(name)
    target = weights_path(name) if out is None else Path(out) / f"{name}.{published.file}"
    url = f"{base_url.rstrip('/')}/{published.repository}/resolve/main/{published.file}"
    listed = _ask(url, pause)
    return download(url, target, checksum=f"sha256:{listed.sha256}", size=listed.size, pause=pause)


def _published(name: str) -> Published:
    if name not in PUBLISHED:
        near = difflib.get_close_matches(name, PUBLISHED, n=1, cutoff=0.5)
        raise InputError(
            "no published weights of this name",
            record=name,
            expected=f"one of {', '.join(PUBLISHED)}",
            remedy=f"Did you mean {near[0]}?" if near else None,
        )
    return PUBLISHED[name]


class _Stay(HTTPRedirectHandler):
    """Show a redirection instead of following it: the hub's own headers stand on it."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


def _ask(url: str, pause: Pause) -> Listed:
    """Ask the hub for checksum and size of a large file; it sends both before redirecting."""
    found: list[Listed] = []

    def ask() -> None:
        found.append(_read_headers(url))

    with_retries(ask, url, attempts=ATTEMPTS, pause=pause)
    return found[0]


def _read_headers(url: str) -> Listed:
    address = url
    for _ in range(_MOST_REDIRECTS):
        headers, moved = _headers(address)
        digest = headers.get("X-Linked-ETag", "").removeprefix("W/").strip('"').lower()
        if len(digest) == _SHA256_DIGITS and set(digest) <= set("0123456789abcdef"):
            size = headers.get("X-Linked-Size", "")
            return Listed(digest, int(size) if size.isdecimal() else None)
        if moved is None:
            break
        address = urljoin(address, moved)
    raise FetchError(
        "the server does not say what the file's checksum is",
        record=url,
        expected="a SHA-256 in the header X-Linked-ETag, as the Hugging Face hub sends it",
        remedy="Download the weights in another way, and give them as NAME:FILE",
    )


def _headers(url: str) -> tuple[Message, str | None]:
    """Give the headers of an answer, and where it leads if it is a redirection."""
    request = Request(url, headers={"User-Agent": "exprimo", "Accept-Encoding": "identity"})
    try:
        with build_opener(_Stay).open(request, timeout=TIMEOUT_SECONDS) as response:
            return response.headers, None
    except HTTPError as error:
        if error.code not in (301, 302, 303, 307, 308):
            raise
        error.close()
        return error.headers, error.headers.get("Location")
