"""The gate: copies of training sequences, near copies, and collapse onto few sequences."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import stats

from exprimo.core.errors import InputError

QUANTILE = 0.01
"""Share of held-out real sequences that are nearer to training than what counts as near."""
LEVEL = 0.001
"""Probability below which a share is no chance."""
MOST_TIMES = 2.0
"""A share up to this many times the expected one passes, however sure it is."""
LEAST_UNIQUE, LEAST_SPREAD, MOST_CLOSE = 0.95, 0.8, 0.1
FEWEST = 50
"""Sequences without which a share of one in a hundred says nothing."""

Distances = npt.NDArray[np.int64]


class Variety(NamedTuple):
    """How much sequences of a set differ among themselves.

    Attributes
    ----------
    n, distinct
        Sequences, and how many differ.
    spread
        Mean share of positions at which two of them differ.
    nearest
        Positions at which some of them differ from the nearest other one, (some,).
    """

    n: int
    distinct: int
    spread: float
    nearest: Distances


class Evidence(NamedTuple):
    """What the gate looks at, of the generated sequences or of held-out real ones.

    Attributes
    ----------
    copies, n_copies
        Sequences that stand in the training part, on either strand, and out of how many.
    distances
        Edits to the nearest training sequence, of some, (some,).
    variety
        How much they differ among themselves; of both sets at equal n.
    """

    copies: int
    n_copies: int
    distances: Distances
    variety: Variety


class Gate(NamedTuple):
    """The verdict: ``passed`` or ``failed``, why, and the figures behind it."""

    verdict: str
    reasons: tuple[str, ...]
    figures: dict[str, dict[str, Any]]


def judge(generated: Evidence, held_out: Evidence) -> Gate:
    """Compare generated sequences with held-out real ones of the same process.

    Held-out sequences were not learned from, so how near they come to training sequences is what
    chance and kinship explain. Fresh draws of the true process are exchangeable with them.

    Examples
    --------
    >>> real = Evidence(0, 200, np.arange(20, 220), Variety(200, 200, 0.7, np.arange(20, 220)))
    >>> copied = real._replace(distances=np.zeros(200, np.int64))
    >>> judge(real, real).verdict, judge(copied, real).reasons[0][:22]
    ('passed', '200 of 200 sequences (')
    """
    fewest = min(len(generated.distances), len(held_out.distances))
    if fewest < FEWEST:
        raise InputError(
            "too few sequences to tell copies from chance",
            found=f"{len(generated.distances):,} generated, {len(held_out.distances):,} held out",
            expected=f"{FEWEST} of each at least",
        )
    found = [
        ("copies", *_copies(generated, held_out)),
        ("near_copies", *_near_copies(generated.distances, held_out.distances)),
        ("collapse", *_collapse(generated.variety, held_out.variety)),
    ]
    reasons = tuple(reason for _, reason, _ in found if reason)
    figures = {name: {"passed": not reason, **facts} for name, reason, facts in found}
    return Gate("failed" if reasons else "passed", reasons, figures)


def _copies(generated: Evidence, held_out: Evidence) -> tuple[str, dict[str, Any]]:
    """Compare the shares of exact copies by Fisher's exact test, one-sided."""
    n, expected = generated.n_copies, held_out.copies / held_out.n_copies
    real = [held_out.copies, held_out.n_copies - held_out.copies]

    def chance(copies: int) -> float:
        table = np.array([[copies, n - copies], real])
        return float(stats.fisher_exact(table, alternative="greater").pvalue)

    share, p = generated.copies / n, chance(generated.copies)
    facts = {
        "n": n,
        "copies": generated.copies,
        "share": share,
        "held_out_n": held_out.n_copies,
        "held_out_copies": held_out.copies,
        "held_out_share": expected,
        "pvalue": p,
        "least_seen": least_seen(n, expected, chance),
    }
    if not _is_more(share, expected, p):
        return "", facts
    return (
        f"{generated.copies:,} of {generated.n_copies:,} sequences ({share:.2%}) are copies of "
        f"training sequences; of held-out real ones {expected:.2%} (p = {p:.1g})",
        facts,
    )


