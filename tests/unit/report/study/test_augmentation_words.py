"""What the page says of generated promoters follows from both comparisons and from the check."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from exprimo.report.study.augmentation import generator_table, sentences
from exprimo.report.study.imbalance import (
    difference_table,
    imbalance_charts,
    note,
    score_table,
    verdict_sentence,
)
from exprimo.report.study.reading import Imbalance, _imbalance

WAYS = ("none", "oversample", "dinucleotide_shuffle", "gan")
NONE, CONTROL = (0.0, -0.02, 0.02), (0.0, -0.02, 0.02)
BETTER, WORSE = (0.05, 0.01, 0.09), (-0.05, -0.09, -0.01)


def _row(way: str, difference: tuple[float, float, float], **more: Any) -> dict[str, Any]:
    value, low, high = difference
    told = {"p": 0.5, "seeds": 3, "seed_sd": 0.012, "gate": "passed", **more}
    named = {"strategy": way, "model": "cnn", "metric": "auprc"}
    return {**named, "difference": value, "low": low, "high": high, **told}


def _read(
    folder: Path,
    *,
    gan: tuple[float, float, float] = NONE,
    shuffled: tuple[float, float, float] = NONE,
    against: tuple[float, float, float] | None = CONTROL,
    gate: str = "passed",
    why: str = "",
) -> Imbalance:
    """Write the tables of a comparison as a study does, and read them."""
    scores = [
        {"strategy": way, "model": "cnn", "split": "homology", "metric": "auprc", "value": 0.3,
         "low": 0.25, "high": 0.35, "n": 400, "n_groups": 180, "unit": "homology group",
         "seeds": 3, "gate": "" if way in ("none", "oversample") else gate}
        for way in WAYS
    ]  # fmt: skip
    pd.DataFrame(scores).to_csv(folder / "table.tsv", sep="\t", index=False)
    paired = [
        _row("oversample", NONE, gate=""),
        _row("dinucleotide_shuffle", shuffled),
        _row("gan", gan, gate=gate),
    ]
    pd.DataFrame(paired).to_csv(folder / "paired.tsv", sep="\t", index=False)
    if against is not None:
        control = pd.DataFrame([_row("gan", against, gate=gate)])
        control.to_csv(folder / "against_shuffles.tsv", sep="\t", index=False)
    facts = {"learned": 560, "steps": 900, "passes": 1, "fit_seconds": 60.0, "drawn": 2300,
             "gate": gate, "why": why, "position_4mers": 0.021, "position_4mers_real": 0.001,
             "position_4mers_shuffled": 0.034, "motif_rate": 0.4, "motif_rate_real": 0.1,
             "motif_rate_shuffled": 1.2}  # fmt: skip
    rows = [
        {"generator": "dinucleotide_shuffle", **facts, "steps": ""},
        {"generator": "gan", **facts},
    ]
    pd.DataFrame(rows).to_csv(folder / "generators.tsv", sep="\t", index=False)
    return _imbalance(folder, "imbalance/")


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ({}, "Generated promoters did not help: promoters made by a GAN for cnn: 0.000"),
        ({"gan": WORSE}, "Generated promoters did harm: promoters made by a GAN for cnn: −0.050"),
        ({"gan": BETTER, "against": BETTER}, "helped, and more than shuffled ones"),
        ({"gan": BETTER}, "helped, but are not shown to help more than shuffled ones"),
        ({"gan": BETTER, "against": WORSE}, "not shown to help more than shuffled ones"),
        ({"gan": BETTER, "against": None}, "No shuffled ones were there to compare with"),
    ],
)
def test_help_is_judged_against_none_and_against_the_control(
    tmp_path: Path, found: dict[str, Any], said: str
) -> None:
    text = " ".join(sentences(_read(tmp_path, **found)))
    assert said in text
    assert "AUPRC against none" in text
    assert ("AUPRC against shuffled ones" in text) is (found.get("against", CONTROL) is not None)
    assert "a mean size of 1.20" not in text
    assert "0.400 of promoters made by a GAN" in text


def test_a_failed_check_is_said_wherever_the_set_is_shown(tmp_path: Path) -> None:
    read = _read(tmp_path, gate="failed", why="30% are copies")
    assert (
        "collapse failed promoters made by a GAN: 30% are copies. exprimo train refuses"
        in " ".join(sentences(read))
    )
    table = generator_table(read)
    assert table is not None
    check = [column.label for column in table.columns].index("Check")
    assert [row[check].text for row in table.rows] == ["failed", "failed"]
    assert table.rows[1][check + 1].detail == "real 0.001, shuffled 0.034"
    for one in (score_table(read), difference_table(read)):
        assert one is not None
        details = {row[0].text: row[0].detail for row in one.rows}
        assert details["promoters made by a GAN"] == "check: failed"
        assert details["oversampling"] == ""


def test_seeds_are_told(tmp_path: Path) -> None:
    read = _read(tmp_path)
    assert "means over 3 seeds, which differ by a standard deviation of up to 0.012" in note(
        read, 0.17
    )
    table = difference_table(read)
    assert table is not None
    assert [column.label for column in table.columns][-2:] == ["Seeds", "Verdict (AUPRC)"]
    assert (table.rows[0][-2].text, table.rows[0][-2].detail) == ("3", "SD 0.012")


def test_the_control_is_no_treatment_that_helps(tmp_path: Path) -> None:
    read = _read(tmp_path, shuffled=BETTER)
    assert "none raises AUPRC" in verdict_sentence(read)
    keys = [chart.key for chart in imbalance_charts(read, 0.17)]
    assert keys == ["imbalance", "imbalance-paired", "imbalance-control"]


def test_a_generator_that_learned_no_more_than_shuffles_is_named(tmp_path: Path) -> None:
    read = _read(tmp_path)
    assert not any("4-mers at each position" in one for one in sentences(read))
    generators = read.generators.assign(position_4mers=0.04, steps=26)
    generators.to_csv(tmp_path / "generators.tsv", sep="\t", index=False)
    read = _imbalance(tmp_path, "imbalance/")
    [told] = [one for one in sentences(read) if "4-mers at each position" in one]
    # The control itself is a shuffle, and is not named.
    assert "a GAN (26 updates) are no nearer" in told
    assert "shuffled promoters (control)" not in told
    table = generator_table(read)
    assert table is not None
    labels = [column.label for column in table.columns]
    fitted, passes = labels.index("Fitted in"), labels.index("Passes")
    assert [row[fitted].text for row in table.rows] == ["1.0", "1.0"]
    assert [row[passes].text for row in table.rows] == ["1", "1"]


def test_why_nothing_could_be_generated_is_said(tmp_path: Path) -> None:
    read = _read(tmp_path, against=None)
    generators = read.generators.assign(gate="not fitted", why="41 distinct sequences", learned="")
    generators.to_csv(tmp_path / "generators.tsv", sep="\t", index=False)
    for name in ("table", "paired"):
        table = pd.read_csv(tmp_path / f"{name}.tsv", sep="\t")
        kept = table[~table["strategy"].isin(["gan", "dinucleotide_shuffle"])]
        kept.to_csv(tmp_path / f"{name}.tsv", sep="\t", index=False)
    read = _imbalance(tmp_path, "imbalance/")
    assert sentences(read)[0] == "No promoters could be generated: 41 distinct sequences."


def test_a_study_from_before_there_were_generators_is_read(tmp_path: Path) -> None:
    _read(tmp_path)
    for name in ("against_shuffles.tsv", "generators.tsv"):
        (tmp_path / name).unlink()
    for name in ("table", "paired"):
        table = pd.read_csv(tmp_path / f"{name}.tsv", sep="\t")
        table = table[table["strategy"].isin(["none", "oversample"])]
        table = table.drop(columns=["seeds", "gate", "seed_sd"], errors="ignore")
        table.to_csv(tmp_path / f"{name}.tsv", sep="\t", index=False)
    read = _imbalance(tmp_path, "imbalance/")
    assert sentences(read) == []
    assert generator_table(read) is None
    assert "seeds" not in note(read, None)
    table = difference_table(read)
    assert table is not None
    assert [column.label for column in table.columns][-1] == "Verdict (AUPRC)"
    assert len(imbalance_charts(read, None)) == 2
