"""What the report concludes: the sentences, and the reasons for distrust."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pandas as pd
import pytest

from exprimo.report.runs.answer import answer
from exprimo.report.runs.distrust import doubts, leak_banner
from exprimo.report.runs.material import Material
from exprimo.report.runs.reading import read_material


def titles(material: Material, weight: str) -> list[str]:
    return [d.title for d in doubts(material) if d.weight == weight]


def test_a_beaten_baseline_is_said_with_the_paired_interval(regression: Path) -> None:
    material = read_material(regression)
    pair = material.compared("cnn", "kmer_linear", "homology")
    assert pair is not None
    first, second, third = answer(material).sentences
    assert "no test example is homologous" in first
    assert "the ceiling (agreement of replicates) is 0.960" in first
    assert second.startswith("It beats the best baseline, kmer_linear")
    assert f"{pair.value:.3f} [{pair.low:.3f},\u00a0{pair.high:.3f}]" in second
    assert third.startswith("A random split, where 11 of 108 test examples have a near-duplicate")
    assert "The best baseline is beaten" in titles(material, "checked")


def test_a_baseline_that_is_not_beaten_is_serious(classification: Path) -> None:
    material = read_material(classification)
    second = answer(material).sentences[1]
    assert second.startswith("It does not beat the best baseline, kmer_linear")
    assert "the interval includes 0" in second
    assert "kmer_linear, a baseline, is not beaten" in titles(material, "serious")


def test_a_worse_model_is_called_worse(regression: Path) -> None:
    material = read_material(regression)
    turned = tuple(
        c._replace(value=-0.2, low=-0.3, high=-0.1)
        if (c.kind, c.model_a, c.model_b) == ("model", "cnn", "kmer_linear")
        else c
        for c in material.comparisons
    )
    worse = replace(material, comparisons=turned)
    assert answer(worse).sentences[1].startswith("It is worse than the best baseline")
    assert "kmer_linear, a baseline, is not beaten" in titles(worse, "serious")


def test_without_a_pairing_nothing_is_claimed(regression: Path) -> None:
    material = replace(read_material(regression), comparisons=())
    assert "that it is better is not shown" in answer(material).sentences[1]
    assert "The best baseline was not compared in pairs" in titles(material, "serious")


def test_a_run_alone_claims_nothing_over_baselines(run: Path) -> None:
    material = read_material(run)
    assert "No baseline was run beside it" in answer(material).sentences[1]
    assert "No baseline beside it" in titles(material, "caution")
    assert "One seed only" in titles(material, "caution")


def test_a_leak_is_a_banner_a_doubt_and_in_the_first_words(classification: Path) -> None:
    material = read_material(classification)
    banner = leak_banner(material)
    assert banner is not None
    assert "weights learned from 3 genes of the test part, such as YAL0000W" in banner.lines[0]
    assert titles(material, "serious")[0] == "Test examples leaked into training"
    assert answer(material).sentences[0].startswith("Leaked, and not to be quoted")


def test_allow_leak_without_a_leak_is_stamped_too(run: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(run, tmp_path / "run")
    metrics = json.loads((copy / "metrics.json").read_text())
    (copy / "metrics.json").write_text(json.dumps(metrics | {"allow_leak": True}))
    material = read_material(copy)
    banner = leak_banner(material)
    assert banner is not None
    assert banner.title == "The leak check was allowed to fail"


def test_no_leak_no_banner(regression: Path) -> None:
    material = read_material(regression)
    assert leak_banner(material) is None
    assert "No leak in the ledger" in titles(material, "checked")


def test_torn_pairs_weigh_more_on_the_split_that_answers(regression: Path) -> None:
    material = read_material(regression)
    torn = "The random split tears 14 near-duplicate pairs"
    assert torn in titles(material, "caution")
    only_random = replace(material, splits=("random",))
    assert torn in titles(only_random, "serious")
    assert "The split is random" in titles(only_random, "caution")


def changed_run(run: Path, folder: Path, **changes: object) -> Material:
    copy = shutil.copytree(run, folder / "run")
    metrics = json.loads((copy / "metrics.json").read_text())
    test = metrics["parts"]["test"]["pearson_r"]
    for key, value in changes.items():
        if key == "coverage":
            metrics["conformal"]["coverage"].update(value)
        else:
            test[key] = value
    (copy / "metrics.json").write_text(json.dumps(metrics))
    return read_material(copy)


def test_few_units_and_few_examples_are_said(run: Path, tmp_path: Path) -> None:
    found = titles(changed_run(run, tmp_path, n=60, n_groups=7), "caution")
    assert "Few independent units" in found
    assert "Small test part" in found
    assert "Small training part" in found


def test_no_interval_is_serious(run: Path, tmp_path: Path) -> None:
    found = titles(changed_run(run, tmp_path, low=None, high=None, n_groups=2), "serious")
    assert found == ["No interval"]


def test_coverage_off_its_promise_is_said(run: Path, tmp_path: Path) -> None:
    off = {"value": 0.71, "low": 0.66, "high": 0.76}
    material = changed_run(run, tmp_path, coverage=off)
    assert "Prediction intervals miss their promise" in titles(material, "caution")


def test_training_that_ends_at_its_best_epoch_is_said(run: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(run, tmp_path / "run")
    history = pd.read_csv(copy / "history.csv")
    history.loc[history.index[-1], "val_loss"] = 0.0
    history.to_csv(copy / "history.csv", index=False)
    assert "Training may have stopped too early" in titles(read_material(copy), "caution")


def test_several_models_make_the_choice_a_doubt(made_up: ModuleType, tmp_path: Path) -> None:
    world = made_up.World(
        n=150, seeds=(0,), splits=("homology",), models=("cnn", "other", "mean"), learning=False
    )
    material = read_material(made_up.make_benchmark(tmp_path / "b", world))
    assert "The best model was chosen on the test part" in titles(material, "caution")


def test_only_baselines_is_said(made_up: ModuleType, tmp_path: Path) -> None:
    world = made_up.World(
        n=150, seeds=(0,), splits=("homology",), models=("kmer_linear", "mean"), learning=False
    )
    material = read_material(made_up.make_benchmark(tmp_path / "b", world))
    assert answer(material).sentences[1].startswith("kmer_linear is itself a baseline")


@pytest.mark.parametrize(("value", "start"), [(0.03, "would flatter"), (-0.03, "not flatter")])
def test_the_split_sentence_keeps_the_sign(regression: Path, value: float, start: str) -> None:
    material = read_material(regression)
    turned = tuple(
        c._replace(value=value, low=value - 0.01, high=value + 0.01)
        if (c.kind, c.model_a, c.split_a, c.split_b) == ("split", "cnn", "random", "homology")
        else c
        for c in material.comparisons
    )
    third = answer(replace(material, comparisons=turned)).sentences[2]
    assert start in third
    assert f"{value:.3f}".replace("-", "−") in third