def _near_copies(generated: Distances, held_out: Distances) -> tuple[str, dict[str, Any]]:
    """Count what is nearer to training than all but a hundredth of held-out sequences.

    Were both drawn alike, the number of generated sequences before the k-th nearest held-out one
    would be negative hypergeometric: a binomial whose share, about ``QUANTILE``, is itself
    estimated from so many held-out sequences. Ties do not count as nearer, which errs towards
    passing.
    """
    n, n_real = len(generated), len(held_out)
    place = max(1, math.ceil(QUANTILE * n_real))
    limit = int(np.sort(held_out)[place - 1])
    near = int((generated < limit).sum())
    expected = place / (n_real + 1)
    drawn = stats.nhypergeom(n + n_real, n, n_real - place + 1)

    def chance(near: int) -> float:
        return float(drawn.cdf(n - near)) if near else 1.0

    share, p = near / n, chance(near)
    facts = {
        "n": n,
        "near": near,
        "share": share,
        "expected_share": expected,
        "nearer_than_edits": limit,
        "held_out_n": n_real,
        "held_out_share": float((held_out < limit).mean()),
        "median_edits": float(np.median(generated)),
        "held_out_median_edits": float(np.median(held_out)),
        "pvalue": p,
        # Nothing has fewer edits than none.
        "least_seen": least_seen(n, expected, chance) if limit else None,
    }
    if not _is_more(share, expected, p):
        return "", facts
    return (
        f"{near:,} of {n:,} sequences ({share:.1%}) are fewer than {limit} edits from a training "
        f"sequence; {expected:.1%} are expected (p = {p:.1g})",
        facts,
    )


def _is_more(share: float, expected: float, p: float) -> bool:
    return p < LEVEL and share > MOST_TIMES * expected


def least_seen(n: int, expected: float, chance: Callable[[int], float]) -> int | None:
    """Find the smallest count of ``n`` that would fail: what lies below is not seen.

    Parameters
    ----------
    n, expected
        Sequences, and the share that chance explains.
    chance
        The probability of a count or more of them; it falls as the count rises.

    Returns
    -------
    count
        None where even all of them would pass: the numbers are too small to see anything.

    Examples
    --------
    >>> least_seen(400, 0.01, lambda count: 0.5**count), least_seen(5, 0.01, lambda count: 0.1)
    (10, None)
    """
    low, high = 1, n + 1
    while low < high:
        middle = (low + high) // 2
        if _is_more(middle / n, expected, chance(middle)):
            high = middle
        else:
            low = middle + 1
    return low if low <= n else None


def _collapse(generated: Variety, held_out: Variety) -> tuple[str, dict[str, Any]]:
    """See whether sequences repeat themselves more than real ones do."""
    unique, real = generated.distinct / generated.n, held_out.distinct / held_out.n
    place = max(1, math.ceil(QUANTILE * len(held_out.nearest)))
    limit = int(np.sort(held_out.nearest)[place - 1])
    close = float((generated.nearest < limit).mean())
    facts = {
        "n": generated.n,
        "unique_fraction": unique,
        "held_out_unique_fraction": real,
        "mean_difference": generated.spread,
        "held_out_mean_difference": held_out.spread,
        "close_share": close,
        "closer_than_positions": limit,
        "held_out_close_share": float((held_out.nearest < limit).mean()),
    }
    reasons = []
    if unique < LEAST_UNIQUE * real:
        reasons.append(f"only {unique:.1%} of the sequences differ, of real ones {real:.1%}")
    if generated.spread < LEAST_SPREAD * held_out.spread:
        reasons.append(
            f"two sequences differ at {generated.spread:.1%} of positions, two real ones at "
            f"{held_out.spread:.1%}"
        )
    if close > MOST_CLOSE:
        reasons.append(
            f"{close:.1%} of the sequences differ at fewer than {limit} positions from another; "
            f"of real ones at most {QUANTILE:.0%}"
        )
    return "; ".join(reasons), facts
