"""A study of promoter and half-life through the command line: whole, resumed, from any source."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import load_file

import exprimo
from exprimo.core.dataset import Dataset
from exprimo.core.run import Run
from exprimo.report.page import make_page
from exprimo.simulate.config import GenomeConfig, WorldConfig
from exprimo.training import TrainConfig

BOTH, ALONE, PROMOTER = "promoter + half-life", "half-life alone", "promoter alone"
SMALL = "{ filters = 4, kernel = 7, channels = [4], hidden = [4] }"
BENCHMARK = f"""
[benchmark]
models = ["{BOTH}", "{PROMOTER}", "{ALONE}"]

[benchmark.fit]
epochs = 2
batch_size = 64

[benchmark.machine]
threads = 1
device = "cpu"
precision = "fp32"

[benchmark.options]
"{BOTH}" = {SMALL}
"{PROMOTER}" = {SMALL}
"{ALONE}" = {SMALL}
"""
KIND = 'kind = "promoter-halflife"\n'
GENES = """
[genes]
fasta = "world/genome.fa"
genes = "world/genes.gtf"
targets = "world/expression.tsv"
target = "expression"
upstream = 150
downstream = 50
"""
STUDY = f'{KIND}truth = "world/truth"\n{GENES}{BENCHMARK}'
TABLES = (
    "benchmark/table.tsv",
    "benchmark/validation.tsv",
    "benchmark/paired.tsv",
    "interpretation/importance.tsv",
    "interpretation/top_positions.tsv",
    "interpretation/layer_map.tsv",
    "interpretation/recovery.tsv",
)
ONE_SPLIT = ("--set", "benchmark.splits=['homology']")
PROGRAM = "from exprimo.cli.main import main; main()"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A world of 300 genes, and a study of it."""
    folder = tmp_path_factory.mktemp("halflife")
    config = WorldConfig(genes=300, genome=GenomeConfig(chromosomes=4))
    exprimo.simulate(folder / "world", seed=1, config=config)
    (folder / "study.toml").write_text(STUDY)
    return folder


