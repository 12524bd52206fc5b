"""The report in a real browser, offline: every figure, no error, no request, no hostile code."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from exprimo.report import build_report

pytestmark = pytest.mark.browser

Visits = Callable[..., Any]


@pytest.fixture(scope="module")
def reports(
    tmp_path_factory: pytest.TempPathFactory, made_up: ModuleType, made_up_study: ModuleType
) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("browser")
    worlds = {
        "regression": made_up.World(n=1500, seeds=(0,), splits=("random", "homology")),
        "classification": made_up.World(
            task="classification", seeds=(0,), splits=("random", "homology"), learning=False
        ),
        "hostile": made_up.World(
            n=300, seeds=(0,), splits=("random", "homology"), models=("cnn", "mean"),
            gene=made_up.HOSTILE + "{}", target=made_up.HOSTILE, question=made_up.HOSTILE,
            config_note=made_up.HOSTILE, leak=True,
        ),
    }  # fmt: skip
    built = {
        name: build_report(made_up.make_benchmark(folder / name, world))
        for name, world in worlds.items()
    }
    study = made_up_study.make_study(
        folder / "study", made_up_study.StudyWorld(truth=True), made_up
    )
    return built | {"study": build_report(study)}


OF_REGRESSION = {"models", "pairs", "splits", "learning", "coverage", "training-1", "observed"}
EXPECTED = {
    "regression": OF_REGRESSION,
    "classification": {
        "models", "pairs", "splits", "training-1", "accuracy-1", "roc", "pr", "calibration",
        # One matrix of calls for each of the world's four models.
        *(f"confusion-{k}" for k in range(1, 5)),
    },
    "hostile": OF_REGRESSION,
}  # fmt: skip
# The verdict's figure stands for that of the pairs.
EXPECTED["study"] = (EXPECTED["classification"] - {"pairs"}) | {
    "verdict", "volcano", "ma", "dispersion", "pca", "sample_distances", "covariates",
    "imbalance", "imbalance-paired", "motifs", "balance",
}  # fmt: skip


MATRICES = {"sample_distances", *(f"confusion-{k}" for k in range(1, 5))}


@pytest.mark.parametrize("name", list(EXPECTED))
@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 420)])
def test_every_figure_is_drawn_and_nothing_goes_wrong(
    visit: Visits, reports: dict[str, Path], name: str, scheme: str, width: int
) -> None:
    seen = visit(reports[name], scheme=scheme, width=width)
    seen.draw_all()
    assert seen.wrong == []
    # One card, one plot and one still picture for each figure, and none twice.
    for selector, key in ((".plot", "figure"), ("figure.figure", "id")):
        names = seen.page.evaluate(
            f"[...document.querySelectorAll('{selector}')].map(e => e.dataset.{key} ?? e.id)"
        )
        assert len(names) == len(set(names)) == len(EXPECTED[name])
    figures = seen.figures()
    assert figures.keys() == EXPECTED[name]
    for key, (wide, high, marks) in figures.items():
        assert wide > 250, key
        assert high > 120, key
        # A heat map is an image.
        assert marks > 0 or key in MATRICES, key
    assert seen.page.evaluate("window.hacked") is None
    assert seen.sideways() <= 0


@pytest.mark.parametrize("name", ["regression", "study"])
def test_the_page_is_small_and_its_first_figure_is_drawn_soon(
    visit: Visits, reports: dict[str, Path], name: str
) -> None:
    assert reports[name].stat().st_size < 3e6
    visit(reports[name])  # what only the first page of a browser costs
    seen = visit(reports[name])
    # Processor time of the page, since other tests may share the machine's two cores.
    session = seen.context.new_cdp_session(seen.page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})
    seen.page.reload()
    seen.page.evaluate("document.querySelector('figure').scrollIntoView()")
    seen.page.wait_for_selector(".plot .main-svg", state="attached")
    metrics = {m["name"]: m["value"] for m in session.send("Performance.getMetrics")["metrics"]}
    assert metrics["TaskDuration"] < 1.5


@pytest.mark.slow
@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 400)])
def test_the_page_of_a_chromatin_study_that_ran(
    visit: Visits, chromatin_study: tuple[Path, str], scheme: str, width: int
) -> None:
    folder, _ = chromatin_study
    seen = visit(folder / "report.html", scheme=scheme, width=width)
    seen.draw_all()
    # Plotly says so where tick labels and their room chase each other; it draws all the same.
    assert [text for text in seen.wrong if "auto-margin redraws" not in text] == []
    figures = seen.figures()
    assert figures.keys() == {path.stem for path in (folder / "figures").glob("*.svg")}
    assert figures.keys() > {"steps", "rivals", "within", "splits", "marks-1", "kmers-1",
                             "attention-1", "raised-1", "raised-output"}  # fmt: skip
    for key, (wide, high, _) in figures.items():
        assert wide > 250, key
        assert high > 120, key
    # What is no heat map, which is an image, has marks drawn.
    assert all(figures[key][2] > 0 for key in ("steps", "rivals", "within", "raised-output"))
    assert seen.sideways() <= 0


def test_tables_sort_filter_and_download(visit: Visits, reports: dict[str, Path]) -> None:
    seen = visit(reports["regression"])
    table = seen.page.locator("#table-scores")
    rows = table.locator("tbody tr:visible")
    assert rows.count() == 4
    table.get_by_role("button", name="all", exact=True).click()
    assert rows.count() == 8
    heading = table.get_by_role("button", name="Pearson r")
    heading.click()
    first = table.locator("tbody tr:visible td.num").first.inner_text()
    heading.click()
    last = table.locator("tbody tr:visible td.num").first.inner_text()
    assert first.startswith(("0.000", "−"))
    assert last.startswith("0.9")
    with seen.page.expect_download() as download:
        table.get_by_role("button", name="Download TSV").click()
    lines = Path(download.value.path()).read_text(encoding="utf-8").splitlines()
    assert download.value.suggested_filename == "scores.tsv"
    assert len(lines) == 9
    assert lines[0].startswith("Model\tSplit\tPearson r ↑\t")
    assert seen.wrong == []


def test_tables_of_a_study_sort_filter_and_download(
    visit: Visits, reports: dict[str, Path]
) -> None:
    seen = visit(reports["study"])
    table = seen.page.locator("#table-motifs")
    rows = table.locator("tbody tr:visible")
    sets = table.locator("tbody tr:visible td:nth-child(2)")
    assert set(sets.all_inner_texts()) == {"changed"}
    table.get_by_role("button", name="down", exact=True).click()
    assert set(sets.all_inner_texts()) == {"down"}
    table.get_by_role("button", name="all", exact=True).click()
    assert set(sets.all_inner_texts()) == {"changed", "up", "down"}
    heading = table.get_by_role("button", name="Adjusted p")
    heading.click()
    order = [float(t) for t in table.locator("tbody tr td:last-child").evaluate_all(
        "cells => cells.map(cell => cell.dataset.order)"
    )]  # fmt: skip
    assert order == sorted(order)
    assert len(set(order)) > 5
    heading.click()
    assert rows.first.locator("td").last.inner_text() == "1.00"
    with seen.page.expect_download() as download:
        table.get_by_role("button", name="Download TSV").click()
    lines = Path(download.value.path()).read_text(encoding="utf-8").splitlines()
    assert download.value.suggested_filename == "motifs.tsv"
    fields = [line.split("\t") for line in lines]
    assert fields[0][0] == "Motif"
    assert fields[0][-1] == "Adjusted p"
    assert {len(row) for row in fields} == {len(fields[0])}
    # What a reader sees as 3.0·10⁻⁸ a program reads as a number.
    assert min(float(row[-1]) for row in fields[1:]) == pytest.approx(min(order), rel=0.1)
    assert min(order) < 1e-6
    # The other tables can be sorted and taken along as well, those in closed parts too.
    for card in seen.page.locator(".card.table").all():
        assert card.locator("thead th button").count() == card.locator("thead th").count()
        assert card.locator(".tsv").get_attribute("hidden") is None
    assert seen.wrong == []


def test_on_paper_every_figure_is_whole_and_says_nothing_of_the_screen(
    visit: Visits, reports: dict[str, Path]
) -> None:
    seen = visit(reports["study"], scheme="dark")
    seen.page.emulate_media(media="print", color_scheme="dark")
    stills = seen.page.locator("img.still")
    assert stills.count() == len(EXPECTED["study"])
    for still in stills.all():
        assert (still.bounding_box() or {"height": 0})["height"] > 100, still.get_attribute("alt")
    assert seen.page.locator(".plot:visible").count() == 0
    assert seen.page.locator(".live-note:visible").count() == 0
    card = seen.page.evaluate("getComputedStyle(document.querySelector('.card')).backgroundColor")
    assert card == "rgb(255, 255, 255)"


def test_a_reader_without_scripts_sees_the_still_pictures(
    browser: Any, reports: dict[str, Path]
) -> None:
    context = browser.new_context(offline=True, java_script_enabled=False)
    page = context.new_page()
    page.goto(reports["classification"].as_uri())
    stills = page.locator("img.still")
    assert stills.count() == len(EXPECTED["classification"])
    for still in stills.all():
        assert (still.bounding_box() or {"height": 0})["height"] > 100, still.get_attribute("alt")
    context.close()
