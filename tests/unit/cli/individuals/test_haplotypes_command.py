"""``exprimo haplotypes`` on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from exprimo.cli.main import app
from exprimo.core.dataset import Dataset

HEAD = (
    "##fileformat=VCFv4.2\n##contig=<ID=1>\n"
    '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">\n'
    "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tann\tbob\n"
)


def command(*arguments: object) -> str:
    done = CliRunner().invoke(app, [str(a) for a in arguments], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


@pytest.fixture
def files(tmp_path: Path) -> list[object]:
    (tmp_path / "g.fa").write_text(">chr1\n" + "ACGTTGCA" * 12 + "\n")
    (tmp_path / "g.vcf").write_text(HEAD + "1\t41\t.\tA\tC\t.\t.\t.\tGT\t0/1\t1|1\n"
                                    "1\t42\t.\tC\tT\t.\t.\t.\tGT\t0/1\t0|0\n")  # fmt: skip
    (tmp_path / "t.tsv").write_text("gene_id\tchrom\ttss\tstrand\ng1\t1\t45\t+\ng2\t1\t50\t-\n")
    return ["--genotypes", tmp_path / "g.vcf", "--fasta", tmp_path / "g.fa",
            "--genes", tmp_path / "t.tsv"]  # fmt: skip


def test_it_says_what_it_wrote(files: list[object], tmp_path: Path) -> None:
    out = tmp_path / "H.h5"
    told = command("haplotypes", *files, "--window", 20, "--samples", "bob", "-o", out)
    assert told.startswith("4 examples of 20 bases (2 genes, 1 person, 2 distinct sequences)")
    with Dataset.open(out) as data:
        assert data.provenance["settings"]["upstream"] == 10


def test_people_from_a_file_and_random_phasings(files: list[object], tmp_path: Path) -> None:
    chosen = tmp_path / "people.txt"
    chosen.write_text("ann\n")
    told = command(
        "haplotypes", *files, "--upstream", 12, "--downstream", 4, "--gene", "g1",
        "--samples", chosen, "--unphased", 5, "--each", "-o", tmp_path / "H.fa.gz", "--json",
    )  # fmt: skip
    facts = json.loads(told)
    assert (facts["n_examples"], facts["n_genes"], facts["n_people"]) == (10, 1, 1)
