"""The section of genes in a real browser, offline: choosing, values, logo, links, room."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from exprimo.core.run import Run
from exprimo.interpret.attributions.store import Attributions
from exprimo.report.document.html import render_body, render_file
from exprimo.report.genes.section import gene_section
from exprimo.report.page import make_page

pytestmark = pytest.mark.browser

Visits = Callable[..., Any]


@pytest.fixture(scope="module")
def folders(
    tmp_path_factory: pytest.TempPathFactory, made_up: ModuleType, made_up_genes: ModuleType
) -> dict[str, Path]:
    room = tmp_path_factory.mktemp("genes")
    return {
        "plain": made_up_genes.make_genes(room / "plain", made_up, seeds=(0, 1)),
        "cells": made_up_genes.make_genes(room / "cells", made_up, cells=2),
        "hostile": made_up_genes.make_genes(
            room / "hostile", made_up, hostile=made_up.HOSTILE, gene="G{:03d}" + made_up.HOSTILE
        ),
    }


@pytest.fixture(scope="module")
def pages(folders: dict[str, Path]) -> dict[str, Path]:
    """Pages without their other figures, which take long to draw; and two in one file."""
    made = {}
    for name, folder in folders.items():
        section = gene_section(folder)
        assert section is not None
        page = make_page(folder)
        made[name] = folder / "report.html"
        made[name].write_text(render_file([render_body(page, {}, [section])]), encoding="utf-8")
    joint = []
    for name in ("plain", "cells"):
        section = gene_section(folders[name], 2)
        assert section is not None
        page = make_page(folders[name])
        joint.append(render_body(page, {}, [section], prefix=f"{name}-", name=name))
    made["joint"] = folders["plain"] / "joint.html"
    made["joint"].write_text(render_file(joint, "two"), encoding="utf-8")
    return made


@pytest.fixture
def visit_gene(visit: Visits) -> Visits:
    """Open a page at its first section of genes."""

    def opened(path: Path, where: str = "", **window: Any) -> Any:
        one = visit(path, where, **window)
        one.show_gene()
        return one

    return opened


def number(text: str) -> float:
    """Read a number as the page writes it."""
    raised = re.sub(
        "·10([⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)",
        lambda m: "e" + m[1].translate(str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")),
        text,
    )
    return float(raised.replace("−", "-"))


def test_a_gene_is_chosen_by_keyboard_and_has_its_own_numbers(
    visit_gene: Visits,
    pages: dict[str, Path],
    folders: dict[str, Path],
    made_up: ModuleType,
    made_up_genes: ModuleType,
) -> None:
    visit = visit_gene(pages["plain"])
    with Attributions.open(folders["plain"] / "explained") as found:
        gene = str(found.example_id[3])
        values = found.values()[3]
    box = visit.page.get_by_role("combobox", name="Gene")
    box.focus()
    visit.page.keyboard.type(f"name{int(gene[1:])}")
    options = visit.page.get_by_role("option")
    assert options.first.inner_text() == f"name{int(gene[1:])} {gene}"
    assert box.get_attribute("aria-expanded") == "true"
    visit.page.keyboard.press("ArrowDown")
    assert options.first.get_attribute("aria-selected") == "true"
    assert box.get_attribute("aria-activedescendant") == options.first.get_attribute("id")
    visit.page.keyboard.press("Enter")
    visit.page.wait_for_selector(f'.gene[data-gene="{gene}"]')
    assert box.get_attribute("aria-expanded") == "false"
    assert visit.page.evaluate("location.hash") == f"#gene={gene}"

    rows = visit.page.locator(".gene-part", has_text="What each model predicts").locator("tbody tr")
    runs = folders["plain"] / "runs"
    seen = {}
    for row in rows.all():
        name, shown, half, spread = row.locator("th, td").all_inner_texts()
        model = name.removesuffix(" (baseline)")
        told = [
            Run.open(path).predictions().set_index("example_id")["prediction"][gene]
            for path in sorted(runs.glob(f"{model}-homology-s*"))
        ]
        assert number(shown) == pytest.approx(np.mean(told), rel=1e-3)
        seen[model] = (half, spread)
    assert seen.keys() == set(made_up.MODELS)
    assert seen["cnn"][1] != "–"
    target = Run.open(runs / "cnn-homology-s0").predictions().set_index("example_id")["target"]
    facts = visit.page.locator(".gene .facts").inner_text()
    assert number(facts.split()[-1]) == pytest.approx(target[gene], rel=1e-3)

    # The strongest bases are told in words, too.
    at = int(np.abs(values).argmax())
    hint = visit.page.locator(".with-logo .hint").first.inner_text()
    assert f"at −{made_up_genes.TSS - at}" in hint
    assert "Not checked for faithfulness" in visit.page.locator(".with-logo").inner_text()
    assert visit.wrong == []


def expect(locator: Any) -> Any:
    """Wait for a locator without code that the page's own policy would refuse."""
    return pytest.importorskip("playwright.sync_api").expect(locator)


