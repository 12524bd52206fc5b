"""The nouns of a page: what it says, its figures, and sections that others add to it."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from markupsafe import Markup

from exprimo.report.charts.chart import Chart
from exprimo.report.charts.static import Pictures
from exprimo.report.charts.svg_text import as_uri
from exprimo.report.runs.doubt import Weight

_SIZE = re.compile(rb'<svg[^>]*?\bwidth="([\d.]+)pt" height="([\d.]+)pt"')
_PIXELS_PER_POINT = 4 / 3


class Summary(NamedTuple):
    """A study in the list that opens a page of several: question, answer, verdicts in few words."""

    question: str
    sentence: str
    verdicts: tuple[tuple[Weight, str], ...] = ()


class Page(NamedTuple):
    """A page before its figures are drawn: its template, its figures, and what else it says."""

    template: str
    charts: Sequence[Chart]
    values: Mapping[str, Any]
    summary: Summary = Summary("", "")


class Section(NamedTuple):
    """A section that a folder of the report adds to pages, just before their provenance.

    Attributes
    ----------
    key, title, short
        Its id, its heading, and its entry in the contents.
    template
        A template of its own; it sees `values`, ``drawn`` and the macros that it imports.
    charts
        Its figures; their keys must differ from those of the page.
    data
        What its script reads: JSON values, in the element of class ``section-data``.
    scripts
        Names of files in ``templates/scripts`` that the page needs for it.
    styles
        Names of files in ``templates/styles``.
    """

    key: str
    title: str
    short: str
    template: str
    values: Mapping[str, Any]
    charts: Sequence[Chart] = ()
    data: Any = None
    scripts: tuple[str, ...] = ()
    styles: tuple[str, ...] = ()


class Drawn(NamedTuple):
    """A chart with its pictures, ready for the page; `picture` is the form that the page shows."""

    chart: Chart
    pictures: Pictures
    picture: str = "svg"

    @property
    def uri(self) -> Markup:
        """Give the picture that the page shows, as a data URI for an attribute in single quotes."""
        return picture_uri(self.pictures, self.picture)

    @property
    def size(self) -> tuple[int, int]:
        """Give width and height of the picture in pixels of the page."""
        found = _SIZE.search(self.pictures.svg[:2000])
        wide, high = found.groups() if found else (b"650", b"400")
        return round(float(wide) * _PIXELS_PER_POINT), round(float(high) * _PIXELS_PER_POINT)


def picture_uri(pictures: Pictures, form: str = "svg") -> Markup:
    """Write one of two pictures as a data URI for an attribute in single quotes."""
    if form == "png":
        return Markup(f"data:image/png;base64,{base64.b64encode(pictures.png).decode()}")
    return Markup(as_uri(pictures.svg))
