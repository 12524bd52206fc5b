"""The whole command: files in, judged predictions out, and leaks refused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from exprimo.core.errors import ConfigError, ExprimoError, LeakError, MismatchError
from exprimo.core.ledger import Ledger
from exprimo.evaluate.grouped import r2_against_training
from exprimo.genetics.stacking import stack

PEOPLE = [f"p{at:02d}" for at in range(60)]
COLUMNS = ("#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT")
SETTINGS = {"members": ("ridge", "elastic_net"), "inner_folds": 3, "meta_rounds": 5}


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> Path:
    """Three genes of 60 people, driven by one of 12 variants each; a feature that tells half."""
    folder = tmp_path_factory.mktemp("stack")
    rng = np.random.default_rng(0)
    dosage = rng.binomial(2, 0.4, (36, 60))
    lines = [
        "##fileformat=VCFv4.2",
        "##contig=<ID=1>",
        '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">',
        "\t".join([*COLUMNS, *PEOPLE, "stranger"]),
    ]
    for at, row in enumerate(dosage):
        calls = [("0/0", "0/1", "1/1")[copies] for copies in row] + ["0/1"]
        place = 1000 + (at // 12) * 1_000_000 + at * 100
        lines.append(
            "\t".join(["1", str(place), f"v{at}", "A", "C", *".", *".", *".", "GT", *calls])
        )
    (folder / "g.vcf").write_text("\n".join(lines) + "\n")
    noise = rng.normal(size=(3, 60))
    expression = 7 + 2 * dosage[[3, 15, 27]] + 0.7 * noise
    bed = pd.DataFrame(expression, columns=PEOPLE)
    bed.insert(0, "gene_id", ["g1", "g2", "g3"])
    bed.insert(0, "end", [2001, 1_002_001, 2_002_001])
    bed.insert(0, "start", [2000, 1_002_000, 2_002_000])
    bed.insert(0, "#chr", "1")
    bed.to_csv(folder / "e.bed", sep="\t", index=False)
    told = pd.DataFrame(
        {
            "gene_id": np.repeat(["g1", "g2", "g9"], 60),
            "individual": PEOPLE * 3,
            "told": (expression + 2 * rng.normal(size=(3, 60))).reshape(-1),
        }
    )
    told.to_parquet(folder / "told.parquet")
    age = pd.DataFrame({"individual": [*PEOPLE[:-2], "who"], "age": rng.normal(size=59)})
    age.to_csv(folder / "age.tsv", sep="\t", index=False)
    return folder


def test_predictions_scores_and_files(files, tmp_path):
    out = tmp_path / "out"
    done = stack(
        files / "e.bed",
        [files / "told.parquet", files / "age.tsv"],
        out,
        genotypes=files / "g.vcf",
        rivals={"upstream": 10_000, "downstream": 10_000, "inner_folds": 5},
        **SETTINGS,
    )
    assert (done.n_genes, done.n_people, done.n_features, done.leaks) == (2, 58, 2, ())
    assert done.dropped["genes without features"] == 1
    assert list(done.scores)[-3:] == ["cis_baseline", "cis_p+t", "cis_elastic_net"]
    assert done.scores["cis_elastic_net"].r2.value > 0.5
    assert 0.1 < done.scores["stack_linear"].r2.value < 0.7
    table = pd.read_parquet(out / "predictions.parquet")
    assert len(table) == 2 * 58
    folds = pd.read_csv(out / "folds.tsv", sep="\t").set_index("sample")["fold"]
    g1 = table[table["gene_id"] == "g1"]
    assert (g1["fold"].to_numpy() == folds[g1["individual"]].to_numpy()).all()
    for number in range(5):
        held = g1["fold"] == number
        trained = g1.loc[~held, "observed"].mean()
        np.testing.assert_allclose(g1.loc[held, "training_mean"], trained)
    scores = pd.read_parquet(out / "genes.parquet").set_index(["gene_id", "predictor"])
    expected = r2_against_training(g1["observed"], g1["stack_linear"], g1["training_mean"])
    assert scores.loc[("g1", "stack_linear"), "r2"] == pytest.approx(float(expected))
    ledger = Ledger.load(out / "ledger.parquet").learned
    outside = frozenset(folds.index[folds != 3])
    assert ledger["stack fold 3"]["individual"] == outside
    summary = json.loads((out / "summary.json").read_text())
    assert summary["scores"]["ridge"]["pearson_r_people"]["unit"] == "person"
    weights = pd.read_parquet(out / "weights.parquet")
    assert set(weights["member"]) == {"ridge", "elastic_net"}
    assert (weights["weight"] >= 0).all()


def test_features_that_saw_the_judged_are_refused(files, tmp_path):
    leaky = tmp_path / "leaky.parquet"
    leaky.write_bytes((files / "told.parquet").read_bytes())
    Ledger({"prs weights": {"individual": frozenset(PEOPLE[:3])}}).save(
        tmp_path / "leaky.ledger.parquet"
    )
    with pytest.raises(LeakError, match="prs weights learned from"):
        stack(files / "e.bed", [leaky], tmp_path / "out", **SETTINGS)
    assert not (tmp_path / "out").exists()
    done = stack(files / "e.bed", [leaky], tmp_path / "out", allow_leak=True, **SETTINGS)
    assert done.leaks == ("prs weights: 3 individuals",)
    stamped = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert stamped["leaks"] == ["prs weights: 3 individuals"]


def test_features_made_without_each_fold_are_welcome(files, tmp_path):
    folds = pd.DataFrame({"sample": PEOPLE, "fold": np.arange(60) % 3})
    folds.to_csv(tmp_path / "folds.tsv", sep="\t", index=False)
    made = {
        f"prs fold {k}": {"individual": frozenset(PEOPLE) - frozenset(PEOPLE[k::3])}
        for k in range(3)
    }
    Ledger(made).save(tmp_path / "made.parquet")
    given = {"folds_file": tmp_path / "folds.tsv", "ledgers": [tmp_path / "made.parquet"]}
    told = pd.read_parquet(files / "told.parquet")
    anew = tmp_path / "anew.parquet"
    pd.concat([told.assign(fold=k) for k in range(3)]).to_parquet(anew)
    done = stack(files / "e.bed", [anew], tmp_path / "out", **given, **SETTINGS)
    assert done.n_folds == 3
    # One feature for all folds: those who train for a fold have features that saw its people.
    with pytest.raises(LeakError, match="--cis-feature"):
        stack(files / "e.bed", [files / "told.parquet"], tmp_path / "one", **given, **SETTINGS)
    # The same ledger with other folds is a leak.
    given["folds_file"] = None
    given["folds"] = 3
    with pytest.raises(LeakError):
        stack(files / "e.bed", [anew], tmp_path / "two", **given, **SETTINGS)


def test_files_that_do_not_fit(files, tmp_path):
    (tmp_path / "who.tsv").write_text("individual\tx\nq1\t1\nq2\t2\n")
    with pytest.raises(MismatchError, match="nobody"):
        stack(files / "e.bed", [tmp_path / "who.tsv"], tmp_path / "out", **SETTINGS)
    with pytest.raises(ConfigError, match="without features"):
        stack(files / "e.bed", [], tmp_path / "out")
    with pytest.raises(ConfigError):
        stack(files / "e.bed", [files / "age.tsv"], tmp_path / "out", members=("rigde",))
    bad = pd.read_parquet(files / "told.parquet").assign(gene_id="g9").drop_duplicates("individual")
    bad.to_parquet(tmp_path / "bad.parquet")
    with pytest.raises(MismatchError, match="no gene that varies"):
        stack(files / "e.bed", [tmp_path / "bad.parquet"], tmp_path / "out", **SETTINGS)


def _covariates(**columns: object) -> pd.DataFrame:
    return pd.DataFrame({"sample": PEOPLE, **columns})


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (_covariates(age=np.arange(60.0), twice=np.arange(60.0) * 2), "collinear"),
        (_covariates(age=np.ones(60)), "age"),
        (
            _covariates(**{f"c{k}": np.sin(np.arange(60.0) * (k + 1)) for k in range(70)}),
            "too few people for these covariates",
        ),
    ],
)
def test_covariates_are_checked_without_genotypes_too(files, tmp_path, table, said):
    table.to_csv(tmp_path / "c.tsv", sep="\t", index=False)
    given = {"covariates": tmp_path / "c.tsv", **SETTINGS}
    with pytest.raises(ExprimoError, match=said):
        stack(files / "e.bed", [files / "told.parquet"], tmp_path / "out", **given)


def test_an_unsorted_bed_is_refused_without_genotypes_too(files, tmp_path):
    bed = pd.read_csv(files / "e.bed", sep="\t").iloc[::-1]
    bed.to_csv(tmp_path / "e.bed", sep="\t", index=False)
    with pytest.raises(ExprimoError, match="not sorted"):
        stack(tmp_path / "e.bed", [files / "told.parquet"], tmp_path / "out", **SETTINGS)


def test_the_command_refuses_a_seed_below_0(files, tmp_path):
    import typer

    from exprimo.cli.genetics.stack import register

    app = typer.Typer()
    register(app)
    given = ["--expression", "e.bed", "--seed", "-1", "-o", str(tmp_path / "out")]
    done = CliRunner().invoke(app, given)
    assert done.exit_code == 2
    assert "--seed" in done.output


def test_the_command_prints_a_table(files, tmp_path):
    import typer

    from exprimo.cli.genetics.stack import register

    app = typer.Typer()
    register(app)
    given = [
        "--expression", files / "e.bed", "--features", files / "told.parquet",
        "--members", "ridge", "--metas", "stack_linear", "--set", "inner_folds=3",
        "-o", tmp_path / "out",
    ]  # fmt: skip
    done = CliRunner().invoke(app, [str(word) for word in given], catch_exceptions=False)
    assert done.exit_code == 0
    assert "2 genes, 60 people in 5 folds, 1 feature" in done.output
    assert "stack_linear" in done.output


def test_the_command_takes_what_its_sisters_take(files, tmp_path):
    import typer

    from exprimo.cli.genetics.stack import register

    app = typer.Typer()
    register(app)
    genes = tmp_path / "genes.bed"
    genes.write_text("1\t1000\t2001\tg1\t.\t-\n")
    given = [
        "--expression", files / "e.bed", "--genotypes", files / "g.vcf", "--cis-feature", "p+t",
        "--cis-feature", "baseline", "--members", "ridge", "--metas", "stack_linear", "--set",
        "inner_folds=3", "--samples", ",".join(PEOPLE[:40]), "--genes", genes, "--gene", "g1",
        "--upstream", "500", "--downstream", "1200", "--maf", "0.05", "--transform", "zscore",
        "--hidden", "1", "--folds", "3", "--threads", "1", "-o", tmp_path / "out",
    ]  # fmt: skip
    done = CliRunner().invoke(app, [str(word) for word in given], catch_exceptions=False)
    assert done.exit_code == 0
    assert "1 gene, 40 people in 3 folds, 2 features" in done.output
    assert "cis_elastic_net" in done.output
    assert "seen a little of the gene" in done.output
    told = pd.read_parquet(tmp_path / "out" / "genes.parquet").set_index("predictor")
    # Along the reverse strand the 12 variants of the gene lie downstream, all in the window.
    assert told.loc["cis_p+t", "r2"] > 0.5
    with pytest.raises(MismatchError, match="genes without expression"):
        stack(files / "e.bed", [files / "told.parquet"], tmp_path / "no", gene=["g7"], **SETTINGS)


def test_a_genome_with_other_ref_alleles_is_refused(files, tmp_path):
    fasta = tmp_path / "genome.fa"
    fasta.write_text(">1\n" + "G" * 60_000 + "\n")
    with pytest.raises(ExprimoError, match=r"(?i)ref"):
        stack(
            files / "e.bed", [], tmp_path / "out", genotypes=files / "g.vcf", fasta=fasta,
            cis_features=("p+t",), **SETTINGS,
        )  # fmt: skip


def test_held_out_predictions_of_the_same_folds_are_refused(files, tmp_path):
    first = tmp_path / "first"
    stack(files / "e.bed", [files / "told.parquet"], first, **SETTINGS)
    given = [first / "predictions.parquet"]
    with pytest.raises(LeakError, match="stack fold"):
        stack(files / "e.bed", given, tmp_path / "two", **SETTINGS)
    done = stack(files / "e.bed", given, tmp_path / "two", allow_leak=True, **SETTINGS)
    assert (done.n_features, len(done.leaks)) == (4, 5)


def test_held_out_predictions_may_lie_beside_weights_of_everybody(files, tmp_path):
    told = pd.read_parquet(files / "told.parquet").assign(observed=0.0)
    told.to_parquet(tmp_path / "told.parquet")
    everybody = Ledger({"weights of everybody": {"individual": frozenset(PEOPLE)}})
    everybody.save(tmp_path / "ledger.parquet")
    done = stack(files / "e.bed", [tmp_path / "told.parquet"], tmp_path / "out", **SETTINGS)
    assert done.n_features == 1


def test_the_order_of_people_in_the_expression_changes_nothing(files, tmp_path):
    bed = pd.read_csv(files / "e.bed", sep="\t", float_precision="round_trip")
    back = np.random.default_rng(4).permutation(PEOPLE)
    bed[[*bed.columns[:4], *back]].to_csv(tmp_path / "e.bed", sep="\t", index=False)
    given = {"genotypes": files / "g.vcf", "cis_features": ("p+t",), "gene": ["g1"], **SETTINGS}
    given["rivals"] = {"upstream": 10_000, "downstream": 10_000, "models": ("p+t",)}
    stack(files / "e.bed", [files / "told.parquet"], tmp_path / "one", **given)
    stack(tmp_path / "e.bed", [files / "told.parquet"], tmp_path / "two", **given)
    for name in ("predictions", "genes", "weights"):
        one, two = (pd.read_parquet(tmp_path / at / f"{name}.parquet") for at in ("one", "two"))
        pd.testing.assert_frame_equal(one, two, check_exact=True)


def test_a_covariate_that_is_constant_in_a_fold_is_left_out_and_counted(files, tmp_path):
    own = _covariates(age=np.sin(np.arange(60.0)), b3=(np.arange(60) == 7).astype(float))
    own.to_csv(tmp_path / "c.tsv", sep="\t", index=False)
    done = stack(
        files / "e.bed", [], tmp_path / "out", genotypes=files / "g.vcf", gene=["g1"],
        covariates=tmp_path / "c.tsv", cis_features=("p+t", "elastic_net"),
        rivals={"upstream": 10_000, "downstream": 10_000}, **SETTINGS,
    )  # fmt: skip
    assert done.notes == (
        "in 1 of 5 sets of training people a covariate does not vary or follows from others: left "
        "out there",
    )
    assert done.scores["stack_linear"].r2.value > 0.3
