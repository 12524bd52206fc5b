"""All that is said of one column of scores."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from exprimo.genetics.overlap.agreement import concordance, evidence_of, rank_correlation
from exprimo.genetics.overlap.nulls import (
    ALL_SHIFTS_TO,
    ShiftTest,
    hypergeometric,
    matched_overlaps,
    shift_test,
    shifted_products,
    some_shifts,
    strata,
)
from exprimo.genetics.overlap.ranking import Bools, Floats, Region, log_p, regions
from exprimo.genetics.overlap.tables import SCORE

CIRCULAR = (
    "CIRCULAR: the score was combined with -log10 p before it was ranked, so it overlaps with the "
    "ranking by p whatever the model says. This reproduces a published construction and is no "
    "evidence."
)
"""The stamp of a ranking that contains the p-value."""


class ColumnOverlap(NamedTuple):
    """One score's overlap with the associations.

    Attributes
    ----------
    overlap
        Variants in the top of both rankings, summed over genes.
    expected
        The same by chance: top² / variants of each gene, summed.
    p_hypergeometric
        Chance of at least this overlap if variants were independent. Too small under LD. None of
        a circular ranking.
    p_shift
        The same when scores are shifted along the region, which keeps LD.
    n, dropped
        Rows that were ranked; joined rows (within the window) left out of it.
    top
        Length of each ranking's top, summed over genes.
    n_genes
        Genes within which variants were ranked.
    dropped_by_reason
        Reason -> rows.
    shift, matched
        `ShiftTest` of the overlap as a dict; ``matched`` with shifts within strata of allele
        frequency and distance to the TSS (None where neither is known, or rows are few).
    ties
        Variants tied across the end of the top by score and by p, of which some were drawn.
    concordance, rank_correlation
        Signs and ranks; see `concordance` and `rank_correlation`. A score that is nowhere
        negative has no direction: None.
    credible_sets
        Overlap of the top with variants of credible sets, where there are any.
    circular
        The ranking was made with the p-value; ``without_p`` then has the score's own overlap.
    """

    overlap: int
    expected: float
    p_hypergeometric: float | None
    p_shift: float | None
    n: int
    dropped: int
    top: int
    n_genes: int
    dropped_by_reason: dict[str, int]
    shift: dict[str, Any] | None
    matched: dict[str, Any] | None
    ties: dict[str, int]
    concordance: dict[str, Any] | None
    rank_correlation: dict[str, Any] | None
    credible_sets: dict[str, Any] | None
    circular: bool = False
    without_p: dict[str, Any] | None = None


def measure(rows: pd.DataFrame, column: str, top: int, *, seed: int = 0) -> ColumnOverlap:
    """Compare a score's ranking of variants with that by p.

    Parameters
    ----------
    rows
        Of `join`, along the chromosome within each gene; rows without p or score are left out and
        counted. ``in_set`` may name the credible set of each, None where there is none.
    column
        Name of the score.
    top
        Variants of each ranking that are compared, in each gene.
    seed
        Of ties, and of shifts of several genes.
    """
    rng = np.random.default_rng([seed, 1])
    used, reasons = _usable(rows, column)
    kept = rows[used]
    parts = regions(kept, column, top, seed)
    found = sum(int((part.size_top & part.p_top).sum()) for part in parts)
    expected, p = hypergeometric(found, [(part.n, part.top, part.top) for part in parts])
    products = [shifted_products(part.size_top, part.p_top) for part in parts]
    shift = shift_test(products, rng)
    evidence = evidence_of(kept)
    has_signs = any((part.score < 0).any() for part in parts)
    asked = {
        "top": [part.size_top for part in parts],
        "both_tops": [part.size_top & part.p_top for part in parts],
        "all": [np.ones(part.n, dtype=bool) for part in parts],
    }
    sets = _credible(kept["in_set"].to_numpy(), parts, rng) if "in_set" in kept else None
    return ColumnOverlap(
        overlap=found,
        expected=expected,
        p_hypergeometric=p if parts else None,
        p_shift=None if shift is None else shift.p,
        n=len(kept),
        dropped=len(rows) - len(kept),
        top=sum(part.top for part in parts),
        n_genes=len(parts),
        dropped_by_reason=reasons,
        shift=None if shift is None else shift._asdict(),
        matched=_as_dict(_matched(kept, parts, rng)),
        ties=_ties(parts),
        concordance={
            name: concordance(evidence, parts, chosen, rng) for name, chosen in asked.items()
        }
        if has_signs
        else None,
        rank_correlation={
            "size": rank_correlation(evidence, parts, rng, signed=False),
            "signed": rank_correlation(evidence, parts, rng, signed=True) if has_signs else None,
        },
        credible_sets=sets,
    )


def measure_circular(rows: pd.DataFrame, column: str, top: int, *, seed: int = 0) -> ColumnOverlap:
    """Rank by min-max |score| plus min-max -log10 p, as was published, and count the overlap.

    The p of the shifts says what the number is worth: the same sum is made with shifted scores,
    which say nothing of the place where they land, and overlaps about as much.
    """
    honest = measure(rows, column, top, seed=seed)
    rng = np.random.default_rng([seed, 2])
    kept = rows[_usable(rows, column)[0]]
    parts = regions(kept, column, top, seed)
    p = kept["p"].to_numpy(np.float64)
    values = [_circular_overlaps(part, p[part.rows], rng) for part in parts]
    shift = shift_test(values, rng)
    return honest._replace(
        overlap=int(sum(of[0] for of in values)),
        p_hypergeometric=None,
        p_shift=None if shift is None else shift.p,
        shift=_as_dict(shift),
        matched=None,
        concordance=None,
        rank_correlation=None,
        credible_sets=None,
        circular=True,
        without_p={
            "overlap": honest.overlap,
            "p_hypergeometric": honest.p_hypergeometric,
            "p_shift": honest.p_shift,
        },
    )


def _circular_overlaps(part: Region, p: Floats, rng: np.random.Generator) -> Floats:
    size, evidence = _min_max(np.abs(part.score)), _min_max(log_p(p))
    shifts = some_shifts(part.n, ALL_SHIFTS_TO, rng)
    found = np.empty(len(shifts))
    for number, shift in enumerate(shifts):
        combined = np.roll(size, shift) + evidence
        # Equal sums go by p, as they do in a table that is sorted by p.
        best = np.lexsort((part.p_rank, combined))[part.n - part.top :]
        found[number] = part.p_top[best].sum()
    return found


def _min_max(values: Floats) -> Floats:
    spread = np.ptp(values) if len(values) else 0.0
    return (values - values.min()) / spread if spread > 0 else np.zeros(len(values))


def _usable(rows: pd.DataFrame, column: str) -> tuple[Bools, dict[str, int]]:
    no_p, no_score = rows["p"].isna().to_numpy(), rows[SCORE + column].isna().to_numpy()
    return ~no_p & ~no_score, {
        "no p-value": int(no_p.sum()),
        "no score": int((no_score & ~no_p).sum()),
    }


def _matched(
    rows: pd.DataFrame, parts: Sequence[Region], rng: np.random.Generator
) -> ShiftTest | None:
    most = max(100, ALL_SHIFTS_TO // max(1, len(parts)))
    af, distance = (rows[name].to_numpy(np.float64) for name in ("af", "tss_distance"))
    maf = np.minimum(af, 1 - af)
    values = []
    for part in parts:
        of = strata(maf[part.rows], distance[part.rows])
        if of is None:
            continue
        values.append(matched_overlaps(part, of, some_shifts(part.n, most, rng)))
    # Of only some genes, the test would be of another number than the overlap.
    return shift_test(values, rng) if len(values) == len(parts) else None


def _credible(
    in_sets: npt.NDArray[np.object_], parts: Sequence[Region], rng: np.random.Generator
) -> dict[str, Any]:
    """Count variants of credible sets in the model's top, and sets that it meets."""
    members = [np.array([one is not None for one in in_sets[part.rows]], bool) for part in parts]
    tops = [part.size_top for part in parts]
    found = sum(int((one & top).sum()) for one, top in zip(members, tops, strict=True))
    lists = [(part.n, int(one.sum()), part.top) for part, one in zip(parts, members, strict=True)]
    expected, p = hypergeometric(found, lists)
    products = [shifted_products(top, one) for top, one in zip(tops, members, strict=True)]
    shift = shift_test(products, rng)
    names = {one for one in in_sets if one is not None}
    met = {
        name
        for part, top in zip(parts, tops, strict=True)
        for name in in_sets[part.rows[top]]
        if name is not None
    }
    return {
        "n_sets": len(names),
        "n_sets_met": len(met),
        "n_variants": sum(int(one.sum()) for one in members),
        "overlap": found,
        "expected": expected,
        "p_hypergeometric": p,
        "p_shift": None if shift is None else shift.p,
    }


def _ties(parts: Sequence[Region]) -> dict[str, int]:
    return {
        "score": sum(part.size_tied for part in parts),
        "p": sum(part.p_tied for part in parts),
    }


def _as_dict(test: ShiftTest | None) -> dict[str, Any] | None:
    return None if test is None else test._asdict()
