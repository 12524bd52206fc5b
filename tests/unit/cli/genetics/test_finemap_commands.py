"""eqtl finemap and eqtl coloc, as commands."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
import typer
from scipy import stats
from typer.testing import CliRunner

from exprimo.cli.genetics import clump, coloc, finemap
from exprimo.cli.genetics.finemap import named_columns
from exprimo.core.errors import ConfigError


@pytest.fixture(scope="module")
def app():
    group = typer.Typer()
    finemap.register(group)
    coloc.register(group)
    return group


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("people")
    rng = np.random.default_rng(4)
    people = [f"p{at}" for at in range(120)]
    dosage = rng.binomial(2, 0.4, (8, 120))
    head = "##fileformat=VCFv4.2\n##contig=<ID=1>\n"
    head += '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">\n'
    head += "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\t" + "\t".join(people)
    calls = np.array(["0/0", "0/1", "1/1"])
    lines = [
        f"1\t{100 + at}\tv{at}\tA\tG\t.\t.\t.\tGT\t" + "\t".join(calls[row])
        for at, row in enumerate(dosage)
    ]
    (folder / "g.vcf").write_text("\n".join([head, *lines]) + "\n")
    y = dosage[5] + rng.normal(size=120)
    cells = "\t".join(map(repr, y.tolist()))
    (folder / "e.bed").write_text(
        "#chr\tstart\tend\tgene_id\t" + "\t".join(people) + f"\n1\t100\t101\tg1\t{cells}\n"
    )
    fits = [stats.linregress(x, y) for x in dosage]
    pd.DataFrame(
        {
            "phenotype_id": "g1", "variant_id": [f"v{at}" for at in range(8)], "chrom": "1",
            "pos": 100 + np.arange(8), "ref": "A", "alt": "G", "slope": [f.slope for f in fits],
            "slope_se": [f.stderr for f in fits], "pval_nominal": [f.pvalue for f in fits],
            "af": dosage.mean(1) / 2, "n": 120,
        }
    ).to_csv(folder / "a.tsv", sep="\t", index=False)  # fmt: skip
    return folder


def _run(app, *words):
    return CliRunner().invoke(app, [str(word) for word in words], catch_exceptions=False)


def test_people_are_fine_mapped(app, files, tmp_path):
    done = _run(
        app, "finemap", "--genotypes", files / "g.vcf", "--expression", files / "e.bed",
        "-o", tmp_path / "F",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    assert "1 credible set (95%) of 1 of 1 gene, 120 people" in done.output
    table = pd.read_parquet(tmp_path / "F" / "credible_sets.parquet")
    assert table["top"].tolist() == ["v5"]
    assert f"Next: exprimo eqtl coloc --signals {tmp_path / 'F'}" in done.output
    variants = pd.read_parquet(tmp_path / "F" / "variants.parquet")
    assert variants["tss_distance"].dtype == np.int64


def test_a_summary_is_fine_mapped(app, files, tmp_path):
    done = _run(
        app, "finemap", "--genotypes", files / "g.vcf", "--summary", files / "a.tsv",
        "--region", "1:1-1000", "--in-sample", "-o", tmp_path / "F", "--json",
    )  # fmt: skip
    facts = json.loads(done.output)
    assert (facts["n_sets"], facts["n_variants"], facts["n"]) == (1, 8, 120)


def test_a_preset_is_taken_and_told(app, files, tmp_path):
    line = [
        "finemap", "--genotypes", files / "g.vcf", "--expression", files / "e.bed",
        "--like", "tensorqtl", "--effects", "3", "-o", tmp_path / "F",
    ]  # fmt: skip
    assert _run(app, *line).exit_code == 0
    settings = json.loads((tmp_path / "F" / "summary.json").read_text())["origin"]["settings"]
    assert (settings["prior_method"], settings["null_threshold"]) == ("em", 0)
    assert settings["effects"] == 3
    line[line.index("tensorqtl")] = "susier"
    assert _run(app, *line[:-1], tmp_path / "S").exit_code == 0
    settings = json.loads((tmp_path / "S" / "summary.json").read_text())["origin"]["settings"]
    assert (settings["prior_method"], settings["null_threshold"]) == ("likelihood", 0)


def test_one_kind_of_input_is_needed(app, files, tmp_path):
    with pytest.raises(ConfigError, match="neither expression nor associations"):
        _run(app, "finemap", "--genotypes", files / "g.vcf", "-o", tmp_path / "F")
    with pytest.raises(ConfigError, match="no region"):
        _run(
            app, "finemap", "--genotypes", files / "g.vcf", "--summary", files / "a.tsv",
            "-o", tmp_path / "F",
        )  # fmt: skip


def test_a_trait_is_colocalised_with_itself(app, files, tmp_path):
    done = _run(
        app, "coloc", "--eqtl", files / "a.tsv", "--gwas", files / "a.tsv", "-o", tmp_path / "C"
    )
    assert done.exit_code == 0, done.output
    assert "of 1 gene 1 share a causal variant with the trait" in done.output
    assert "kept: 8 variants (summed over genes) in both" in done.output
    assert "Next: " in done.output


def test_columns_are_named():
    assert named_columns(["beta=B", "se=S"]) == {"beta": "B", "se": "S"}
    with pytest.raises(ConfigError, match="MEANING=COLUMN"):
        named_columns(["beta"])


def test_predicted_expression_is_associated(app, files, tmp_path):
    weights = tmp_path / "g1.tsv"
    weights.write_text(
        "gene_id\tCHR\tSNP\tCM\tPOS\tA1\tA2\tenet\ng1\t1\tv5\t0\t105\tG\tA\t0.4\n"
        "g1\t1\tv6\t0\t106\tG\tA\t0.1\n"
    )
    done = _run(
        app, "twas", "--weights", weights, "--gwas", files / "a.tsv", "--panel", files / "g.vcf",
        "-o", tmp_path / "T", "--json",
    )  # fmt: skip
    facts = json.loads(done.output)
    assert facts["n_genes"] == facts["n_significant"] == 1
    assert facts["best"][0][:2] == ["g1", "enet"]
    assert facts["best"][0][2] > 5


def test_clumps_name_what_comes_next(files):
    app = typer.Typer()
    clump.register(app)
    app.callback()(lambda: None)
    done = _run(
        app, "clump", "--associations", files / "a.tsv", "--genotypes", files / "g.vcf",
        "--gene", "g1",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    assert "kept, but 7 in no clump" in done.output
    assert done.output.splitlines()[-1].endswith("--region 1:1-250105 --gene g1 -o FINEMAP")
