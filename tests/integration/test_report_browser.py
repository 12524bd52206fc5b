"""The report in a real browser, offline: every figure, no error, no request, no hostile code."""

from __future__ import annotations

import importlib.util
import shutil
import sys
import time
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


def load_made_up() -> Any:
    path = Path(__file__).parents[1] / "unit" / "report" / "made_up.py"
    spec = importlib.util.spec_from_file_location("exprimo_report_made_up", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules.setdefault(spec.name, module)
    spec.loader.exec_module(module)
    return module


made_up = load_made_up()


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
        self.page.on("request", self._request)
        started = time.perf_counter()
        self.page.goto(path.as_uri())
        self.page.wait_for_selector("html[data-ready=true]", state="attached")
        self.seconds = time.perf_counter() - started

    def _request(self, request: Any) -> None:
        opened = request.is_navigation_request() and request.url.startswith("file:")
        if not opened and not request.url.startswith(("data:", "blob:")):
            self.wrong.append(f"request: {request.url}")

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
    return {
        name: build_report(made_up.make_benchmark(folder / name, world))
        for name, world in worlds.items()
    }


EXPECTED = {
    "regression": {
        "models", "pairs", "splits", "learning", "coverage", "training-1", "observed",
    },
    "classification": {"models", "pairs", "splits", "training-1", "roc", "pr", "calibration"},
    "hostile": {"models", "pairs", "splits", "learning", "coverage", "training-1", "observed"},
}  # fmt: skip


@pytest.mark.parametrize("name", list(EXPECTED))
@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 420)])
def test_every_figure_is_drawn_and_nothing_goes_wrong(
    browser: Any, reports: dict[str, Path], name: str, scheme: str, width: int
) -> None:
    visit = Visit(browser, reports[name], scheme, width)
    assert visit.wrong == []
    figures = visit.figures()
    assert figures.keys() == EXPECTED[name]
    for key, (wide, high, marks) in figures.items():
        assert wide > 250, key
        assert high > 120, key
        assert marks > 0, key
    assert visit.page.evaluate("window.hacked") is None
    sideways = visit.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    assert sideways <= 0
    visit.context.close()


def test_the_page_is_ready_soon(browser: Any, reports: dict[str, Path]) -> None:
    visits = [Visit(browser, reports["regression"]) for _ in range(2)]
    # Processor time of the page, since other tests may share the machine's two cores.
    session = visits[1].context.new_cdp_session(visits[1].page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})
    visits[1].page.reload()
    visits[1].page.wait_for_selector("html[data-ready=true]", state="attached")
    metrics = {m["name"]: m["value"] for m in session.send("Performance.getMetrics")["metrics"]}
    assert metrics["TaskDuration"] < 3.0
    for visit in visits:
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


def test_a_reader_without_scripts_sees_the_still_pictures(
    browser: Any, reports: dict[str, Path]
) -> None:
    context = browser.new_context(offline=True, java_script_enabled=False)
    page = context.new_page()
    page.goto(reports["classification"].as_uri())
    stills = page.locator("img.still")
    assert stills.count() == 7
    assert all((stills.nth(i).bounding_box() or {"height": 0})["height"] > 100 for i in range(7))
    context.close()
