"""From files to predictions and a report, by the commands that a user types."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

import exprimo
from exprimo.core.dataset import Dataset, write_dataset
from exprimo.core.errors import ConfigError, LeakError
from exprimo.core.files.atomic import partial_path
from exprimo.core.run import PREDICTION_COLUMNS, Run
from exprimo.core.split import Split
from exprimo.simulate import SimulatedWorld
from exprimo.studies.benchmarking import run as benchmarking
from exprimo.studies.sequence import SequenceStudy
from exprimo.training import TrainConfig, train_run

pytestmark = pytest.mark.slow

SPLITS = ("random", "chromosome", "homology")
BASELINES = ("mean", "gc_content", "kmer_linear")


def options(tiny: dict[str, int], prefix: str = "options.cnn") -> list[str]:
    """Give the options that make the network tiny."""
    return [word for k, v in tiny.items() for word in ("--set", f"{prefix}.{k}={v}")]


def line_of(promoters: Path, tiny: dict[str, int], out: Path) -> list[object]:
    """Give the command line of the benchmark that the fixture made through the library."""
    return [
        "benchmark", promoters, "--models", "cnn", "--splits", ",".join(SPLITS), "--seeds", 2,
        "--fractions", "0.5", "--epochs", 2, "--threads", 1, "--device", "cpu",
        "--set", "fit.batch_size=32", "--set", "machine.precision=fp32", *options(tiny),
        "-o", out,
    ]  # fmt: skip


def test_the_tables_have_a_row_for_everything_that_was_compared(benchmarked: Path) -> None:
    scores = pd.read_csv(benchmarked / "table.tsv", sep="\t")
    expected = {(model, split) for model in (*BASELINES, "cnn") for split in SPLITS}
    headline = scores[scores["metric"] == "pearson_r"]
    assert set(zip(headline["model"], headline["split"], strict=True)) == expected
    assert len(headline) == len(expected)
    assert dict(zip(headline["model"], headline["n_seeds"], strict=True)) == {
        **dict.fromkeys(BASELINES, 1), "cnn": 2,
    }  # fmt: skip
    assert (scores["n"] > 10).all()
    paired = pd.read_csv(benchmarked / "paired.tsv", sep="\t")
    kinds = paired["kind"].value_counts().to_dict()
    assert kinds == {"model": 6 * len(SPLITS), "split": 3 * 4}
    same = paired["kind"] == "model"
    assert (paired["split_a"] == paired["split_b"])[same].all()
    assert (paired["model_a"] == paired["model_b"])[~same].all()
    curve = pd.read_csv(benchmarked / "learning_curve.tsv", sep="\t")
    assert curve.groupby("fraction")["seed"].apply(list).to_dict() == {0.5: [0, 1], 1.0: [0, 1]}
    n_train = curve.groupby("fraction")["n_train"].first()
    assert n_train[0.5] == pytest.approx(n_train[1.0] / 2, abs=1)


def test_the_listed_runs_are_there_and_baselines_ran_once(benchmarked: Path) -> None:
    facts = json.loads((benchmarked / "benchmark.json").read_text())
    listed = {run["folder"] for run in facts["runs"]}
    assert listed == {f"runs/{path.name}" for path in (benchmarked / "runs").iterdir()}
    per_split = len(BASELINES) + 2
    assert len(listed) == per_split * len(SPLITS) + 2
    for split, place in facts["split_files"].items():
        stored = benchmarked / f"{place}.parquet"
        used = benchmarked / "runs" / f"mean-{split}-s0" / "split.parquet"
        assert pq.read_table(stored).equals(pq.read_table(used))
        assert (benchmarked / f"{place}.overlaps.tsv").exists()


def test_homology_tears_nothing_apart_and_random_does(benchmarked: Path) -> None:
    overlaps = json.loads((benchmarked / "benchmark.json").read_text())["overlaps"]
    assert set(overlaps) == set(SPLITS)
    assert overlaps["homology"]["torn"] == 0
    assert overlaps["random"]["torn"] > 0
    named = pd.read_csv(benchmarked / "splits" / "random.overlaps.tsv", sep="\t")
    near = named[named["relation"] == "near_duplicate_sequence"]
    assert len(near) == overlaps["random"]["torn"]


def test_the_report_names_every_model_and_split(benchmarked: Path) -> None:
    page = (benchmarked / "report.html").read_text(encoding="utf-8")
    for name in (*BASELINES, "cnn", *SPLITS, "expression"):
        assert name in page
    assert "missing" not in page.partition("<main")[2].partition("<script")[0].lower()
    assert (benchmarked / "figures" / "models.png").stat().st_size > 5000


@pytest.mark.slow
def test_an_interrupted_benchmark_keeps_what_is_finished(
    command: Any,
    promoters: Path,
    benchmarked: Path,
    tiny_cnn: dict[str, int],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    out = tmp_path / "B"
    line = line_of(promoters, tiny_cnn, out)
    whole, calls = benchmarking.train_run, []

    def third_is_interrupted(*arguments: Any, **named: Any) -> Run:
        calls.append(arguments)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return whole(*arguments, **named)

    monkeypatch.setattr(benchmarking, "train_run", third_is_interrupted)
    stopped = command(*line)
    assert stopped.code == 130
    assert stopped.err.startswith("exprimo: interrupted; ")
    assert stopped.err.count("\n") == 1
    assert not out.exists()
    finished = list((partial_path(out) / "runs").iterdir())
    assert len(finished) == 2
    refused = command(*line)
    assert "--resume" in refused.message
    changed = command(*line, "--resume", "--ensemble", 2)
    assert "other settings" in changed.message
    before = {run.name: (run / "metrics.json").stat().st_mtime_ns for run in finished}
    done = command(*line, "--resume", "--json")
    assert (done.code, done.err) == (0, "")
    after = {name: (out / "runs" / name / "metrics.json").stat().st_mtime_ns for name in before}
    assert after == before
    for name in ("table.tsv", "paired.tsv", "learning_curve.tsv"):
        assert (out / name).read_bytes() == (benchmarked / name).read_bytes(), name
    assert json.loads(done.out)["headline"] == "pearson_r"
    assert command(*line, "--resume").code == 0
    assert "other settings" in command(*line, "--resume", "--ensemble", 2).message


@pytest.mark.slow
def test_a_benchmark_is_replayed_from_its_config(
    command: Any, benchmarked: Path, tmp_path: Path
) -> None:
    replayed = tmp_path / "again"
    # Without the curve and with one seed, to be quick: what is left must still be equal.
    done = command(
        "run", benchmarked / "config.toml", "-o", replayed, "--set", 'splits=["chromosome"]',
        "--set", "fractions=[]",
    )  # fmt: skip
    assert (done.code, done.err) == (0, "")
    tables = []
    for folder in (replayed, benchmarked):
        table = pd.read_csv(folder / "table.tsv", sep="\t")
        tables.append(table[table["split"] == "chromosome"].reset_index(drop=True))
    pd.testing.assert_frame_equal(*tables)


@pytest.mark.slow
def test_a_study_from_its_template_to_its_report(
    command: Any, world: SimulatedWorld, tiny_cnn: dict[str, int], tmp_path: Path
) -> None:
    study = tmp_path / "study.toml"
    assert command("init", "sequence", "-o", study).code == 0
    template = study.read_text()
    SequenceStudy.checked(tomllib.loads(template))
    assert "[promoters]" in template
    filled = template.partition("[table]")[0] + (
        f'[promoters]\nfasta = "{world.genome}"\ngenes = "{world.genes}"\n'
        f'targets = "{world.expression}"\ntarget = "expression"\nupstream = 150\ndownstream = 50\n'
        '[interpretation]\nmethods = ["gradient_x_input"]\nexamples = 20\nrandomised = 10\n'
        f'motifs = "{world.truth}/motifs.meme"\nfind_motifs = false\ninserted = 1\n'
        "backgrounds = 10\n"
    )
    study.write_text(filled)
    settings = [
        "--set", 'benchmark.models=["cnn"]', "--set", "benchmark.machine.threads=1",
        "--set", 'benchmark.splits=["chromosome"]', "--set", "benchmark.fit.epochs=1",
        "--set", f"truth={world.truth}", *options(tiny_cnn, "benchmark.options.cnn"),
    ]  # fmt: skip
    done = command("run", study, *settings, "--json")
    assert (done.code, done.err) == (0, "")
    results = tmp_path / "results"
    assert json.loads(done.out)["report"] == str(results / "report.html")
    assert {path.name for path in results.iterdir()} == {
        "dataset.h5", "benchmark", "interpretation", "report.html", "report_figures",
    }  # fmt: skip
    methods = pd.read_csv(results / "interpretation" / "methods.tsv", sep="\t").set_index("method")
    assert methods.loc["gradient_x_input", "n"] == 20
    assert 0 < methods.loc["gradient_x_input", "auroc"] <= 1
    effect = pd.read_csv(results / "interpretation" / "insertion" / "effect.tsv", sep="\t")
    assert effect["motif"].nunique() == 1
    page = (results / "report.html").read_text(encoding="utf-8")
    assert "What the network looks at" in page
    assert "No motifs were looked for: not asked for" in page
    before = (results / "dataset.h5").stat().st_mtime_ns
    assert command("run", study, *settings).message.endswith("remove it first.")
    assert command("run", study, *settings, "--resume").code == 0
    assert (results / "dataset.h5").stat().st_mtime_ns == before


def test_a_template_as_it_is_names_the_file_to_fill_in(command: Any, tmp_path: Path) -> None:
    study = tmp_path / "study.toml"
    command("init", "sequence", "-o", study)
    assert "sequences.tsv.gz" in command("run", study).message
    assert [path.name for path in tmp_path.iterdir()] == ["study.toml"]
    with pytest.raises(ConfigError, match="sequence"):
        exprimo.init("genome", tmp_path / "other.toml")


def test_a_run_is_replayed_from_its_config(command: Any, trained: Path, tmp_path: Path) -> None:
    done = command("run", trained / "config.toml", "-o", tmp_path / "again", "--json")
    assert (done.code, done.err) == (0, "")
    again = Run.open(tmp_path / "again")
    pd.testing.assert_frame_equal(again.predictions(), Run.open(trained).predictions())
    assert json.loads(done.out)["parts"] == Run.open(trained).metrics["parts"]
    assert "say where" in command("run", trained / "config.toml").message
    assert (tmp_path / "again" / "report.html").exists()


@pytest.mark.parametrize("suffix", [".parquet", ".tsv", ".jsonl"])
def test_predictions_have_exactly_the_columns_of_the_format(
    command: Any, trained: Path, promoters: Path, tmp_path: Path, suffix: str
) -> None:
    out = tmp_path / f"P{suffix}"
    done = command("predict", trained, promoters, "-o", out, "--threads", 1, "--json")
    assert (done.code, done.err) == (0, "")
    table = {
        ".parquet": pd.read_parquet,
        ".tsv": lambda path: pd.read_csv(path, sep="\t"),
        ".jsonl": lambda path: pd.read_json(path, lines=True),
    }[suffix](out)
    assert tuple(table.columns) == PREDICTION_COLUMNS
    assert json.loads(done.out) == {"path": str(out), "n_examples": len(table)}
    known = Run.open(trained).predictions().set_index("example_id")
    shared = table.set_index("example_id").loc[known.index]
    # The Run predicted part by part, so batches differed: equal up to rounding.
    np.testing.assert_allclose(shared["prediction"], known["prediction"], rtol=2e-5, atol=1e-5)
    np.testing.assert_allclose(shared["target"], known["target"], rtol=1e-6)
    assert table["prediction_sd"].isna().all()


def test_intervals_add_two_columns(
    command: Any, trained: Path, promoters: Path, tmp_path: Path
) -> None:
    out = tmp_path / "P.parquet"
    assert command("predict", trained, promoters, "-o", out, "--intervals").code == 0
    table = pd.read_parquet(out)
    assert tuple(table.columns) == (*PREDICTION_COLUMNS, "prediction_low", "prediction_high")
    width = Run.open(trained).metrics["conformal"]["halfwidth"]
    half = (table["prediction_high"] - table["prediction_low"]) / 2
    np.testing.assert_allclose(half, width, rtol=1e-5)
    middle = (table["prediction_high"] + table["prediction_low"]) / 2
    np.testing.assert_allclose(middle, table["prediction"], rtol=1e-4, atol=1e-5)


def test_a_dataset_without_targets_is_predicted(
    command: Any, world: SimulatedWorld, trained: Path, tmp_path: Path
) -> None:
    dataset, out = tmp_path / "D.h5", tmp_path / "P.parquet"
    exprimo.dataset_promoters(
        fasta=world.genome, genes=world.genes, upstream=150, downstream=50, out=dataset
    )
    assert command("predict", trained, dataset, "-o", out, "--threads", 1).code == 0
    table = pd.read_parquet(out)
    assert len(table) == 300
    assert table["target"].isna().all()
    assert table["prediction"].notna().all()
    refused = command("evaluate", trained, dataset, "--threads", 1)
    assert "expression" in refused.message


def test_another_window_is_refused(
    command: Any, world: SimulatedWorld, trained: Path, tmp_path: Path
) -> None:
    dataset = tmp_path / "D.h5"
    exprimo.dataset_promoters(
        fasta=world.genome, genes=world.genes, upstream=100, downstream=50, out=dataset
    )
    refused = command("predict", trained, dataset, "-o", tmp_path / "P.parquet", "--threads", 1)
    assert "(150,)" in refused.message
    assert "(200,)" in refused.message
    assert not (tmp_path / "P.parquet").exists()


def test_evaluating_its_own_test_part_gives_its_own_metrics(
    command: Any, trained: Path, tmp_path: Path
) -> None:
    out = tmp_path / "M.json"
    done = command("evaluate", trained, "-o", out, "--threads", 1, "--json")
    assert (done.code, done.err) == (0, "")
    found, stored = json.loads(out.read_text()), Run.open(trained).metrics["parts"]["test"]
    assert json.loads(done.out)["metrics"] == found["metrics"]
    assert found["part"] == "test"
    assert found["leaks"] == []
    assert found["metrics"].keys() == stored.keys()
    for name, estimate in stored.items():
        again = found["metrics"][name]
        assert {k: again[k] for k in ("n", "n_groups", "unit")} == {
            k: estimate[k] for k in ("n", "n_groups", "unit")
        }
        for bound in ("value", "low", "high"):
            assert again[bound] == pytest.approx(estimate[bound], rel=1e-4, abs=1e-5), name


def test_on_val_judges_the_validation_part(command: Any, trained: Path) -> None:
    done = command("evaluate", trained, "--on", "val", "--threads", 1, "--json")
    assert done.code == 0
    found, run = json.loads(done.out), Run.open(trained)
    assert found["n_examples"] == run.split.counts()["val"]
    stored = run.metrics["parts"]["val"]["pearson_r"]["value"]
    assert found["metrics"]["pearson_r"]["value"] == pytest.approx(stored, abs=1e-4)


def copy_of(source: Path, rows: np.ndarray, target: Path) -> None:
    """Write some examples of a dataset as another dataset, under other names."""
    with Dataset.open(source) as data, write_dataset(target, {"made": "for tests"}) as out:
        out.examples(pd.DataFrame({"example_id": [f"other{n}" for n in range(len(rows))]}))
        out.input("sequence", [data.rows("sequence", rows)])
        out.target("expression", data.target("expression")[rows], kind="regression")


def test_sequences_that_it_learned_from_are_refused_under_any_name(
    command: Any, trained: Path, promoters: Path, tmp_path: Path
) -> None:
    split = Run.open(trained).split
    seen, unseen = tmp_path / "seen.h5", tmp_path / "unseen.h5"
    copy_of(promoters, split.rows("train")[:40], seen)
    copy_of(promoters, split.rows("test"), unseen)
    refused = command("evaluate", trained, seen, "--threads", 1)
    assert "leak: weights learned from" in refused.message
    assert "sequence" in refused.message
    assert "--allow-leak" in refused.message
    with pytest.raises(LeakError):
        exprimo.evaluate(trained, seen, threads=1)
    shown = command("evaluate", trained, seen, "--threads", 1, "--allow-leak")
    assert shown.code == 0
    assert "LEAK" in shown.out
    facts = json.loads(command("evaluate", trained, seen, "--allow-leak", "--json").out)
    assert {leak["fitted"] for leak in facts["leaks"]} == {"weights", "target scaler"}
    assert facts["leaks"][0]["n"] == 40
    good = command("evaluate", trained, unseen, "--threads", 1, "--json")
    assert good.code == 0
    found = json.loads(good.out)["metrics"]["pearson_r"]["value"]
    stored = Run.open(trained).metrics["parts"]["test"]["pearson_r"]["value"]
    assert found == pytest.approx(stored, abs=1e-4)
    assert "another dataset" in command("evaluate", trained, unseen, "--on", "test").message


def test_a_split_that_tears_copies_apart_is_refused_or_stamped(
    promoters: Path, tmp_path: Path
) -> None:
    copies = tmp_path / "copies.h5"
    copy_of(promoters, np.repeat(np.arange(100), 2), copies)
    part = np.tile(["train", "test"], 100)
    part[80:120:2] = "val"
    with Dataset.open(copies) as data:
        split = Split(
            data.column("example_id"), part, "by hand", 0, data.sha256, ("gene", "sequence")
        )
    config = TrainConfig.checked(
        {"dataset": str(copies), "model": "gc_content", "machine": {"threads": 1}}
    )
    with pytest.raises(LeakError, match="weights learned from what it would be judged on"):
        train_run(config, tmp_path / "R", split=split)
    assert {path.name for path in tmp_path.iterdir()} == {"copies.h5"}
    run = train_run(config, tmp_path / "R", split=split, allow_leak=True)
    assert {leak["unit"] for leak in run.metrics["leaks"]} == {"sequence"}
    page = exprimo.report(run.path).read_text(encoding="utf-8")
    assert "--allow-leak" in page
    clean = exprimo.report(exprimo.train(promoters, tmp_path / "C", model="gc_content").path)
    assert "--allow-leak" not in clean.read_text(encoding="utf-8")


def test_training_is_the_same_from_the_command_line(
    command: Any, promoters: Path, trained: Path, tiny_cnn: dict[str, int], tmp_path: Path
) -> None:
    done = command(
        "train", promoters, "--split", "homology", "--epochs", 2, "--threads", 1, "--device",
        "cpu", "--set", "fit.batch_size=32", "--set", "machine.precision=fp32",
        *options(tiny_cnn, "options"), "-o", tmp_path / "R",
    )  # fmt: skip
    assert (done.code, done.err) == (0, "")
    pd.testing.assert_frame_equal(
        Run.open(tmp_path / "R").predictions(), Run.open(trained).predictions()
    )
    value = Run.open(trained).metrics["parts"]["test"]["pearson_r"]["value"]
    assert f"r = {value:.3f}" in done.out
    assert str(tmp_path / "R" / "report.html") in done.out
