"""A page for eyes, ears and fingers: outline, names, notes of columns, room on a narrow screen."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from exprimo.report import build_report

pytestmark = pytest.mark.browser

Visits = Callable[..., Any]

OUTLINE = (
    "[...document.querySelectorAll('h1, h2, h3, h4, h5, h6')].map((h) => Number(h.tagName[1]))"
)
NAMELESS = """[...document.querySelectorAll('button, a[href], input, select, [tabindex="0"]')]
  .filter((e) => e.checkVisibility() && !(e.innerText || e.textContent
    || e.getAttribute('aria-label') || e.labels?.[0]?.innerText
    || document.getElementById(e.getAttribute('aria-labelledby'))))
  .map((e) => e.outerHTML.slice(0, 120))"""
BAD_TABLES = """[...document.querySelectorAll('table')].filter((t) =>
    !(t.caption || document.getElementById(t.getAttribute('aria-labelledby'))?.textContent)
    || [...t.querySelectorAll('thead th')].some((th) => th.scope !== 'col')
    || [...t.querySelectorAll('tbody th')].some((th) => th.scope !== 'row'))
  .map((t) => t.outerHTML.slice(0, 120))"""
# Words of an axis that leave their figure, and legends that would have to be scrolled.
CLIPPED = """[...document.querySelectorAll('.plot')].flatMap((plot) => {
    const room = plot.getBoundingClientRect();
    const out = [...plot.querySelectorAll('.xtitle, .ytitle, .y2title, .y3title')]
      .map((words) => [words, words.getBoundingClientRect()])
      .filter(([, box]) => box.width && (box.top < room.top - 1 || box.bottom > room.bottom + 1
        || box.left < room.left - 1 || box.right > room.right + 1))
      .map(([words]) => plot.dataset.figure + ': ' + words.textContent);
    const bar = plot.querySelector('.legend .scrollbar');
    return bar && bar.getBoundingClientRect().height > 0
      ? [...out, plot.dataset.figure + ': legend'] : out;
  })"""


@pytest.fixture(scope="module")
def pages(
    tmp_path_factory: pytest.TempPathFactory, made_up: ModuleType, made_up_study: ModuleType
) -> dict[str, Path]:
    home = tmp_path_factory.mktemp("accessible")
    study = made_up_study.make_study(home / "study", made_up_study.StudyWorld(truth=True), made_up)
    world = made_up.World(n=900, seeds=(0,), splits=("random", "homology"))
    other = made_up.make_benchmark(home / "regression", world)
    both = build_report([study, other], home / "both.html")
    return {"study": build_report(study), "both": both}


@pytest.mark.parametrize("name", ["study", "both"])
def test_the_outline_skips_no_level_and_everything_has_a_name(
    visit: Visits, pages: dict[str, Path], name: str
) -> None:
    seen = visit(pages[name])
    seen.draw_all()
    levels = seen.page.evaluate(OUTLINE)
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert seen.page.evaluate(NAMELESS) == []
    assert seen.page.evaluate(BAD_TABLES) == []
    # A picture says in words what it shows: more than that it is one.
    told = seen.page.evaluate("[...document.images].map((image) => image.alt)")
    assert len(told) > 10
    assert min(map(len, told)) > 30


@pytest.mark.parametrize(("name", "target"), [("study", "answer"), ("both", "studies")])
def test_the_first_key_leads_to_the_answer(
    visit: Visits, pages: dict[str, Path], name: str, target: str
) -> None:
    seen = visit(pages[name])
    seen.page.keyboard.press("Tab")
    seen.page.keyboard.press("Enter")
    assert seen.page.evaluate("location.hash") == f"#{target}"
    assert seen.page.locator(f"#{target}").bounding_box()["y"] < 450


def test_what_columns_say_needs_no_pointer(visit: Visits, pages: dict[str, Path]) -> None:
    seen = visit(pages["study"])
    noted = seen.page.locator(".card.table:has(th[title]):visible").first
    summary = noted.locator(".notes summary")
    summary.focus()
    seen.page.keyboard.press("Enter")
    titles = [heading.get_attribute("title") for heading in noted.locator("th[title]").all()]
    assert noted.locator(".notes dd:visible").all_inner_texts() == titles


@pytest.mark.parametrize("width", [400, 1280])
def test_no_words_of_a_figure_are_cut(visit: Visits, pages: dict[str, Path], width: int) -> None:
    seen = visit(pages["study"], width=width)
    seen.draw_all()
    assert seen.page.evaluate(CLIPPED) == []


def test_a_sorted_column_says_so(visit: Visits, pages: dict[str, Path]) -> None:
    seen = visit(pages["study"])
    heading = seen.page.locator("#table-scores thead th").nth(2)
    heading.locator("button").focus()
    for direction in ("ascending", "descending"):
        seen.page.keyboard.press("Enter")
        assert heading.get_attribute("aria-sort") == direction


def test_every_picture_is_there_on_paper(visit: Visits, pages: dict[str, Path]) -> None:
    seen = visit(pages["study"])
    seen.page.emulate_media(media="print")
    widths = seen.page.evaluate(
        """Promise.all([...document.querySelectorAll('img.still')].map(
             (still) => still.decode().then(() => still.naturalWidth)))"""
    )
    assert len(widths) > 10
    assert min(widths) > 200
