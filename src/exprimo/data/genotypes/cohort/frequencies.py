"""Dosages of a block of genotypes with the counts of their alleles, in one pass."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from exprimo.core.compiled import compiled
from exprimo.data.genotypes.view import Block

Floats = npt.NDArray[np.float64]
Dosages = npt.NDArray[np.float32]


class AlleleCounts(NamedTuple):
    """Dosages, and what they say of each variant.

    Attributes
    ----------
    dosage
        Float32, (variants, people), as of `exprimo.data.genotypes.Block.dosage`.
    af
        (variants,) frequency of ALT among the alleles of the people whose dosage is known, one of
        a haploid; NaN where there are none.
    ma_samples, ma_count
        People with the minor allele, a dosage of it above one half; and its copies.
    varies
        Whether the known dosages differ, and both alleles are among them: dosages of an allele
        that all have differ between people of one and of two copies.
    """

    dosage: Dosages
    af: Floats
    ma_samples: npt.NDArray[np.int64]
    ma_count: Floats
    varies: npt.NDArray[np.bool_]


def count_alleles(block: Block) -> AlleleCounts:
    """Give the dosages of a block and count its alleles.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"chrom": ["1"], "start": [4], "ref": ["A"], "alt": ["G"],
    ...                       "variant_id": ["rs1"], "record": [0]})
    >>> alleles = np.array([[[0, 1], [1, 1], [1, 1], [-1, -1]]], np.int8)
    >>> found = count_alleles(Block(table, alleles, np.ones((1, 4), bool), None, None))
    >>> found.dosage.tolist(), found.ma_samples.tolist(), found.ma_count.tolist()
    ([[1.0, 2.0, 2.0, nan]], [1], [1.0])
    """
    variants, people, _ = block.alleles.shape
    dosage = np.empty((variants, people), dtype=np.float32)
    imputed = np.empty((0, 0), np.float32) if block.dosages is None else block.dosages
    held, above, below = np.zeros((3, variants), dtype=np.int64)
    copies = np.zeros(variants)
    varies = np.zeros(variants, dtype=np.bool_)
    _count(
        np.ascontiguousarray(block.alleles), np.ascontiguousarray(imputed), dosage, held, above,
        below, copies, varies,
    )  # fmt: skip
    af = np.divide(copies, held, out=np.full(variants, np.nan), where=held > 0)
    major = af > 0.5
    ma_count = np.where(major, held - copies, copies)
    varies &= ma_count > 0
    return AlleleCounts(dosage, af, np.where(major, below, above), ma_count, varies)


@compiled
def _count(
    alleles: npt.NDArray[np.int8],
    imputed: Dosages,
    dosage: Dosages,
    held: npt.NDArray[np.int64],
    above: npt.NDArray[np.int64],
    below: npt.NDArray[np.int64],
    copies: Floats,
    varies: npt.NDArray[np.bool_],
) -> None:
    """Fill ``dosage``; count alleles, people with ALT and with the other allele, copies of ALT."""
    given = imputed.size > 0
    for v in range(alleles.shape[0]):
        least, most = np.float32(np.inf), np.float32(-np.inf)
        for s in range(alleles.shape[1]):
            first, second = alleles[v, s, 0], alleles[v, s, 1]
            value = np.float32((first == 1) + (second == 1))
            # -1 is a missing copy; a first copy of -2 means that there is none at all.
            if first < 0 or second == -1:
                value = np.float32(np.nan)
            if given and not np.isnan(imputed[v, s]):
                value = imputed[v, s]
            dosage[v, s] = value
            if np.isnan(value):
                continue
            ploidy = (first != -2) + (second != -2)
            held[v] += ploidy
            above[v] += ploidy > 0 and value > 0.5
            below[v] += ploidy - value > 0.5
            copies[v] += value if ploidy > 0 else np.float32(0)
            least, most = min(least, value), max(most, value)
        varies[v] = least < most
