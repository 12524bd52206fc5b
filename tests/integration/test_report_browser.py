"""The report in a real browser, offline: every figure, no error, no request, no hostile code."""

from __future__ import annotations

import importlib.util
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from exprimo.report import build_report

pytestmark = pytest.mark.browser

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--no-first-run",
]  # fmt: skip


def load(name: str) -> Any:
    path = Path(__file__).parents[1] / "unit" / "report" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"exprimo_report_{name}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules.setdefault(spec.name, module)
    spec.loader.exec_module(module)
    return module


made_up = load("made_up")
made_up_study = load("made_up_study")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip(f"no browser found ({', '.join(BROWSERS)})")
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with sync_api.sync_playwright() as playwright:
        one = playwright.chromium.launch(executable_path=found, args=FLAGS)
        yield one
        one.close()


class Visit:
    """A page that was opened offline, with all that went wrong on it."""

    def __init__(self, browser: Any, path: Path, scheme: str = "light", width: int = 1280) -> None:
        self.wrong: list[str] = []
        self.context = browser.new_context(
            offline=True, color_scheme=scheme, viewport={"width": width, "height": 900}
        )
        self.page = self.context.new_page()
        self.page.on("console", lambda m: self.wrong.append(f"console {m.type}: {m.text}"))
        self.page.on("pageerror", lambda e: self.wrong.append(f"error: {e}"))
        self.page.route("**/*", self._request)
        self.page.goto(path.as_uri())
        self.settle()

    def settle(self) -> None:
        """Wait until every figure near the window is drawn."""
        self.page.wait_for_selector("html[data-ready=true]", state="attached")

    def draw_all(self) -> None:
        """Draw every figure, those in closed parts of the page too."""
        self.page.evaluate("document.querySelectorAll('main details').forEach(d => d.open = true)")
        self.page.evaluate("exprimo.drawAll()")

    def _request(self, route: Any) -> None:
        request = route.request
        opened = request.is_navigation_request() and request.url.startswith("file:")
        if opened or request.url.startswith(("data:", "blob:")):
            route.continue_()
            return
        self.wrong.append(f"request: {request.url}")
        route.abort()

    def figures(self) -> dict[str, tuple[float, float, int]]:
        """Measure each figure: width, height, number of marks drawn."""
        found: dict[str, tuple[float, float, int]] = self.page.evaluate(
            """() => Object.fromEntries([...document.querySelectorAll('.plot')].map((plot) => {
                const svg = plot.querySelector('svg.main-svg');
                const box = svg ? svg.getBoundingClientRect() : {width: 0, height: 0};
                const marks = plot.querySelectorAll('.trace path').length;
                return [plot.dataset.figure, [box.width, box.height, marks]];
            }))"""
        )
        return found


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
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
        # One matrix of calls for each of the world's models.
        *(f"confusion-{k}" for k, _ in enumerate(made_up.MODELS, 1)),
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
    browser: Any, reports: dict[str, Path], name: str, scheme: str, width: int
) -> None:
    visit = Visit(browser, reports[name], scheme, width)
    visit.draw_all()
    assert visit.wrong == []
    # One card, one plot and one still picture for each figure, and none twice.
    for selector, key in ((".plot", "figure"), ("figure.figure", "id")):
        names = visit.page.evaluate(
            f"[...document.querySelectorAll('{selector}')].map(e => e.dataset.{key} ?? e.id)"
        )
        assert len(names) == len(set(names)) == len(EXPECTED[name])
    figures = visit.figures()
    assert figures.keys() == EXPECTED[name]
    for key, (wide, high, marks) in figures.items():
        assert wide > 250, key
        assert high > 120, key
        # A heat map is an image.
        assert marks > 0 or key in MATRICES, key
    assert visit.page.evaluate("window.hacked") is None
    sideways = visit.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    assert sideways <= 0
    visit.context.close()


@pytest.mark.parametrize("name", ["regression", "study"])
def test_the_page_is_small_and_its_first_figure_is_drawn_soon(
    browser: Any, reports: dict[str, Path], name: str
) -> None:
    assert reports[name].stat().st_size < 15e6
    visits = [Visit(browser, reports[name]) for _ in range(2)]
    # Processor time of the page, since other tests may share the machine's two cores.
    session = visits[1].context.new_cdp_session(visits[1].page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})
    visits[1].page.reload()
    visits[1].page.evaluate("document.querySelector('figure').scrollIntoView()")
    visits[1].page.wait_for_selector(".plot .main-svg", state="attached")
    metrics = {m["name"]: m["value"] for m in session.send("Performance.getMetrics")["metrics"]}
    assert metrics["TaskDuration"] < 2.0
    for visit in visits:
        visit.context.close()


@pytest.mark.slow
@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 400)])
def test_the_page_of_a_chromatin_study_that_ran(
    browser: Any, chromatin_study: tuple[Path, str], scheme: str, width: int
) -> None:
    folder, _ = chromatin_study
    visit = Visit(browser, folder / "report.html", scheme, width)
    visit.draw_all()
    # Plotly says so where tick labels and their room chase each other; it draws all the same.
    assert [text for text in visit.wrong if "auto-margin redraws" not in text] == []
    figures = visit.figures()
    assert figures.keys() == {path.stem for path in (folder / "figures").glob("*.svg")}
    assert figures.keys() > {"steps", "rivals", "within", "splits", "marks-1", "kmers-1",
                             "attention-1", "raised-1", "raised-output"}  # fmt: skip
    for key, (wide, high, _) in figures.items():
        assert wide > 250, key
        assert high > 120, key
    # What is no heat map, which is an image, has marks drawn.
    assert all(figures[key][2] > 0 for key in ("steps", "rivals", "within", "raised-output"))
    sideways = visit.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    assert sideways <= 0
    visit.context.close()


def test_tables_sort_filter_and_download(browser: Any, reports: dict[str, Path]) -> None:
    visit = Visit(browser, reports["regression"])
    table = visit.page.locator("#table-scores")
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
    with visit.page.expect_download() as download:
        table.get_by_role("button", name="Download TSV").click()
    lines = Path(download.value.path()).read_text(encoding="utf-8").splitlines()
    assert download.value.suggested_filename == "scores.tsv"
    assert len(lines) == 9
    assert lines[0].startswith("Model\tSplit\tPearson r ↑\t")
    assert visit.wrong == []
    visit.context.close()


def test_tables_of_a_study_sort_filter_and_download(browser: Any, reports: dict[str, Path]) -> None:
    visit = Visit(browser, reports["study"])
    table = visit.page.locator("#table-motifs")
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
    with visit.page.expect_download() as download:
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
    for card in visit.page.locator(".card.table").all():
        assert card.locator("thead th button").count() == card.locator("thead th").count()
        assert card.locator(".tsv").get_attribute("hidden") is None
    assert visit.wrong == []
    visit.context.close()


def test_on_paper_every_figure_is_whole_and_says_nothing_of_the_screen(
    browser: Any, reports: dict[str, Path]
) -> None:
    visit = Visit(browser, reports["study"], "dark")
    visit.page.emulate_media(media="print", color_scheme="dark")
    stills = visit.page.locator("img.still")
    assert stills.count() == len(EXPECTED["study"])
    for still in stills.all():
        assert (still.bounding_box() or {"height": 0})["height"] > 100, still.get_attribute("alt")
    assert visit.page.locator(".plot:visible").count() == 0
    assert visit.page.locator(".live-note:visible").count() == 0
    card = visit.page.evaluate("getComputedStyle(document.querySelector('.card')).backgroundColor")
    assert card == "rgb(255, 255, 255)"
    visit.context.close()


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
