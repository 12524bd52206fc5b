"""Colours that can be read: contrast of text, controls and marks, in light and dark (WCAG 2.2)."""

from __future__ import annotations

import re

import pytest

from exprimo.report.charts.chart import DARK, LIGHT, luminance
from exprimo.report.document.html import _asset

SHEET = _asset("styles/page.css")
TEXT_ON = {
    "text": ("page", "card", "soft"),
    "faint": ("page", "card", "soft"),
    "link": ("page", "card"),
    "serious": ("serious-soft", "page", "card"),
    "caution": ("caution-soft", "card"),
    "checked": ("checked-soft", "card"),
    "c1": ("card",),
}
# What is drawn lies on cards; controls lie on the page too.
MARKS_ON = dict.fromkeys(("c1", "c2", "c3", "c4", "c5", "c6", "muted"), ("card",)) | {
    "edge": ("card", "page"),
    "link": ("card", "page"),
}


def colours(dark: bool) -> dict[str, str]:
    """Read the colours of a scheme: the sheet's own, and those of figures."""
    blocks = re.findall(r":root \{(.*?)\}", SHEET, flags=re.S)
    found: dict[str, str] = {}
    for block in blocks[: 2 if dark else 1]:
        found |= dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", block))
    return found | {str(name): value for name, value in (DARK if dark else LIGHT).items()}


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_contrast_is_that_of_the_standard() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    # The standard's own example of a grey that is just enough on white.
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)


@pytest.mark.parametrize("dark", [False, True])
def test_text_has_four_and_a_half_to_one(dark: bool) -> None:
    known = colours(dark)
    for ink, papers in TEXT_ON.items():
        for paper in papers:
            ratio = contrast(known[ink], known[paper])
            assert ratio >= 4.5, f"{ink} on {paper}: {ratio:.2f}"


@pytest.mark.parametrize("dark", [False, True])
def test_marks_and_edges_of_controls_have_three_to_one(dark: bool) -> None:
    known = colours(dark)
    for mark, papers in MARKS_ON.items():
        for paper in papers:
            ratio = contrast(known[mark], known[paper])
            assert ratio >= 3.0, f"{mark} on {paper}: {ratio:.2f}"