def test_the_logo_zooms_and_moves_and_tells_its_bases(
    visit_gene: Visits, pages: dict[str, Path], folders: dict[str, Path]
) -> None:
    with Attributions.open(folders["plain"] / "explained") as found:
        gene, codes = str(found.example_id[0]), found.codes()[0]
    visit = visit_gene(pages["plain"], f"#gene={gene}")
    stage = visit.page.locator(".logo-stage")
    readout = visit.page.locator(".logo-readout")
    letters = visit.page.locator(".logo-svg .letters path")
    # It opens on the strongest bases, legible.
    assert letters.count() > 8
    visit.page.get_by_role("button", name="Show the whole window").click()
    expect(readout).to_have_text("200 of 200 bases")
    assert visit.page.get_by_role("img", name=re.compile("In view: −150 to \\+49")).count() == 1
    stage.focus()
    for _ in range(3):
        visit.page.keyboard.press("+")
    # Three steps of 0.7 of 200 bases.
    expect(readout).to_have_text("69 of 200 bases")
    visit.page.keyboard.press("Home")
    visit.page.wait_for_selector("[aria-label*='In view: −150 to']")
    box = stage.bounding_box()
    assert box is not None
    visit.page.mouse.move(box["x"] + 50, box["y"] + 60)
    expect(readout).to_have_text(re.compile(f"^−150 {'ACGT'[codes[0]]}: "))
    before = letters.count()
    visit.page.mouse.wheel(0, -240)
    expect(letters).not_to_have_count(before)
    assert letters.count() < before
    assert visit.wrong == []


@pytest.mark.parametrize("name", ["plain", "cells", "hostile", "joint"])
@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 400)])
def test_nothing_goes_wrong_or_sideways(
    visit_gene: Visits, pages: dict[str, Path], name: str, scheme: str, width: int
) -> None:
    visit = visit_gene(pages[name], scheme=scheme, width=width)
    drawn = visit.page.locator(".gene[data-ready=true]").first
    widths = drawn.locator(".gene-svg").evaluate_all("all => all.map(e => e.clientWidth)")
    assert len(widths) >= 4
    assert all(240 <= one <= width for one in widths)
    assert visit.sideways() <= 0
    assert visit.page.evaluate("window.hacked") is None
    assert visit.wrong == []


def test_a_cell_type_is_chosen(visit_gene: Visits, pages: dict[str, Path]) -> None:
    visit = visit_gene(pages["cells"])
    box = visit.page.get_by_label("Cell type")
    first = visit.page.locator(".gene-page").inner_text()
    assert box.locator("option").all_inner_texts() == ["cell0", "cell1"]
    box.select_option("cell1" if box.evaluate("e => e.selectedIndex") == 0 else "cell0")
    assert visit.page.locator(".gene-page").inner_text() != first


def test_addresses_choose_a_gene_in_the_study_that_they_name(
    visit_gene: Visits, pages: dict[str, Path]
) -> None:
    visit = visit_gene(pages["joint"], "#cells-gene=G004")
    visit.page.wait_for_selector("#cells-gene .gene[data-gene=G004]")
    visit.page.evaluate("location.hash = '#plain-gene=G005'")
    visit.page.wait_for_selector("#plain-gene .gene[data-gene=G005]")
    assert visit.page.locator("#cells-gene .gene").get_attribute("data-gene") == "G004"
    visit.page.evaluate("location.hash = '#plain-gene=%3Cnobody'")
    expect(visit.page.locator("#plain-gene .gene-status")).to_contain_text("<nobody")
    assert visit.wrong == []
