"""Clumps: by hand, against a plain loop, and against PLINK 1.9 where it is installed."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from bed_reader import to_bed

from exprimo.core.errors import ConfigError, InputError, MismatchError
from exprimo.data.genotypes import open_genotypes
from exprimo.genetics.clumping import (
    ClumpConfig,
    clump,
    clump_genotypes,
    linkage_r2,
    pack_calls,
)

PLINK = shutil.which("plink1.9")
SQUARE = np.array([[0, 0, 0, 0, 2, 2, 2, 2], [0, 0, 0, 2, 0, 2, 2, 2]], np.int8)


def _blocks(seed: int, n: int = 60, variants: int = 240, missing: float = 0.0) -> np.ndarray:
    """Make runs of six linked variants, (variants, people)."""
    rng = np.random.default_rng(seed)
    base = np.repeat(rng.random((variants // 6, 2 * n)) < 0.4, 6, axis=0)
    base ^= rng.random(base.shape) < 0.12
    calls = (base[:, :n].astype(np.int8) + base[:, n:]).astype(np.int8)
    calls[rng.random(calls.shape) < missing] = -1
    return calls


@pytest.mark.parametrize(("r2", "n_clumps"), [(0.2499, 1), (0.25, 2)])
def test_r2_at_the_bar_is_not_above_it(r2: float, n_clumps: int) -> None:
    found = clump(
        pack_calls(SQUARE), np.zeros(2, int), np.array([1, 2]), np.array([0.1, 0.2]),
        ClumpConfig(r2=r2),
    )  # fmt: skip
    assert len(found.index_rows) == n_clumps


@pytest.mark.parametrize(("window", "n_clumps"), [(1000, 2), (1001, 1)])
def test_a_window_ends_before_its_length(window: int, n_clumps: int) -> None:
    found = clump(
        pack_calls(SQUARE), np.zeros(2, int), np.array([1, 1001]), np.array([0.1, 0.2]),
        ClumpConfig(window=window, r2=0.2),
    )  # fmt: skip
    assert len(found.index_rows) == n_clumps


@pytest.mark.parametrize("measure", ["haplotype", "counts"])
def test_clumps_are_those_of_a_plain_loop(measure: str) -> None:
    calls, rng = _blocks(3), np.random.default_rng(4)
    position = rng.permutation(len(calls)) * 100
    chrom = rng.integers(0, 2, len(calls))
    p = rng.random(len(calls))
    p[:5] = np.nan
    config = ClumpConfig.checked({"window": 3000, "r2": 0.15, "p1": 0.7, "measure": measure})
    planes = pack_calls(calls)
    taken = np.full(len(calls), -1)
    for i in np.argsort(p):
        if taken[i] >= 0 or not p[i] <= config.p1:
            continue
        for j in range(len(calls)):
            near = chrom[i] == chrom[j] and abs(position[i] - position[j]) < config.window
            linked = near and not np.isnan(p[j]) and linkage_r2(planes, int(i), j, measure) > 0.15
            if i == j or (linked and taken[j] < 0):
                taken[j] = i
    found = clump(planes, chrom, position, p, config)
    assert np.array_equal(found.taken_by, taken)
    assert (p[found.index_rows][1:] > p[found.index_rows][:-1]).all()
    assert 5 < len(found.index_rows) < 200


@pytest.mark.skipif(PLINK is None, reason="no plink1.9 on this machine")
@pytest.mark.parametrize("missing", [0.0, 0.1])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_index_variants_and_members_are_plinks(seed: int, missing: float, tmp_path: Path) -> None:
    calls = _blocks(seed, missing=missing)
    n, people = len(calls), calls.shape[1]
    names, rng = [f"s{i}" for i in range(n)], np.random.default_rng(seed)
    p = pd.Series(rng.random(n), index=names)
    bed = tmp_path / "g.bed"
    who = [f"p{i}" for i in range(people)]
    to_bed(
        bed,
        np.where(calls < 0, np.nan, calls).T,
        properties={
            "fid": who, "iid": who, "sid": names, "chromosome": ["1"] * (n // 2) + ["2"] * (n // 2),
            "bp_position": np.arange(1, n + 1) * 50, "allele_1": ["A"] * n, "allele_2": ["C"] * n,
        },
    )  # fmt: skip
    p.rename("P").rename_axis("SNP").to_csv(tmp_path / "p.txt", sep=" ", float_format="%.17g")
    options = {"--clump-p1": 0.6, "--clump-p2": 0.7, "--clump-r2": 0.25, "--clump-kb": 1}
    assert PLINK is not None
    subprocess.run(
        [PLINK, "--bfile", str(tmp_path / "g"), "--clump", str(tmp_path / "p.txt"),
         *(str(x) for pair in options.items() for x in pair),
         "--threads", "1", "--out", str(tmp_path / "out")],
        check=True, capture_output=True,
    )  # fmt: skip
    theirs = pd.read_csv(tmp_path / "out.clumped", sep=r"\s+")
    with open_genotypes(bed) as genotypes:
        ours = clump_genotypes(
            genotypes, p.to_dict(), ClumpConfig(p1=0.6, p2=0.7, r2=0.25, window=1000)
        )
    assert ours["variant_id"].tolist() == theirs["SNP"].tolist()
    assert ours["n_taken"].tolist() == theirs["TOTAL"].tolist()
    members = theirs["SP2"].str.replace("(1)", "").replace("NONE", "").tolist()
    assert ours["members"].tolist() == members


def test_what_cannot_be_clumped_is_refused(tmp_path: Path) -> None:
    planes, chrom, at = pack_calls(SQUARE), np.zeros(2, int), np.array([1, 2])
    with pytest.raises(InputError, match=r"variant 2.*not a p-value"):
        clump(planes, chrom, at, np.array([0.1, 1.5]))
    with pytest.raises(InputError, match="do not go together"):
        clump(planes, chrom, at, np.array([0.1]))
    with pytest.raises(ConfigError, match="r2"):
        ClumpConfig.checked({"r2": 1.5})
    vcf = tmp_path / "g.vcf"
    vcf.write_text(
        "##fileformat=VCFv4.2\n##contig=<ID=1>\n"
        '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">\n'
        "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tann\n"
        "1\t5\trs1\tA\tC\t.\t.\t.\tGT\t0|1\n"
    )
    with open_genotypes(vcf) as genotypes, pytest.raises(MismatchError, match=r"rs1.*rs9"):
        clump_genotypes(genotypes, {"rs9": 0.1})
