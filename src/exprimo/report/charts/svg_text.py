"""SVG as short text: no more digits than can be seen, and no base64."""

from __future__ import annotations

import re

_SHAPE = re.compile(rb"<(?:path|use|image|g|rect|text)\b[^>]*>")
_GEOMETRY = re.compile(rb'\b(?:d|x|y|x1|x2|y1|y2|width|height|transform)="[^"]*"')
_LONG = re.compile(rb"-?\d*\.(?:\d{3,}(?:e-?\d+)?|\d*e-\d+)")

# Who drew it, and names of groups: the files beside the page have them.
_UNSEEN = re.compile('<metadata>.*?</metadata>|(?<=<g) id="[^"]*"')


def rounded(svg: bytes) -> bytes:
    """Round the geometry of an SVG to a hundredth of a point.

    Examples
    --------
    >>> rounded(b'<path d="M 1.23456 20.5 L 3.99999 -0.001"/><text>1.23456</text>')
    b'<path d="M 1.23 20.5 L 4 0"/><text>1.23456</text>'
    """
    return _SHAPE.sub(lambda shape: _GEOMETRY.sub(_shorter, shape[0]), svg)


def _shorter(attribute: re.Match[bytes]) -> bytes:
    # A scale is a factor of all that it holds, not a place.
    if b"scale" in attribute[0] or b"matrix" in attribute[0]:
        return attribute[0]
    return _LONG.sub(lambda number: _hundredths(number[0]), attribute[0])


def _hundredths(number: bytes) -> bytes:
    text = f"{float(number):.2f}".rstrip("0").rstrip(".")
    return b"0" if text in ("-0", "") else text.encode()


def as_uri(svg: bytes) -> str:
    """Write an SVG as a data URI for an attribute in single quotes.

    Examples
    --------
    >>> as_uri(b'<a b="1">50% &amp; #</a>')
    'data:image/svg+xml,<a b="1">50%25 &amp;amp; %23</a>'
    """
    drawing = svg.decode()
    drawing = drawing[max(drawing.find("<svg"), 0) :]
    text = _UNSEEN.sub("", " ".join(drawing.split())).replace("> <", "><")
    for character, written in (("%", "%25"), ("#", "%23"), ("&", "&amp;"), ("'", "&#39;")):
        text = text.replace(character, written)
    return f"data:image/svg+xml,{text}"
