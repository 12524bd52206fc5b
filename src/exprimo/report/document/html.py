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
from exprimo.report.charts.static import Pictures, draw
from exprimo.report.wording import counted, visible

_TEMPLATES = Path(__file__).parents[1] / "templates"


class Page(NamedTuple):
    """A page before its figures are drawn: its template, its figures, and what else it says."""

    template: str
    charts: Sequence[Chart]
    values: Mapping[str, Any]


class Drawn(NamedTuple):
    """A chart with its pictures, ready for the page."""

    chart: Chart
    pictures: Pictures

    @property
    def png_uri(self) -> str:
        return _data_uri("image/png", self.pictures.png)

    @property
    def svg_uri(self) -> str:
        return _data_uri("image/svg+xml", self.pictures.svg)


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


def render(page: Page, drawn: Mapping[str, Drawn]) -> str:
    """Give the whole HTML file of a page."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: visible(value) if type(value) is str else value,
    )
    scripts = (_plotly_source(), _asset("report.js"))
    figures = {key: plotly_figure(one.chart) for key, one in drawn.items() if one.chart.live}
    return environment.get_template(page.template).render(
        **page.values,
        drawn=drawn,
        counted=counted,
        style=Markup(_palette() + _asset("style.css")),
        scripts=[Markup(script) for script in scripts],
        policy=_policy(scripts),
        figures=embedded_json(figures),
        version=exprimo_version(),
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


def _plotly_source() -> str:
    from plotly.offline import get_plotlyjs

    # The hash of the policy is taken after the browser has made every line end a line feed.
    return str(get_plotlyjs()).replace("\r\n", "\n").replace("\r", "\n")


def _data_uri(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"
