"""The report itself: one HTML file that needs nothing else, and its figures as files."""

from __future__ import annotations

import base64
import hashlib
import json
import shlex
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import jinja2
from markupsafe import Markup

from exprimo.core.files.atomic import atomic_file
from exprimo.core.files.provenance import exprimo_version
from exprimo.report.answer import answer, best_model
from exprimo.report.chart import DARK, LIGHT, Chart
from exprimo.report.curves import curve_charts
from exprimo.report.distrust import doubts, leak_banner
from exprimo.report.interactive import plotly_figure
from exprimo.report.material import Material
from exprimo.report.overview import overview_charts
from exprimo.report.reading import read_material
from exprimo.report.static import Pictures, draw
from exprimo.report.tables import (
    count_table,
    input_table,
    interval_table,
    model_table,
    overlap_table,
    pair_table,
    score_table,
    source_table,
    split_table,
    torn_tables,
)
from exprimo.report.wording import counted, listed, split_claim, visible

_TEMPLATES = Path(__file__).parent / "templates"


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


class Setup(NamedTuple):
    """The complete settings of one Run."""

    title: str
    text: str
    source: str


def build_report(source: str | Path, out: str | Path | None = None) -> Path:
    """Write the report of a Run or of a benchmark as one self-contained HTML file.

    The same figures are written as PNG and SVG beside it: to ``figures/`` in the folder, to
    ``NAME_figures/`` for a report NAME.html elsewhere.

    Parameters
    ----------
    source
        The folder of a Run, or of a benchmark.
    out
        Where to write; ``report.html`` inside the folder unless given.

    Returns
    -------
    Path
        The file that was written.
    """
    material = read_material(source)
    target = Path(out) if out is not None else Path(source) / "report.html"
    drawn = _draw_all(material)
    page = _render(material, drawn)
    with atomic_file(target) as partial:
        partial.write_text(page, encoding="utf-8")
    # Beside a report elsewhere, a folder called figures may be somebody's own.
    _save(drawn, target.parent / ("figures" if out is None else f"{target.stem}_figures"))
    return target


def write_figures(source: str | Path, out: str | Path | None = None) -> list[Path]:
    """Write every figure of a Run or a benchmark as PNG and SVG.

    Parameters
    ----------
    source
        The folder of a Run, or of a benchmark.
    out
        The folder to write to; ``figures/`` inside the source unless given.
    """
    folder = Path(out) if out is not None else Path(source) / "figures"
    return _save(_draw_all(read_material(source)), folder)


def make_charts(material: Material) -> list[Chart]:
    """Make every figure for which there are numbers, in the order of the report."""
    return overview_charts(material) + curve_charts(material)


def _draw_all(material: Material) -> dict[str, Drawn]:
    return {chart.key: Drawn(chart, draw(chart)) for chart in make_charts(material)}


def _save(drawn: Mapping[str, Drawn], folder: Path) -> list[Path]:
    written = []
    for key, one in drawn.items():
        for suffix, content in (("png", one.pictures.png), ("svg", one.pictures.svg)):
            path = folder / f"{key}.{suffix}"
            with atomic_file(path) as partial:
                partial.write_bytes(content)
            written.append(path)
    return written


def _render(material: Material, drawn: Mapping[str, Drawn]) -> str:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: visible(value) if type(value) is str else value,
    )
    scripts = (_plotly_source(), _asset("report.js"))
    return environment.get_template("report.html.j2").render(
        m=material,
        title=_title(material),
        answer=answer(material),
        best=best_model(material),
        banner=leak_banner(material),
        doubts=doubts(material),
        drawn=drawn,
        tables=_tables(material),
        torn=torn_tables(material),
        claims=[(split, split_claim(split)) for split in material.splits],
        setups=list(_setups(material)),
        command=shlex.join(material.command),
        versions=_versions(material),
        dataset_origin=_pretty(material.dataset.get("provenance")),
        counted=counted,
        style=Markup(_palette() + _asset("style.css")),
        scripts=[Markup(script) for script in scripts],
        policy=_policy(scripts),
        figures=embedded_json({key: plotly_figure(one.chart) for key, one in drawn.items()}),
        version=exprimo_version(),
    )


def _tables(material: Material) -> dict[str, Any]:
    return {
        "scores": score_table(material),
        "zoo": model_table(material),
        "counts": count_table(material),
        "pairs": pair_table(material),
        "splits": split_table(material),
        "overlaps": overlap_table(material),
        "intervals": interval_table(material),
        "inputs": input_table(material),
        "sources": source_table(material),
    }


def _title(material: Material) -> str:
    models = [m.name for m in material.models if m.role == "model"]
    baselines = len(material.models) - len(models)
    if material.kind == "run" or not models:
        return f"Predicting {material.target} with {listed([m.name for m in material.models])}"
    named = listed(models) if len(models) < 4 else counted(len(models), "model")
    against = f" against {counted(baselines, 'baseline')}" if baselines else ""
    return f"Predicting {material.target}: {named}{against}"


def _setups(material: Material) -> Iterable[Setup]:
    for name in material.names_on(material.answer_split):
        for trained in material.of(name, material.answer_split)[:1]:
            path = trained.run.config_path
            if path.is_file():
                text = path.read_text(encoding="utf-8")
                yield Setup(name, text, f"{trained.place}config.toml")


def _versions(material: Material) -> list[tuple[str, str]]:
    origin = material.trained[0].run.provenance if material.trained else {}
    facts = [
        ("Exprimo", material.exprimo),
        ("Python", origin.get("python")),
        ("Devices", ", ".join(map(str, origin.get("devices") or ()))),
        ("Precision", origin.get("precision")),
        ("Threads", origin.get("threads")),
        ("Created", material.created),
        ("Dataset", material.dataset.get("path")),
        ("Dataset SHA-256", material.dataset.get("sha256")),
        ("Seeds", listed([str(seed) for seed in material.seeds])),
        ("Wall time", material.wall_seconds and f"{material.wall_seconds:,.0f} s"),
    ]
    return [(name, str(value)) for name, value in facts if value not in (None, "")]


def _pretty(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) if value else ""


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
    light = "".join(f"--{name}:{value};" for name, value in LIGHT.items())
    dark = "".join(f"--{name}:{value};" for name, value in DARK.items())
    return f":root{{{light}}}@media screen and (prefers-color-scheme:dark){{:root{{{dark}}}}}\n"


def _asset(name: str) -> str:
    return (_TEMPLATES / name).read_text(encoding="utf-8")


def _plotly_source() -> str:
    from plotly.offline import get_plotlyjs

    # The hash of the policy is taken after the browser has made every line end a line feed.
    return str(get_plotlyjs()).replace("\r\n", "\n").replace("\r", "\n")


def _data_uri(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"
