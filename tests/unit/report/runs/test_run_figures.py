"""Each figure about Runs shows the numbers of its files."""

from __future__ import annotations

import json
import re
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest

from exprimo.report.charts.chart import Chart, Series
from exprimo.report.runs.reading import read_material
from exprimo.report.runs.view import run_charts


@pytest.fixture(scope="module")
def of_numbers(regression: Path) -> dict[str, Chart]:
    return {chart.key: chart for chart in run_charts(read_material(regression))}


@pytest.fixture(scope="module")
def of_classes(classification: Path) -> dict[str, Chart]:
    return {chart.key: chart for chart in run_charts(read_material(classification))}


def rows_of(chart: Chart, series: Series) -> dict[str, tuple[float, float, float]]:
    """Give value and interval by the name of the row that each point lies nearest to."""
    assert series.low is not None
    assert series.high is not None
    near = [min(chart.y.ticks, key=lambda tick: abs(tick[0] - y))[1] for y in series.y]
    values = zip(series.x, series.low, series.high, strict=True)
    return dict(zip(near, values, strict=True))


def judged(folder: Path, model: str) -> tuple[np.ndarray, np.ndarray]:
    """Read observed and predicted of the test part, of the first seed on the homology split."""
    run = folder / "runs" / f"{model}-homology-s0"
    split = pd.read_parquet(run / "split.parquet")
    test = split.loc[split["part"] == "test", "example_id"]
    table = pd.read_parquet(run / "predictions.parquet").set_index("example_id").loc[test]
    return table["target"].to_numpy(), table["prediction"].to_numpy()


def test_models_stand_at_their_scores_with_intervals(
    regression: Path, of_numbers: dict[str, Chart]
) -> None:
    chart = of_numbers["models"]
    table = pd.read_csv(regression / "table.tsv", sep="\t")
    table = table[table["metric"] == "pearson_r"].set_index(["split", "model"])
    assert {s.name for s in chart.series} == {
        "homology split", "chromosome split", "random split",
    }  # fmt: skip
    for series in chart.series:
        split = series.name.removesuffix(" split")
        for name, shown in rows_of(chart, series).items():
            row = table.loc[(split, name.removesuffix(" (baseline)"))]
            assert shown == pytest.approx((row["value"], row["low"], row["high"]))
        assert series.x.size == 4
    assert [(rule.along, rule.label[:7]) for rule in chart.rules] == [("x", "ceiling")]


def test_splits_are_compared_as_the_looser_minus_the_stricter(
    regression: Path, of_numbers: dict[str, Chart]
) -> None:
    chart = of_numbers["splits"]
    table = pd.read_csv(regression / "paired.tsv", sep="\t")
    table = table[table["kind"] == "split"].set_index(["model_a", "split_a", "split_b"])
    shown = {}
    for series in chart.series:
        shown |= rows_of(chart, series)
    assert len(shown) == len(table)
    # The file has random − homology already, and chromosome − homology.
    row = table.loc[("cnn", "random", "homology")]
    assert shown["cnn: random − homology"] == pytest.approx((row["value"], row["low"], row["high"]))
    assert row["low"] > 0
    flattering = next(s for s in chart.series if s.name == "looser split flatters")
    assert "cnn: random − homology" in rows_of(chart, flattering)


def test_the_learning_curve_has_the_means_over_seeds(
    regression: Path, of_numbers: dict[str, Chart]
) -> None:
    table = pd.read_csv(regression / "learning_curve.tsv", sep="\t")
    table = table[(table["metric"] == "pearson_r") & (table["split"] == "homology")]
    curves = [s for s in of_numbers["learning"].series if s.in_legend]
    assert {s.name for s in curves} == set(table["model"])
    for curve in curves:
        mean = table[table["model"] == curve.name].groupby("n_train")["value"].mean()
        assert curve.x.tolist() == mean.index.tolist()
        assert curve.y == pytest.approx(mean.to_numpy())


def test_coverage_is_that_of_the_runs(regression: Path, of_numbers: dict[str, Chart]) -> None:
    chart = of_numbers["coverage"]
    shown = rows_of(chart, chart.series[0])
    assert list(shown) == ["cnn, seed 0", "cnn, seed 1"]
    for seed in (0, 1):
        path = regression / "runs" / f"cnn-homology-s{seed}" / "metrics.json"
        cover = json.loads(path.read_text())["conformal"]["coverage"]
        expected = (cover["value"], cover["low"], cover["high"])
        assert shown[f"cnn, seed {seed}"] == pytest.approx(expected)
    assert [rule.at for rule in chart.rules] == [0.9]


def test_the_losses_are_those_of_the_history(
    regression: Path, of_numbers: dict[str, Chart]
) -> None:
    chart = of_numbers["training-1"]
    for name, column in (("training", "train_loss"), ("validation", "val_loss")):
        lines = [s for s in chart.series if s.name == name]
        assert len(lines) == 2
        for seed, line in enumerate(lines):
            path = regression / "runs" / f"cnn-homology-s{seed}" / "history.csv"
            assert line.y == pytest.approx(pd.read_csv(path)[column].to_numpy())
    assert "best validation Pearson r were kept" in chart.caption


