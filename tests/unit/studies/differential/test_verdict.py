"""The sentence of a study: who speaks, whom it beats, and what an interval allows to be said."""

from __future__ import annotations

from collections.abc import Callable
from math import nan
from pathlib import Path

import pandas as pd
import pytest

from exprimo.core.files.versions import RUN_FORMAT
from exprimo.core.run import write_json
from exprimo.studies.benchmarking import Benchmarked
from exprimo.studies.differential.verdict import RIVALS, verdict

Interval = tuple[float, float, float]
Make = Callable[..., Benchmarked]

BETTER, ALIKE, WORSE = (0.1, 0.05, 0.15), (0.01, -0.02, 0.04), (-0.1, -0.15, -0.05)
UNKNOWN = (0.1, nan, nan)


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Write a benchmark: model -> (validation, test, differences to k-mers, GC, expression)."""

    def benchmark(
        models: dict[str, tuple[float, float, tuple[Interval, ...]]], *, backward: bool = False
    ) -> Benchmarked:
        scores = [("kmer_linear", "baseline", 0.6), ("gc_content", "baseline", 0.55)]
        scores += [(name, "model", test) for name, (_, test, _) in models.items()]
        rows = []
        for name, (validation, _, differences) in models.items():
            run = tmp_path / "runs" / f"{name}-homology-s0"
            run.mkdir(parents=True)
            write_json(run / "provenance.json", {"format_version": RUN_FORMAT})
            facts = dict.fromkeys(("task", "target", "model", "headline", "threshold", "conformal"))
            parts = {"val": {"auroc": {"value": validation}}}
            write_json(run / "metrics.json", {**facts, "parts": parts})
            for rival, (value, low, high) in zip(RIVALS, differences, strict=False):
                pair = (name, rival, value, low, high)
                rows.append((rival, name, -value, -high, -low) if backward else pair)
        table = pd.DataFrame(scores, columns=["model", "role", "value"])
        paired = pd.DataFrame(rows, columns=["model_a", "model_b", "value", "low", "high"])
        return Benchmarked(
            tmp_path,
            tmp_path / "report.html",
            "auroc",
            table.assign(split="homology", metric="auroc"),
            paired.assign(kind="model", split_a="homology", split_b="homology", metric="auroc"),
        )

    return benchmark


def test_a_model_that_beats_every_baseline(make: Make) -> None:
    found = verdict(make({"cnn": (0.7, 0.72, (BETTER,) * 3)}), "homology", 0)
    assert found["beats"] is True
    assert found["model"] == "cnn"
    assert found["text"] == (
        "cnn tells changed from unchanged genes with AUROC 0.720 under the homology split and "
        "beats k-mer counts, GC content and mean expression: each paired interval lies above 0."
    )
    assert found["rows"][0] == {
        "model": "cnn",
        "baseline": "kmer_linear",
        "difference": 0.1,
        "low": 0.05,
        "high": 0.15,
    }


def test_one_interval_that_includes_0_is_enough_not_to_beat(make: Make) -> None:
    found = verdict(make({"cnn": (0.7, 0.72, (ALIKE, BETTER, BETTER))}), "homology", 0)
    assert found["beats"] is False
    assert found["text"] == (
        "cnn reaches AUROC 0.720 under the homology split and does not clearly beat k-mer counts: "
        "the paired interval includes 0."
    )


def test_a_baseline_that_is_better_is_said_to_be(make: Make) -> None:
    found = verdict(make({"cnn": (0.7, 0.5, (WORSE, ALIKE, WORSE))}), "homology", 0)
    assert (
        "is beaten by k-mer counts and mean expression: the paired interval lies below 0"
        in (found["text"])
    )
    assert "it does not clearly beat GC content: the paired interval includes 0." in found["text"]


def test_too_few_genes_for_an_interval_are_no_victory(make: Make) -> None:
    found = verdict(make({"cnn": (0.7, 0.9, (UNKNOWN,) * 3)}), "homology", 0)
    assert found["beats"] is False
    assert "is not shown to beat k-mer counts, GC content or mean expression" in found["text"]
    assert "includes 0" not in found["text"]


def test_validation_chooses_who_speaks_not_the_test_part(make: Make) -> None:
    models = {"cnn": (0.8, 0.6, (ALIKE,) * 3), "transformer": (0.7, 0.9, (BETTER,) * 3)}
    found = verdict(make(models), "homology", 0)
    assert (found["model"], found["beats"]) == ("cnn", False)
    assert found["text"].startswith("cnn, the best of 2 on validation, reaches AUROC 0.600")
    assert found["text"].endswith("transformer would, but was not the choice of validation.")


def test_that_no_other_model_does_either_is_said(make: Make) -> None:
    models = {"cnn": (0.8, 0.6, (ALIKE,) * 3), "transformer": (0.7, 0.9, (BETTER, ALIKE, BETTER))}
    found = verdict(make(models), "homology", 0)
    assert found["text"].endswith("No other model beats them all either.")


def test_a_pair_that_is_stored_the_other_way_round_is_turned(make: Make) -> None:
    found = verdict(make({"cnn": (0.7, 0.72, (BETTER,) * 3)}, backward=True), "homology", 0)
    assert found["beats"] is True
    assert [(row["low"], row["high"]) for row in found["rows"]] == [(0.05, 0.15)] * 3


def test_only_the_baselines_that_ran_are_named(make: Make) -> None:
    found = verdict(make({"cnn": (0.7, 0.72, (BETTER, BETTER))}), "homology", 0)
    assert "and beats k-mer counts and GC content: each" in found["text"]


def test_a_validation_part_of_one_class_chooses_nobody(make: Make) -> None:
    models = {"cnn": (nan, 0.9, (BETTER,) * 3), "transformer": (0.4, 0.6, (ALIKE,) * 3)}
    assert verdict(make(models), "homology", 0)["model"] == "transformer"
