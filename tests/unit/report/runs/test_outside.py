"""Inputs of test examples that are unlike training: a check, a caution, or a serious doubt."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from exprimo.core.errors import FormatError
from exprimo.report.runs.reading import _outside
from exprimo.report.runs.validity import outside_doubts


def told(*shares: float) -> Any:
    found = [{"input": f"i{n}", "share": share, "n": 240} for n, share in enumerate(shares)]
    read = _outside({"homology": found}, "benchmark.json")  # type: ignore[arg-type]  # only named
    material: Any = SimpleNamespace(
        answer_split="homology", outside=read, facts_file="benchmark.json"
    )
    return list(outside_doubts(material))


@pytest.mark.parametrize(
    ("shares", "weight"),
    [((0.01, 0.02), "checked"), ((0.2, 0.01), "caution"), ((0.01, 0.9), "serious")],
)
def test_the_farthest_input_decides(shares: tuple[float, ...], weight: str) -> None:
    (doubt,) = told(*shares)
    assert (doubt.weight, doubt.source) == (weight, "benchmark.json")
    assert "240 test examples of the homology split" in doubt.text
    worst = max(shares)
    assert f"{worst:.0%} by i{shares.index(worst)}" in doubt.text


def test_older_files_say_nothing_and_broken_ones_are_refused() -> None:
    assert told() == []
    with pytest.raises(FormatError, match="outside"):
        _outside({"homology": [{"input": "x"}]}, "benchmark.json")  # type: ignore[arg-type]  # only named
