"""Clumps of a file of genotypes, as a table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from exprimo.core.errors import MismatchError
from exprimo.data.genotypes.view import Genotypes
from exprimo.genetics.clumping.calls import Planes, block_calls, pack_calls
from exprimo.genetics.clumping.greedy import ClumpConfig, Clumps, clump

Floats = npt.NDArray[np.float64]

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

    def p_of(variants: pd.DataFrame) -> Floats:
        return np.array([p.get(name, np.nan) for name in variants["variant_id"]], np.float64)

    chosen = choose_variants(genotypes, p_of)
    if chosen is None:
        raise MismatchError(
            "no variant with a p-value is in the genotypes",
            file=genotypes.path,
            found=", ".join(_first_ids(genotypes)),
            expected=", ".join(list(p)[:3]),
            remedy="Name variants alike in both files",
        )
    return clump_table(chosen.variants, chosen.p, clump_chosen(chosen, config), config)


class Chosen(NamedTuple):
    """Variants of a file that have a p-value: `Block.variants`, hard calls, p of each."""

    variants: pd.DataFrame
    planes: Planes
    p: Floats


def clump_chosen(chosen: Chosen, config: ClumpConfig) -> Clumps:
    """Clump the variants that were chosen from a file."""
    chrom = pd.factorize(chosen.variants["chrom"])[0].astype(np.int64)
    start = chosen.variants["start"].to_numpy(np.int64)
    return clump(chosen.planes, chrom, start, chosen.p, config)


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


def choose_variants(genotypes: Genotypes, p_of: Callable[[pd.DataFrame], Floats]) -> Chosen | None:
    """Read the variants that have a p-value; None where none has.

    Parameters
    ----------
    genotypes
        Read block by block; of each only bits of the variants wanted are kept.
    p_of
        `Block.variants` -> p of each, NaN where it has none.
    """
    tables, parts, values = [], [], []
    for block in genotypes.blocks():
        p = p_of(block.variants)
        rows = np.flatnonzero(~np.isnan(p))
        if len(rows):
            tables.append(block.variants.iloc[rows])
            parts.append(pack_calls(block_calls(block)[rows]))
            values.append(p[rows])
    if not parts:
        return None
    planes = Planes(
        np.concatenate([part.carrier for part in parts]),
        np.concatenate([part.double for part in parts]),
        np.concatenate([part.called for part in parts]),
        np.concatenate([part.n_called for part in parts]),
        parts[0].n_people,
    )
    return Chosen(pd.concat(tables, ignore_index=True), planes, np.concatenate(values))


def _first_ids(genotypes: Genotypes) -> list[str]:
    for block in genotypes.blocks():
        return [str(name) for name in block.variants["variant_id"].head(3)]
    return []
