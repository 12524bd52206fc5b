"""Check the built pages: every link leads somewhere, and nothing is loaded from the network.

Run it on the folder that mkdocs wrote: ``python tools/docs/built.py site``.
"""

from __future__ import annotations

import re
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

# Elements that load what they name as soon as the page is open. An <a> waits for a click.
LOADING = {"script", "link", "img", "iframe", "source", "video", "audio", "embed", "object"}
ELSEWHERE = re.compile(r"(?:[a-z]+:)?//", flags=re.IGNORECASE)
# A link of these kinds names a page and loads nothing.
NAMES_ONLY = {"canonical", "prev", "next"}
IN_STYLE = re.compile(r"@import\s+[\"']?([^\"';)]+)|url\(\s*[\"']?([^\"')]+)")


class Page(HTMLParser):
    """The links, anchors and loaded addresses of one page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.anchors: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what one element links to, loads or is called."""
        given = {name: value or "" for name, value in attrs}
        self.anchors |= {given[name] for name in ("id", "name") if given.get(name)}
        self.loaded += in_style(given.get("style", ""))
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        if tag in LOADING and given.get("rel", "") not in NAMES_ONLY:
            self.loaded += [given[name] for name in ("src", "href", "data") if given.get(name)]


def in_style(text: str) -> list[str]:
    """List the addresses that a style sheet loads."""
    return [first or second for first, second in IN_STYLE.findall(text)]


def problems(site: Path) -> list[str]:
    """Name every dead link and every address of the network that a page or style sheet loads."""
    pages = {path: Page(path.read_text(encoding="utf-8")) for path in sorted(site.rglob("*.html"))}
    found = []
    for path, page in pages.items():
        shown = path.relative_to(site)
        found += [f"{shown}: loads {one}" for one in page.loaded if ELSEWHERE.match(one)]
        for link in {*page.links, *page.loaded}:
            if not dead(link, path, site, pages):
                continue
            found.append(f"{shown}: {link} leads nowhere")
    for path in sorted(site.rglob("*.css")):
        loaded = in_style(path.read_text(encoding="utf-8"))
        found += [
            f"{path.relative_to(site)}: loads {one}" for one in loaded if ELSEWHERE.match(one)
        ]
    return found


def dead(link: str, path: Path, site: Path, pages: dict[Path, Page]) -> bool:
    """Tell whether a link inside the site leads to no file, or to no anchor of its page."""
    parts = urlsplit(link)
    if parts.scheme or parts.netloc:
        return False
    start = site if parts.path.startswith("/") else path.parent
    target = (start / unquote(parts.path).lstrip("/")).resolve() if parts.path else path
    if target.is_dir():
        target /= "index.html"
    if not target.is_file():
        return True
    anchor = unquote(parts.fragment)
    return bool(anchor) and target in pages and anchor not in pages[target].anchors


if __name__ == "__main__":
    site = Path(sys.argv[1]).resolve()
    found = problems(site)
    if not any(site.rglob("*.html")):
        found = [f"{site} holds no page"]
    said = "\n".join(found) or "Every link of the pages leads somewhere"
    sys.stdout.write(f"{said}\n")
    sys.exit(bool(found))
