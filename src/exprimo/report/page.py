"""The report itself: one HTML file that needs nothing else, and its figures as files."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from urllib.parse import quote

from exprimo.core.errors import InputError
from exprimo.core.files.atomic import atomic_file
from exprimo.report.chromatin.reading import is_chromatin_study, read_chromatin_study
from exprimo.report.chromatin.view import chromatin_page
from exprimo.report.dge.reading import is_dge_folder, read_dge
from exprimo.report.document.html import (
    Body,
    draw_all,
    render_body,
    render_file,
    save_pictures,
)
from exprimo.report.document.joint import prefixes, study_names, within_size
from exprimo.report.document.page import Drawn, Page, Section
from exprimo.report.document.provenance import Reproduction, reproduction
from exprimo.report.genes.section import gene_section
from exprimo.report.halflife.reading import is_halflife_study, read_halflife_study
from exprimo.report.halflife.view import halflife_page
from exprimo.report.individual.reading import is_individual_study, read_individual_study
from exprimo.report.individual.view import individual_page
from exprimo.report.interpret.reading import is_explanation
from exprimo.report.interpret.section import interpretation_section
from exprimo.report.interpret.view import explanation_page, explanation_reproduction
from exprimo.report.methods.section import methods_section
from exprimo.report.runs.reading import read_material
from exprimo.report.runs.view import runs_page
from exprimo.report.study.reading import is_study, read_study
from exprimo.report.study.view import dge_page, study_page

SectionMaker = Callable[[Path, int], Section | None]
"""Looks at a folder and makes a section of its page, or None where it has nothing to add.

Its second argument is how many pages share the file, and with it the room there is."""

ADDED: tuple[SectionMaker, ...] = (methods_section, interpretation_section, gene_section)
"""Sections that stand on every page whose folder has what they need, in this order."""


def build_report(source: str | Path | Sequence[str | Path], out: str | Path | None = None) -> Path:
    """Write the report of a folder, or of several, as one self-contained HTML file.

    The same figures are written as PNG and SVG beside it: to ``figures/`` in the folder, to
    ``NAME_figures/`` for a report NAME.html elsewhere. A report of several folders begins with a
    list of them, each with its question, its answer and its verdict.

    Parameters
    ----------
    source
        The folder of a Run, of a benchmark, of an explanation, of a test for differential
        expression, or of a study with a ``study.json``; or several of them.
    out
        Where to write; ``report.html`` inside the folder unless given. Several folders need it.

    Returns
    -------
    Path
        The file that was written.

    Examples
    --------
    >>> exprimo.report(["S1", "S2"], "both.html")                    # doctest: +SKIP
    """
    if not isinstance(source, str | Path):
        return _joint_report([Path(one) for one in source], out)
    page, added = make_page(source), _added(Path(source))
    target = Path(out) if out is not None else Path(source) / "report.html"
    # Beside a report elsewhere, a folder called figures may be somebody's own.
    pictures = "figures" if out is None else f"{target.stem}_figures"
    drawn = _draw(page, added)
    text = render_file(
        [render_body(page, drawn, added, pictures=quote(pictures), made=_made(Path(source)))]
    )
    _write(text, target)
    save_pictures(drawn, target.parent / pictures)
    return target


def _joint_report(sources: Sequence[Path], out: str | Path | None) -> Path:
    if not sources or out is None:
        raise InputError(
            "nothing to report" if not sources else "say where to write a report of several",
            remedy="Name folders and a file: exprimo report S1 S2 -o R.html",
        )
    if len(sources) == 1:
        return build_report(sources[0], out)
    target = Path(out)
    names = study_names(sources)
    before = prefixes(names)
    pages = [(make_page(source), _added(source, len(sources))) for source in sources]
    drawn = [_draw(page, added) for page, added in pages]
    folder = f"{target.stem}_figures"

    def bodies(figures: Sequence[Mapping[str, Drawn]]) -> list[Body]:
        return [
            render_body(
                page, shown, added, prefix=prefix, name=name,
                pictures=quote(f"{folder}/{prefix.rstrip('-')}"), own=_seen_from(target, source),
                made=_made(source),
            )
            for source, (page, added), shown, prefix, name in zip(
                sources, pages, figures, before, names, strict=True
            )
        ]  # fmt: skip

    words = sum(len(body.html.encode()) for body in bodies([{} for _ in pages]))
    text = render_file(bodies(within_size(drawn, words)), f"{len(sources)} studies")
    _write(text, target)
    for prefix, figures in zip(before, drawn, strict=True):
        save_pictures(figures, target.parent / folder / prefix.rstrip("-"))
    return target


def _seen_from(target: Path, source: Path) -> str:
    """Give the link to a folder's own report; nothing where it has none."""
    own = source / "report.html"
    if not own.is_file() or own.resolve() == target.resolve():
        return ""
    return quote(Path(os.path.relpath(own.resolve(), target.resolve().parent)).as_posix())


def _made(source: Path) -> Reproduction:
    return explanation_reproduction(source) if is_explanation(source) else reproduction(source)


def _added(source: Path, sharing: int = 1) -> list[Section]:
    if is_explanation(source):
        # Its page is about nothing else.
        return []
    made = (maker(source, sharing) for maker in ADDED)
    return [section for section in made if section is not None]


def _draw(page: Page, added: Sequence[Section]) -> dict[str, Drawn]:
    return draw_all([*page.charts, *(chart for one in added for chart in one.charts)])


def _write(text: str, target: Path) -> None:
    with atomic_file(target) as partial:
        partial.write_text(text, encoding="utf-8")


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
    return save_pictures(_draw(make_page(source), _added(Path(source))), folder)


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
    if is_explanation(Path(source)):
        return explanation_page(Path(source))
    return runs_page(read_material(source))
