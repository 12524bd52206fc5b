"""An explanation that stands alone has a page of its own."""

from __future__ import annotations

import html
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from exprimo.core.errors import InputError
from exprimo.evaluate.results import Estimate
from exprimo.interpret import About, Interpretation, importance_profile, write_interpretation
from exprimo.interpret.faithfulness.verdict import Verdict, judged, write_verdict
from exprimo.interpret.files import fill_interpretation
from exprimo.report import build_report
from exprimo.report.interpret.reading import is_explanation
from exprimo.report.interpret.view import explanation_page, explanation_reproduction
from exprimo.report.page import make_page

N, PEAK = 40, 12


def an_explanation(
    folder: Path, *, deletion: float | None = 0.5, learned: int | None = 0, part: str = "test"
) -> Path:
    """Write an explanation whose importance is greatest at position −18."""
    values = np.full((N, 60), 0.1)
    values[:, PEAK] = 4.0
    numbers = {"mean": [0.1, -0.4], "se": 0.01, "n": N}
    bins = pd.DataFrame(
        {"label": "liver", "row": ["H3K4me3", "H3K27me3"], "bin": [0, 1], "offset": [-100, 0]}
        | numbers
    )
    kmers = pd.DataFrame(
        {"kmer": ["AAA", "TAT"], "weight": [-0.1, 0.3], "mean_count": 2.0, "mean": 0.1,
         "signed_mean": 0.0}
    )  # fmt: skip
    about = About("regression", "y", "target SD", N, part=part, method="DeepLIFT")
    found = Interpretation(
        about,
        profile=importance_profile(values, 30),
        bins={"mark_bins.tsv": bins, "kmers.tsv": kmers},
    )
    more = {
        "method_name": "deeplift", "settings": {"max_delta": 0.1, "seed": 3}, "n_of": 90,
        "inputs": ["sequence"], "model": "cnn-<s0>", "dataset": "D.h5", "n_learned": learned,
        "convergence": {"share": 0.02, "missed": 0.01, "moved": 0.5},
    }  # fmt: skip
    folder.mkdir()
    fill_interpretation(folder, found, more=more)
    if deletion is not None:
        area = Estimate(deletion, deletion - 0.1, deletion + 0.1, N, N, "gene")
        check = judged("deletion", "sequence", area, 0.0, "Area.", "deletes no better")
        write_verdict(folder, Verdict((check,)), {})
    return folder


def test_the_page_says_what_was_found_and_whether_to_believe_it(tmp_path: Path) -> None:
    page = explanation_page(an_explanation(tmp_path / "E"))
    said = page.values["answer"]
    assert page.values["question"] == (
        "Which parts of sequence move the predicted value of cnn-<s0>?"
    )
    assert said.sentences == (
        "DeepLIFT of the predicted value by sequence, 40 of 90 test examples, per target SD.",
        # All 60 positions lie within 100 bases of the strongest.
        "Most important is position −18 relative to the TSS; 100% of all importance lies within "
        "100 bases of it.",
        "Contributions miss the change of the output by 2% (median).",
        "It passes 1 check.",
    )
    assert said.tiles[0].value == "−18"
    assert {doubt.weight for doubt in page.values["doubts"]} == {"checked"}
    assert [row[0].text for row in page.values["checks"].rows] == ["deletion"]
    bins, kmers = page.values["contributions"]
    assert [row[0].text for row in bins.rows] == ["H3K27me3", "H3K4me3"]
    assert [row[0].text for row in kmers.rows] == ["TAT", "AAA"]
    assert page.summary.verdicts == (("checked", "passes its checks of faithfulness"),)


@pytest.mark.parametrize(
    ("deletion", "title"),
    [(-0.5, "Fails its check of faithfulness"), (None, "Not checked for faithfulness")],
)
def test_what_is_not_faithful_is_doubted_first(
    tmp_path: Path, deletion: float | None, title: str
) -> None:
    page = explanation_page(an_explanation(tmp_path / "E", deletion=deletion))
    first = page.values["doubts"][0]
    assert (first.weight, first.title) == ("serious", title)
    assert page.charts[0].banner


@pytest.mark.parametrize(
    ("part", "learned", "words"),
    [
        ("all", 12, "12 of 40 were learned from: what is found holds for these."),
        ("train", N, "All of them were learned from: what is found holds for these."),
        ("all", None, "Which of them were learned from is not known."),
    ],
)
def test_examples_that_were_learned_from_are_counted(
    tmp_path: Path, part: str, learned: int | None, words: str
) -> None:
    page = explanation_page(an_explanation(tmp_path / "E", part=part, learned=learned))
    assert words in page.values["answer"].sentences
    assert any(words in doubt.text for doubt in page.values["doubts"])
    if learned:
        assert words.split(":")[0] in page.charts[0].caption


def test_it_tells_how_it_was_made(tmp_path: Path) -> None:
    made = explanation_reproduction(an_explanation(tmp_path / "E"))
    assert made.recorded
    assert {"Model": "cnn-<s0>", "Seed": "3"}.items() <= dict(made.facts).items()


def test_a_run_that_holds_an_explanation_is_no_explanation(run: Path, tmp_path: Path) -> None:
    own = an_explanation(tmp_path / "E")
    assert is_explanation(own)
    assert not is_explanation(run)
    assert make_page(own).template == "explanation.html.j2"
    (own / "study.json").write_text("{}")
    assert not is_explanation(own)


def test_a_part_of_a_study_is_refused(tmp_path: Path) -> None:
    (tmp_path / "interpretation.json").write_text(json.dumps({"format_version": 1, "row": "x"}))
    with pytest.raises(InputError, match="give the study's folder"):
        make_page(tmp_path)


def test_an_interpretation_without_contributions_has_a_page(tmp_path: Path) -> None:
    about = About("classification", "up", "logit", N)
    values = np.random.default_rng(0).normal(size=(N, 60))
    folder = write_interpretation(
        tmp_path / "E", Interpretation(about, importance_profile(values, 0))
    )
    assert "the logit" in explanation_page(folder).values["question"]


@pytest.mark.slow
def test_the_files_alone_and_joined(run: Path, tmp_path: Path) -> None:
    own = an_explanation(tmp_path / "E", learned=4)
    path = build_report(own)
    assert path == own / "report.html"
    assert (own / "figures" / "importance.png").is_file()
    text = path.read_text(encoding="utf-8")
    assert "cnn-<s0>" not in text
    page = html.unescape(text)
    for key in ("answer", "distrust", "interpretation", "faithfulness", "provenance"):
        assert f'<section id="{key}"' in page
        assert f'href="#{key}"' in page
    assert "4 of 40 were learned from" in page
    joint = build_report([run, own], tmp_path / "both.html").read_text(encoding="utf-8")
    assert 'id="e-figure-importance"' in joint
    assert 'href="E/report.html"' in joint
