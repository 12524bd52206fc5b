"""The part of plotly.js that the pages draw with, compressed.

The whole library is 4.8 MB, most of it maps and three dimensions: to compile it takes a browser
six times as long as to compile what remains here.
"""

from __future__ import annotations

import base64
import re
import zlib
from functools import cache
from typing import NamedTuple

TRACES = ("heatmap",)
"""Kinds of traces that pages hold beside points and lines, which plotly.js always has."""

_WORD = re.compile(r"[\w$]+")
# How the library's bundler (esbuild) writes a module, old style and new.
_OLD_MODULE = re.compile(r"([\w$]+)=\(e,t\)=>\(\)=>\{try\{return t\|\|e\(\(t=\{exports:")
_NEW_MODULE = re.compile(r"([\w$]+)=\(e,t,r\)=>\(\)=>\{if\(r\)throw r\[0\]")
_REGISTERED = re.compile(r"\.register\(\[([\w$(),]*)\]\)")


class Bundle(NamedTuple):
    """A script: as it is run, and as the page holds it (base64 of a zlib stream)."""

    source: str
    packed: str


@cache
def plotly_bundle() -> Bundle:
    """Give what the pages need of the installed plotly.js."""
    from plotly.offline import get_plotlyjs

    # The hash of the policy is taken after the browser has made every line end a line feed.
    whole = str(get_plotlyjs()).replace("\r\n", "\n").replace("\r", "\n")
    source = reduced(whole, TRACES)
    return Bundle(source, base64.b64encode(zlib.compress(source.encode(), 9)).decode())


def reduced(whole: str, traces: tuple[str, ...]) -> str:
    """Keep of a bundled plotly.js the modules that its core and some kinds of traces name.

    A module counts as needed where a needed one holds its name as a word, which may keep one too
    many and never drops one that is used.

    Parameters
    ----------
    whole
        The script as published.
    traces
        Kinds to keep, as plotly.js names them.

    Returns
    -------
    str
        The smaller script; the whole one where it is not bundled as this function knows.
    """
    old, new = _OLD_MODULE.search(whole), _NEW_MODULE.search(whole)
    registered = list(_REGISTERED.finditer(whole))
    if old is None or new is None or not registered:
        return whole
    starts = [m.start(1) for m in re.finditer(rf"[;}}\n](var [\w$]+={old[1]}\()", whole)]
    if not starts or starts[-1] > registered[-1].start():
        return whole
    pieces = [whole[a:b] for a, b in zip([0, *starts], [*starts, len(whole)], strict=True)]
    owner = _owners(pieces, (old[1], new[1]))
    kept = [_exporter(pieces, owner, trace, registered[-1][1]) for trace in traces]
    if not all(kept):
        return whole
    calls = ",".join(f"{name}()" for name in kept)
    pieces[-1] = pieces[-1].replace(registered[-1][0], f".register([{calls}])")
    return "".join(pieces[k] for k in sorted(_reached(pieces, owner)))


def _owners(pieces: list[str], makers: tuple[str, str]) -> dict[str, int]:
    """Give the piece in which each module is made."""
    made = re.compile("=(?:" + "|".join(map(re.escape, makers)) + r")\(")
    owner: dict[str, int] = {}
    for k, piece in enumerate(pieces):
        for match in made.finditer(piece):
            name = re.search(r"[\w$]+$", piece[max(0, match.start() - 20) : match.start()])
            if name:
                owner.setdefault(name[0], k)
    return owner


def _exporter(pieces: list[str], owner: dict[str, int], trace: str, registered: str) -> str:
    """Find which registered module is that of a kind of trace; empty where none is."""
    told = f'moduleType:"trace",name:"{trace}"'
    makers = [name for name, k in owner.items() if told in pieces[k]]
    names = _WORD.findall(registered)
    return next(
        (n for n in names if n in owner for m in makers if f"exports={m}()" in pieces[owner[n]]),
        "",
    )


def _reached(pieces: list[str], owner: dict[str, int]) -> set[int]:
    """Follow names from the first and the last piece, which hold the frame of the script."""
    seen: set[int] = set()
    waiting = [0, len(pieces) - 1]
    while waiting:
        k = waiting.pop()
        if k not in seen:
            seen.add(k)
            waiting += {owner[word] for word in set(_WORD.findall(pieces[k])) if word in owner}
    return seen
