"""What a study refuses before any stage has run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from exprimo.core.errors import ConfigError, ExprimoError, InputError
from exprimo.studies.differential.checks import (
    check_files,
    check_inputs,
    check_settings,
)
from exprimo.studies.differential.config import MODELS
from exprimo.studies.differential.plan import main_benchmark, other_benchmark, study_question
from exprimo.studies.differential.promoters import promoter_source
from exprimo.studies.resuming import check_settings_kept


@pytest.mark.parametrize(
    ("tables", "said"),
    [
        ({"benchmark": {"models": ["cnnn"]}}, "cnnn: no such model.* Did you mean cnn"),
        ({"targets": {"models": ["transformr"]}}, "no such model.* Did you mean transformer"),
        ({"imbalance": {"models": ["kmer"]}}, "no such model"),
        ({"imbalance": {"models": ["onehot_xgboost"]}, "benchmark": {"models": ["cnn"]}}, "not tr"),
        ({"benchmark": {"models": ["mean"]}}, "not made for this kind of target"),
        ({"benchmark": {"models": []}}, "benchmark.models: no model to hold against"),
        ({"benchmark": {"models": ["kmer_linear"]}, "imbalance": {"strategies": []}}, "no model"),
        ({"imbalance": {"generators": ["difusion"]}}, "no such generator.* Did you mean diffusion"),
        ({"imbalance": {"generators": ["ganz"]}}, "one of diffusion, .*, dinucleotide_shuffle"),
        ({"imbalance": {"generator_options": {"gan": {"chanels": 8}}}}, "Did you mean channels"),
        (
            {"imbalance": {"generators": ["gan"], "generator_options": {"diffusion": {}}}},
            "options of a generator that is not compared",
        ),
        ({"imbalance": {"generator_minutes": 5, "generator_steps": 50}}, "not both"),
        ({"benchmark": {"splits": ["homolgy"]}}, "unknown split strategy.* Did you mean homology"),
        ({"benchmark": {"splits": ["cell"]}}, "no such column to split by"),
        ({"benchmark": {"splits": ["gene*individual"]}}, "no such column to split by"),
        ({"benchmark": {"splits": ["column:batch"]}}, "no such column to split by"),
        ({"benchmark": {"splits": []}}, "benchmark.splits"),
        ({"benchmark": {"target": "lfc"}}, "benchmark.target.* targets.also"),
        ({"benchmark": {"above": "median"}}, "benchmark.above"),
        ({"benchmark": {"models": ["cnn"], "rivals": ["cnn"]}}, "no model to hold against"),
        ({"benchmark": {"fractions": [1.5]}}, "not a share of the training part"),
        ({"benchmark": {"options": {"cnn": {"chanels": 3}}}}, "Did you mean channels"),
        ({"benchmark": {"options": {"cnnn": {}}}}, "no such model"),
        ({"benchmark": {"models": ["cnn"], "options": {"cnn2d": {}}}}, "not compared"),
        ({"benchmark": {"models": ["cnn"], "presets": {"cnn2d": "published"}}}, "not compared"),
        ({"benchmark": {"fit": {"imbalance": "oversample"}}}, "benchmark.fit.imbalance"),
        ({"motifs": {"match_on": []}}, "motifs.match_on"),
    ],
)
def test_settings_that_no_stage_could_use(study: Any, tables: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        check_settings(study(**tables))


def test_settings_that_can_be_used(study: Any) -> None:
    check_settings(study())
    check_settings(study(benchmark={"splits": ["auto", "gene", "column:chrom", "random"]}))
    # Without a comparison it does not matter which models it names, or how the loss is weighed.
    check_settings(
        study(
            benchmark={"models": ["cnn2d"], "fit": {"imbalance": "class_weights"}},
            imbalance={"strategies": [], "generators": []},
        )
    )


def test_the_main_benchmark_carries_mean_expression(study: Any) -> None:
    config = main_benchmark(study(), "D.h5", "status: a vs b")
    assert config.models == ("mean_expression", *MODELS)
    assert config.splits == ("homology", "chromosome")
    assert config.question == "Can promoters tell which genes change (status: a vs b)?"
    assert study_question(study(question="Why?"), "x") == "Why?"


def test_other_targets_are_asked_under_the_first_split_alone(study: Any) -> None:
    made = study(
        benchmark={
            "seeds": 2,
            "ceiling": 0.9,
            "fit": {"imbalance": "focal", "focal_gamma": 3.0},
            "presets": {"onehot_xgboost": "published", "cnn2d": "published"},
        },
        targets={"models": ["cnn2d"]},
    )
    for name in ("direction", "three_way", "lfc"):
        config = other_benchmark(made, name, "D.h5")
        assert config.models == ("mean_expression", "cnn2d")
        assert (config.splits, config.seeds, config.target) == (("homology",), 2, name)
        assert config.presets == {"cnn2d": "published"}
        # The ceiling is one of AUROC, and a regression has no classes.
        assert config.ceiling is None
        assert (config.fit.imbalance == "focal") is (name != "lfc")


def test_rows_that_are_a_model_with_options_of_its_own(study: Any) -> None:
    made = study(
        benchmark={
            "models": ["cnn", "wide"],
            "variants": {"wide": "cnn2d"},
            "presets": {"wide": "published"},
            "rivals": ["cnn"],
        },
        imbalance={"models": ["wide", "kmer_linear"]},
        targets={"models": []},
    )
    check_settings(made)
    assert main_benchmark(made, "D.h5").variants == {"wide": "cnn2d"}
    other = other_benchmark(made, "direction", "D.h5")
    assert (other.variants, other.presets, other.rivals) == ({}, {}, ())


def test_options_of_a_model_that_only_another_target_uses(study: Any) -> None:
    made = study(
        benchmark={"models": ["cnn"], "options": {"cnn2d": {}, "kmer_linear": {"k": 3}}},
        targets={"models": ["cnn2d"]},
    )
    check_settings(made)
    assert main_benchmark(made, "D.h5").options == {"kmer_linear": {"k": 3}}
    assert set(other_benchmark(made, "lfc", "D.h5").options) == {"cnn2d", "kmer_linear"}


def test_other_settings_than_those_that_stand_there(study: Any, tmp_path: Path) -> None:
    stored = tmp_path / "settings.toml"
    check_settings_kept(study(), stored)
    study().save(stored)
    check_settings_kept(study(), stored)
    with pytest.raises(InputError, match="started with other settings"):
        check_settings_kept(study(dge={"lfc": 0.5}), stored)


@pytest.fixture
def home(genome: Path, genes: Path, tmp_path: Path) -> Path:
    """The genome and its genes, counts of six samples, and their sheet."""
    samples = [f"{side}{k}" for side in "ab" for k in range(3)]
    rows = ["\t".join(["gene", *samples])]
    rows += [f"{g}\t" + "\t".join(["10"] * 6) for g in ("PLUS", "MINUS", "QUIET", "OTHER")]
    (tmp_path / "counts.tsv").write_text("\n".join(rows) + "\n")
    sheet = ["sample\tstatus", *(f"{name}\t{name[0]}" for name in samples)]
    (tmp_path / "samples.tsv").write_text("\n".join(sheet) + "\n")
    return tmp_path


def _inputs(made: Any, home: Path) -> None:
    source = promoter_source(made.promoters, home)
    check_files(made, home, source)
    check_inputs(made, home, source)


def test_files_that_belong_together_pass_and_nothing_is_written(study: Any, home: Path) -> None:
    before = sorted(home.rglob("*"))
    _inputs(study(), home)
    assert sorted(path for path in home.rglob("*") if path.suffix != ".fai") == [
        path for path in before if path.suffix != ".fai"
    ]


@pytest.mark.parametrize("name", ["counts.tsv", "samples.tsv", "genome.fa", "genes.bed"])
def test_absent_files(study: Any, home: Path, name: str) -> None:
    (home / name).unlink()
    with pytest.raises(InputError, match=f"{name}: no such file"):
        _inputs(study(), home)


@pytest.mark.parametrize(
    "tables",
    [
        {"motifs": {"file": "absent.meme"}},
        {"promoters": {"gene_names": "absent.tsv"}},
        {"promoters": {"tss": "absent.tsv"}},
        {"promoters": {"chrom_style": "absent.tsv"}},
        {"counts": {"transcripts": "absent.tsv"}},
        {"truth": "absent"},
    ],
)
def test_absent_files_that_were_asked_for(study: Any, home: Path, tables: Any) -> None:
    with pytest.raises(InputError, match=r"absent.*: no such file"):
        _inputs(study(**tables), home)


@pytest.mark.parametrize(
    ("tables", "said"),
    [
        ({"dge": {"contrast": ["status", "a", "c"]}}, "c"),
        ({"dge": {"contrast": ["treatment", "a", "b"]}}, "treatment"),
        ({"dge": {"design": "~ stauts"}}, "stauts"),
        ({"dge": {"design": "~ status +"}}, "status"),
        ({"benchmark": {"test_chroms": ["XX"]}}, "benchmark.test_chroms names chromosomes"),
    ],
)
def test_a_design_or_chromosomes_that_the_files_do_not_have(
    study: Any, home: Path, tables: Any, said: str
) -> None:
    with pytest.raises(ExprimoError, match=said):
        _inputs(study(**tables), home)


def test_samples_of_another_sheet(study: Any, home: Path) -> None:
    sheet = (home / "samples.tsv").read_text()
    (home / "samples.tsv").write_text(sheet.replace("b2", "b9"))
    with pytest.raises(ExprimoError, match=r"without counts: b9; .*without a row in the sheet: b2"):
        _inputs(study(), home)


def test_genes_of_another_annotation(study: Any, home: Path) -> None:
    counts = (home / "counts.tsv").read_text()
    for gene in ("PLUS", "MINUS", "QUIET"):
        counts = counts.replace(gene, f"YAL{gene}")
    (home / "counts.tsv").write_text(counts)
    with pytest.raises(ExprimoError, match=r"counts\.tsv: no gene of the targets is in the anno"):
        _inputs(study(), home)


def test_chromosomes_of_another_genome(study: Any, home: Path) -> None:
    text = (home / "genome.fa").read_text()
    (home / "genome.fa").write_text(text.replace(">I", ">NC_1"))
    (home / "genome.fa.fai").unlink(missing_ok=True)
    with pytest.raises(ExprimoError, match="NC_1"):
        _inputs(study(), home)


def test_a_chromosome_that_is_too_short(study: Any, home: Path) -> None:
    (home / "genome.fa").write_text(">I\nACGTACGGTCAATTG\n")
    with pytest.raises(ExprimoError, match="beyond the end"):
        _inputs(study(), home)
