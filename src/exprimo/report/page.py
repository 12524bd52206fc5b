"""The report itself: one HTML file that needs nothing else, and its figures as files."""

from __future__ import annotations

from pathlib import Path

from exprimo.core.files.atomic import atomic_file
from exprimo.report.chromatin.reading import is_chromatin_study, read_chromatin_study
from exprimo.report.chromatin.view import chromatin_page
from exprimo.report.dge.reading import is_dge_folder, read_dge
from exprimo.report.document.html import Page, draw_all, render, save_pictures
from exprimo.report.halflife.reading import is_halflife_study, read_halflife_study
from exprimo.report.halflife.view import halflife_page
from exprimo.report.individual.reading import is_individual_study, read_individual_study
from exprimo.report.individual.view import individual_page
from exprimo.report.runs.reading import read_material
from exprimo.report.runs.view import runs_page
from exprimo.report.study.reading import is_study, read_study
from exprimo.report.study.view import dge_page, study_page


def build_report(source: str | Path, out: str | Path | None = None) -> Path:
    """Write the report of a folder as one self-contained HTML file.

    The same figures are written as PNG and SVG beside it: to ``figures/`` in the folder, to
    ``NAME_figures/`` for a report NAME.html elsewhere.

    Parameters
    ----------
    source
        The folder of a Run, of a benchmark, of a test for differential expression, or of a
        study with a ``study.json``.
    out
        Where to write; ``report.html`` inside the folder unless given.

    Returns
    -------
    Path
        The file that was written.
    """
    page = make_page(source)
    target = Path(out) if out is not None else Path(source) / "report.html"
    drawn = draw_all(page.charts)
    text = render(page, drawn)
    with atomic_file(target) as partial:
        partial.write_text(text, encoding="utf-8")
    # Beside a report elsewhere, a folder called figures may be somebody's own.
    save_pictures(drawn, target.parent / ("figures" if out is None else f"{target.stem}_figures"))
    return target


def write_figures(source: str | Path, out: str | Path | None = None) -> list[Path]:
    """Write every figure of a folder's report as PNG and SVG.

    Parameters
    ----------
    source
        A folder as `build_report` takes it.
    out
        The folder to write to; ``figures/`` inside the source unless given.
    """
    folder = Path(out) if out is not None else Path(source) / "figures"
    return save_pictures(draw_all(make_page(source).charts), folder)


def make_page(source: str | Path) -> Page:
    """Read a folder and make the page that fits what it holds."""
    if is_study(Path(source)):
        return study_page(read_study(source))
    if is_halflife_study(Path(source)):
        return halflife_page(read_halflife_study(source))
    if is_chromatin_study(Path(source)):
        return chromatin_page(read_chromatin_study(source))
    if is_individual_study(Path(source)):
        return individual_page(read_individual_study(source))
    if is_dge_folder(Path(source)):
        return dge_page(read_dge(source))
    return runs_page(read_material(source))
