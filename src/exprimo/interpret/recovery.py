"""Does importance point at the bases that are known to matter? AUROC against a truth mask.

Two baselines stand beside it. *Shifted*: each example's importance is turned round its window by
a random number of bases, which keeps its values and its peaks' widths and forgets where they
are; the expected AUROC of one example is then 0.5. *Swapped*: examples get one another's
importance, which keeps what all examples share: a profile that merely rises where sites tend to
stand does well here, so only what exceeds it was found in the sequence itself.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from exprimo.core.errors import ConfigError, InputError, MismatchError
from exprimo.evaluate.inputs import group_codes
from exprimo.evaluate.proportions import check_level
from exprimo.evaluate.results import MIN_GROUPS, Estimate, FloatArray
from exprimo.interpret.importance import check_contributions, group_draws

# Classes of importance that stand for single values while groups are resampled; ties inside one
# count one half, which moves an AUROC by less than a thousandth.
_BINS = 512


class Baseline(NamedTuple):
    """AUROC of a baseline: its mean over draws, its 95% quantile, and the number of draws."""

    mean: float
    upper: float
    n: int


class Recovery(NamedTuple):
    """How well |importance| tells planted bases from others.

    Attributes
    ----------
    per_example
        AUROC of each example, (examples,); NaN where no base, or every base, is planted.
    mean
        Mean of `per_example`, with an interval over groups.
    pooled
        AUROC over all bases of all examples at once, with an interval over groups.
    shifted, swapped
        Baselines of `mean`.
    pooled_shifted, pooled_swapped
        Baselines of `pooled`.
    """

    per_example: FloatArray
    mean: Estimate
    pooled: Estimate
    shifted: Baseline
    swapped: Baseline
    pooled_shifted: Baseline
    pooled_swapped: Baseline


def motif_recovery(
    contributions: NDArray[Any],
    planted: NDArray[np.bool_],
    *,
    groups: Any = None,
    unit: str = "gene",
    n_boot: int = 1000,
    n_shuffles: int = 200,
    level: float = 0.95,
    seed: int = 0,
) -> Recovery:
    """Judge |contributions| against the bases that are known to matter.

    Parameters
    ----------
    contributions
        Gradient × input, (examples, length).
    planted
        True at each base of a planted site, (examples, length), in the same orientation.
    groups, unit
        Independent unit of each example and what it is; None makes every example one.
    n_boot, level, seed
        Resamples, level and seed of the percentile intervals, and seed of the baselines.
    n_shuffles
        Draws of each baseline.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> values, planted = rng.normal(size=(40, 50)), np.zeros((40, 50), dtype=bool)
    >>> planted[:, 20:26] = True
    >>> values[planted] *= 5
    >>> found = motif_recovery(values, planted)
    >>> found.mean.low > 0.8 > found.shifted.upper > 0.5
    True
    """
    check_level(level)
    check_contributions(contributions, 0)
    if planted.shape != contributions.shape or planted.dtype != np.bool_:
        raise MismatchError(
            "the truth does not fit the contributions",
            found=f"{planted.dtype} of shape {planted.shape}",
            expected=f"true or false, of shape {contributions.shape}",
        )
    if n_boot < 1 or n_shuffles < 1:
        raise ConfigError("too few resamples or shuffles", found=min(n_boot, n_shuffles))
    size = abs(contributions)
    truth = _Truth.of(planted)
    if not truth.judged.any():
        raise InputError("no example has both planted and other bases", found="nothing to judge")
    codes, n_groups = group_codes(groups, np.ones(len(size), dtype=bool))
    own = rankdata(size, axis=1)
    joint = rankdata(size).reshape(size.shape)
    per_example = truth.per_example(own, np.zeros(len(size), dtype=np.int64))
    pooled = truth.pooled(joint, np.zeros(len(size), dtype=np.int64))
    rng = np.random.default_rng(seed)
    shifts = rng.integers(0, size.shape[1], (n_shuffles, len(size)))
    swaps = np.stack([rng.permutation(len(size)) for _ in range(n_shuffles)])
    drawn_mean, drawn_pooled = _resampled(
        per_example, _classes(joint), planted, (codes, n_groups), n_boot, rng
    )
    n_judged, judged_groups = int(truth.judged.sum()), np.unique(codes[truth.judged]).size

    def estimate(value: float, drawn: FloatArray, n: int, n_units: int) -> Estimate:
        low, high = _percentiles(drawn + (value - np.nanmean(drawn)), level, n_units)
        return Estimate(value, low, high, n, n_units, unit)

    return Recovery(
        per_example,
        estimate(float(np.nanmean(per_example)), drawn_mean, n_judged, judged_groups),
        estimate(pooled, drawn_pooled, size.size, n_groups),
        _baseline([np.nanmean(truth.per_example(own, by)) for by in shifts]),
        _baseline([np.nanmean(truth.per_example(own[rows], 0 * rows)) for rows in swaps]),
        _baseline([truth.pooled(joint, by) for by in shifts]),
        _baseline([truth.pooled(joint[rows], 0 * rows) for rows in swaps]),
    )


class _Truth(NamedTuple):
    """Where planted bases are, as example and position, and how many each example has."""

    example: NDArray[np.int64]
    position: NDArray[np.int64]
    n_planted: NDArray[np.int64]
    length: int

    @classmethod
    def of(cls, planted: NDArray[np.bool_]) -> _Truth:
        example, position = np.nonzero(planted)
        return cls(example, position, planted.sum(1), planted.shape[1])

    @property
    def judged(self) -> NDArray[np.bool_]:
        """Tell which examples have both kinds of bases."""
        judged: NDArray[np.bool_] = (self.n_planted > 0) & (self.n_planted < self.length)
        return judged

    def per_example(self, ranks: FloatArray, shifts: NDArray[np.int64]) -> FloatArray:
        """Compute each example's AUROC from the ranks within it, turned round by its shift."""
        at = (self.position + shifts[self.example]) % self.length
        sums = np.bincount(self.example, ranks[self.example, at], len(self.n_planted))
        n, m = self.n_planted, self.length - self.n_planted
        with np.errstate(invalid="ignore", divide="ignore"):
            found = (sums - n * (n + 1) / 2) / (n * m)
        return np.where(self.judged, found, np.nan)

    def pooled(self, ranks: FloatArray, shifts: NDArray[np.int64]) -> float:
        """Compute the AUROC over all bases from the ranks among all."""
        at = (self.position + shifts[self.example]) % self.length
        n = len(self.position)
        wins = ranks[self.example, at].sum() - n * (n + 1) / 2
        return float(wins / (n * (ranks.size - n)))


