"""A Run's own page shows the explanation that was written into the Run."""

from __future__ import annotations

import html
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from exprimo.evaluate.results import Estimate
from exprimo.interpret import About, Interpretation, importance_profile, write_interpretation
from exprimo.interpret.faithfulness.verdict import Verdict, judged, write_verdict
from exprimo.report import build_report
from exprimo.report.interpret.section import interpretation_section

N = 40


def explained(run: Path, target: Path, *, deletion: float | None, part: str = "test") -> Path:
    """Copy a Run, and write an explanation into it whose deletion has this area."""
    shutil.copytree(run, target)
    values = np.random.default_rng(0).normal(size=(N, 60))
    features = pd.DataFrame(
        {"input": "halflife", "feature": ["<utr>", "gc"], "mean": [0.1, 0.4],
         "signed_mean": [0.0, 0.3], "along": [-0.5, 0.9], "n": N}
    )  # fmt: skip
    found = Interpretation(
        About("regression", "y", "target SD", N, part=part, method="DeepLIFT"),
        profile=importance_profile(values, 30),
        bins={"features.tsv": features},
    )
    folder = write_interpretation(target / "interpretation", found)
    if deletion is not None:
        area = Estimate(deletion, deletion - 0.1, deletion + 0.1, N, N, "gene")
        check = judged("deletion", "sequence", area, 0.0, "Area.", "deletes no better")
        write_verdict(folder, Verdict((check,)), {})
    return target


def test_only_a_run_with_an_explanation_has_the_section(run: Path, tmp_path: Path) -> None:
    assert interpretation_section(run) is None
    whole = explained(run, tmp_path / "RUN", deletion=0.5)
    # A study shows its own elsewhere on its page.
    study = tmp_path / "study"
    shutil.copytree(whole / "interpretation", study / "interpretation")
    assert interpretation_section(study) is None
    section = interpretation_section(whole)
    assert section is not None
    assert [chart.key for chart in section.charts] == ["importance"]
    assert section.values["sentences"][0].startswith("DeepLIFT of the predicted value, 40 test")
    assert section.values["sentences"][-1] == "It passes 1 check."
    table = section.values["features"]
    assert [row[0].text for row in table.rows] == ["gc", "<utr>"]


@pytest.mark.parametrize(
    ("deletion", "said"),
    [(-0.5, "Fails its check: deletes no better"), (None, "Not checked for faithfulness")],
)
def test_what_is_not_shown_to_be_faithful_says_so(
    run: Path, tmp_path: Path, deletion: float | None, said: str
) -> None:
    section = interpretation_section(explained(run, tmp_path / "RUN", deletion=deletion))
    assert section is not None
    assert f"{said}." in section.values["sentences"]
    assert section.charts[0].banner == said


@pytest.mark.slow
def test_the_page_holds_it(run: Path, tmp_path: Path) -> None:
    whole = explained(run, tmp_path / "RUN", deletion=0.5, part="train")
    page = html.unescape(build_report(whole).read_text(encoding="utf-8"))
    body = page.split('<section id="interpretation"')[1].split("</section>")[0]
    assert "What the model looks at" in body
    assert "interpretation/importance.tsv" in body
    assert "learned from" in body
    assert 'id="figure-importance"' in body
    assert 'href="#interpretation"' in page
    assert (whole / "figures" / "importance.png").is_file()
