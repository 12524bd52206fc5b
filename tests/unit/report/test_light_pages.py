"""What keeps a page light and still: short pictures, and nothing that moves by itself."""

from __future__ import annotations

import html
import re
import xml.etree.ElementTree as ET
from pathlib import Path
from urllib.parse import unquote

import pytest

from exprimo.report import build_report
from exprimo.report.charts.svg_text import as_uri, rounded
from exprimo.report.document.html import _TEMPLATES


def test_places_are_rounded_and_scales_are_not() -> None:
    svg = (
        b'<g transform="translate(1.23456 2.5) scale(0.015625)">'
        b'<path d="M -0.004 7.1e-05 L 9.999 1"/><use x="144.246624" y="3"/></g>'
        b'<text x="5.5555" style="opacity: 0.12345">0.123456</text>'
    )
    assert rounded(svg) == (
        b'<g transform="translate(1.23456 2.5) scale(0.015625)"><path d="M 0 0 L 10 1"/>'
        b'<use x="144.25" y="3"/></g><text x="5.56" style="opacity: 0.12345">0.123456</text>'
    )


@pytest.mark.parametrize("name", ["5% & more", "a'b\"c", "#1 <script>", "über"])
def test_a_picture_survives_its_address(name: str) -> None:
    root = ET.Element("svg")
    ET.SubElement(root, "text", {"title": name}).text = name
    written = f"<img src='{as_uri(ET.tostring(root))}'>"
    inside = re.fullmatch("<img src='(data:image/svg\\+xml,[^']*)'>", written)
    assert inside is not None
    # As a browser reads it: the attribute first, then the address.
    address = html.unescape(inside[1])
    assert "#" not in address
    (told,) = ET.fromstring(unquote(address.split(",", 1)[1]))
    assert (told.text, told.get("title")) == (name, name)


def test_pages_hold_no_picture_twice_and_stay_light(regression: Path, tmp_path: Path) -> None:
    page = build_report(regression, tmp_path / "page.html").read_text(encoding="utf-8")
    pictures = re.findall("src='(data:[^']*)'", page)
    assert len(pictures) == len(set(pictures)) == page.count("<figure")
    # Beside its pictures, figures and tables, a page weighs what plotly.js and styles do.
    assert len(page) - sum(map(len, pictures)) < 1_500_000
    assert "width=" in page[page.index('<img class="still"') :][:120]


def test_nothing_moves_by_itself() -> None:
    for sheet in sorted((_TEMPLATES / "styles").glob("*.css")):
        words = sheet.read_text(encoding="utf-8")
        assert not re.search(r"\b(transition|animation|scroll-behavior)\s*:", words), sheet.name
