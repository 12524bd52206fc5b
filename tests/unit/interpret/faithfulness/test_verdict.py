"""The verdict on an explanation: what it says, its files, and what stands on pictures."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pandas as pd
import pytest

from exprimo.core.errors import FormatError, VersionError
from exprimo.evaluate.results import Estimate
from exprimo.interpret.faithfulness.verdict import (
    FAITHFULNESS_FILE,
    Verdict,
    judged,
    read_verdict,
    unjudged,
    write_verdict,
)

GOOD = Estimate(0.4, 0.2, 0.6, 50, 40, "gene")
BAD = Estimate(0.1, -0.2, 0.4, 50, 40, "gene")
FEW = Estimate(0.4, math.nan, math.nan, 2, 2, "gene")


def check(found: Estimate, input: str = "sequence", name: str = "deletion", **options: float):
    return judged(name, input, found, 0.0, "Area.", "deletes no better than random", **options)


def test_an_interval_must_lie_above_the_baseline_or_below_the_bound() -> None:
    assert check(GOOD).passed == "yes"
    assert check(BAD).passed == "no"
    assert check(FEW).passed == "not judged"
    assert "fewer than 10" in check(FEW).words
    assert check(GOOD, at_most=0.5).passed == "no"
    assert check(GOOD, at_most=0.7).passed == "yes"
    nothing = GOOD._replace(low=math.nan, high=math.nan)
    assert check(nothing).passed == "no"


def test_one_failure_fails_the_pictures_of_its_input() -> None:
    verdict = Verdict((check(GOOD), check(BAD, "halflife"), unjudged("tenth", "x", BAD, 0, "")))
    assert verdict.word == "fails"
    assert verdict.of("sequence") == "passes"
    assert verdict.banner("sequence") == ""
    assert verdict.banner("halflife") == "Fails its check: deletes no better than random"
    assert Verdict((check(FEW),)).banner("sequence").startswith("Not judged")
    assert Verdict(()).banner("sequence") == "Not checked for faithfulness"


def test_files_say_the_same(tmp_path: Path) -> None:
    verdict = Verdict((check(GOOD), check(FEW), check(BAD, "halflife")))
    write_verdict(tmp_path, verdict, {"examples": 50})
    assert verdict.short == {"verdict": "fails", "failures": ["deletes no better than random"]}
    table = pd.read_csv(tmp_path / "faithfulness.tsv", sep="\t")
    assert table["passed"].tolist() == ["yes", "not judged", "no"]
    assert table["value"].tolist() == [0.4, 0.4, 0.1]
    read = read_verdict(tmp_path)
    assert [c.passed for c in read.checks] == ["yes", "not judged", "no"]
    assert math.isnan(read.checks[1].low)
    assert read.banner("halflife") == verdict.banner("halflife")


def test_what_is_no_verdict_is_refused(tmp_path: Path) -> None:
    assert read_verdict(tmp_path).word == "unchecked"
    path = tmp_path / FAITHFULNESS_FILE
    path.write_text(json.dumps({"format_version": 1, "checks": [{}]}))
    with pytest.raises(FormatError, match="not a verdict"):
        read_verdict(tmp_path)
    path.write_text(json.dumps({"format_version": 99, "checks": []}))
    with pytest.raises(VersionError):
        read_verdict(tmp_path)