def _classes(joint: FloatArray) -> NDArray[np.int64]:
    """Sort all bases into classes of about equal number by their rank; ties share one."""
    return np.minimum((joint - 0.5) / joint.size * _BINS, _BINS - 1).astype(np.int64)


def _resampled(
    per_example: FloatArray,
    classes: NDArray[np.int64],
    planted: NDArray[np.bool_],
    grouping: tuple[NDArray[np.int64], int],
    n_boot: int,
    rng: np.random.Generator,
) -> tuple[FloatArray, FloatArray]:
    """Resample groups: the mean over examples, and the AUROC over all their bases."""
    codes, n_groups = grouping
    known = np.isfinite(per_example)
    sums = np.bincount(codes[known], per_example[known], n_groups)
    counts = np.bincount(codes[known], minlength=n_groups).astype(float)
    cell = (codes[:, None] * _BINS + classes).ravel()
    yes = planted.ravel()
    inside = np.bincount(cell[yes], minlength=n_groups * _BINS).reshape(n_groups, _BINS)
    outside = np.bincount(cell[~yes], minlength=n_groups * _BINS).reshape(n_groups, _BINS)
    inside, outside = inside.astype(float), outside.astype(float)
    mean, pooled = np.empty(n_boot), np.empty(n_boot)
    with np.errstate(invalid="ignore", divide="ignore"):
        for here, times in group_draws(n_groups, n_boot, rng):
            mean[here] = (times @ sums) / (times @ counts)
            a, b = times @ inside, times @ outside
            wins = (a * (np.cumsum(b, axis=1) - 0.5 * b)).sum(1)
            pooled[here] = wins / (a.sum(1) * b.sum(1))
    return mean, pooled


def _percentiles(drawn: FloatArray, level: float, n_groups: int) -> tuple[float, float]:
    if n_groups < MIN_GROUPS:
        return np.nan, np.nan
    tail = (1 - level) / 2
    low, high = np.nanquantile(drawn, [tail, 1 - tail]).clip(0.0, 1.0)
    return float(low), float(high)


def _baseline(values: list[Any]) -> Baseline:
    return Baseline(float(np.mean(values)), float(np.quantile(values, 0.95)), len(values))
