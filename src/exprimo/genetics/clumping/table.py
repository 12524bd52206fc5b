"""Clumps of a file of genotypes, as a table."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

from exprimo.core.errors import MismatchError
from exprimo.data.genotypes.view import Genotypes
from exprimo.genetics.clumping.calls import Planes, block_calls, pack_calls
from exprimo.genetics.clumping.greedy import ClumpConfig, Clumps, clump

COLUMNS = ("chrom", "pos", "ref", "alt", "variant_id", "p", "n_taken", "members")


def clump_genotypes(
    genotypes: Genotypes,
    p: Mapping[str, float],
    config: ClumpConfig | None = None,
) -> pd.DataFrame:
    """Clump the variants of a file that have a p-value.

    Hard calls are kept as bits, so that a million variants of 700 people take 0.3 GB.

    Parameters
    ----------
    genotypes
        Of the people in whom linkage is measured.
    p
        Variant id -> p-value.

    Returns
    -------
    pd.DataFrame
        A row an index variant, the most significant first: ``chrom, pos`` (1-based), ``ref, alt,
        variant_id, p, n_taken`` (variants that it took), ``members`` (of these, the ids with p
        up to p2, with commas).

    Examples
    --------
    >>> from exprimo.data.genotypes import open_genotypes
    >>> with open_genotypes("people.bed") as genotypes:  # doctest: +SKIP
    ...     clump_genotypes(genotypes, {"rs1": 1e-9, "rs2": 1e-4})
    """
    config = config or ClumpConfig()
    variants, planes = _wanted(genotypes, p)
    values = variants["variant_id"].map(dict(p)).to_numpy(np.float64).astype(np.float64)
    chrom = pd.factorize(variants["chrom"])[0].astype(np.int64)
    found = clump(planes, chrom, variants["start"].to_numpy(np.int64), values, config)
    return clump_table(variants, values, found, config)


def clump_table(
    variants: pd.DataFrame, p: npt.NDArray[np.float64], clumps: Clumps, config: ClumpConfig
) -> pd.DataFrame:
    """Make the table of index variants; ``variants`` as in `Block.variants`."""
    ids = variants["variant_id"].to_numpy(object)
    members: dict[int, list[str]] = {int(row): [] for row in clumps.index_rows}
    n_taken = dict.fromkeys(members, 0)
    for row in np.flatnonzero(clumps.taken_by >= 0):
        by = int(clumps.taken_by[row])
        if by != row:
            n_taken[by] += 1
            if p[row] <= config.p2:
                members[by].append(str(ids[row]))
    at = clumps.index_rows
    chosen = variants.iloc[at].reset_index(drop=True)
    table = chosen[["chrom", "ref", "alt", "variant_id"]].assign(
        pos=chosen["start"] + 1,
        p=p[at],
        n_taken=np.array(list(n_taken.values()), dtype=np.int64),
        members=[",".join(names) for names in members.values()],
    )
    return table[list(COLUMNS)]


def _wanted(genotypes: Genotypes, p: Mapping[str, float]) -> tuple[pd.DataFrame, Planes]:
    tables, parts = [], []
    heads: list[str] = []
    for block in genotypes.blocks():
        ids = block.variants["variant_id"]
        heads = heads or ids.head(3).tolist()
        # One look-up a variant: `isin` would go through all p-values again for each block.
        rows = np.flatnonzero([name in p for name in ids])
        if len(rows):
            tables.append(block.variants.iloc[rows])
            parts.append(pack_calls(block_calls(block)[rows]))
    if not parts:
        raise MismatchError(
            "no variant with a p-value is in the genotypes",
            file=genotypes.path,
            found=", ".join(heads),
            expected=", ".join(list(p)[:3]),
            remedy="Name variants alike in both files",
        )
    planes = Planes(
        np.concatenate([part.carrier for part in parts]),
        np.concatenate([part.double for part in parts]),
        np.concatenate([part.called for part in parts]),
        np.concatenate([part.n_called for part in parts]),
        parts[0].n_people,
    )
    return pd.concat(tables, ignore_index=True), planes
