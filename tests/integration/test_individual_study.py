"""A study of people's genotypes through the command line: whole, resumed, refused."""

from __future__ import annotations

import gzip
import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import exprimo
from exprimo.core.errors import ExprimoError, InputError, MismatchError
from exprimo.core.run import Run
from exprimo.models.pretrained.enformer import EnformerConfig, random_enformer, save_enformer
from exprimo.simulate.config import GenomeConfig, WorldConfig

pytestmark = pytest.mark.slow

UNTRAINED = EnformerConfig(
    dim=24, depth=1, heads=1, key=8, divisible_by=4, downsamples=5, window=640, bins=12,
    tracks={"human": 2},
)  # fmt: skip
STUDY = """
kind = "individual"
truth = "world/truth"
threads = 1

[people]
genotypes = "world/genotypes.vcf.gz"
expression = "world/expression.bed.gz"
covariates = "world/covariates.tsv"

[genes]
fasta = "world/genome.fa"
genes = "world/genes.gtf"

[models]
answer = "RUN"

[models.beside]
untrained = "enformer:toy.safetensors"

[models.tracks]
untrained = ["1"]

[association]
upstream = 20000
downstream = 20000
permutations = 50
fdr = 0.5
stack_genes = 5
cis_features = ["p+t"]
members = ["ridge"]
metas = ["stack_linear"]
loci = 2
motifs = "world/truth/motifs.meme"
"""
ALONE = ["models.beside={}", "models.tracks={}", "association.run=false"]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A world of 200 genes and 30 people, and a network that learned from most genes."""
    folder = tmp_path_factory.mktemp("individual")
    config = WorldConfig(genes=200, genome=GenomeConfig(chromosomes=3))
    world = exprimo.simulate(folder / "world", seed=1, config=config, people=30)
    exprimo.dataset_promoters(
        fasta=world.genome, genes=world.genes, targets=world.expression, target="expression",
        upstream=500, downstream=100, out=folder / "D.h5",
    )  # fmt: skip
    exprimo.train(
        folder / "D.h5",
        folder / "RUN",
        model="cnn",
        options={"channels": 8, "stem_channels": 8, "head_channels": 4, "hidden": 8, "grid": 4},
        fit={"epochs": 2},
        machine={"threads": 1, "precision": "fp32"},
    )
    save_enformer(random_enformer(UNTRAINED), folder / "toy.safetensors")
    (folder / "study.toml").write_text(STUDY)
    return folder


@pytest.fixture(scope="module")
def done(home: Path) -> Path:
    return exprimo.run(home / "study.toml", out=home / "out").path  # type: ignore[union-attr]  # a study


def _facts(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "study.json").read_text())
    return found


def test_only_genes_that_the_run_did_not_learn_from_are_judged(home: Path, done: Path) -> None:
    ledger = Run.open(home / "RUN").ledger
    learned = {gene for units in ledger.learned.values() for gene in units.get("gene", ())}
    genes = pd.read_csv(done / "genes.tsv", sep="\t")
    assert len(genes) > 20
    assert not learned & set(genes["gene_id"])
    assert set(genes["model"]) == {"RUN", "untrained"}


def test_predictions_are_those_of_the_command(home: Path, done: Path, tmp_path: Path) -> None:
    table = pd.read_parquet(done / "models" / "RUN" / "people.parquet")
    gene = table["gene_id"].iloc[0]
    exprimo.personal(
        home / "RUN", tmp_path / "p.parquet", genotypes=home / "world/genotypes.vcf.gz",
        fasta=home / "world/genome.fa", genes=home / "world/genes.gtf", gene=[gene],
        haplotypes="mean", threads=1,
    )  # fmt: skip
    alone = pd.read_parquet(tmp_path / "p.parquet").set_index("individual")["prediction"]
    here = table[table["gene_id"] == gene].set_index("individual")["prediction"]
    np.testing.assert_allclose(alone.loc[here.index], here, atol=1e-5)


def test_the_truth_judges_the_variants(done: Path) -> None:
    effects = pd.read_csv(done / "effects.tsv", sep="\t")
    facts = _facts(done)["models"]["RUN"]
    assert facts["effects"]["n"] == int((effects["model"] == "RUN").sum())
    ceiling = facts["people"]["ceiling"]["across_people"]["value"]
    assert 0 < ceiling < 1
    assert (done / "report.html").stat().st_size > 100_000


def test_a_study_that_was_stopped_goes_on(home: Path, done: Path, tmp_path: Path) -> None:
    folder = tmp_path / "again"
    shutil.copytree(done, folder)
    before = (folder / "models/RUN/people.parquet").stat().st_mtime_ns
    (folder / "study.json").unlink()
    shutil.rmtree(folder / "models/untrained")
    exprimo.run(home / "study.toml", out=folder, resume=True)
    assert (folder / "models/RUN/people.parquet").stat().st_mtime_ns == before
    assert _facts(folder)["models"] == _facts(done)["models"]
    with pytest.raises(InputError, match="other settings"):
        exprimo.run(home / "study.toml", out=folder, overrides=["seed=7"], resume=True)


def _table(folder: Path, name: str) -> pd.DataFrame:
    return pd.read_csv(folder / f"{name}.tsv", sep="\t")


def test_predictors_are_judged_on_the_same_people_and_folds(done: Path) -> None:
    told = _table(done, "predicted")
    first = told[told["predictor"] == "stack_linear"].drop(columns=["predictor", "predicted"])
    names = set(told["predictor"])
    assert {"RUN (calibrated)", "cis_p+t", "cis_elastic_net", "ridge"} < names
    for name in names:
        mine = told[told["predictor"] == name].drop(columns=["predictor", "predicted"])
        pd.testing.assert_frame_equal(mine.reset_index(drop=True), first.reset_index(drop=True))
    scores = _table(done, "predictors")
    assert scores.groupby("predictor")["gene_id"].agg(set).map(tuple).nunique() == 1
    assert scores.loc[scores["predictor"] == "RUN", "r2"].isna().all()
    facts = _facts(done)["association"]
    assert set(facts["predictors"]) == set(scores["predictor"])
    stack = scores.loc[scores["predictor"] == "stack_linear", "r2"].mean()
    assert facts["predictors"]["stack_linear"]["r2"]["value"] == pytest.approx(stack, abs=1e-5)


def test_all_genes_of_the_study_are_mapped_and_some_are_drawn(done: Path) -> None:
    egenes, genes = _table(done, "egenes"), _table(done, "genes")
    assert set(egenes["gene_id"]) == set(genes["gene_id"])
    assert egenes["h2"].notna().sum() == 5
    called = egenes["egene"] == "yes"
    assert called.any()
    assert egenes.loc[called, "n_sets"].notna().all()
    assert egenes.loc[~called, "n_sets"].isna().all()
    linked = egenes["lead_r2_acting"].dropna()
    assert linked.between(0, 1).all()
    assert (linked[egenes["lead_acts"] == "yes"] > 0.999).all()
    facts = _facts(done)["association"]
    assert facts["truth"]["power"]["n"] == int((egenes["n_acting"] > 0).sum())
    assert facts["eqtl"]["n_egenes"] == int(called.sum())


def test_what_is_drawn_and_what_is_listed(done: Path) -> None:
    loci, models = _table(done, "loci"), _table(done, "gene_models")
    facts = _facts(done)["association"]
    assert list(loci["gene_id"].unique()) == facts["shown"]
    assert len(facts["shown"]) == 2
    # Loci are the strongest of all genes; people are drawn where predictors were fitted.
    egenes = _table(done, "egenes").sort_values(["pval_beta", "pval_nominal"], kind="stable")
    called = egenes[egenes["egene"] == "yes"]
    assert facts["shown"] == called["gene_id"].head(2).tolist()
    fitted = set(_table(done, "predictors")["gene_id"])
    assert len(facts["followed"]) == 2
    assert set(facts["followed"]) == set(_table(done, "predicted")["gene_id"]) <= fitted
    for gene, rows in loci.groupby("gene_id"):
        lead = rows.loc[rows["pval_nominal"].idxmin()]
        assert lead["r2_lead"] == pytest.approx(1.0)
        assert ((models["locus"] == gene) & (models["gene_id"] == gene)).any()
    near = loci["score:RUN"].notna()
    assert near.any()
    assert loci.loc[near, "tss_distance"].abs().max() <= 520
    candidates = _table(done, "candidates")
    assert candidates["rank"].tolist() == list(range(1, len(candidates) + 1))
    assert set(candidates["model"]) == {"RUN"}
    assert (candidates["pip"] > 0).all()
    by_pip = facts["truth"]["first_by_pip"]["acting_in_top"]
    assert set(facts["truth"]["candidates"]["acting_in_top"]) <= set(by_pip)
    overlap = json.loads((done / "association/overlap.json").read_text())
    assert set(overlap["columns"]) == {"RUN", "untrained"}
    assert overlap["models"]["RUN"]["window"] == "500,100"


def test_an_association_that_was_stopped_goes_on(
    home: Path, done: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "again"
    shutil.copytree(done, folder)
    kept = folder / "association/scores/predictions.parquet"
    before = kept.stat().st_mtime_ns
    for name in ("study.json", "association/overlap.json", "candidates.tsv"):
        (folder / name).unlink()
    shutil.rmtree(folder / "association/stack")

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        # The package's name ``stack`` is the function, not the module that has it.
        patch.setattr(sys.modules["exprimo.genetics.stacking.stack"], "write_stack", stop)
        with pytest.raises(KeyboardInterrupt):
            exprimo.run(home / "study.toml", out=folder, resume=True)
    assert not (folder / "association/stack").exists()
    exprimo.run(home / "study.toml", out=folder, resume=True)
    assert kept.stat().st_mtime_ns == before
    assert _facts(folder)["association"] == _facts(done)["association"]


def test_without_any_egene_nothing_is_fine_mapped(home: Path, tmp_path: Path) -> None:
    changes = ["models.beside={}", "models.tracks={}", "association.fdr=1e-12"]
    folder = exprimo.run(home / "study.toml", out=tmp_path / "out", overrides=changes).path  # type: ignore[union-attr]  # a study
    facts = _facts(folder)["association"]
    assert facts["eqtl"]["n_egenes"] == facts["finemap"]["n_sets"] == 0
    assert facts["candidates"]["n"] == 0
    assert facts["truth"]["pip"] is None
    assert len(facts["shown"]) == 2


@pytest.mark.parametrize(
    ("overrides", "error", "said"),
    [
        (["genes.only=['nobody']"], InputError, "no such gene"),
        (["people.genotypes='world/none.vcf.gz'"], ExprimoError, "none.vcf.gz"),
        (["people.samples='names.txt'"], MismatchError, "people who have no genotype"),
        (["models.answer='NOTHING'"], ExprimoError, "NOTHING"),
        (["models.tracks.other=['1']"], ExprimoError, "tracks of a model"),
        (["association.motifs='none.meme'"], ExprimoError, "none.meme"),
    ],
)
def test_what_cannot_be_is_refused_and_leaves_nothing(
    home: Path, tmp_path: Path, overrides: list[str], error: type[Exception], said: str
) -> None:
    (home / "names.txt").write_text("eve\n")
    with pytest.raises(error, match=said):
        exprimo.run(home / "study.toml", out=tmp_path / "out", overrides=overrides)
    assert not (tmp_path / "out").exists()


def test_a_file_that_changed_since_is_refused(home: Path, done: Path, tmp_path: Path) -> None:
    """People whose names moved in the genotypes would be judged by each other's expression."""
    files = tmp_path / "files"
    shutil.copytree(home, files, ignore=shutil.ignore_patterns("out", "D.h5"))
    changes = ALONE
    folder = exprimo.run(files / "study.toml", out=files / "out", overrides=changes).path  # type: ignore[union-attr]  # a study
    (folder / "study.json").unlink()
    covariates = files / "world/covariates.tsv"
    text = covariates.read_text().replace("P0001", "P9999").replace("P0002", "P0001")
    covariates.write_text(text.replace("P9999", "P0002"))
    with pytest.raises(InputError, match=r"has changed since.*covariates|covariates.*has changed"):
        exprimo.run(files / "study.toml", out=folder, overrides=changes, resume=True)