def _call(*arguments: object, script: str = PROGRAM) -> subprocess.CompletedProcess[str]:
    """Run the program in a process of its own, or a script that becomes it."""
    return subprocess.run(
        [sys.executable, "-c", script, *map(str, arguments)],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Write pages without figures, whose drawing takes longer than a tiny study."""
    # By import_module: exprimo.report, as an attribute, is the command.
    monkeypatch.setattr(import_module("exprimo.report.page"), "draw_all", lambda _: {})


@pytest.fixture(scope="module")
def done(home: Path) -> tuple[Path, str]:
    """The folder of results, and what the program said."""
    ended = _call("run", home / "study.toml", *ONE_SPLIT)
    assert (ended.returncode, ended.stderr) == (0, "")
    return home / "results", ended.stdout


@pytest.mark.slow
def test_everything_is_written_and_nothing_else(done: tuple[Path, str]) -> None:
    folder, said = done
    assert {path.name for path in folder.iterdir()} == {
        "settings.toml",
        "dataset.h5",
        "benchmark",
        "interpretation",
        "explained",
        "study.json",
        "report.html",
        "figures",
    }
    assert list(folder.rglob(".*")) == []
    facts = json.loads((folder / "study.json").read_text())
    assert "Promoter and half-life features together reach AUROC" in facts["verdict"]["text"]
    assert facts["verdict"]["text"] in said
    assert facts["split"] == "homology"
    assert [step["input"] for step in facts["verdict"]["steps"]] == [
        "half-life features",
        "promoter",
    ]
    assert facts["truth"]["ceilings"].keys() == {"promoter and half-life", "promoter", "half-life"}
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert re.findall(r'<section id="(\w+)"', page) == [
        "answer", "distrust", "data", "rows", "splits", "curves", "interpretation", "gene",
        "provenance",
    ]  # fmt: skip
    assert facts["question"].replace("'", "&#39;") in page


@pytest.mark.slow
def test_rows_read_what_they_say(done: tuple[Path, str]) -> None:
    runs = done[0] / "benchmark" / "runs"
    read = {
        name: Run.open(runs / f"{name}-homology-s0").metrics["inputs"]
        for name in ("promoter-+-half-life", "promoter-alone", "half-life-alone")
    }
    assert list(read.values()) == [["sequence", "halflife"], ["sequence"], ["halflife"]]
    scores = pd.read_csv(done[0] / "benchmark" / "table.tsv", sep="\t")
    roles = dict(zip(scores["model"], scores["role"], strict=True))
    assert roles == {
        "majority": "baseline", "gc_content": "baseline", "kmer_linear": "baseline",
        BOTH: "model", PROMOTER: "model", ALONE: "baseline",
    }  # fmt: skip
    # The verdict's steps are lines of the table of pairs, whichever way round they stand there.
    paired = pd.read_csv(done[0] / "benchmark" / "paired.tsv", sep="\t")
    for step in json.loads((done[0] / "study.json").read_text())["verdict"]["steps"]:
        names = {step["more"], step["less"]}
        mine = [
            set(pair) == names for pair in zip(paired["model_a"], paired["model_b"], strict=True)
        ]
        assert abs(step["difference"]) == pytest.approx(abs(paired[mine]["value"].iloc[0]))
        scored = scores[scores["metric"] == "auroc"].set_index("model")["value"]
        assert step["difference"] == pytest.approx(scored[step["more"]] - scored[step["less"]])


@pytest.mark.slow
def test_neither_the_cut_nor_the_scaler_sees_test_genes(done: tuple[Path, str]) -> None:
    run = Run.open(done[0] / "benchmark" / "runs" / "promoter-+-half-life-homology-s0")
    with Dataset.open(done[0] / "dataset.h5") as data:
        values = data.target("expression")
        train = run.split.rows("train")
        train = train[~np.isnan(values[train])]
        features = data.batch(("halflife",), train)["halflife"].astype(np.float64)
        ids = data.column("gene_id")
    assert run.metrics["above"]["value"] == pytest.approx(float(np.median(values[train])))
    center = load_file(run.path / "model.safetensors")["member0/standardise.halflife.center"]
    np.testing.assert_allclose(center, np.nanmean(features, 0), rtol=1e-5)
    test = set(ids[run.split.rows("test")])
    for fitted in ("cut between high and low", "input scaler", "weights"):
        learned = run.ledger.learned[fitted]["gene"]
        assert len(learned) == len(train)
        assert not test & {str(gene) for gene in learned}, fitted


@pytest.mark.slow
@pytest.mark.usefixtures("undrawn")
def test_a_run_of_the_study_replays_to_equal_predictions(
    done: tuple[Path, str], command: Any, tmp_path: Path
) -> None:
    run = Run.open(done[0] / "benchmark" / "runs" / "promoter-+-half-life-homology-s0")
    ended = command("run", run.config_path, "-o", tmp_path / "again")
    assert (ended.code, ended.err) == (0, "")
    again = Run.open(tmp_path / "again")
    pd.testing.assert_frame_equal(again.predictions(), run.predictions())
    assert again.metrics["above"] == run.metrics["above"]


@pytest.mark.slow
def test_a_dataset_without_half_life_is_refused_by_name(
    done: tuple[Path, str], home: Path, command: Any, tmp_path: Path
) -> None:
    bare = tmp_path / "bare.h5"
    exprimo.dataset_promoters(
        fasta=home / "world" / "genome.fa", genes=home / "world" / "genes.gtf",
        targets=home / "world" / "expression.tsv", target="expression",
        upstream=150, downstream=50, out=bare,
    )  # fmt: skip
    run = done[0] / "benchmark" / "runs" / "promoter-+-half-life-homology-s0"
    refused = command("predict", run, bare, "-o", tmp_path / "P.tsv")
    refused.assert_says("halflife", "bare.h5")
    assert not (tmp_path / "P.tsv").exists()
    refused = command(
        "run", home / "study.toml", "-o", tmp_path / "R", "--set", f"dataset='{bare}'"
    )
    refused.assert_says("exactly one of")
    (tmp_path / "own.toml").write_text(f'{KIND}dataset = "bare.h5"\n{BENCHMARK}')
    refused = command("run", tmp_path / "own.toml")
    refused.assert_says("reads inputs that the dataset does not hold", "halflife", BOTH)
    assert {path.name for path in tmp_path.iterdir()} == {"bare.h5", "own.toml"}


DYING = """
import os, signal, sys
from exprimo.studies.halflife import run
def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)
setattr(run, sys.argv.pop(1), die)
from exprimo.cli.main import main
main()
"""


@pytest.mark.slow
@pytest.mark.usefixtures("undrawn")
def test_a_killed_study_resumes_to_the_same_tables(
    home: Path, done: tuple[Path, str], command: Any, tmp_path: Path
) -> None:
    folder = tmp_path / "results"
    line = ["run", home / "study.toml", "-o", folder, *ONE_SPLIT]
    # Before the dataset, the interpretation and the page.
    for number, name in enumerate(("build_dataset", "interpret_row", "write_json")):
        died = _call(name, *line, *["--resume"] * (number > 0), script=DYING)
        assert died.returncode == -signal.SIGKILL, died.stderr
        assert not (folder / "study.json").exists()
        assert (folder / "dataset.h5").exists() == (number > 0)
        if number == 0:
            command(*line).assert_says("a study stands here already", "--resume")
            refused = command("run", home / "study.toml", "-o", folder, "--resume")
            refused.assert_says("started with other settings", "--set")
    written = {path: path.stat().st_mtime_ns for path in folder.rglob("metrics.json")}
    assert len(written) == 6
    ended = command(*line, "--resume")
    assert (ended.code, ended.err) == (0, "")
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("metrics.json")} == written
    for name in TABLES:
        assert (folder / name).read_bytes() == (done[0] / name).read_bytes(), name
    ours, theirs = (json.loads((f / "study.json").read_text()) for f in (folder, done[0]))
    assert (ours["verdict"], ours["truth"]) == (theirs["verdict"], theirs["truth"])
    assert list(folder.rglob(".*")) == []


@pytest.mark.slow
@pytest.mark.usefixtures("undrawn")
def test_promoters_through_a_pretrained_network(
    home: Path, command: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = f'{KIND}truth = "{home}/world/truth"\n{GENES.replace("world/", f"{home}/world/")}'
    text += '[embeddings]\nmodel = "random-embedding:6"\nbin = 48\n' + BENCHMARK
    (tmp_path / "study.toml").write_text(text)
    monkeypatch.chdir(tmp_path)
    ended = command("run", "study.toml", *ONE_SPLIT)
    assert (ended.code, ended.err) == (0, "")
    folder = tmp_path / "results"
    runs = folder / "benchmark" / "runs"
    run = Run.open(runs / "promoter-+-half-life-homology-s0")
    assert run.metrics["inputs"] == ["embedding", "halflife"]
    assert Run.open(runs / "half-life-alone-homology-s0").metrics["inputs"] == ["halflife"]
    config = TrainConfig.load(run.config_path)
    assert Path(config.embeddings or "") == folder / "embeddings"
    profile = pd.read_csv(folder / "interpretation" / "importance.tsv", sep="\t")
    assert profile["position"].tolist() == list(range(-150, 50))
    # 200 bases are four bins of 48 and one of 8; a base has an equal share of its bin.
    top = pd.read_csv(folder / "interpretation" / "top_positions.tsv", sep="\t")
    top["bin"] = (top["position"] + 150) // 48
    assert (top.groupby(["bin", "example_id"])["contribution"].nunique() == 1).all()
    again = command("run", run.config_path, "-o", "again")
    assert again.code == 0, again.err
    replayed = Run.open(tmp_path / "again").predictions()
    pd.testing.assert_frame_equal(replayed, run.predictions())


def _gene_file(path: Path, first: int, genes: int, **changed: Any) -> None:
    rng = np.random.default_rng(first)
    halflife = rng.normal(size=(genes, 8))
    codes = rng.integers(0, 4, (genes, 120))
    arrays = {
        "gene_id": np.array([f"ENSG{first + i:011d}".encode() for i in range(genes)]),
        "promoter": np.eye(4, dtype=bool)[codes],
        "halflife": halflife,
        "label": (halflife[:, 0] + rng.normal(size=genes) > 0).astype(int),
        **changed,
    }
    with h5py.File(path, "w") as file:
        for key, values in arrays.items():
            file[key] = values


HDF5 = f'{KIND}[hdf5]\ntrain = "train.h5"\nval = "val.h5"\ntest = "test.h5"\n{BENCHMARK}'


@pytest.mark.slow
@pytest.mark.usefixtures("undrawn")
def test_files_of_genes_bring_their_own_split(tmp_path: Path, command: Any) -> None:
    for first, (name, genes) in enumerate((("train", 160), ("val", 40), ("test", 50))):
        _gene_file(tmp_path / f"{name}.h5", 1000 * first, genes)
    (tmp_path / "study.toml").write_text(HDF5)
    # From another folder: paths are relative to the file.
    ended = command("run", tmp_path / "study.toml", "-o", tmp_path / "R")
    assert (ended.code, ended.err) == (0, "")
    facts = json.loads((tmp_path / "R" / "benchmark" / "benchmark.json").read_text())
    assert facts["splits"] == ["column:part", "homology", "random"]
    run = Run.open(tmp_path / "R" / "benchmark" / "runs" / "promoter-+-half-life-column-part-s0")
    counts = run.split.counts()
    assert (counts["train"], counts["val"], counts["test"]) == (160, 40, 50)
    assert run.metrics["above"] is None
    assert run.metrics["task"] == "classification"
    study = json.loads((tmp_path / "R" / "study.json").read_text())
    assert study["split"] == "homology"
    page = (tmp_path / "R" / "report.html").read_text(encoding="utf-8")
    assert "column:part" in page
    profile = pd.read_csv(tmp_path / "R" / "interpretation" / "importance.tsv", sep="\t")
    assert (profile["position"].min(), profile["position"].max()) == (-60, 59)
    command("run", tmp_path / "study.toml", "-o", tmp_path / "R").assert_says("stands here already")


@pytest.mark.slow
@pytest.mark.usefixtures("undrawn")
def test_expression_as_it_is_from_two_seeds_and_members(
    home: Path, command: Any, tmp_path: Path
) -> None:
    ended = command(
        "run", home / "study.toml", "-o", tmp_path / "R", *ONE_SPLIT,
        "--set", "benchmark.above='none'", "--set", "benchmark.seeds=2",
        "--set", "benchmark.ensemble=2", "--set", "benchmark.fractions=[0.5]",
        "--set", "benchmark.fit.epochs=1",
    )  # fmt: skip
    assert (ended.code, ended.err) == (0, "")
    assert "reach Pearson r" in ended.out
    scores = pd.read_csv(tmp_path / "R" / "benchmark" / "table.tsv", sep="\t")
    assert scores[scores["model"] == BOTH]["n_seeds"].unique().tolist() == [2]
    assert "mean" in set(scores["model"])
    page = (tmp_path / "R" / "report.html").read_text(encoding="utf-8")
    assert "intervals" in re.findall(r'<section id="(\w+)"', page)
    assert "learning" in {chart.key for chart in make_page(tmp_path / "R").charts}
    facts = json.loads((tmp_path / "R" / "study.json").read_text())
    assert facts["question"].startswith("How much expression")
    assert facts["truth"]["metric"] == "pearson_r"
