"""Several pages in one file: names that do not collide, and a size that a browser opens soon."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path

from exprimo.report.charts.interactive import plotly_figure
from exprimo.report.document.html import embedded_json
from exprimo.report.document.page import Drawn, picture_uri
from exprimo.report.document.plotly_bundle import plotly_bundle

MOST_BYTES = 12_000_000
"""A file of more is slow to open and refused by many mail servers."""

# Of styles and of the page's own scripts.
_FRAME = 150_000


def study_names(sources: Sequence[Path]) -> list[str]:
    """Name the pages of several folders: each by its last part that tells it from the others.

    Examples
    --------
    >>> study_names([Path("demo/halflife"), Path("demo/chromatin")])
    ['halflife', 'chromatin']
    >>> study_names([Path("demo/expression/benchmark"), Path("demo/halflife")])
    ['expression', 'halflife']
    >>> study_names([Path("a/run"), Path("b/run"), Path("a/run")])
    ['run', 'run 2', 'run 3']
    """
    names: list[str] = []
    for source in sources:
        folder = source.resolve()
        # A sequence study is known by its benchmark, which all such studies call alike.
        name = (folder.parent if folder.name == "benchmark" else folder).name or "study"
        names.append(_unused(name, names, " "))
    return names


def _unused(name: str, taken: Collection[str], between: str) -> str:
    """Give a name, with the first number behind it that nothing else is called by."""
    numbered = (f"{name}{between}{number}" for number in count(2))
    return name if name not in taken else next(one for one in numbered if one not in taken)


def prefixes(names: Sequence[str]) -> list[str]:
    """Give what stands before the ids of each page, from its name; no two are alike.

    Examples
    --------
    >>> prefixes(["halflife", "run 2", "Ζ", "Run-2"])
    ['halflife-', 'run-2-', 'study-', 'run-2-2-']
    """
    slugs: list[str] = []
    for name in names:
        slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
        # An id that begins with a digit cannot be written in a style sheet as it is.
        slugs.append(_unused(slug if slug and slug[0].isalpha() else "study", slugs, "-"))
    return [f"{slug}-" for slug in slugs]


def within_size(
    drawn: Sequence[Mapping[str, Drawn]], written: int, most: int = MOST_BYTES
) -> list[dict[str, Drawn]]:
    """Demote the heaviest figures to pictures until the file is small enough.

    A demoted figure says so in its caption; the files beside the report still hold its SVG.

    Parameters
    ----------
    drawn
        The figures of each page.
    written
        Bytes of all tables and sentences.
    """
    pages = [dict(one) for one in drawn]
    weights = {
        (k, key): (_weight(figure), _weight(_demoted(figure)))
        for k, page in enumerate(pages)
        for key, figure in page.items()
    }
    total = _FRAME + len(plotly_bundle().packed) + written + sum(now for now, _ in weights.values())
    for (k, key), (now, then) in sorted(weights.items(), key=lambda one: one[1][1] - one[1][0]):
        if total <= most or then >= now:
            break
        pages[k][key] = _demoted(pages[k][key])
        total += then - now
    return pages


def _weight(figure: Drawn) -> int:
    """Count the bytes that a figure takes in the file."""
    live = len(embedded_json(plotly_figure(figure.chart))) if figure.chart.live else 0
    return live + len(figure.uri.encode())


def _demoted(figure: Drawn) -> Drawn:
    """Give a figure as the smaller of its two pictures, which says that it is no more."""
    smaller = min(("svg", "png"), key=lambda form: len(picture_uri(figure.pictures, form)))
    note = "A picture here, so that the file stays small; the study's own page has it interactive."
    caption = f"{figure.chart.caption} {note}" if figure.chart.live else figure.chart.caption
    return Drawn(replace(figure.chart, live=False, caption=caption), figure.pictures, smaller)