def test_genotypes_of_one_chromosome_judge_the_genes_on_it(home: Path, tmp_path: Path) -> None:
    part = tmp_path / "one.vcf"
    with gzip.open(home / "world/genotypes.vcf.gz", "rt") as packed:
        part.write_text("".join(line for line in packed if line[0] == "#" or line[:2] == "1\t"))
    changes = [f"people.genotypes='{part}'", *ALONE]
    found = exprimo.run(home / "study.toml", out=tmp_path / "out", overrides=changes)
    facts = _facts(found.path)  # type: ignore[union-attr]  # a study
    assert facts["left_out"]["on a chromosome without genotypes"] > 20
    assert facts["n_genes"] > 5


def test_named_genes_that_the_run_learned_from_are_counted(home: Path, tmp_path: Path) -> None:
    ledger = Run.open(home / "RUN").ledger
    learned = sorted({g for units in ledger.learned.values() for g in units.get("gene", ())})[:4]
    changes = [f"genes.only={learned!r}", *ALONE]
    found = exprimo.run(home / "study.toml", out=tmp_path / "out", overrides=changes)
    facts = _facts(found.path)  # type: ignore[union-attr]  # a study
    assert facts["models"]["RUN"]["n_learned"] == 4


def test_unphased_genotypes_are_refused_and_the_study_may_be_changed(
    home: Path, tmp_path: Path
) -> None:
    source = home / "world/genotypes.vcf.gz"
    unphased = tmp_path / "unphased.vcf"
    with gzip.open(source, "rt") as packed:
        unphased.write_text(packed.read().replace("|", "/"))
    changes = [f"people.genotypes='{unphased}'", *ALONE]
    with pytest.raises(ExprimoError, match="phase"):
        exprimo.run(home / "study.toml", out=tmp_path / "out", overrides=changes)
    assert not (tmp_path / "out").exists()
    mixed = [*changes, "people.unphased='mixture'"]
    exprimo.run(home / "study.toml", out=tmp_path / "out", overrides=mixed)
    assert _facts(tmp_path / "out")["models"]["RUN"]["people"]["n_people"] == 30


def test_the_command_prints_the_verdict(
    home: Path, tmp_path: Path, command: Callable[..., Any]
) -> None:
    arguments = [word for change in ALONE for word in ("--set", change)]
    arguments += ["-o", tmp_path / "out"]
    ended = command("run", home / "study.toml", *arguments)
    assert ended.code == 0
    assert "Over 30 people" in ended.out


def test_the_command_prints_what_the_second_half_found(
    home: Path, done: Path, tmp_path: Path, command: Callable[..., Any]
) -> None:
    folder = tmp_path / "again"
    shutil.copytree(done, folder)
    ended = command("run", home / "study.toml", "-o", folder, "--resume")
    assert ended.code == 0
    said = " ".join(ended.out.split())
    assert "genes tested in 30 people" in said
    assert "People who were left out are predicted best by" in said
    assert max(map(len, ended.out.splitlines())) <= 100 + len(str(folder))
