"""Genotypes counted: one code a genotype, and how often each occurs by variant and by sample."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from exprimo.core.compiled import compiled
from exprimo.data.genotypes.cohort.hardy import hardy_weinberg_p
from exprimo.data.genotypes.ploidy import plink_chromosome, sex_chromosome
from exprimo.data.genotypes.view import Block

Int = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
GenotypeCodes = npt.NDArray[np.int8]

HOM_REF, HET, HOM_ALT, MISSING, HAPLOID_REF, HAPLOID_ALT, ABSENT = range(7)
N_CODES = 7

# What a variant is counted under. A record of several ALT is counted once, as what it is first.
AUTOSOME, X, Y, MT, MULTIALLELIC, REPEAT = range(6)
N_GROUPS = 6

_BY_NAME = {"X": X, "Y": Y, "MT": MT}
_DIPLOID_PARTS = {"25", "XY", "PAR1", "PAR2"}


def chromosome_groups(names: Iterable[str]) -> dict[str, int]:
    """Tell X, Y and MT (also PLINK's numbers) from autosomes.

    X beside a IX is the tenth, and 23 beside a 27 is an autosome.

    Examples
    --------
    >>> chromosome_groups(["chr1", "chrX", "chrM"])
    {'chr1': 0, 'chrX': 1, 'chrM': 3}
    >>> chromosome_groups(["IX", "X"])["X"]
    0
    """
    listed = list(names)
    bare = {name: name[3:] if name.lower().startswith("chr") else name for name in listed}
    present = set(bare.values())
    numbered, roman = "27" not in present, bool(present & {"IX", "VIII", "VII"})
    groups = {}
    for name in listed:
        kind = sex_chromosome(plink_chromosome(name, numbered=numbered))
        diploid = name in _DIPLOID_PARTS and (numbered or not name.isdecimal())
        tenth = roman and bare[name] == "X"
        groups[name] = AUTOSOME if diploid or tenth else _BY_NAME.get(kind, AUTOSOME)
    return groups


class Counted(NamedTuple):
    """Genotype codes of a block, (variants, samples), and their number by variant."""

    codes: GenotypeCodes
    by_variant: Int


def count_genotypes(block: Block, groups: Int, by_sample: Int) -> Counted:
    """Code and count the genotypes of a block.

    Parameters
    ----------
    groups
        (variants,), what each variant is counted under.
    by_sample
        (groups, samples, codes), added to in place.
    """
    n_variants, n_samples, _ = block.alleles.shape
    codes = np.empty((n_variants, n_samples), dtype=np.int8)
    by_variant = np.zeros((n_variants, N_CODES), dtype=np.int64)
    _count(np.ascontiguousarray(block.alleles), groups, codes, by_variant, by_sample)
    return Counted(codes, by_variant)


@compiled
def _count(
    alleles: npt.NDArray[np.int8],
    groups: Int,
    codes: GenotypeCodes,
    by_variant: Int,
    by_sample: Int,
) -> None:
    for v in range(alleles.shape[0]):
        group = groups[v]
        for s in range(alleles.shape[1]):
            first, second = alleles[v, s, 0], alleles[v, s, 1]
            if first == -1 or second == -1:
                code = 3
            elif second == -2:
                code = 6 if first == -2 else 4 + first
            elif first == -2:
                code = 4 + second
            else:
                code = first + second
            codes[v, s] = code
            by_variant[v, code] += 1
            by_sample[group, s, code] += 1


def variant_statistics(block: Block) -> pd.DataFrame:
    """Give the statistics of each variant of a block, one row per ALT allele.

    Returns
    -------
    pd.DataFrame
        ``chrom, start, ref, alt, variant_id``, then ``n_called``, ``n_missing``,
        ``missing_share``, ``hom_ref``, ``het``, ``hom_alt`` (diploid genotypes), ``n_haploid``,
        ``alt_frequency`` (of the known copies), ``maf``, ``hardy_p`` (of diploid genotypes; other
        ALT alleles count as not ALT). A share of nothing is NaN.

    Examples
    --------
    >>> table = pd.DataFrame({"chrom": ["1"], "start": [4], "ref": ["A"], "alt": ["G"],
    ...                       "variant_id": ["rs1"], "record": [0]})
    >>> alleles = np.array([[[0, 1], [1, 1], [-1, -1]]], np.int8)
    >>> block = Block(table, alleles, np.ones((1, 3), bool), None, None)
    >>> variant_statistics(block)[["n_missing", "alt_frequency", "maf"]].values.tolist()
    [[1.0, 0.75, 0.25]]
    """
    samples = np.zeros((N_GROUPS, block.alleles.shape[1], N_CODES), dtype=np.int64)
    groups = np.zeros(len(block.variants), dtype=np.int64)
    counts = count_genotypes(block, groups, samples).by_variant
    columns = ["chrom", "start", "ref", "alt", "variant_id"]
    return block.variants[columns].reset_index(drop=True).assign(**statistics(counts))


def statistics(counts: Int) -> dict[str, Floats | Int]:
    """Give what follows from the numbers of genotypes, (variants, codes)."""
    hom_ref, het, hom_alt = counts[:, HOM_REF], counts[:, HET], counts[:, HOM_ALT]
    haploid = counts[:, HAPLOID_REF] + counts[:, HAPLOID_ALT]
    called = hom_ref + het + hom_alt + haploid
    missing = counts[:, MISSING]
    frequency = share(
        het + 2 * hom_alt + counts[:, HAPLOID_ALT], 2 * (hom_ref + het + hom_alt) + haploid
    )
    return {
        "n_called": called,
        "n_missing": missing,
        "missing_share": share(missing, called + missing),
        "hom_ref": hom_ref,
        "het": het,
        "hom_alt": hom_alt,
        "n_haploid": haploid,
        "alt_frequency": frequency,
        "maf": np.minimum(frequency, 1 - frequency),
        "hardy_p": hardy_weinberg_p(hom_ref, het, hom_alt),
    }


def share(part: Floats | Int, whole: Floats | Int) -> Floats:
    """Divide; a share of nothing is NaN.

    Examples
    --------
    >>> share(np.array([1, 0]), np.array([4, 0])).tolist()
    [0.25, nan]
    """
    return np.asarray(np.divide(part, whole, out=np.full(len(whole), np.nan), where=whole > 0))
