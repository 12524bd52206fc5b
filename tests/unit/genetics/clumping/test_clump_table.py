"""Tables of associations clumped by a panel: which variants are found, and PLINK's columns."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import typer
from typer.testing import CliRunner

from exprimo.cli.genetics.clump import register
from exprimo.core.errors import FormatError, InputError, MismatchError
from exprimo.core.files.origin import column_sources, read_origin
from exprimo.genetics.clumping import clump_associations

PLINK = shutil.which("plink1.9")
CALLS = np.array(["0/0", "0/1", "1/1"])


def _panel(path: Path, dosage: np.ndarray, chrom: str = "chr1") -> Path:
    people = [f"p{at}" for at in range(dosage.shape[1])]
    lines = [
        "##fileformat=VCFv4.2",
        f"##contig=<ID={chrom}>",
        '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">',
        "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\t" + "\t".join(people),
    ]
    for at, row in enumerate(dosage):
        calls = "\t".join(CALLS[row])
        lines.append(f"{chrom}\t{100 * (at + 1)}\trs{at}\tA\tG\t.\t.\t.\tGT\t{calls}")
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture
def panel(tmp_path: Path) -> Path:
    """Give four variants: 0, 1, 2 are the same in everybody, 3 is another."""
    rng = np.random.default_rng(0)
    one, other = rng.binomial(2, 0.4, 200), rng.binomial(2, 0.3, 200)
    return _panel(tmp_path / "g.vcf", np.stack([one, one, one, other]))


def _table(path: Path, head: str, *lines: str) -> Path:
    path.write_text("\n".join([head, *lines]) + "\n")
    return path


def test_the_clump_that_was_worked_out_by_hand(panel: Path, tmp_path: Path) -> None:
    # Swapped alleles, the other strand, and one that only its id tells.
    gwas = _table(
        tmp_path / "g.tsv", "CHR\tBP\tSNP\tA1\tA2\tP",
        "1\t100\tx\tA\tG\t0.004", "1\t200\ty\tC\tT\t1e-8", "\t\trs2\t\t\t0.04",
        "1\t400\tz\tG\tA\t0.3", "1\t900\tw\tG\tA\t1e-9",
    )  # fmt: skip
    out = tmp_path / "g.clumped"
    done = clump_associations(gwas, panel, out, p1=0.5)
    table = pd.read_csv(out, sep="\t", keep_default_na=False)
    assert table.iloc[0].tolist() == [
        "chr1", 1, "rs1", 200, 1e-8, 2, 0, 1, 1, 0, 0, "rs0(1)", "A", "G",
    ]  # fmt: skip
    assert table.iloc[1][["SNP", "TOTAL", "SP2"]].tolist() == ["rs3", 0, "NONE"]
    assert (done.n_clumps, done.n_variants, done.n_taken) == (2, 4, 2)
    assert done.counts == {"found by id": 1, "without a variant in the panel": 1}
    assert read_origin(out)["settings"]["r2"] == 0.5
    assert column_sources(out)["P"] == ["p_value"]
    strict = clump_associations(gwas, panel)
    assert strict.table["SNP"].tolist() == ["rs1"]
    assert strict.counts["in no clump"] == 1
    near = clump_associations(gwas, panel, kb=0.1, p1=0.5)
    assert near.table["SNP"].tolist() == ["rs1", "rs0", "rs2", "rs3"]


def test_parquet_and_its_own_kind_of_output(panel: Path, tmp_path: Path) -> None:
    gwas = _table(tmp_path / "g.tsv", "SNP\tP", "rs0\t1e-5", "rs1\t1e-6")
    done = clump_associations(gwas, panel, tmp_path / "K.parquet")
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "K.parquet"), done.table)
    with pytest.raises(InputError, match=r"unknown kind of output.*\.clumped"):
        clump_associations(gwas, panel, tmp_path / "K.csv")
    with pytest.raises(InputError, match="exists"):
        clump_associations(gwas, panel, tmp_path / "K.parquet")


def test_nothing_significant_is_an_empty_table(panel: Path, tmp_path: Path) -> None:
    gwas = _table(tmp_path / "g.tsv", "SNP\tP", "rs0\t0.1", "rs1\t0.2")
    done = clump_associations(gwas, panel, tmp_path / "K.tsv")
    assert (done.n_clumps, len(pd.read_csv(tmp_path / "K.tsv", sep="\t"))) == (0, 0)


def test_what_cannot_be_clumped(panel: Path, tmp_path: Path) -> None:
    head = "gene_id\tvariant_id\tpval_nominal"
    two = _table(tmp_path / "e.tsv", head, "a\trs0\t1e-5", "b\trs0\t1e-6")
    with pytest.raises(InputError, match=r"several genes.*--gene"):
        clump_associations(two, panel)
    assert clump_associations(two, panel, gene="b").table["P"].tolist() == [1e-6]
    twice = _table(
        tmp_path / "t.tsv", "CHR\tBP\tREF\tALT\tP", "1\t100\tA\tG\t1", "1\t100\tC\tT\t0.1"
    )
    with pytest.raises(FormatError, match=r"row 2.*1:100:C:T"):
        clump_associations(twice, panel)
    other = _table(tmp_path / "o.tsv", "SNP\tP", "rs9\t1e-5")
    with pytest.raises(MismatchError, match=r"rs9.*rs0 at chr1:100:A:G"):
        clump_associations(other, panel)
    # The id is right, and the alleles are of another variant.
    wrong = _table(tmp_path / "w.tsv", "SNP\tA1\tA2\tP", "rs0\tA\tC\t1e-5", "rs1\tA\tG\t1e-5")
    assert clump_associations(wrong, panel).table["SNP"].tolist() == ["rs1"]


def test_the_command(panel: Path, tmp_path: Path) -> None:
    app = typer.Typer()
    app.callback()(lambda: None)
    register(app)
    gwas = _table(tmp_path / "g.tsv", "marker\tprob", "rs0\t1e-5", "rs1\t1e-6", "rs3\t1e-5")
    words = ["clump", "--associations", str(gwas), "--genotypes", str(panel)]
    words += ["--column", "p=prob", "--r2", "0.2"]
    done = CliRunner().invoke(app, [*words, "-o", str(tmp_path / "K.tsv")], catch_exceptions=False)
    assert "2 clumps of 3 variants, 1 taken by an index variant" in done.output
    done = CliRunner().invoke(app, [*words, "--json"], catch_exceptions=False)
    facts = json.loads(done.output)
    assert [one["SNP"] for one in facts["clumps"]] == ["rs1", "rs3"]
    assert facts["clumps"][0]["TOTAL"] == 1


@pytest.mark.skipif(PLINK is None, reason="no plink1.9 on this machine")
def test_the_table_is_plinks(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    haplotypes = np.repeat(rng.random((8, 400)) < 0.4, 25, axis=0)
    haplotypes ^= rng.random(haplotypes.shape) < 0.15
    dosage = haplotypes[:, :200].astype(int) + haplotypes[:, 200:]
    panel = _panel(tmp_path / "g.vcf", dosage, chrom="1")
    p = 10 ** -rng.exponential(1.2, len(dosage))
    gwas = pd.DataFrame({"SNP": [f"rs{at}" for at in range(len(p))], "P": p})
    gwas.to_csv(tmp_path / "g.tsv", sep="\t", index=False)
    assert PLINK is not None
    subprocess.run(
        [PLINK, "--vcf", str(panel), "--double-id", "--clump", str(tmp_path / "g.tsv"),
         "--clump-p1", "0.1", "--clump-p2", "0.15", "--clump-r2", "0.2", "--clump-kb", "2",
         "--threads", "1", "--out", str(tmp_path / "out")],
        check=True, capture_output=True,
    )  # fmt: skip
    theirs = pd.read_csv(tmp_path / "out.clumped", sep=r"\s+", keep_default_na=False)
    ours = clump_associations(tmp_path / "g.tsv", panel, p1=0.1, p2=0.15, r2=0.2, kb=2).table
    assert len(ours) > 10
    assert (theirs["SP2"] != "NONE").sum() > 5
    for name in theirs.columns.drop(["P", "CHR"]):
        assert ours[name].tolist() == theirs[name].tolist(), name
    np.testing.assert_allclose(ours["P"], theirs["P"], rtol=0.01)
