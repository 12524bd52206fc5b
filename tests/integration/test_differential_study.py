"""A study from counts to promoters through the command line: whole, resumed, refused."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import exprimo
from exprimo.core.run import Run
from exprimo.simulate.config import ConditionsConfig, GenomeConfig, WorldConfig
from exprimo.training import TrainConfig

STUDY = """
kind = "differential-promoter"
truth = "world/truth"

[counts]
files = "world/counts.tsv"
samples = "world/samples.tsv"

[dge]
design = "~ condition"
contrast = ["condition", "treated", "control"]
lfc = 1.0
threads = 1

[promoters]
fasta = "world/genome.fa"
genes = "world/genes.gtf"
upstream = 150
downstream = 50

[benchmark]
models = ["cnn"]
splits = ["homology"]

[benchmark.fit]
epochs = 1
batch_size = 64

[benchmark.machine]
threads = 1
device = "cpu"
precision = "fp32"

[benchmark.options.cnn]
channels = 8
stem_channels = 8
head_channels = 4
hidden = 8
grid = 4

[imbalance]
strategies = ["class_weights", "focal"]
generators = []
seeds = 1

[targets]
models = []

[motifs]
file = "world/truth/motifs.meme"
"""

TABLES = (
    "targets.tsv",
    "dge/results.tsv",
    "dge/labels.tsv",
    "labels/covariates.tsv",
    "labels/prevalence.json",
    "benchmark/table.tsv",
    "benchmark/paired.tsv",
    "imbalance/table.tsv",
    "imbalance/paired.tsv",
    "enrichment/table.tsv",
    "enrichment/balance.tsv",
    "targets/direction/table.tsv",
    "targets/three_way/table.tsv",
    "targets/lfc/table.tsv",
)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A world of 300 genes, most of which change by chance, and a study of it."""
    folder = tmp_path_factory.mktemp("differential")
    conditions = ConditionsConfig(
        background_sd=1.2, silent_share=0.1, samples=3, reads_per_gene=2000
    )
    config = WorldConfig(genes=300, genome=GenomeConfig(chromosomes=4), conditions=conditions)
    exprimo.simulate(folder / "world", seed=1, config=config)
    (folder / "study.toml").write_text(STUDY)
    return folder


PROGRAM = "from exprimo.cli.main import main; main()"


