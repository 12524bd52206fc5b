"""Reading a report in a browser: scrolling, searching, the keyboard, paper, several studies."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from exprimo.report import build_report

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def folders(
    tmp_path_factory: pytest.TempPathFactory, made_up: ModuleType, made_up_study: ModuleType
) -> dict[str, Path]:
    home = tmp_path_factory.mktemp("reading")
    world = made_up.World(n=900, seeds=(0,), splits=("random", "homology"))
    study = made_up_study.make_study(home / "study", made_up_study.StudyWorld(truth=True), made_up)
    return {"regression": made_up.make_benchmark(home / "regression", world), "study": study}


@pytest.fixture(scope="module")
def pages(folders: dict[str, Path]) -> dict[str, Path]:
    built = {name: build_report(folder) for name, folder in folders.items()}
    both = build_report(list(folders.values()), folders["study"].parent / "both.html")
    return built | {"both": both}


@pytest.fixture
def reader(
    pages: dict[str, Path], visit: Callable[..., Any], request: pytest.FixtureRequest
) -> Iterator[Any]:
    """Open the page of that name; nothing may have gone wrong on it in the end."""
    one = visit(pages[request.param])
    yield one
    assert one.wrong == []


def drawn(reader: Any) -> set[str]:
    """Name the figures that plotly has drawn."""
    return {key for key, (width, _, _) in reader.figures().items() if width > 0}


def offered(reader: Any) -> int:
    return int(reader.page.locator(".plot").count())


@pytest.mark.parametrize("reader", ["study"], indirect=True)
def test_a_figure_is_drawn_when_it_comes_near_and_nothing_moves(reader: Any) -> None:
    before = reader.page.evaluate("document.documentElement.scrollHeight")
    assert 0 <= len(drawn(reader)) < offered(reader) / 2
    last = reader.page.locator("section > figure.figure:has(.plot)").last
    last.scroll_into_view_if_needed()
    name = last.locator(".plot").get_attribute("data-figure")
    reader.page.wait_for_selector(f'[data-figure="{name}"] .main-svg', state="attached")
    reader.settle()
    assert name in drawn(reader)
    assert len(drawn(reader)) < offered(reader)
    reader.page.evaluate("exprimo.drawAll()")
    assert reader.page.evaluate("document.documentElement.scrollHeight") == before


@pytest.mark.parametrize("reader", ["study"], indirect=True)
def test_a_search_leaves_the_rows_that_hold_every_word(reader: Any) -> None:
    reader.page.evaluate("document.querySelectorAll('main details').forEach(d => d.open = true)")
    table = reader.page.locator(".card.table:has(.search)").first
    rows = table.locator("tbody tr")
    name = rows.nth(3).locator("th, td").first.inner_text().split("\n")[0]
    shown = table.locator("tbody tr:visible").count()
    table.get_by_label("Find").fill(name.upper())
    left = table.locator("tbody tr:visible")
    assert 1 <= left.count() < shown
    assert all(name.lower() in text.lower() for text in left.all_inner_texts())
    assert table.locator("output").inner_text() == f"{left.count()} of {rows.count()} rows"
    table.get_by_label("Find").fill("no such thing")
    assert left.count() == 0
    table.get_by_label("Find").fill("")
    assert left.count() == shown


@pytest.mark.parametrize("reader", ["study"], indirect=True)
def test_the_keyboard_reaches_every_control_and_shows_where_it_is(reader: Any) -> None:
    reader.page.keyboard.press("Tab")
    assert reader.page.evaluate("document.activeElement.className") == "skip"
    seen: list[str] = []
    for _ in range(60):
        reader.page.keyboard.press("Tab")
        found = reader.page.evaluate(
            """() => { const e = document.activeElement; const style = getComputedStyle(e);
              return [e.tagName, style.outlineStyle, parseFloat(style.outlineWidth),
                      (e.getAttribute('aria-label') || e.innerText || e.labels?.[0]?.innerText
                       || e.getAttribute('aria-labelledby') || '').trim()]; }"""
        )
        tag, style, width, name = found
        assert style != "none", (tag, name)
        assert width >= 2, (tag, name)
        assert name, tag
        seen.append(tag)
    assert {"A", "BUTTON", "DIV"} <= set(seen)


@pytest.mark.parametrize("reader", ["study"], indirect=True)
def test_on_paper_all_parts_are_open_and_no_table_is_cut(reader: Any) -> None:
    # The width of A4 between its margins.
    reader.page.set_viewport_size({"width": 688, "height": 1000})
    reader.page.emulate_media(media="print")
    reader.page.wait_for_selector("main:not(:has(details:not([open])))", state="attached")
    cut = reader.page.evaluate(
        """[...document.querySelectorAll('table')].filter(
             (t) => t.getBoundingClientRect().right > innerWidth + 1).map((t) => t.parentElement
             .parentElement.id)"""
    )
    assert cut == []
    assert len(reader.page.pdf()) > 50_000
    reader.page.emulate_media(media="screen")
    reader.page.wait_for_selector("main details:not([open])", state="attached")


@pytest.mark.parametrize("reader", ["both"], indirect=True)
def test_two_studies_share_a_page_without_meeting(reader: Any, pages: dict[str, Path]) -> None:
    assert pages["both"].stat().st_size < 15e6
    ids = reader.page.evaluate("[...document.querySelectorAll('[id]')].map((e) => e.id)")
    assert len(ids) == len(set(ids))
    assert reader.page.locator("h1").count() == 1
    assert reader.page.locator(".studies > li").count() == 2
    for link in reader.page.locator("nav a, .studies a[href^='#']").all():
        target = (link.get_attribute("href") or "").removeprefix("#")
        assert target in ids
    reader.draw_all()
    assert len(drawn(reader)) == offered(reader)
    # Sorting a table of one study leaves its namesake of the other alone.
    tables = reader.page.locator(".card.table[id$=table-scores]")
    assert tables.count() == 2
    other = tables.nth(1).inner_text()
    tables.nth(0).locator("th button").nth(2).click()
    assert tables.nth(0).locator("th[aria-sort]").count() == 1
    assert tables.nth(1).inner_text() == other


@pytest.mark.parametrize("reader", ["both"], indirect=True)
def test_pictures_can_be_taken_along(reader: Any) -> None:
    card = reader.page.locator("figure.figure").first
    with reader.page.expect_download() as download:
        card.locator(".as-png").click()
    content = Path(download.value.path()).read_bytes()
    assert content.startswith(b"\x89PNG")
    assert len(content) > 5000
    with reader.page.expect_download() as download:
        card.locator(".as-svg").click()
    assert b"<svg" in Path(download.value.path()).read_bytes()


def test_a_contents_entry_of_a_narrow_page_opens_by_key(
    pages: dict[str, Path], visit: Callable[..., Any]
) -> None:
    reader = visit(pages["both"], scheme="dark", width=400)
    summary = reader.page.locator("nav summary")
    assert not reader.page.locator("nav a").first.is_visible()
    summary.focus()
    reader.page.keyboard.press("Enter")
    assert reader.page.locator("nav a").first.is_visible()
    assert reader.sideways() <= 0
    assert reader.wrong == []
