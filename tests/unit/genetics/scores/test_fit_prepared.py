"""Transforms, hidden factors and strands of fitted scores: by training people, along the gene."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import typer
from typer.testing import CliRunner

from exprimo.core.errors import ConfigError
from exprimo.core.ledger import Ledger
from exprimo.data.phenotypes.transforms import fit_transforms
from exprimo.genetics.scores.fitting import fit_scores

SETTINGS = {
    "models": ["p+t"],
    "folds": 3,
    "upstream": 9000,
    "downstream": 9000,
    "maf": 0.0,
    "heritability": False,
    "polygenic": {"p": [0.01, 1.0], "r2": [0.2], "inner_folds": 3},
}


def _fit(world, out, **more):
    return fit_scores(world.genotypes, world.expression, out, **{**SETTINGS, **more})


def test_transforms_are_fitted_without_the_fold_that_is_judged(region_world, tmp_path):
    done = _fit(region_world, tmp_path / "S", transforms=["inverse_normal"], hidden=1)
    folds = pd.read_csv(tmp_path / "S" / "folds.tsv", sep="\t").set_index("sample")["fold"]
    fold = folds[region_world.people].to_numpy()
    told = pd.read_parquet(tmp_path / "S" / "predictions.parquet")
    models = pd.read_parquet(tmp_path / "S" / "models.parquet")
    for k in (0, 1, 2, -1):
        known = fold != k
        values = fit_transforms(["inverse_normal"], region_world.values[:, known]).apply(
            region_world.values
        )
        row = models[(models["fold"] == k) & (models["gene_id"] == "near")]
        assert row["intercept"].item() == pytest.approx(values[0, known].mean(), abs=1e-12)
        mean = told.loc[(told["fold"] == k) & (told["gene_id"] == "near"), "training_mean"]
        assert np.allclose(mean, values[0, known].mean())
    learned = Ledger.load(tmp_path / "S" / "ledger.parquet").learned
    for name in ("expression transforms without fold 1", "hidden factors without fold 1"):
        assert learned[name]["individual"] == set(folds.index[folds != 1])
    assert learned["hidden factors of everybody"]["individual"] == set(region_world.people)
    assert any("seen a little of the gene" in note for note in done.notes)


def test_a_transform_that_only_rescales_changes_no_correlation(region_world, tmp_path):
    """A transform that does nothing to people apart: z-scores only rescale each gene."""
    plain = _fit(region_world, tmp_path / "P")
    scaled = _fit(region_world, tmp_path / "Z", transforms=["zscore"])
    r2 = [one.models["p+t"]["r2"] for one in (plain, scaled)]
    # Folds count by their variance in R2, and each fold has its own scale.
    assert r2[0] == pytest.approx(r2[1], abs=0.01)
    r = [one.models["p+t"]["pearson_r"] for one in (plain, scaled)]
    assert r[0] == pytest.approx(r[1], abs=1e-9)
    assert plain.notes == scaled.notes == ()


def test_hidden_factors_help_where_something_hidden_moves_all_genes(region_world, tmp_path):
    rng = np.random.default_rng(1)
    more = region_world.covariate + 0.2 * rng.normal(size=(30, 240))
    lines = region_world.expression.read_text().splitlines()
    for at, row in enumerate(more):
        values = "\t".join(map(str, row.tolist()))
        lines.append(f"chr19\t{20_000 + at}\t{20_001 + at}\tother{at}\t{values}")
    bed = tmp_path / "more.bed"
    bed.write_text("\n".join(lines) + "\n")
    given = {**SETTINGS, "gene": ("near",)}
    plain = fit_scores(region_world.genotypes, bed, tmp_path / "P", **given)
    hidden = fit_scores(region_world.genotypes, bed, tmp_path / "H", hidden=1, **given)
    assert hidden.models["p+t"]["r2"] > plain.models["p+t"]["r2"] + 0.05


def test_uneven_windows_follow_the_gene(region_world, tmp_path):
    genes = tmp_path / "genes.bed"
    genes.write_text("chr19\t12000\t12001\tnear\t.\t-\nchr19\t12500\t12501\tnoise\t.\t+\n")
    counts = {}
    for name, given in (("along", {"genes": genes}), ("plain", {})):
        _fit(region_world, tmp_path / name, upstream=3500, downstream=0, **given)
        table = pd.read_parquet(tmp_path / name / "genes.parquet").set_index("gene_id")
        counts[name] = table["n_variants"].to_dict()
    pos = region_world.pos - 1
    before = int(((pos >= 8500) & (pos <= 12_000)).sum())
    behind = int(((pos >= 12_000) & (pos <= 15_500)).sum())
    assert counts["plain"]["near"] == before
    assert counts["along"]["near"] == behind != before
    assert counts["along"]["noise"] == counts["plain"]["noise"]


def test_the_command_takes_them(region_world, tmp_path):
    from exprimo.cli.genetics.prs import register

    app = typer.Typer()
    register(app)
    genes = tmp_path / "genes.bed"
    genes.write_text("chr19\t12000\t12001\tnear\t.\t-\n")
    words = [
        "prs", "fit", "--genotypes", region_world.genotypes, "--expression",
        region_world.expression, "--models", "baseline", "--folds", "3", "--upstream", "2000",
        "--downstream", "500", "--genes", genes, "--transform", "inverse_normal", "--hidden", "1",
        "--gene", "near", "-o", tmp_path / "S",
    ]  # fmt: skip
    done = CliRunner().invoke(app, [str(word) for word in words], catch_exceptions=False)
    assert done.exit_code == 0
    assert "scores of 1 gene in 240 people" in done.output
    assert "cis-heritability: mean" in done.output
    assert "predicts nobody" in done.output
    assert "seen a little of the gene" in done.output
    words[-1], words[words.index("--hidden") + 1] = tmp_path / "T", "few"
    with pytest.raises(ConfigError, match="hidden factors"):
        CliRunner().invoke(app, [str(word) for word in words], catch_exceptions=False)
