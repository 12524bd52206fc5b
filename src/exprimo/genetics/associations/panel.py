"""LD of a reference panel: correlations of dosages among people."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from exprimo.core.coordinates import reconcile_chromosomes
from exprimo.core.errors import InputError
from exprimo.data.genotypes import Genotypes

Floats = npt.NDArray[np.float64]


class Panel(NamedTuple):
    """Variants of a stretch among the people of a panel.

    Attributes
    ----------
    variants
        ``variant_id, chrom, pos`` (from 1), ``ref, alt``; those that vary.
    scaled
        (people, variants): dosages of ALT, missing ones the mean, centred, of length 1.
    sd
        (variants,): standard deviation of the dosage.
    """

    variants: pd.DataFrame
    scaled: Floats
    sd: Floats

    def ld(self, chosen: npt.NDArray[np.intp], sign: Floats | None = None) -> Floats:
        """Give correlations among some variants, (k, k); ``sign`` -1 counts REF instead."""
        part = self.scaled[:, chosen] if sign is None else self.scaled[:, chosen] * sign
        found = part.T @ part
        # Rounding would leave the diagonal beside 1.
        np.fill_diagonal(found, 1.0)
        return np.asarray(found, dtype=np.float64)


def read_panel(
    genotypes: Genotypes, chrom: str, start: int, end: int, *, maf: float = 0.0
) -> Panel:
    """Read the variants that begin in ``[start, end)`` (0-based) and vary.

    Parameters
    ----------
    genotypes
        Opened; ``chrom`` may be named otherwise there (``chr1``, ``1``).
    maf
        Leave out variants with a rarer minor allele.
    """
    names = reconcile_chromosomes(
        genotypes.chromosomes, [chrom], our_file=str(genotypes.path), their_file="the associations"
    )
    block = genotypes.region(names[chrom], start, end)
    begins = block.variants["start"].between(start, end - 1).to_numpy()
    dosage = block.dosage()[begins].astype(np.float64)
    variants = block.variants[begins]
    known = ~np.isnan(dosage)
    n_known = known.sum(axis=1)
    mean = np.where(known, dosage, 0.0).sum(axis=1) / np.maximum(n_known, 1)
    centred = np.where(known, dosage - mean[:, None], 0.0)
    length = np.sqrt(np.einsum("ij,ij->i", centred, centred))
    rare = np.minimum(mean, 2.0 - mean) / 2.0
    keep = (length > 1e-8) & (rare >= maf)
    if not keep.any():
        raise InputError(
            "no variant of the panel varies here",
            file=genotypes.path,
            record=f"{chrom}:{start + 1}-{end}",
            found=f"{len(keep):,} variants, {len(genotypes.samples):,} people",
        )
    table = variants.loc[keep, ["variant_id", "chrom", "start", "ref", "alt"]]
    table = table.assign(pos=table["start"] + 1).drop(columns="start").reset_index(drop=True)
    sd = length[keep] / np.sqrt(max(dosage.shape[1] - 1, 1))
    return Panel(table, (centred[keep] / length[keep, None]).T, sd)
