"""A region of people with LD, in files: genotypes and the expression of two genes."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from scipy import stats

LETTERS = [("A", "G"), ("C", "T"), ("A", "C"), ("G", "T"), ("A", "T")]


class RegionWorld(NamedTuple):
    """Variant 20 raises the expression of gene ``near``; nothing that of gene ``noise``."""

    folder: Path
    genotypes: Path
    expression: Path
    covariates: Path
    people: list[str]
    dosage: np.ndarray  # (variants, people)
    values: np.ndarray  # (genes, people)
    covariate: np.ndarray
    pos: np.ndarray
    ref: list[str]
    alt: list[str]


def z_of(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Give z-scores of y on each row of x."""
    x, y = x - x.mean(1, keepdims=True), y - y.mean()
    r = x @ y / np.sqrt((x**2).sum(1) * (y @ y))
    return r * np.sqrt((len(y) - 2) / (1 - r**2))


@pytest.fixture(scope="session")
def region_world(tmp_path_factory: pytest.TempPathFactory) -> RegionWorld:
    folder = tmp_path_factory.mktemp("region")
    rng = np.random.default_rng(77)
    n, variants = 240, 50
    hidden = rng.normal(size=(variants, 2 * n))
    for at in range(1, variants):
        hidden[at] = 0.8 * hidden[at - 1] + 0.6 * hidden[at]
    alleles = hidden < stats.norm.ppf(rng.uniform(0.15, 0.5, (variants, 1)))
    first, second = alleles[:, :n], alleles[:, n:]
    dosage = first.astype(float) + second
    people = [f"p{at:03}" for at in range(n)]
    pos = 10_000 + 100 * np.arange(variants)
    ref, alt = zip(*(LETTERS[at % 5] for at in range(variants)), strict=True)
    head = "##fileformat=VCFv4.2\n##contig=<ID=19>\n"
    head += '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">\n'
    head += "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\t" + "\t".join(people)
    lines = [head]
    for at in range(variants):
        calls = "\t".join(f"{int(a)}|{int(b)}" for a, b in zip(first[at], second[at], strict=True))
        lines.append(f"19\t{pos[at]}\tv{at}\t{ref[at]}\t{alt[at]}\t.\t.\t.\tGT\t{calls}")
    (folder / "g.vcf").write_text("\n".join(lines) + "\n")
    covariate = rng.normal(size=n)
    values = rng.normal(size=(2, n)) + 2 * covariate
    values[0] += 0.8 * dosage[20]
    rows = ["#chr\tstart\tend\tgene_id\t" + "\t".join(people)]
    for gene, start, row in zip(("near", "noise"), (12_000, 12_500), values, strict=True):
        rows.append(f"chr19\t{start}\t{start + 1}\t{gene}\t" + "\t".join(map(repr, row.tolist())))
    (folder / "e.bed").write_text("\n".join(rows) + "\n")
    table = [f"{name}\t{value!r}" for name, value in zip(people, covariate.tolist(), strict=True)]
    (folder / "c.tsv").write_text("\n".join(["sample\tbatch", *table]) + "\n")
    return RegionWorld(
        folder, folder / "g.vcf", folder / "e.bed", folder / "c.tsv", people, dosage, values,
        covariate, pos, list(ref), list(alt),
    )  # fmt: skip
