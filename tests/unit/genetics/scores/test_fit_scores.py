"""Scores of genes from files to a folder: honest folds, provenance, ledger, planted leaks."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from exprimo.core.errors import ConfigError, InputError, LeakError, MismatchError
from exprimo.core.ledger import Ledger
from exprimo.genetics.overlap import refuse_p_values
from exprimo.genetics.scores.fitting import fit_scores
from exprimo.genetics.scores.scoring import score_people

N_PEOPLE, N_VARIANTS = 90, 24
PEOPLE = [f"p{i:02}" for i in range(N_PEOPLE)]
SETTINGS = {
    "models": ["baseline", "p+t"],
    "folds": 3,
    "upstream": 5000,
    "downstream": 5000,
    "polygenic": {"p": [0.001, 1.0], "r2": [0.2], "inner_folds": 3},
}


def _vcf(path: Path, dosage: np.ndarray, people: list[str], chrom: str = "1") -> Path:
    cells = np.array(["0/0", "0/1", "1/1"])
    lines = [
        f"{chrom}\t{100 * (v + 1)}\trs{v}\tA\t{'T' if v == 5 else 'C'}\t.\t.\t.\tGT\t"
        + "\t".join(cells[row])
        for v, row in enumerate(dosage)
    ]
    path.write_text(
        f"##fileformat=VCFv4.2\n##contig=<ID={chrom}>\n"
        '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">\n'
        "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\t" + "\t".join(people) + "\n"
        + "\n".join(lines) + "\n"
    )  # fmt: skip
    return path


def _bed(path: Path, values: np.ndarray, people: list[str]) -> Path:
    rows = [
        f"1\t{1000 + g}\t{1001 + g}\tg{g}\t" + "\t".join(f"{x:.9g}" for x in row)
        for g, row in enumerate(values)
    ]
    head = "#chr\tstart\tend\tgene_id\t" + "\t".join(people)
    path.write_text("\n".join([head, *rows]) + "\n")
    return path


class World:
    """Gene g0 has a causal variant (rs5, an A/T one), g1 none."""

    def __init__(self, folder: Path) -> None:
        rng = np.random.default_rng(0)
        self.folder = folder
        self.dosage = rng.binomial(2, 0.4, (N_VARIANTS, N_PEOPLE))
        self.values = rng.normal(size=(2, N_PEOPLE))
        self.values[0] = self.dosage[5] + 0.4 * self.values[0]
        self.genotypes = _vcf(folder / "g.vcf", self.dosage, PEOPLE)
        self.expression = _bed(folder / "e.bed", self.values, PEOPLE)

    def fit(self) -> Path:
        out = self.folder / "SCORES"
        fit_scores(self.genotypes, self.expression, out, **SETTINGS)
        return out


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_the_folder_says_all(world: World) -> None:
    done = fit_scores(world.genotypes, world.expression, world.folder / "S", **SETTINGS)
    folder = done.path
    assert (done.n_people, done.n_genes) == (N_PEOPLE, 2)
    assert done.models["p+t"]["r2"] > 0.25
    genes = pd.read_parquet(folder / "genes.parquet").set_index(["gene_id", "model"])
    assert genes.loc[("g0", "p+t"), "r2"] > 0.6
    assert genes.loc[("g1", "p+t"), "r2"] < 0.1
    told = pd.read_parquet(folder / "predictions.parquet")
    assert len(told) == 2 * 2 * N_PEOPLE
    g0 = told[(told["gene_id"] == "g0") & (told["model"] == "p+t")]
    rss = ((g0["observed"] - g0["predicted"]) ** 2).sum()
    tss = ((g0["observed"] - g0["training_mean"]) ** 2).sum()
    assert genes.loc[("g0", "p+t"), "r2"] == pytest.approx(1 - rss / tss)
    weights = pd.read_parquet(folder / "weights.parquet")
    best = weights[(weights["gene_id"] == "g0") & (weights["model"] == "p+t")]
    top = best.loc[best.groupby("fold")["weight"].apply(lambda w: w.abs().idxmax())]
    assert set(top["variant_id"]) == {"rs5"}
    assert top[["chrom", "pos", "ref", "alt"]].drop_duplicates().values.tolist() == [
        ["1", 600, "A", "T"]
    ]
    assert set(top["fold"]) == {-1, 0, 1, 2}
    kept = json.loads(pq.read_schema(folder / "weights.parquet").metadata[b"exprimo"])
    origin = json.loads((folder / "provenance.json").read_text())
    assert kept == origin
    assert origin["config"]["polygenic"]["r2"] == [0.2]
    with pytest.raises(LeakError, match="weight"):
        refuse_p_values(folder / "weights.parquet", ["weight"])
    assert json.loads((folder / "summary.json").read_text())["n_genes"] == 2


def test_the_ledger_names_who_trained_each_fold(world: World) -> None:
    folder = world.fit()
    folds = pd.read_csv(folder / "folds.tsv", sep="\t")
    ledger = Ledger.load(folder / "ledger.parquet")
    for fold, part in folds.groupby("fold"):
        learned = ledger.learned[f"weights without fold {fold}"]["individual"]
        assert learned == set(PEOPLE) - set(part["sample"])
    assert ledger.learned["weights of everybody"]["individual"] == set(PEOPLE)


def test_scores_of_left_out_people_are_the_predictions_of_the_fit(world: World) -> None:
    folder, out = world.fit(), world.folder / "S"
    done = score_people(
        folder, world.genotypes, out, folds_file=folder / "folds.tsv", expression=world.expression
    )
    ours = pd.read_parquet(out / "scores.parquet").set_index(["gene_id", "model", "sample"])
    fitted = pd.read_parquet(folder / "predictions.parquet")
    fitted = fitted.set_index(["gene_id", "model", "sample"])
    assert len(ours) == len(fitted)
    assert np.allclose(ours["prediction"].reindex(fitted.index), fitted["predicted"], atol=1e-9)
    genes = pd.read_parquet(folder / "genes.parquet").groupby("model")["r2"].mean()
    for model, mean in genes.items():
        assert done.models[str(model)]["r2"] == pytest.approx(mean)
    assert done.leaks == 0


def test_judging_people_that_the_weights_were_learned_from_is_refused(world: World) -> None:
    folder = world.fit()
    with pytest.raises(LeakError, match=r"p00.*weights of everybody"):
        score_people(folder, world.genotypes, world.folder / "S", expression=world.expression)
    assert not (world.folder / "S").exists()
    done = score_people(
        folder, world.genotypes, world.folder / "S", expression=world.expression, allow_leak=True
    )
    assert done.leaks == N_PEOPLE
    assert json.loads((done.path / "provenance.json").read_text())["leak"] is True


def test_a_planted_leak_in_the_folds_is_caught(world: World) -> None:
    folder = world.fit()
    folds = pd.read_csv(folder / "folds.tsv", sep="\t")
    # One person is said to have been left out of a fold that did learn from that person.
    folds.loc[7, "fold"] = (folds.loc[7, "fold"] + 1) % 3
    planted = world.folder / "folds.tsv"
    folds.to_csv(planted, sep="\t", index=False)
    with pytest.raises(LeakError, match=r"p07: leak: weights without fold \d learned"):
        score_people(folder, world.genotypes, world.folder / "S", folds_file=planted)


def test_other_people_are_scored_and_judged(world: World) -> None:
    folder, rng = world.fit(), np.random.default_rng(9)
    dosage = rng.binomial(2, 0.4, (N_VARIANTS, 50))
    people = [f"new{i}" for i in range(50)]
    genotypes = _vcf(world.folder / "new.vcf", dosage, people, chrom="chr1")
    values = np.stack([dosage[5] + 0.4 * rng.normal(size=50), rng.normal(size=50)])
    expression = _bed(world.folder / "new.bed", values, people)
    done = score_people(folder, genotypes, world.folder / "S", expression=expression)
    assert done.learned_from == 0
    genes = pd.read_parquet(done.path / "genes.parquet").set_index(["gene_id", "model"])
    assert genes.loc[("g0", "p+t"), "r2"] > 0.6
    # The A/T variant is kept: our own weights name REF and ALT.
    assert set(done.weights) == {"matched"}


def test_plain_scoring_of_training_people_is_counted_not_refused(world: World) -> None:
    done = score_people(world.fit(), world.genotypes, world.folder / "S", models=["p+t"])
    assert done.learned_from == N_PEOPLE
    scores = pd.read_parquet(done.path / "scores.parquet")
    assert set(scores["model"]) == {"p+t"}
    assert len(scores) == 2 * N_PEOPLE


def test_what_does_not_fit_is_refused(world: World) -> None:
    folder, out = world.fit(), world.folder / "S"
    with pytest.raises(MismatchError, match=r"no such model.*lasso"):
        score_people(folder, world.genotypes, out, models=["lasso"])
    moved = _vcf(world.folder / "m.vcf", world.dosage, PEOPLE)
    moved.write_text(moved.read_text().replace("\t600\t", "\t601\t").replace("00\trs", "07\trs"))
    with pytest.raises(MismatchError, match=r"no weight fits.*no such variant.*genome build"):
        score_people(folder, moved, out)
    with pytest.raises(InputError, match="already exists"):
        fit_scores(world.genotypes, world.expression, folder, **SETTINGS)
    with pytest.raises(ConfigError, match="models"):
        fit_scores(world.genotypes, world.expression, out, models=["ridge"])
    four = world.folder / "four.tsv"
    four.write_text("sample\tfold\n" + "".join(f"{p}\t{i % 4}\n" for i, p in enumerate(PEOPLE)))
    with pytest.raises(MismatchError, match="without this fold"):
        score_people(folder, world.genotypes, out, folds_file=four)


def test_some_people_are_scored_by_the_folds_of_all(world: World) -> None:
    folder, out = world.fit(), world.folder / "S"
    folds = pd.read_csv(folder / "folds.tsv", sep="\t").set_index("sample")["fold"]
    some = folds.index[folds == 2][:5].tolist()
    score_people(folder, world.genotypes, out, folds_file=folder / "folds.tsv", samples=some)
    ours = pd.read_parquet(out / "scores.parquet").set_index(["gene_id", "model", "sample"])
    fitted = pd.read_parquet(folder / "predictions.parquet")
    fitted = fitted.set_index(["gene_id", "model", "sample"]).loc[ours.index]
    assert len(ours) == 2 * 2 * 5
    assert np.allclose(ours["prediction"], fitted["predicted"], atol=1e-9)
    ledger = Ledger.load(out / "ledger.parquet").learned
    assert list(ledger) == ["weights without fold 2"]


def test_scores_carry_the_ledger_of_their_weights(world: World) -> None:
    done = score_people(world.fit(), world.genotypes, world.folder / "S")
    ledger = Ledger.load(done.path / "ledger.parquet").learned
    assert {name: len(units["individual"]) for name, units in ledger.items()} == {
        "weights of everybody": N_PEOPLE
    }


def test_genes_whose_ids_have_versions_are_judged(world: World) -> None:
    text = world.expression.read_text()
    versioned = {"g0": "ENSG00000001000.3", "g1": "ENSG00000001001.12"}
    for plain, name in versioned.items():
        text = text.replace(f"\t{plain}\t", f"\t{name}\t")
    world.expression.write_text(text)
    folder, out = world.fit(), world.folder / "S"
    score_people(
        folder, world.genotypes, out, folds_file=folder / "folds.tsv", expression=world.expression
    )
    key = ["gene_id", "model"]
    ours = pd.read_parquet(out / "genes.parquet").set_index(key)
    fitted = pd.read_parquet(folder / "genes.parquet").set_index(key).loc[ours.index]
    assert set(ours.index.get_level_values(0)) == set(versioned.values())
    assert np.allclose(ours["r2"], fitted["r2"])
    # Both are means of r within folds.
    assert np.allclose(ours["pearson_r"], fitted["pearson_r"])


def test_genotypes_that_do_not_vary_are_refused(world: World) -> None:
    still = _vcf(world.folder / "still.vcf", np.ones_like(world.dosage), PEOPLE)
    with pytest.raises(InputError, match=r"still.vcf: no gene has a variant to test.*2 genes"):
        fit_scores(still, world.expression, world.folder / "S", **SETTINGS)
    assert not (world.folder / "S").exists()


def test_folds_of_one_person_have_no_r_and_say_so(world: World) -> None:
    few = PEOPLE[:24]
    settings = {**SETTINGS, "models": ["baseline"], "folds": len(few), "heritability": False}
    done = fit_scores(
        world.genotypes, world.expression, world.folder / "S", samples=few, **settings
    )
    found = done.models["baseline"]
    assert np.isnan(found["pearson_r"])
    assert np.isfinite(found["r2"])


def test_the_order_of_people_in_the_expression_changes_nothing(world: World) -> None:
    folder = world.fit()
    back = np.random.default_rng(1).permutation(N_PEOPLE)
    bed = _bed(world.folder / "b.bed", world.values[:, back], [PEOPLE[at] for at in back])
    fit_scores(world.genotypes, bed, world.folder / "B", **SETTINGS)
    for name in ("weights", "models", "predictions", "genes"):
        one, two = (
            pd.read_parquet(place / f"{name}.parquet") for place in (folder, world.folder / "B")
        )
        pd.testing.assert_frame_equal(one, two, check_exact=True)


def test_a_batch_of_one_person_is_left_out_where_that_person_is(world: World) -> None:
    rng = np.random.default_rng(2)
    own = pd.DataFrame({"sample": PEOPLE, "age": rng.normal(size=N_PEOPLE), "b3": 0.0})
    own.loc[11, "b3"] = 1.0
    own.to_csv(world.folder / "c.tsv", sep="\t", index=False)
    settings = {**SETTINGS, "models": ["p+t", "elastic_net"], "inner_folds": 40}
    done = fit_scores(
        world.genotypes, world.expression, world.folder / "S",
        covariates=world.folder / "c.tsv", **settings,
    )  # fmt: skip
    # Held out in one of 3 outer folds (with its 3 inner ones), and once within each other.
    assert done.notes[0].startswith("in 6 of 12 sets of training people a covariate")
    assert done.notes[1].startswith("elastic_net: 30 inner folds and not 40")
    assert done.models["p+t"]["r2"] > 0.25
    assert done.models["elastic_net"]["r2"] > 0.2


def test_scores_judged_with_covariates_are_those_of_the_fit(world: World) -> None:
    age = np.random.default_rng(3).normal(size=N_PEOPLE)
    world.expression = _bed(world.folder / "aged.bed", world.values + 2 * age, PEOPLE)
    file = world.folder / "c.tsv"
    pd.DataFrame({"sample": PEOPLE, "age": age}).to_csv(file, sep="\t", index=False)
    done = fit_scores(
        world.genotypes, world.expression, world.folder / "SCORES", covariates=file, **SETTINGS
    )
    given = {"folds_file": done.path / "folds.tsv", "expression": world.expression}
    same = score_people(done.path, world.genotypes, world.folder / "S", covariates=file, **given)
    for model, fitted in done.models.items():
        assert same.models[model]["r2"] == pytest.approx(fitted["r2"])
        assert same.models[model]["pearson_r"] == pytest.approx(fitted["pearson_r"])
    assert same.notes == ()
    raw = score_people(done.path, world.genotypes, world.folder / "R", **given)
    assert raw.models["p+t"]["r2"] < same.models["p+t"]["r2"] - 0.1
    assert "without age; it is judged with them in" in raw.notes[0]
    folds = pd.read_csv(given["folds_file"], sep="\t")
    with pytest.raises(InputError, match="too few people to take covariates out"):
        score_people(
            done.path, world.genotypes, world.folder / "T", covariates=file,
            samples=folds.loc[folds["fold"] == 1, "sample"].tolist(), **given,
        )  # fmt: skip
    with pytest.raises(ConfigError, match="covariates of no expression"):
        score_people(done.path, world.genotypes, world.folder / "T", covariates=file)


def test_others_weights_with_versioned_ids_meet_expression_without(world: World) -> None:
    database = world.folder / "pdb.db"
    with closing(sqlite3.connect(database)) as file, file:
        file.execute("CREATE TABLE extra (gene TEXT, genename TEXT)")
        file.execute(
            "CREATE TABLE weights "
            "(gene TEXT, rsid TEXT, varID TEXT, ref_allele TEXT, eff_allele TEXT, weight REAL)"
        )
        file.execute("INSERT INTO extra VALUES ('ENSG00000001000.3', 'A')")
        file.execute(
            "INSERT INTO weights VALUES "
            "('ENSG00000001000.3', 'rs5', 'chr1_600_A_T_b38', 'A', 'T', 0.5)"
        )
    text = world.expression.read_text().replace("\tg0\t", "\tENSG00000001000\t")
    world.expression.write_text(text)
    done = score_people(
        database, world.genotypes, world.folder / "S", expression=world.expression,
        palindromic="keep",
    )  # fmt: skip
    assert done.models["PredictDB"]["pearson_r"] > 0.8
    assert pd.read_parquet(done.path / "genes.parquet")["pearson_r"].notna().all()