def _call(*arguments: object, script: str = PROGRAM) -> subprocess.CompletedProcess[str]:
    """Run the program in a process of its own, or a script that becomes it."""
    return subprocess.run(
        [sys.executable, "-c", script, *map(str, arguments)],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def done(home: Path) -> tuple[Path, str]:
    """The folder of results, and what the program said."""
    ended = _call("run", home / "study.toml")
    assert (ended.returncode, ended.stderr) == (0, "")
    return home / "results", ended.stdout


@pytest.mark.slow
def test_everything_is_written_and_nothing_else(done: tuple[Path, str]) -> None:
    folder, _ = done
    assert {path.name for path in folder.iterdir()} == {
        "settings.toml",
        "dge",
        "targets.tsv",
        "dataset.h5",
        "labels",
        "benchmark",
        "explained",
        "imbalance",
        "enrichment",
        "targets",
        "study.json",
        "figures",
        "report.html",
    }
    for name in TABLES:
        assert (folder / name).stat().st_size > 0, name
    assert list(folder.rglob(".*")) == []


@pytest.mark.slow
def test_the_verdict_is_printed_and_stored_and_shown(done: tuple[Path, str]) -> None:
    folder, said = done
    facts = json.loads((folder / "study.json").read_text())
    verdict = facts["verdict"]["text"]
    assert verdict.startswith("cnn ")
    assert verdict in said
    assert f"report: {folder / 'report.html'}" in said
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "cnn tells changed" in page or "cnn reaches AUROC" in page
    assert set(re.findall(r'<section id="(\w+)"', page)) >= {
        "answer", "measured", "labels", "models", "imbalance", "motifs", "targets", "distrust",
        "provenance",
    }  # fmt: skip
    assert facts["question"] in page
    assert facts["parts"]["targets"] == [
        "targets/direction",
        "targets/three_way",
        "targets/lfc",
    ]


@pytest.mark.slow
def test_baselines_that_were_not_asked_for_stand_in_the_table(done: tuple[Path, str]) -> None:
    scores = pd.read_csv(done[0] / "benchmark" / "table.tsv", sep="\t")
    assert set(scores["model"]) == {
        "majority",
        "gc_content",
        "kmer_linear",
        "mean_expression",
        "cnn",
    }
    for name in ("direction", "three_way", "lfc"):
        scores = pd.read_csv(done[0] / "targets" / name / "table.tsv", sep="\t")
        assert "mean_expression" in set(scores["model"])


@pytest.mark.slow
def test_networks_are_treated_for_imbalance_too(done: tuple[Path, str]) -> None:
    table = pd.read_csv(done[0] / "imbalance" / "paired.tsv", sep="\t")
    # A linear model has no loss to focus.
    assert set(zip(table["model"], table["strategy"], strict=True)) == {
        ("cnn", "class_weights"),
        ("cnn", "focal"),
        ("kmer_linear", "class_weights"),
    }
    run = Run.open(done[0] / "imbalance" / "runs" / "cnn-homology-s0-focal")
    assert TrainConfig.load(run.config_path).fit.imbalance == "focal"


@pytest.mark.slow
def test_labels_are_those_of_the_test_and_no_untested_gene_has_one(done: tuple[Path, str]) -> None:
    labels = pd.read_csv(done[0] / "dge" / "labels.tsv", sep="\t", index_col="gene_id")["label"]
    assert labels.isna().sum() > 10
    predictions = Run.open(done[0] / "benchmark" / "runs" / "cnn-homology-s0").predictions()
    mine = predictions.set_index("example_id")["target"]
    assert (labels[mine.index] == mine).all()
    facts = json.loads((done[0] / "labels" / "prevalence.json").read_text())
    assert facts["n_tested"] == labels.notna().sum() == facts["n_joined"]
    assert facts["n_positive"] == labels.sum()


DYING = """
import os, signal, sys
from exprimo.studies.differential import run
def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)
setattr(run, sys.argv.pop(1), die)
from exprimo.cli.main import main
main()
"""


@pytest.mark.slow
def test_a_killed_study_resumes_to_the_same_tables(
    home: Path, done: tuple[Path, str], command: Any, tmp_path: Path
) -> None:
    folder = tmp_path / "results"
    # The file asks for another threshold, and --set brings it back.
    study = home / "other.toml"
    study.write_text(STUDY.replace("lfc = 1.0", "lfc = 7.0"))
    line = ["run", study, "-o", folder, "--set", "dge.lfc=1.0"]
    # Behind the test, the benchmark, and all but the report.
    stages = ("write_targets", "compare_imbalance", "write_json")
    for number, name in enumerate(stages):
        died = _call(name, *line, *["--resume"] * (number > 0), script=DYING)
        assert died.returncode == -signal.SIGKILL, died.stderr
        assert not (folder / "report.html").exists()
        if number == 0:
            assert (folder / "dge" / "results.tsv").exists()
            assert not (folder / "targets.tsv").exists()
            command(*line).assert_says("a study stands here already", "--resume")
            refused = command(*line[:-2], "--resume")
            refused.assert_says("started with other settings", "--set")
    written = {path: path.stat().st_mtime_ns for path in folder.rglob("metrics.json")}
    assert len(written) > 10
    ended = command(*line, "--resume")
    assert (ended.code, ended.err) == (0, "")
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("metrics.json")} == written
    for name in TABLES:
        assert (folder / name).read_bytes() == (done[0] / name).read_bytes(), name
    ours, theirs = (json.loads((f / "study.json").read_text()) for f in (folder, done[0]))
    assert ours["verdict"] == theirs["verdict"]
    assert ours["truth"] == theirs["truth"]
    assert (folder / "report.html").exists()
    assert list(folder.rglob(".*")) == []
    assert "lfc = 1.0" in (folder / "settings.toml").read_text()


Spoil = Callable[[Path], None]


def _edit(name: str, change: Callable[[str], str]) -> Spoil:
    def spoil(world: Path) -> None:
        path = world / name
        path.write_text(change(path.read_text()))

    return spoil


def _remove(name: str) -> Spoil:
    return lambda world: (world / name).unlink()


def _later_by(bases: int) -> Callable[[str], str]:
    """Take the first bases off each chromosome, as an older build lacks them."""

    def change(text: str) -> str:
        records = [record.partition("\n") for record in text.split(">")[1:]]
        return "".join(
            f">{head}\n{body.replace(chr(10), '')[bases:]}\n" for head, _, body in records
        )

    return change


