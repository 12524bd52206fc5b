"""Whether score and slope point the same way, and rank variants alike."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from exprimo.evaluate.proportions import proportion
from exprimo.genetics.overlap.nulls import shift_test, shifted_products
from exprimo.genetics.overlap.ranking import Bools, Floats, Ints, Region, log_p

CONVENTION = "effects are ALT - REF of the score table's alleles; slopes of swapped alleles turned"
BLOCK = 50_000
"""Bases of a stretch whose variants count as one unit in the interval of the concordance."""
_FEWEST = 3


class Evidence(NamedTuple):
    """What associations say of the joined rows, (rows,) each.

    Attributes
    ----------
    direction
        Sign of the slope of ALT; 0 where it is 0 or not known.
    z
        slope / slope_se, or the slope where no standard error is told; NaN where not known.
    strength
        -log10 p.
    block
        Number of the stretch of `BLOCK` bases of a chromosome.
    """

    direction: Floats
    z: Floats
    strength: Floats
    block: Ints


def evidence_of(rows: pd.DataFrame) -> Evidence:
    """Take from joined rows what scores are compared with."""
    slope = np.where(rows["signed"], rows["slope"], np.nan).astype(np.float64)
    se = rows["slope_se"].to_numpy(np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        z = slope if np.isnan(se).all() else slope / se
    places = pd.DataFrame({"chrom": rows["chrom"], "block": rows["pos"] // BLOCK})
    return Evidence(
        np.nan_to_num(np.sign(slope)),
        np.where(np.isfinite(z), z, np.nan),
        log_p(rows["p"].to_numpy(np.float64)),
        places.groupby(["chrom", "block"]).ngroup().to_numpy().astype(np.int64),
    )


def concordance(
    evidence: Evidence, parts: Sequence[Region], chosen: Sequence[Bools], rng: np.random.Generator
) -> dict[str, Any]:
    """Share of variants whose score and slope have the same sign.

    Parameters
    ----------
    evidence
        Of the joined rows that the regions number.
    parts, chosen
        Regions, and which of their variants are asked, (n,) each. Variants with a score or a
        slope of 0 or of unknown sign are left out.
    rng
        Of the shifts.

    Returns
    -------
    dict
        ``n, n_same, share, low, high`` (Wilson's 95% interval, stretches of `BLOCK` bases as its
        units), ``n_blocks``, and ``p_shift``: the chance of as many more equal than unequal
        signs when the chosen scores are shifted.
    """
    hits: list[Floats] = []
    blocks: list[Ints] = []
    nets: list[Floats] = []
    for part, mask in zip(parts, chosen, strict=True):
        theirs = evidence.direction[part.rows]
        mine = np.sign(part.score) * mask
        used = (theirs != 0) & (mine != 0)
        hits.append((theirs == mine)[used].astype(np.float64))
        blocks.append(evidence.block[part.rows[used]])
        nets.append(shifted_products(mine, theirs))
    same = np.concatenate(hits) if hits else np.zeros(0)
    if not len(same):
        names = ("share", "low", "high")
        return {"n": 0, "n_same": 0, **dict.fromkeys(names), "n_blocks": 0, "p_shift": None}
    block = np.concatenate(blocks)
    share, test = proportion(same, block, unit="stretch"), shift_test(nets, rng)
    return {
        "n": len(same),
        "n_same": int(same.sum()),
        "share": share.value,
        "low": share.low,
        "high": share.high,
        "n_blocks": len(np.unique(block)),
        "p_shift": None if test is None else test.p,
    }


def rank_correlation(
    evidence: Evidence, parts: Sequence[Region], rng: np.random.Generator, *, signed: bool
) -> dict[str, Any]:
    """Spearman's correlation within genes, averaged over them, with the shift null.

    Unsigned, |score| is held against -log10 p; signed, the score against slope / slope_se (or
    against the slope where no standard error is told).

    Returns
    -------
    dict
        ``rho``, ``p_shift`` (two-sided), ``low, high`` (middle 95% under shifts), ``n``.
    """
    values: list[Floats] = []
    n = 0
    for part in parts:
        sides = _sides(evidence, part, signed)
        if len(sides[0]) < _FEWEST or any(np.ptp(side) == 0 for side in sides):
            continue
        mine, theirs = (_standard_ranks(side) for side in sides)
        values.append(shifted_products(mine, theirs))
        n += len(mine)
    if not values:
        return {"rho": None, "p_shift": None, "low": None, "high": None, "n": 0}
    test = shift_test([of / len(values) for of in values], rng, two_sided=True)
    rho = float(np.mean([of[0] for of in values]))
    null: dict[str, float | None] = {"p_shift": None, "low": None, "high": None}
    if test is not None:
        null = {"p_shift": test.p, "low": test.low, "high": test.high}
    return {"rho": rho, **null, "n": n}


def _sides(evidence: Evidence, part: Region, signed: bool) -> tuple[Floats, Floats]:
    if not signed:
        return np.abs(part.score), evidence.strength[part.rows]
    z = evidence.z[part.rows]
    known = ~np.isnan(z)
    return part.score[known], z[known]


def _standard_ranks(values: Floats) -> Floats:
    """Give ranks with mean 0 and sum of squares 1."""
    ranks: Floats = stats.rankdata(values)
    ranks -= ranks.mean()
    ranks /= np.sqrt((ranks**2).sum())
    return ranks
