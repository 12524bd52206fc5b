"""The documentation as pages: every page is in the navigation, every link and anchor is there."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"


def _tool(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(
        f"docs_{name}", ROOT / "tools" / "docs" / f"{name}.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


built = _tool("built")


def _outside() -> dict[str, str]:
    """Read which files of the repository become pages, without importing mkdocs."""
    text = (ROOT / "tools" / "docs" / "pages.py").read_text(encoding="utf-8")
    listed = text.split("OUTSIDE = {")[1].split("}")[0]
    return dict(re.findall(r'"([^"]+)": "([^"]+)"', listed))


def _navigation() -> list[str]:
    text = (ROOT / "mkdocs.yml").read_text(encoding="utf-8").split("\nnav:\n")[1]
    return re.findall(r"([\w/.-]+\.md)$", text, flags=re.MULTILINE)


def test_every_page_is_in_the_navigation_once() -> None:
    pages = {str(path.relative_to(DOCS)) for path in DOCS.rglob("*.md")} | {*_outside().values()}
    assert sorted(_navigation()) == sorted(pages)


def test_files_that_become_pages_are_there() -> None:
    assert [name for name in _outside() if not (ROOT / name).is_file()] == []


def _anchors(page: Path) -> set[str]:
    """Give the anchors of a page's headings as the site makes them: lower case, dashes."""
    text = re.sub(r"^\s*```.*?^\s*```", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
    found = set()
    for heading in re.findall(r"^#+ (.*)$", text, flags=re.MULTILINE):
        bare = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "").replace("*", "")
        kept = re.sub(r"[^\w\- ]", "", bare.strip().lower())
        found.add(kept.replace(" ", "-"))
    return found


SOURCES = [*sorted(DOCS.rglob("*.md")), *(ROOT / name for name in _outside())]


@pytest.mark.parametrize("page", SOURCES, ids=lambda page: str(page.relative_to(ROOT)))
def test_anchors_lead_to_headings(page: Path) -> None:
    text = re.sub(r"^\s*```.*?^\s*```", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
    dead = []
    for target, anchor in re.findall(r"\]\((?![a-z]+:)([^)#\s]*)#([^)\s]+)\)", text):
        lies_at = (page.parent / target).resolve() if target else page
        if lies_at.suffix == ".md" and anchor not in _anchors(lies_at):
            dead.append(f"{target}#{anchor}")
    assert dead == []


def test_a_dead_link_and_a_loaded_address_would_be_seen(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text(
        '<h1 id="top">x</h1><a href="#top">a</a><a href="#gone">b</a><a href="other.html">c</a>'
        '<a href="https://example.org">d</a><script src="https://cdn.example.org/x.js"></script>'
    )
    (tmp_path / "page.css").write_text("@import '//fonts.example.org/a.css'; a { color: red }")
    found = built.problems(tmp_path)
    assert sorted(found) == [
        "index.html: #gone leads nowhere",
        "index.html: loads https://cdn.example.org/x.js",
        "index.html: other.html leads nowhere",
        "page.css: loads //fonts.example.org/a.css",
    ]


@pytest.mark.slow
def test_the_site_builds_and_loads_nothing_from_the_network(tmp_path: Path) -> None:
    if importlib.util.find_spec("mkdocs") is None or importlib.util.find_spec("material") is None:
        pytest.skip("the extra `docs` is not installed")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "-d", tmp_path / "site"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": str(Path(sys.executable).parent), "NO_MKDOCS_2_WARNING": "1"},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert built.problems(tmp_path / "site") == []
    assert len(list((tmp_path / "site").rglob("*.html"))) > len(_navigation())
