"""What one pass over the genotypes of a cohort adds up, in memory that stays flat."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pandas as pd

from exprimo.data.genotypes.cohort.tally import (
    AUTOSOME,
    HAPLOID_ALT,
    HAPLOID_REF,
    HET,
    HOM_ALT,
    HOM_REF,
    MISSING,
    MT,
    MULTIALLELIC,
    N_CODES,
    N_GROUPS,
    REPEAT,
    Floats,
    Int,
    X,
    Y,
    chromosome_groups,
    count_genotypes,
    share,
    statistics,
)
from exprimo.data.genotypes.cohort.thinning import EvenSample
from exprimo.data.genotypes.view import Block

MAF_EDGES = (0.0, 0.001, 0.005, 0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5)
MISSING_EDGES = (0.0, 0.001, 0.01, 0.02, 0.05, 0.1, 0.5, 1.0)
HARDY_BOUNDS = (0.05, 1e-3, 1e-6, 1e-10)
_SEX = {X: "X", Y: "Y", MT: "MT"}
_KEYS = ["chrom", "start", "ref", "alt"]
# A call or two on the wrong chromosome is an error of the genotyping.
_ODD_SHARE = 0.02


class Collector:
    """Adds up blocks; the tables are made at the end."""

    def __init__(
        self, chromosomes: Sequence[str], samples: Sequence[str], limit: int, min_maf: float
    ) -> None:
        self._samples = samples
        self._groups = chromosome_groups(chromosomes)
        self._numbers = {name: number for number, name in enumerate(chromosomes)}
        self._min_maf = min_maf
        self._by_sample = np.zeros((N_GROUPS, len(samples), N_CODES), dtype=np.int64)
        self._expected_hom = np.zeros(len(samples))
        self._maf = np.zeros(len(MAF_EDGES), dtype=np.int64)
        self._missing = np.zeros(len(MISSING_EDGES), dtype=np.int64)
        self._hardy = np.zeros(len(HARDY_BOUNDS), dtype=np.int64)
        self._tested = 0
        self._last: tuple[object, ...] = ()
        self._last_record = -1
        self.counts = Counter[str]()
        self.even = EvenSample(limit, len(samples))

    def add(self, block: Block) -> None:
        """Add a block of genotypes."""
        table = block.variants
        if table.empty:
            return
        groups = self._grouped(table)
        codes, by_variant = count_genotypes(block, groups, self._by_sample)
        told = statistics(by_variant)
        maf, p = told["maf"], told["alt_frequency"]
        self._count_rows(table, by_variant, maf)
        het = codes == HET
        self.counts["heterozygous genotypes"] += int(het.sum())
        self.counts["phased heterozygous genotypes"] += int((het & block.phased).sum())
        self._maf += _binned(maf, MAF_EDGES)
        self._missing += _binned(told["missing_share"], MISSING_EDGES)
        simple = (groups == AUTOSOME) & (maf > 0)
        self._tested += int(simple.sum())
        hardy = told["hardy_p"][simple]
        self._hardy += np.array([int((hardy < bound).sum()) for bound in HARDY_BOUNDS])
        called = (codes[simple] >= HOM_REF) & (codes[simple] <= HOM_ALT)
        hom = 1 - 2 * p[simple] * (1 - p[simple])
        self._expected_hom += hom.astype(np.float64) @ called
        # Without variation, both numbers of homozygotes grow by the genotypes that are known.
        flat = (groups == AUTOSOME) & (maf == 0)
        self._expected_hom += ((codes[flat] >= HOM_REF) & (codes[flat] <= HOM_ALT)).sum(axis=0)
        common = (groups == AUTOSOME) & (maf > 0) & (maf >= self._min_maf)
        numbers = table["chrom"].map(self._numbers).fillna(-1).to_numpy(np.int64)
        self.even.offer(codes[common], numbers[common], table["start"].to_numpy()[common])

    def _grouped(self, table: pd.DataFrame) -> Int:
        """Give what each row is counted under: a record once, one of several ALT apart."""
        record = table["record"].to_numpy()
        before = np.concatenate([[self._last_record], record[:-1]])
        self._last_record = int(record[-1])
        first, lone = record != before, record != before
        lone[:-1] &= record[:-1] != record[1:]
        unknown = set(table["chrom"]) - self._groups.keys()
        self._groups |= chromosome_groups(unknown)
        groups = table["chrom"].map(self._groups).to_numpy(np.int64)
        groups = np.where(lone | (groups != AUTOSOME), groups, MULTIALLELIC)
        self.counts["records"] += int(first.sum())
        self.counts["multiallelic records"] += int((first & ~lone).sum())
        return np.where(first, groups, REPEAT)

    def _count_rows(self, table: pd.DataFrame, by_variant: Int, maf: Floats | Int) -> None:
        alts = by_variant[:, HET] + 2 * by_variant[:, HOM_ALT] + by_variant[:, HAPLOID_ALT]
        keys = list(zip(*(table[name] for name in _KEYS), strict=True))
        again = sum(key == other for key, other in zip(keys, [self._last, *keys], strict=False))
        self._last = keys[-1]
        self.counts["variants"] += len(table)
        self.counts["SNPs"] += int(
            ((table["ref"].str.len() == 1) & (table["alt"].str.len() == 1)).sum()
        )
        self.counts["without variation"] += int((maf == 0).sum())
        self.counts["singletons"] += int((alts == 1).sum())
        self.counts["without any genotype"] += int(np.isnan(maf).sum())
        self.counts["listed twice"] += again

    def samples_table(self) -> pd.DataFrame:
        """Give one row a sample."""
        everywhere = self._by_sample[: MULTIALLELIC + 1].sum(axis=0)
        missing = everywhere[:, MISSING]
        called = everywhere[:, : HAPLOID_ALT + 1].sum(axis=1) - missing
        autosomal, on_x = self._by_sample[AUTOSOME], self._by_sample[X]
        hom_ref, het, hom_alt = (autosomal[:, code] for code in (HOM_REF, HET, HOM_ALT))
        diploid = hom_ref + het + hom_alt
        beyond = diploid - self._expected_hom
        x_haploid = on_x[:, HAPLOID_REF] + on_x[:, HAPLOID_ALT]
        x_diploid = on_x[:, HOM_REF] + on_x[:, HET] + on_x[:, HOM_ALT]
        return pd.DataFrame(
            {
                "sample": list(self._samples),
                "n_called": called,
                "n_missing": missing,
                "missing_share": share(missing, called + missing),
                "het": het,
                "hom_ref": hom_ref,
                "hom_alt": hom_alt,
                "het_share": share(het, diploid),
                "f": share(hom_ref + hom_alt - self._expected_hom, beyond),
                "x_het_share": share(on_x[:, HET], x_diploid),
                "x_haploid_share": share(x_haploid, x_haploid + x_diploid),
            }
        )

    def maf_spectrum(self) -> pd.DataFrame:
        """Give the variants by frequency of the rarer allele; the first bin has none of it."""
        return _spectrum(self._maf, MAF_EDGES)

    def missingness(self) -> pd.DataFrame:
        """Give the variants by share of missing genotypes; the first bin has none."""
        return _spectrum(self._missing, MISSING_EDGES)

    def hardy_table(self) -> pd.DataFrame:
        """Give how many variants are out of Hardy-Weinberg proportions."""
        bounds = np.array(HARDY_BOUNDS)
        return pd.DataFrame(
            {"p_below": bounds, "n_variants": self._hardy, "expected": bounds * self._tested}
        )

    def ploidy_table(self) -> pd.DataFrame:
        """Give the samples whose numbers of copies contradict one another, or their chromosome."""
        rows = []
        for group, chromosome in {AUTOSOME: "autosomes", **_SEX}.items():
            for name, counts in zip(self._samples, self._by_sample[group], strict=True):
                haploid = int(counts[HAPLOID_REF] + counts[HAPLOID_ALT])
                het, hom = int(counts[HET]), int(counts[HOM_REF] + counts[HOM_ALT])
                if oddity := _oddity(group, haploid, het, hom):
                    rows.append((name, chromosome, haploid, het, hom, oddity))
        columns = ["sample", "chromosome", "n_haploid", "n_het", "n_hom", "oddity"]
        return pd.DataFrame(rows, columns=columns)


def _oddity(group: int, haploid: int, het: int, hom: int) -> str:
    if group == AUTOSOME:
        return "haploid genotypes on autosomes" if haploid else ""
    if group in (Y, MT):
        return "two alleles where there is one copy" if het else ""
    # A man has two copies of the pseudo-autosomal ends only.
    both = haploid and het > _ODD_SHARE * (haploid + het + hom)
    return "heterozygous beside haploid genotypes" if both else ""


def _binned(values: Floats | Int, edges: Sequence[float]) -> Int:
    """Count values: exactly 0, then above each edge up to the next."""
    known = np.asarray(values)[~np.isnan(values)]
    counts: Int = np.bincount(
        np.searchsorted(edges, known, side="left"), minlength=len(edges)
    ).astype(np.int64)[: len(edges)]
    return counts


def _spectrum(counts: Int, edges: Sequence[float]) -> pd.DataFrame:
    return pd.DataFrame(
        {"above": [np.nan, *edges[:-1]], "up_to": list(edges), "n_variants": counts}
    )