def test_training_loss_in_evaluation_mode_is_a_line_where_it_was_measured(
    made_up: ModuleType, tmp_path: Path
) -> None:
    run = made_up.single_run(tmp_path / "run", made_up.World())
    table = pd.read_csv(run / "history.csv").assign(train_loss_evaluated=np.nan)
    first, second = table.assign(member=0), table.assign(member=1)
    second["train_loss_evaluated"] = second["train_loss"] - 0.1
    for members, n_lines in (([first, first.assign(member=1)], 0), ([first, second], 1)):
        pd.concat(members).to_csv(run / "history.csv", index=False)
        (chart,) = (c for c in run_charts(read_material(run)) if c.key == "training-1")
        lines = [series for series in chart.series if series.name == "training, evaluated"]
        assert len(lines) == n_lines
        assert ("learned by heart" in chart.caption) == bool(n_lines)
        assert len([series for series in chart.series if series.name == "validation"]) == 2
    assert lines[0].y == pytest.approx(second["train_loss_evaluated"].to_numpy())
    # The member that has it is not the first, and the legend names it all the same.
    assert lines[0].in_legend


def test_accuracies_that_were_not_measured_are_no_figure(
    made_up: ModuleType, tmp_path: Path
) -> None:
    run = made_up.single_run(tmp_path / "run", made_up.World())
    # A regression has the columns all the same.
    assert pd.read_csv(run / "history.csv")["val_accuracy"].isna().all()
    keys = [chart.key for chart in run_charts(read_material(run))]
    assert "training-1" in keys
    assert "accuracy-1" not in keys


def test_the_area_under_each_roc_curve_is_its_auroc(
    classification: Path, of_classes: dict[str, Chart]
) -> None:
    chart = of_classes["roc"]
    assert chart.series[0].name == "cnn"
    assert {s.name: s.dash for s in chart.series}["kmer_linear"] == "dash"
    for series in chart.series:
        path = classification / "runs" / f"{series.name}-homology-s0" / "metrics.json"
        value = json.loads(path.read_text())["parts"]["test"]["auroc"]["value"]
        assert np.trapezoid(series.y, series.x) == pytest.approx(value, abs=1e-9)


def test_precision_and_recall_are_those_of_the_calls(
    classification: Path, of_classes: dict[str, Chart]
) -> None:
    chart = of_classes["pr"]
    observed, predicted = judged(classification, "cnn")
    called = predicted >= np.quantile(predicted, 0.7)
    precision = (called & (observed == 1)).sum() / called.sum()
    recall = (called & (observed == 1)).sum() / observed.sum()
    curve = next(s for s in chart.series if s.name == "cnn")
    assert np.min(np.hypot(curve.x - recall, curve.y - precision)) < 1e-9
    # Chance is the share of positives in the test part, nowhere else.
    assert [rule.at for rule in chart.rules] == pytest.approx([observed.mean()])


def test_bins_of_calibration_hold_all_test_examples(
    classification: Path, of_classes: dict[str, Chart]
) -> None:
    series = next(s for s in of_classes["calibration"].series if s.name == "cnn")
    observed, predicted = judged(classification, "cnn")
    n = np.array([int(re.sub(r"\D", "", text)) for text in series.hover])
    assert n.sum() == observed.size
    assert (n * series.x).sum() / n.sum() == pytest.approx(predicted.mean())
    assert (n * series.y).sum() / n.sum() == pytest.approx(observed.mean())
    assert series.low is not None
    assert series.high is not None
    assert (series.low <= series.y + 1e-12).all()
    assert (series.high >= series.y - 1e-12).all()
    assert (series.high - series.low > 0.05).all()


def test_observed_stands_against_predicted(run: Path) -> None:
    chart = {c.key: c for c in run_charts(read_material(run))}["observed"]
    split = pd.read_parquet(run / "split.parquet")
    test = split.loc[split["part"] == "test", "example_id"]
    table = pd.read_parquet(run / "predictions.parquet").set_index("example_id").loc[test]
    points = chart.series[0]
    assert points.x.size == len(table)
    for name, x, y in list(zip(points.hover, points.x, points.y, strict=True))[::17]:
        assert (x, y) == pytest.approx((table.loc[name, "prediction"], table.loc[name, "target"]))
    assert chart.x.label == "Predicted log2 expression (log2(TPM + 1))"


def test_each_matrix_of_calls_is_that_of_its_model(
    classification: Path, of_classes: dict[str, Chart]
) -> None:
    for key in (f"confusion-{k}" for k in range(1, 5)):
        chart = of_classes[key]
        assert chart.matrix is not None
        model = chart.title.removeprefix("Calls of ")
        path = classification / "runs" / f"{model}-homology-s0" / "metrics.json"
        found = json.loads(path.read_text())["confusion"]["test"]
        shown = [[int(cell.split(" · ")[0].replace(",", "")) for cell in row]
                 for row in chart.matrix.cells]  # fmt: skip
        assert shown == [[found["tn"], found["fp"]], [found["fn"], found["tp"]]]
        assert chart.matrix.values.sum(axis=1) == pytest.approx(1)
