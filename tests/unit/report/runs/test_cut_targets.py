"""What high and low mean, where a number was cut into two classes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from exprimo.report.runs.answer import answer
from exprimo.report.runs.confusion import calls_of
from exprimo.report.runs.material import Material
from exprimo.report.runs.reading import read_material

MEDIAN = {"rule": "median of the training part", "value": 2.5}


def cut(benchmark: Path, above: dict[str, Any] | None) -> Material:
    material = read_material(benchmark)
    trained = tuple(replace(t, metrics={**t.metrics, "above": above}) for t in material.trained)
    return replace(material, trained=trained)


@pytest.mark.parametrize(
    ("above", "said"),
    [
        (None, "predicts “differential” with"),
        (MEDIAN, "whether “differential” is high (above 2.500, the median of the training part)"),
        ({"rule": "given", "value": 1.0}, "whether “differential” is high (above 1.000) with"),
        (
            {"rule": "median of the cell type", "value": 1.0, "by_cell": {"A": 1.0}},
            "is high (above the median of the cell type) with",
        ),
    ],
)
def test_the_answer_says_what_high_means(
    classification: Path, above: dict[str, Any] | None, said: str
) -> None:
    assert said in answer(cut(classification, above)).sentences[0]


def test_classes_of_a_cut_are_low_and_high(classification: Path) -> None:
    named = ((MEDIAN, ("low (0)", "high (1)")), (None, ("negative (0)", "positive (1)")))
    for above, classes in named:
        one = next(t for t in cut(classification, above).trained if t.metrics.get("confusion"))
        calls = calls_of(one)
        assert calls is not None
        assert calls.classes == classes
