"""Whether the network uses what its gradients show stands among the doubts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from exprimo.report.chromatin.distrust import study_doubts
from exprimo.report.chromatin.reading import read_chromatin_study


@pytest.mark.parametrize(
    ("told", "weight", "words"),
    [
        ({"verdict": "passes", "failures": []}, "checked", "randomised weights"),
        ({"verdict": "fails", "failures": ["deletes no better"]}, "serious", "deletes no better"),
        ({"verdict": "not judged", "failures": []}, "caution", "Too few"),
        (None, "caution", "not checked"),
    ],
)
def test_gradients_are_believed_only_if_checked(
    chromatin_folder: Path, told: Any, weight: str, words: str
) -> None:
    study = read_chromatin_study(chromatin_folder)
    assert study.explanation is not None
    summary = {k: v for k, v in study.explanation.summary.items() if k != "faithfulness"}
    summary |= {} if told is None else {"faithfulness": told}
    study = replace(study, explanation=replace(study.explanation, summary=summary))
    (found,) = [doubt for doubt in study_doubts(study) if "gradients show" in doubt.title]
    assert found.weight == weight
    assert words in found.text
