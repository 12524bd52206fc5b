"""A real browser that is offline, pages opened in it, and made-up worlds to make pages of."""

from __future__ import annotations

import importlib.util
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--no-first-run",
]  # fmt: skip
# A processor that many share may take a minute for what else takes a second.
PATIENCE_MS = 120_000


def _load(name: str) -> ModuleType:
    # Tests are not a package, so a module of the report's unit tests is loaded by its path.
    full = f"exprimo_report_{name}"
    if full not in sys.modules:
        path = Path(__file__).parents[2] / "unit" / "report" / f"{name}.py"
        spec = importlib.util.spec_from_file_location(full, path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[full] = module
        spec.loader.exec_module(module)
    return sys.modules[full]


@pytest.fixture(scope="session")
def made_up() -> ModuleType:
    """Runs and benchmarks of models that are made up."""
    return _load("made_up")


@pytest.fixture(scope="session")
def made_up_study() -> ModuleType:
    """Studies of differential promoters that are made up."""
    return _load("made_up_study")


@pytest.fixture(scope="session")
def made_up_genes() -> ModuleType:
    """Folders that know of genes: sequences, contributions, profiles, variants."""
    return _load("made_up_genes")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Chromium, or a skip. Not for the session: its event loop would stand in others' way."""
    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip(f"no browser found ({', '.join(BROWSERS)})")
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with sync_api.sync_playwright() as playwright:
        one = playwright.chromium.launch(executable_path=found, args=FLAGS, timeout=PATIENCE_MS)
        yield one
        one.close()


class Visit:
    """A page that was opened offline, with all that went wrong on it."""

    def __init__(
        self, browser: Any, path: Path, where: str = "", scheme: str = "light", width: int = 1280
    ) -> None:
        self.wrong: list[str] = []
        self.context = browser.new_context(
            offline=True, color_scheme=scheme, viewport={"width": width, "height": 900}
        )
        self.page = self.context.new_page()
        self.page.set_default_timeout(PATIENCE_MS)
        self.page.on("console", lambda m: self.wrong.append(f"console {m.type}: {m.text}"))
        self.page.on("pageerror", lambda e: self.wrong.append(f"error: {e}"))
        self.page.route("**/*", self._request)
        self.page.goto(path.as_uri() + where)
        self.settle()

    def settle(self) -> None:
        """Wait until every figure near the window is drawn."""
        self.page.wait_for_selector("html[data-ready=true]", state="attached")

    def show_gene(self) -> None:
        """Go to the first section of genes, and wait until its gene is drawn."""
        self.page.evaluate("document.querySelector('.gene').scrollIntoView()")
        self.page.wait_for_selector(".gene[data-ready=true]")

    def draw_all(self) -> None:
        """Draw every figure, those in closed parts of the page too."""
        self.page.evaluate("document.querySelectorAll('main details').forEach(d => d.open = true)")
        self.page.evaluate("exprimo.drawAll()")

    def sideways(self) -> int:
        """Give by how many pixels the page is wider than its window."""
        found: int = self.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        return found

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

    def _request(self, route: Any) -> None:
        request = route.request
        opened = request.is_navigation_request() and request.url.startswith("file:")
        if opened or request.url.startswith(("data:", "blob:")):
            route.continue_()
            return
        self.wrong.append(f"request: {request.url}")
        route.abort()


@pytest.fixture
def visit(browser: Any) -> Iterator[Callable[..., Visit]]:
    """Open a page offline: its file, and where in it, the scheme and the width of the window."""
    visits: list[Visit] = []

    def opened(path: Path, where: str = "", scheme: str = "light", width: int = 1280) -> Visit:
        visits.append(Visit(browser, path, where, scheme, width))
        return visits[-1]

    yield opened
    for one in visits:
        one.context.close()
