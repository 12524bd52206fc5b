"""Write the signatures of docs/api.md from the code; ``--check`` only says what is out of date.

Between ``<!-- signature: NAME -->`` and ``<!-- end -->`` stands what the code says of one public
name: its signature and the first line of its docstring. All else on the page is written by hand.
A public name that the page lacks is added at its end.
"""

from __future__ import annotations

import inspect
import re
import sys
import textwrap
from pathlib import Path

import exprimo

PAGE = Path(__file__).parents[2] / "docs" / "api.md"
MARKED = re.compile(r"<!-- signature: (\w+) -->\n.*?<!-- end -->", flags=re.DOTALL)


def signature(name: str) -> str:
    """Give the block of one public name: signature, result, first line of the docstring."""
    item = getattr(exprimo, name)
    summary = (inspect.getdoc(item) or "").splitlines()[0]
    if inspect.isclass(item):
        shown, result = f"exprimo.{name}", ""
    else:
        parameters = inspect.signature(item)
        untyped = [
            one.replace(annotation=inspect.Parameter.empty, default=_default(one.default))
            for one in parameters.parameters.values()
        ]
        bare = parameters.replace(parameters=untyped, return_annotation=inspect.Signature.empty)
        shown = _wrapped(f"exprimo.{name}{bare}")
        result = f" -> {parameters.return_annotation}"
        result = result if len(result) < 60 else ""
    return (
        f"<!-- signature: {name} -->\n\n```text\n{shown}{result}\n```\n\n{_markdown(summary)}\n\n"
        "<!-- end -->"
    )


def _default(value: object) -> object:
    """Show a function given as a default by its name, not by its address."""
    if callable(value) and value is not inspect.Parameter.empty:
        return _Named(getattr(value, "__name__", "function"))
    return value


class _Named(str):
    """A text that is shown without quotes."""

    def __repr__(self) -> str:
        return str(self)


def _wrapped(line: str) -> str:
    return "\n".join(textwrap.wrap(line, 80, subsequent_indent="    ", break_long_words=False))


def _markdown(text: str) -> str:
    return text.replace("``", "`")


def updated(text: str) -> str:
    """Give the page with every signature as the code has it."""
    text = MARKED.sub(lambda match: signature(match[1]) if _is_public(match[1]) else "", text)
    present = set(MARKED.findall(text))
    for name in exprimo.__all__:
        if name not in present:
            text = f"{text.rstrip()}\n\n### {name}\n\n{signature(name)}\n"
    return text


def _is_public(name: str) -> bool:
    return name in exprimo.__all__


def main() -> None:
    """Write the page, or with ``--check`` end with 1 where it is out of date."""
    before = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
    after = updated(before)
    if "--check" in sys.argv:
        sys.exit(after != before)
    PAGE.write_text(after, encoding="utf-8")


if __name__ == "__main__":
    main()
