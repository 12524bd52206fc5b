"""Clumps of 1000 Genomes genotypes are PLINK 1.9's."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from exprimo.data.genotypes import open_genotypes
from exprimo.genetics.clumping import ClumpConfig, clump_associations, clump_genotypes

pytestmark = pytest.mark.real

PLINK = shutil.which("plink1.9")
VCF = "genotypes/1000G_phase3_chr1_11697036_11836540_2504samples.vcf.gz"


@pytest.mark.skipif(PLINK is None, reason="no plink1.9 on this machine")
@pytest.mark.parametrize(
    ("p1", "p2", "r2", "kb"), [(1.0, 1.0, 0.1, 250), (0.01, 0.5, 0.1, 50), (1e-3, 0.05, 0.5, 250)]
)
def test_index_snps_are_plinks(
    realdata: Path, tmp_path: Path, p1: float, p2: float, r2: float, kb: int
) -> None:
    assert PLINK is not None
    prefix, table = tmp_path / "g", tmp_path / "p.txt"
    subprocess.run(
        [PLINK, "--vcf", str(realdata / VCF), "--double-id", "--snps-only", "just-acgt",
         "--keep-allele-order", "--make-bed", "--out", str(prefix)],
        check=True, capture_output=True,
    )  # fmt: skip
    ids = [line.split()[1] for line in Path(f"{prefix}.bim").read_text().splitlines()]
    p = pd.Series(np.random.default_rng(0).random(len(ids)) ** 3, index=ids)
    p.rename("P").rename_axis("SNP").to_csv(table, sep=" ", float_format="%.17g")
    subprocess.run(
        [PLINK, "--bfile", str(prefix), "--clump", str(table), "--clump-p1", str(p1),
         "--clump-p2", str(p2), "--clump-r2", str(r2), "--clump-kb", str(kb),
         "--out", str(tmp_path / "out")],
        check=True, capture_output=True,
    )  # fmt: skip
    theirs = pd.read_csv(tmp_path / "out.clumped", sep=r"\s+", keep_default_na=False)
    with open_genotypes(f"{prefix}.bed") as genotypes:
        ours = clump_genotypes(
            genotypes, p.to_dict(), ClumpConfig(p1=p1, p2=p2, r2=r2, window=1000 * kb)
        )
    assert len(theirs) > 50
    assert ours["variant_id"].tolist() == theirs["SNP"].tolist()
    assert ours["n_taken"].tolist() == theirs["TOTAL"].tolist()
    written = clump_associations(table, f"{prefix}.bed", p1=p1, p2=p2, r2=r2, kb=kb).table
    counts = ["F", "SNP", "BP", "TOTAL", "NSIG", "S05", "S01", "S001", "S0001"]
    assert written[counts].to_numpy().tolist() == theirs[counts].to_numpy().tolist()
    assert written["SP2"].tolist() == theirs["SP2"].tolist()
