"""Every command: help that explains, results for programs, exit codes."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
import typer

import exprimo
from exprimo.cli import main as cli
from exprimo.features.haplotypes import HaplotypeSummary
from exprimo.generate import Checked, Sampled
from exprimo.generate.design import Designed
from exprimo.genetics.clumping import Clumped
from exprimo.genetics.coloc import Colocalised, Twas
from exprimo.genetics.eqtl import EqtlMap, MappedPeople
from exprimo.genetics.finemap import FineMapped
from exprimo.genetics.scores.fitting import FittedScores
from exprimo.genetics.scores.scoring import ScoredPeople
from exprimo.genetics.stacking import StackDone
from exprimo.interpret.explain import Explained
from exprimo.interpret.faithfulness.agreement import Agreement
from exprimo.report.runs import validity
from exprimo.scoring.mutagenesis import Mutated
from exprimo.scoring.personal import PersonalPredictions
from exprimo.scoring.variants import ScoredVariants
from exprimo.studies.motifs import MotifsFound, MotifsInserted


def commands(group: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, (*path, name))
        else:
            yield " ".join((*path, name)), command


Call = Callable[..., tuple[int, str, str]]
COMMANDS = dict(commands(typer.main.get_command(cli.app)))


@pytest.fixture(autouse=True)
def warned(monkeypatch: pytest.MonkeyPatch) -> str:
    """Give a doubt in place of those of the report, whose folders are made up here."""
    doubt = "SERIOUS: The predictions of cnn are constant. Every test example got the same value."
    monkeypatch.setattr(validity, "validity_lines", lambda _: [doubt])
    return doubt


@pytest.mark.parametrize("name", COMMANDS)
def test_help_explains_every_option_and_shows_an_example(
    name: str, monkeypatch: pytest.MonkeyPatch, call: Call
) -> None:
    monkeypatch.setenv("COLUMNS", "400")
    monkeypatch.setenv("TERMINAL_WIDTH", "400")
    code, out, err = call(*name.split(), "-h")
    assert (code, err) == (0, "")
    text = re.sub(r"\s+", " ", re.sub(r"\x1b\[[0-9;]*m", "", out))
    command = COMMANDS[name]
    assert f"Example: exprimo {name} " in text
    assert str(command.help).splitlines()[0] in text
    for parameter in command.params:
        assert parameter.help, parameter.name
        assert parameter.help.split(".")[0] in text, parameter.name
        if parameter.param_type_name == "option":
            assert parameter.opts[-1] in text
    assert "--json" in text


def test_the_first_page_lists_the_commands_with_their_purpose(
    monkeypatch: pytest.MonkeyPatch, call: Call
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    code, out, _ = call("-h")
    assert code == 0
    for name in COMMANDS:
        assert re.search(rf"\b{name.split()[0]} +\w", out), name
    assert "exprimo demo" in out


MADE = {
    "scores": pd.DataFrame(
        {
            "model": ["mean", "cnn"], "split": ["homology"] * 2, "metric": ["pearson_r"] * 2,
            "value": [float("nan"), 0.5], "low": [float("nan"), 0.4], "high": [float("nan"), 0.6],
        }
    ),
    "paired": pd.DataFrame({"value": [0.1], "p": [float("nan")]}),
}  # fmt: skip
BENCHMARKED = SimpleNamespace(path=Path("B"), report=Path("B/r.html"), headline="pearson_r", **MADE)
ESTIMATE = {"value": 0.5, "low": None, "high": None, "n": 9, "n_groups": 2, "unit": "gene"}
METRICS = {
    "headline": "pearson_r", "model": "cnn", "leaks": [{"unit": "gene"}],
    "parts": {"test": {"pearson_r": ESTIMATE}},
}  # fmt: skip
BUILT = SimpleNamespace(
    path=Path("D.h5"), n_examples=2, dropped={"no target": 1}, n_bytes=99, lines=["Wrote D.h5"]
)
EVALUATION = SimpleNamespace(
    run=Path("R"), part="test", dataset=Path("D.h5"), n_examples=9, leaks=METRICS["leaks"],
    metrics=METRICS["parts"]["test"],
    _asdict=lambda: {"run": Path("R"), "metrics": METRICS["parts"]["test"], "sd": float("nan")},
)  # fmt: skip
RUN = SimpleNamespace(path=Path("R"), metrics=METRICS)
FOUND = SimpleNamespace(
    path=Path("c.tsv"), kind="counts", ok=True, facts={"genes": "2"}, problems=[]
)
WORLD = SimpleNamespace(
    _asdict=lambda: {"path": Path("W"), "counts": {"genes": 2}, "ceilings": {"all": 0.5}}
)
TESTED = SimpleNamespace(
    path=Path("DGE"), results=Path("DGE/results.tsv"), labels=Path("DGE/labels.tsv"),
    summary={"calls": {"n_called": 3}}, lines=("Wrote DGE", "  3 genes changed"),
)  # fmt: skip
STUDIED = SimpleNamespace(
    path=Path("S"), report=Path("S/r.html"), benchmark=BENCHMARKED,
    facts={"verdict": {"text": "cnn beats all", "beats": True}},
)  # fmt: skip
SHOWN = SimpleNamespace(
    path=Path("demo"), report=Path("demo/r.html"), expression=BENCHMARKED,
    differential=STUDIED, halflife=STUDIED, chromatin=STUDIED,
    individual=SimpleNamespace(
        path=Path("I"), report=Path("I/r.html"), told=("3 genes have an eQTL.",),
        facts={
            "verdict": {"text": "Predictions follow people", "follows": True}, "models": {},
            "n_genes": 3, "n_people": 4,
        },
    ),
)  # fmt: skip
PERSONAL = PersonalPredictions(
    Path("P.parquet"), 3, 4, ("t",), 7, 24, 2, 1, {"without TSS": 1}, {"missing": 2}, 0
)
SCORED = ScoredVariants(
    path=Path("V.tsv"), n_variants=9, n_pairs=8, n_windows=3, n_rows=8, n_outside=1,
    n_known_shards=0, n_shards=1, skipped={"symbolic": 1}, decided={}, background=None, notes=(),
)  # fmt: skip
MUTATED = Mutated(
    path=Path("M.tsv"), n_examples=1, positions=(-2, 3), tracks=("t",), way="only what changes",
    n_substitutions=15, n_unknown=0, strongest="T>G", n_rows=15, n_shards=1, n_known=0,
)  # fmt: skip
PERSONALISED = HaplotypeSummary(
    Path("H.h5"), 3, 4, 24, 7, {}, {}, 1000, ("Wrote 24 haplotypes to H.h5",)
)
PREDICTED = SimpleNamespace(path=Path("P.tsv"), n_examples=3)
EMBEDDED = SimpleNamespace(
    path=Path("S"), n_new=3, n_known=1, shape=(2, 4), cost=SimpleNamespace(bytes=48)
)

OVERLAPPED = SimpleNamespace(
    columns={}, top=50, window=None, n_outside=0, statement="No eQTL is significant.", stamp=None,
    notes=(),
    joined=dict.fromkeys(
        ("by_position", "by_id", "swapped", "other_strand", "sign_unknown", "alleles_differ",
         "ambiguous", "repeated_scores", "repeated_eqtl", "only_in_scores", "only_in_eqtl"), 1
    ),
    as_json=lambda: {"columns": {}},
)  # fmt: skip
GENES = ["--genotypes", "v.vcf", "--expression", "e.bed"]
PART = MappedPeople(Path("E"), 4, 3, 9, 0, 2, 1, 0.5, "storey", 2, {}, {}, {}, ())
MAPPED = EqtlMap(Path("E"), (PART,))
FINEMAPPED = FineMapped(Path("F"), 4, 3, 2, 2, 5.0, 0, 0, 0, {}, {"read": 9})
COLOCALISED = Colocalised(Path("C"), 3, 1, 0, (("G1", 0.9),), {})
ASSOCIATED = Twas(Path("T"), 3, 1, (("G1", "elastic_net", 5.0, 1e-6),), {})
TAKEN = pd.DataFrame({"CHR": ["1"], "SNP": ["rs1"], "BP": [5], "P": [1e-9], "TOTAL": [7]})
CLUMPED = Clumped(Path("K"), TAKEN, 2, 9, 7, {})
FITTED = FittedScores(
    Path("S"), 4, 3,
    {"prs": {"r2": 0.1, "low": 0.0, "high": 0.2, "median_r2": 0.1, "pearson_r": 0.3,
             "n_nothing": 1}}, {},
)  # fmt: skip
KEPT = {"length": 80, "n_learned": 3, "steps": 9, "kept_step": 9, "fit_seconds": 1.0}
KEPT |= {"generator": "gan", "watched_loss": None}
FITTED_GENERATOR = SimpleNamespace(path=Path("GEN"), provenance=KEPT)
NEAR = {
    "near_copies": {
        "share": 0.01, "nearer_than_edits": 9, "expected_share": 0.01, "n": 400, "least_seen": 18,
    },
    "copies": {"copies": 0, "n": 400, "held_out_copies": 0, "held_out_n": 400, "least_seen": 11},
    "collapse": {
        "unique_fraction": 1.0, "held_out_unique_fraction": 1.0, "mean_difference": 0.7,
        "held_out_mean_difference": 0.7,
    },
}  # fmt: skip
CHECKED = Checked(Path("C"), Path("S.h5"), "passed", (), NEAR, pd.DataFrame(), None)
DRAWN = Sampled(Path("S.h5"), 3, 80, "gan", "y", "2.5", 1, 0.1)
PEOPLE = ScoredPeople(Path("P.tsv"), "exprimo", 4, 3, 9, {}, 0, {}, 0)
STACKED = StackDone(Path("K"), 3, 4, 5, 6, {}, {}, ())

DESIGNED = Designed(
    Path("D"), 12.0, "no one else", pd.DataFrame({"design": ["greedy-1"]}),
    pd.DataFrame(
        {
            "method": ["greedy"], "role": ["method"], "n": [3], "guide": [11.9],
            "judged": [float("nan")], "error": [0.1], "error_low": [0.0], "error_high": [0.2],
            "gap": [float("nan")], "gap_low": [float("nan")], "gap_high": [float("nan")],
            "edits": [4.0], "nearest_edits": [4.0],
        }
    ),
    {"guide": None, "judge": None}, ("no judge",),
)  # fmt: skip
EXPLAINED = Explained(
    Path("E"), "gradient × input", "test", 9, 9, 0, ("sequence",), "logit", None, (-40, 0.5),
    (0.8, 0.6), (),
)  # fmt: skip
PAIR = {
    "one": 0, "other": 1, "input": "sequence", "size": 0.5, "size_swapped": 0.1, "signed": 0.6,
    "overlap": 0.5, "expected": 0.03,
}  # fmt: skip
AGREED = Agreement(None, (("A", "saliency"), ("B", "deeplift")), 9, pd.DataFrame([PAIR]))
PATTERN = {
    "pattern": "pos_1", "sign": "+", "seqlets": 20, "sites": 31, "consensus": "TGACTCA",
    "name": "", "match": "", "match_id": "", "q": float("nan"),
}  # fmt: skip
PATTERNS = MotifsFound(Path("M"), 1, 0, 31, "", 0.05, pd.DataFrame([PATTERN]))
EFFECT = {
    "motif": "pos_1", "name": "", "strand": "+", "position": -40, "effect": 0.5, "low": 0.4,
    "high": 0.6,
}  # fmt: skip
INSERTED = MotifsInserted(Path("F"), 1, 100, "test", "logit", pd.DataFrame([EFFECT]), None)
CALLS: dict[str, tuple[list[str], str, Any, str]] = {
    "demo": ([], "demo", SHOWN, "0.400 to 0.600"),
    "simulate": (["W"], "simulate", WORLD, "genes 2"),
    "init": (["sequence"], "init", Path("study.toml"), "exprimo run study.toml"),
    "dge": (
        ["c.tsv", "s.csv", "--design", "~ a", "-o", "DGE"], "dge", TESTED, "3 genes changed"
    ),
    "run": (["s.toml"], "run", BENCHMARKED, "B/r.html"),
    "check": (["c.tsv"], "check", [FOUND], "c.tsv: counts"),
    "report": (["R"], "report", Path("R/report.html"), "Wrote R/report.html"),
    "models": ([], "models", None, "kmer_linear"),
    "train": (["D.h5", "-o", "R"], "train", RUN, "r = 0.500 (no interval: too few genes)"),
    "predict": (["R", "D.h5", "-o", "P.tsv"], "predict", PREDICTED, "3 predictions to P.tsv"),
    "evaluate": (["R"], "evaluate", EVALUATION, "LEAK"),
    "benchmark": (["D.h5", "-o", "B"], "benchmark", BENCHMARKED, "cnn"),
    "dataset promoters": (
        ["--fasta", "g.fa", "--genes", "g.gtf", "-o", "D.h5"],
        "dataset_promoters", BUILT, "Wrote D.h5",
    ),
    "dataset chromatin": (
        ["--genes", "g.gtf", "--signal", "A:K4:a.bw", "-o", "D.h5"],
        "dataset_chromatin", BUILT, "Wrote D.h5",
    ),
    "dataset hdf5": (["train=a.h5", "-o", "D.h5"], "dataset_hdf5", BUILT, "Wrote D.h5"),
    "dataset features": (
        ["f.tsv", "--targets", "t.tsv", "-o", "D.h5"], "dataset_features", BUILT, "Wrote D.h5"
    ),
    "dataset table": (
        ["t.tsv", "--sequence", "s", "--target", "y", "-o", "D.h5"],
        "dataset_table", BUILT, "Wrote D.h5",
    ),
    "fetch genome": (["yeast", "--release", "110"], "fetch_genome", [Path("g.fa.gz")], "g.fa.gz"),
    "fetch geo": (["GSE1"], "fetch_geo", [Path("GSE1.tar")], "GSE1.tar"),
    "fetch weights": (["hyenadna-tiny-1k"], "fetch_weights", Path("w.ckpt"), "Wrote w.ckpt"),
    "fetch enformer": ([], "fetch_enformer", [Path("w.bin"), Path("t.txt")], "t.txt"),
    "haplotypes": (
        ["--genotypes", "v.vcf", "--fasta", "g.fa", "--genes", "g.gtf", "-o", "H.h5"],
        "haplotypes", PERSONALISED, "24 haplotypes",
    ),
    "personal": (
        ["R", "--genotypes", "v.vcf", "--fasta", "g.fa", "--genes", "g.gtf", "-o", "P.parquet"],
        "personal", PERSONAL, "7 distinct haplotypes",
    ),
    "variants": (
        ["R", "--variants", "v.vcf", "--fasta", "g.fa", "--genes", "g.gtf", "-o", "V.tsv"],
        "variants", SCORED, "8 pairs",
    ),
    "eqtl map": ([*GENES, "-o", "E"], "eqtl_map", MAPPED, "2 eGenes"),
    "eqtl finemap": ([*GENES, "-o", "F"], "eqtl_finemap", FINEMAPPED, "2 credible sets"),
    "eqtl coloc": (["--eqtl", "E", "--gwas", "g.tsv", "-o", "C"], "eqtl_coloc", COLOCALISED, "H4"),
    "eqtl twas": (
        ["--weights", "S", "--gwas", "g.tsv", "--panel", "v.vcf", "-o", "T"],
        "eqtl_twas", ASSOCIATED, "Bonferroni",
    ),
    "eqtl overlap": (
        ["--scores", "s.tsv", "--eqtl", "E", "--score-column", "raw_score"],
        "eqtl_overlap", OVERLAPPED, "No eQTL is significant",
    ),
    "clump": (["--associations", "g.tsv", *GENES[:2]], "clump", CLUMPED, "2 clumps"),
    "agreement": (["A", "B"], "agreement", AGREED, "rank correlation"),
    "explain": (["R", "D.h5", "-o", "E"], "explain", EXPLAINED, "position -40"),
    "motifs find": (["E", "-o", "M"], "motifs_find", PATTERNS, "TGACTCA"),
    "motifs insert": (
        ["R", "D.h5", "--motifs", "m.meme", "-o", "F"], "motifs_insert", INSERTED, "-40",
    ),
    "generate design": (
        ["R", "D.h5", "--target", "12", "-o", "D"], "generate_design", DESIGNED, "no one else",
    ),
    "generate check": (["S.h5", "D.h5", "-o", "C"], "generate_check", CHECKED, "gate: passed"),
    "generate fit": (["D.h5", "-o", "GEN"], "generate_fit", FITTED_GENERATOR, "kept the weights"),
    "generate sample": (["GEN", "-n3", "-o", "S.h5"], "generate_sample", DRAWN, "3 sequences"),
    "prs fit": ([*GENES, "-o", "S"], "prs_fit", FITTED, "3 genes in 4 people"),
    "prs score": (["S", *GENES[:2], "-o", "P.tsv"], "prs_score", PEOPLE, "3 scores of 4 people"),
    "stack": (["--features", "f.tsv", *GENES[2:], "-o", "K"], "stack", STACKED, "6 features"),
    "mutagenesis": (["R", "D.h5", "-o", "M.tsv"], "mutagenesis", MUTATED, "15 single-base changes"),
    "embed": (["NAME", "D.h5", "-o", "S"], "embed", EMBEDDED, "2 bins x 4 channels"),
}  # fmt: skip


def test_every_command_is_called_below() -> None:
    assert CALLS.keys() == COMMANDS.keys()


@pytest.mark.parametrize("name", COMMANDS)
def test_the_result_is_a_summary_or_json(
    name: str, monkeypatch: pytest.MonkeyPatch, call: Call
) -> None:
    # None of the files named above is there.
    monkeypatch.setattr("exprimo.data.textfile.require_file", lambda *_: None)
    arguments, function, result, summary = CALLS[name]
    if result is not None:
        monkeypatch.setattr(exprimo, function, lambda *_, **__: result)
    code, out, err = call(*name.split(), *arguments)
    assert (code, err) == (0, "")
    assert summary in out
    code, out, err = call(*name.split(), *arguments, "--json")
    assert (code, err) == (0, "")
    assert out.count("\n") == 1

    def refuse(word: str) -> None:
        raise AssertionError(f"{word} is not JSON")

    facts = json.loads(out, parse_constant=refuse)
    assert isinstance(facts, dict)
    assert facts


def test_an_undefined_score_is_called_so(monkeypatch: pytest.MonkeyPatch, call: Call) -> None:
    monkeypatch.setattr(exprimo, "run", lambda *_, **__: BENCHMARKED)
    _, out, _ = call("run", "s.toml")
    assert [line.split() for line in out.splitlines()[:3]] == [
        ["model", "split", "pearson_r", "95%", "interval"],
        ["mean", "homology", "undefined", "-"],
        ["cnn", "homology", "0.500", "0.400", "to", "0.600"],
    ]


def test_options_reach_the_function_as_they_were_given(
    monkeypatch: pytest.MonkeyPatch, call: Call
) -> None:
    given: dict[str, Any] = {}

    def train(dataset: Path, out: Path, **values: Any) -> Any:
        given.update(values, dataset=dataset, out=out)
        return RUN

    monkeypatch.setattr(exprimo, "train", train)
    code, _, _ = call(
        "train", "D.h5", "-o", "R", "--test-chroms", "VII, XV", "--epochs", 3,
        "--set", "fit.patience=2", "--set", "options.kernel=5", "--allow-leak", "--threads", 1,
    )  # fmt: skip
    assert code == 0
    # Naming chromosomes asks for the chromosome split.
    assert given["split"] == {
        "strategy": "chromosome", "test_chroms": ["VII", "XV"], "val_chroms": [],
        "test_cells": [], "val_cells": [],
    }  # fmt: skip
    assert given["fit"]["epochs"] == 3
    assert given["fit"]["patience"] == 2
    assert given["options"] == {"kernel": 5}
    assert given["machine"] == {"device": "auto", "threads": 1}
    assert given["allow_leak"] is True
    assert given["resume"] is False


@pytest.mark.parametrize("name", ["train", "benchmark", "run", "demo"])
def test_serious_doubts_of_the_report_are_said_at_once(
    name: str, warned: str, monkeypatch: pytest.MonkeyPatch, call: Call
) -> None:
    arguments, function, result, _ = CALLS[name]
    monkeypatch.setattr(exprimo, function, lambda *_, **__: result)
    assert warned in call(name, *arguments)[1]
    asked = call(name, *arguments, "--json")[1]
    assert warned in json.dumps(json.loads(asked))
