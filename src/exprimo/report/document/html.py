"""One HTML file that needs nothing else: style, scripts and figures are inside."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import jinja2
from markupsafe import Markup

from exprimo.core.files.atomic import atomic_file
from exprimo.core.files.provenance import exprimo_version
from exprimo.report.charts.chart import (
    DARK,
    LIGHT,
    SCALE_DARK,
    SCALE_LIGHT,
    SIGNED_DARK,
    SIGNED_LIGHT,
    Chart,
)
from exprimo.report.charts.interactive import INKS, plotly_figure
from exprimo.report.charts.static import draw
from exprimo.report.document.page import Drawn, Page, Section, Summary
from exprimo.report.document.plotly_bundle import plotly_bundle
from exprimo.report.document.provenance import Reproduction
from exprimo.report.wording import counted, visible

_TEMPLATES = Path(__file__).parents[1] / "templates"
_SCRIPTS = ("figures.js", "tables.js", "contents.js")


class Body(NamedTuple):
    """One page of a file, rendered: its HTML, its contents, and its interactive figures."""

    prefix: str
    name: str
    title: str
    summary: Summary
    own: str
    html: Markup
    contents: list[Entry]
    figures: dict[str, Any]
    scripts: tuple[str, ...]
    styles: tuple[str, ...]


class Entry(NamedTuple):
    """A line of the contents: the id of a section and its short name."""

    key: str
    short: str


class Contents:
    """Gathers the sections of a page while its template is rendered."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []

    def add(self, key: str, short: str) -> str:
        """Note a section; gives nothing to write."""
        self.entries.append(Entry(key, short))
        return ""


def draw_all(charts: Iterable[Chart]) -> dict[str, Drawn]:
    """Draw charts, by key."""
    return {chart.key: Drawn(chart, draw(chart)) for chart in charts}


def save_pictures(drawn: Mapping[str, Drawn], folder: Path) -> list[Path]:
    """Write each drawn chart as KEY.png and KEY.svg."""
    written = []
    for key, one in drawn.items():
        for suffix, content in (("png", one.pictures.png), ("svg", one.pictures.svg)):
            path = folder / f"{key}.{suffix}"
            with atomic_file(path) as partial:
                partial.write_bytes(content)
            written.append(path)
    return written


def render(page: Page, drawn: Mapping[str, Drawn], added: Sequence[Section] = ()) -> str:
    """Give the whole HTML file of a page."""
    return render_file([render_body(page, drawn, added)])


def render_body(
    page: Page,
    drawn: Mapping[str, Drawn],
    added: Sequence[Section] = (),
    *,
    prefix: str = "",
    name: str = "",
    pictures: str = "figures",
    own: str = "",
    made: Reproduction | None = None,
) -> Body:
    """Render what one page says.

    Parameters
    ----------
    prefix
        Stands before every id, so that several pages fit in one file; its headings are then one
        level deeper.
    name
        What the contents call the page in such a file.
    pictures
        The folder of PNG and SVG files, as seen from the file.
    own
        The page's own file, where there is one beside that of several.
    made
        How the page's folder can be made again.
    """
    environment, contents = _environment(), Contents()
    common: dict[str, Any] = {
        "drawn": drawn,
        "p": prefix,
        "h": 2 if prefix else 1,
        "contents": contents,
        "counted": counted,
        "pictures": pictures,
        "made": made,
    }
    told = [
        {
            "key": one.key,
            "title": one.title,
            "short": one.short,
            "html": Markup(
                environment.get_template(one.template).render(**{**common, **one.values})
            ),
            "data": None if one.data is None else embedded_json(one.data),
        }
        for one in added
    ]
    html = environment.get_template(page.template).render(**page.values, **common, added=told)
    figures = {
        f"{prefix}{key}": plotly_figure(one.chart) for key, one in drawn.items() if one.chart.live
    }
    return Body(
        prefix=prefix,
        name=name,
        title=str(page.values["title"]),
        summary=page.summary,
        own=own,
        html=Markup(html),
        contents=contents.entries,
        figures=figures,
        scripts=tuple(script for one in added for script in one.scripts),
        styles=tuple(style for one in added for style in one.styles),
    )


def render_file(bodies: Sequence[Body], title: str = "") -> str:
    """Give the HTML file around one page, or around several with a list of them on top."""
    more = dict.fromkeys(script for body in bodies for script in body.scripts)
    own = "".join(_asset(f"scripts/{name}") for name in (*_SCRIPTS, *more))
    looks = dict.fromkeys(("page.css", *(s for body in bodies for s in body.styles), "print.css"))
    style = _palette() + "".join(_asset(f"styles/{name}") for name in looks)
    plotly = plotly_bundle()
    figures = {key: figure for body in bodies for key, figure in body.figures.items()}
    return (
        _environment()
        .get_template("layout.html.j2")
        .render(
            title=title or bodies[0].title,
            bodies=bodies,
            joint=bool(bodies[0].prefix),
            style=Markup(style),
            plotly=Markup(plotly.packed if figures else ""),
            script=Markup(own),
            policy=_policy((plotly.source, own)),
            figures=embedded_json(figures),
            version=exprimo_version(),
        )
    )


def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: visible(value) if type(value) is str else value,
    )


def embedded_json(value: Any) -> Markup:
    """Write JSON that nothing inside can break out of, whatever names it holds.

    Examples
    --------
    >>> print(embedded_json("</script>&"))
    "\\u003c/script\\u003e\\u0026"
    """
    text = json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    # ensure_ascii already escapes U+2028 and U+2029; these three could end the element.
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)


def pretty_json(value: Any) -> str:
    """Write JSON for a reader; nothing where there is none."""
    return json.dumps(value, indent=2, ensure_ascii=False) if value else ""


def _policy(scripts: Iterable[str]) -> str:
    """Let the browser run these very scripts, load nothing, and send nothing anywhere."""
    hashes = " ".join(
        f"'sha256-{base64.b64encode(hashlib.sha256(s.encode()).digest()).decode()}'"
        for s in scripts
    )
    return (
        f"default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; "
        "img-src data: blob:; base-uri 'none'; form-action 'none'"
    )


def _palette() -> str:
    def variables(colours: Mapping[Any, str], **scales: Sequence[str]) -> str:
        steps = [(f"{name}{k}", c) for name, scale in scales.items() for k, c in enumerate(scale)]
        return "".join(f"--{name}:{value};" for name, value in [*colours.items(), *steps])

    light = variables(LIGHT, s=SCALE_LIGHT, d=SIGNED_LIGHT)
    dark = variables(DARK, s=SCALE_DARK, d=SIGNED_DARK)
    light += "".join(f"--{name}:{inks[0]};" for inks, name in INKS.items())
    dark += "".join(f"--{name}:{inks[1]};" for inks, name in INKS.items())
    return f":root{{{light}}}@media screen and (prefers-color-scheme:dark){{:root{{{dark}}}}}\n"


def _asset(name: str) -> str:
    return (_TEMPLATES / name).read_text(encoding="utf-8")