def _halved(text: str) -> str:
    records = [record.partition("\n") for record in text.split(">")[1:]]
    whole = [(head, body.replace("\n", "")) for head, _, body in records]
    return "".join(f">{head}\n{body[: len(body) // 2]}\n" for head, body in whole)


def _renamed_chromosomes(text: str) -> str:
    return re.sub(r"^(?=\d)", "NC_00", text, flags=re.M)


def _renamed_genes(text: str) -> str:
    head, *rows = text.splitlines()
    return "\n".join([head, *(f"LOC{row}" for row in rows), ""])


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (_edit("genes.gtf", _renamed_chromosomes), ("genes.gtf", "genome.fa", "NC_001")),
        (_edit("counts.tsv", _renamed_genes), ("counts.tsv", "no gene of the targets", "LOC")),
        (_edit("genome.fa", _halved), ("genes.gtf", "genome.fa", "beyond the end")),
        (_edit("genome.fa", _later_by(137)), ("genes.gtf", "genome.fa", "% of", "ATG", "build")),
        (_edit("samples.tsv", lambda t: t.replace("treated_2", "treated_9")), ("treated_9",)),
        (_edit("samples.tsv", lambda t: t.replace("\ttreated", "\tdosed")), ("treated", "dosed")),
        (_edit("counts.tsv", lambda t: t.replace("\t0", "\t-1", 1)), ("counts.tsv", "negative")),
        (_edit("truth/motifs.meme", lambda _: "nothing"), ("motifs.meme",)),
        (_remove("counts.tsv"), ("counts.tsv", "no such file")),
        (_remove("samples.tsv"), ("samples.tsv", "no such file")),
        (_remove("genome.fa"), ("genome.fa", "no such file")),
        (_remove("genes.gtf"), ("genes.gtf", "no such file")),
        (_remove("truth/motifs.meme"), ("motifs.meme", "no such file")),
        (_remove("truth/differential.tsv"), ("differential.tsv", "no such file")),
    ],
)
def test_files_that_do_not_belong_together(
    home: Path, tmp_path: Path, command: Any, spoil: Spoil, said: tuple[str, ...]
) -> None:
    world = shutil.copytree(home / "world", tmp_path / "world")
    (world / "genome.fa.fai").unlink(missing_ok=True)
    spoil(world)
    (tmp_path / "study.toml").write_text(STUDY)
    command("run", tmp_path / "study.toml").assert_says(*said)
    assert {path.name for path in tmp_path.iterdir()} == {"world", "study.toml"}


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("benchmark.models=['cnnn']", ("cnnn", "no such model", "mean cnn?")),
        ("benchmark.models=[]", ("benchmark.models", "such as cnn")),
        ("imbalance.models=['transformer']", ("imbalance.models", "transformer")),
        ("targets.models=['cnn3']", ("cnn3", "no such model")),
        ("benchmark.splits=['homolgy']", ("homolgy", "mean homology?")),
        ("benchmark.splits=['cell']", ("benchmark.splits", "chromosome")),
        ("benchmark.test_chroms=['77']", ("benchmark.test_chroms", "77")),
        ("benchmark.options.cnn.chanels=9", ("chanels", "mean channels?")),
        ("dge.contrast=['condition','treated','untreated']", ("untreated", "control")),
        ("dge.design='~ state'", ("state",)),
        ("dge.treshold=1", ("dge.treshold",)),
        ("motifs.match_on=['length']", ("motifs.match_on",)),
        ("truth='elsewhere'", ("elsewhere", "no such file")),
    ],
)
def test_settings_that_cannot_be_meant(
    home: Path, tmp_path: Path, command: Any, setting: str, said: tuple[str, ...]
) -> None:
    before = {path.name for path in home.iterdir()}
    refused = command("run", home / "study.toml", "-o", tmp_path / "R", "--set", setting)
    refused.assert_says(*said)
    assert list(tmp_path.iterdir()) == []
    assert {path.name for path in home.iterdir()} == before


@pytest.mark.slow
def test_labels_of_one_class_are_refused_before_anything_is_trained(
    home: Path, tmp_path: Path, command: Any
) -> None:
    out = tmp_path / "R"
    refused = command("run", home / "study.toml", "-o", out, "--set", "dge.lfc=8")
    refused.assert_says("one class only", "0 changed and", "dge.lfc")
    # The test stands, whole, for a look at it; nothing is half-written.
    assert {path.name for path in out.iterdir()} == {
        "dge",
        "settings.toml",
        "targets.tsv",
        "dataset.h5",
    }
