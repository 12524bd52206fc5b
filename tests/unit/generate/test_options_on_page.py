"""The page of generators tells every option of every family, with its default."""

from __future__ import annotations

import re
from pathlib import Path

from exprimo.generate.registry import all_families

PAGE = Path(__file__).parents[3] / "docs" / "generators.md"


def test_every_option_stands_in_the_table_with_its_default() -> None:
    text = PAGE.read_text(encoding="utf-8").split("| option | default by family |")[1]
    lines = text.split("\n\n")[0].splitlines()[2:]
    told: dict[tuple[str, str], str] = {}
    for line in lines:
        _, option, defaults, _, _ = (cell.strip() for cell in line.split("|"))
        for family, default in re.findall(r"`([\w-]+)` ([^`]+?)(?:, (?=`)|$)", defaults):
            told[family, option.strip("`")] = default
    real = {
        (family.name, option): value
        for family in all_families()
        for option, value in family.options().model_dump().items()
    }
    assert set(told) == set(real)
    for key, value in real.items():
        whole = isinstance(value, float) and value == int(value)
        shown = int(value) if whole else value
        words = ", ".join(map(str, shown)) if isinstance(shown, tuple) else str(shown)
        assert told[key] == words, key
