"""Pages of the site that do not lie in ``docs/``, and links that leave ``docs/``.

The sources are written for whoever reads them in the repository. Here README, CONTRIBUTING,
CHANGELOG and the examples become pages too, and each link between files of the repository becomes
one between pages. A link to a file that is no page warns, which ends a strict build.
"""

from __future__ import annotations

import logging
import os
import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parents[2]
LOG = logging.getLogger("mkdocs.hooks.pages")

# Files of the repository, and the pages that they become.
OUTSIDE = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "examples/yeast/README.md": "examples/yeast.md",
}
FOLDERS = {
    "examples/yeast": "examples/yeast.md",
    "docs/decisions": "decisions/README.md",
}
# Target and anchor of a Markdown link; an address with a scheme is no file.
LINK = re.compile(r"(?<=\]\()(?![a-z]+:)([^)#\s]+)")
FENCED = re.compile(r"^( *)```.*?^\1```[ ]*$", flags=re.MULTILINE | re.DOTALL)


def on_files(files: Files, config: Any) -> Files:
    """Add the pages that lie elsewhere."""
    for source, page in OUTSIDE.items():
        text = (ROOT / source).read_text(encoding="utf-8")
        files.append(File.generated(config, page, content=text))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Files) -> str:
    """Turn links between files of the repository into links between pages."""
    here = _source(page.file.src_uri)
    parts, at = [], 0
    for block in FENCED.finditer(markdown):  # code is left as it is
        parts += [relinked(markdown[at : block.start()], here), block.group()]
        at = block.end()
    return "".join([*parts, relinked(markdown[at:], here)])


def relinked(text: str, here: str) -> str:
    """Rewrite the links of one file of the repository, given as its path from the top."""
    return LINK.sub(lambda match: _link(match[1], here), text)


def _link(target: str, here: str) -> str:
    lies_at = posixpath.normpath(posixpath.join(posixpath.dirname(here), target))
    page = _page(lies_at)
    if page is None:
        LOG.warning("%s: the link to %s leads to nothing that is a page", here, target)
        return target
    return posixpath.relpath(page, posixpath.dirname(_page(here) or "") or os.curdir)


def _page(path: str) -> str | None:
    """Give the page of a file of the repository, or None."""
    if path.startswith("docs/") and path not in FOLDERS:
        return path.removeprefix("docs/")
    return OUTSIDE.get(path) or FOLDERS.get(path)


def _source(page: str) -> str:
    """Give the file of the repository that a page is made from."""
    return next((source for source, made in OUTSIDE.items() if made == page), f"docs/{page}")
