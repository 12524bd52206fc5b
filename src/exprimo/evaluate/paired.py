"""Is one model better than another, or one split easier than another?

Four questions, four functions. Two models on the same rows: `paired_difference`. Two ways of
training, each from the same seeds, on the same rows: `difference_over_seeds`. One model under two
splits, whose test sets may share genes: `difference_between_test_sets`. Two results that share
nothing (two assays, two species): `unpaired_difference`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from exprimo.core.errors import InputError, MismatchError
from exprimo.evaluate.inputs import Rows, named_groups, observed_rows
from exprimo.evaluate.intervals import (
    Entry,
    find_metric,
    percentile_interval,
    prepare_entry,
    resample,
)
from exprimo.evaluate.proportions import check_level
from exprimo.evaluate.results import (
    MIN_GROUPS,
    Difference,
    FloatArray,
    JudgedSet,
    SeededDifference,
)

Thresholds = float | Sequence[float] | None


def paired_difference(
    observed: ArrayLike,
    a: ArrayLike,
    b: ArrayLike,
    groups: Any,
    metric: str,
    *,
    threshold_a: Thresholds = None,
    threshold_b: Thresholds = None,
    n_boot: int = 1000,
    level: float = 0.95,
    seed: int = 0,
    unit: str = "example",
) -> Difference:
    """Compare two models on the same rows: metric of `a` minus metric of `b`.

    Both are judged on the same resamples of groups, so what makes a test set easy or hard for
    both cancels. Seeds, where there are several, are drawn for each model on its own: the interval
    is of two single trainings. For that of the mean over seeds see `difference_over_seeds`.

    Parameters
    ----------
    observed
        Truth, `(n,)`.
    a, b
        Predictions, `(n,)` or `(seeds, n)`; the numbers of seeds may differ.
    metric
        A name from `METRICS`; the difference is of the raw metric, so for an error a negative
        one favours `a`.

    Examples
    --------
    >>> import numpy as np
    >>> y = np.arange(40.0)
    >>> close, far = y + np.tile([0.1, -0.1], 20), y + np.tile([3.0, -3.0], 20)
    >>> got = paired_difference(y, close, far, None, "mae")
    >>> round(got.value, 6), got.p < 0.01, got.n_groups
    (-2.9, True, 40)
    """
    wanted = find_metric(metric)
    rows_a, rows_b = observed_rows(observed, a, groups), observed_rows(observed, b, groups)
    entry_a = prepare_entry(wanted, rows_a, threshold_a, stream=0)
    entry_b = prepare_entry(wanted, rows_b, threshold_b, stream=1)
    drawn = resample([entry_a, entry_b], rows_a.n_groups, n_boot, seed)
    n = rows_a.n_groups
    return _difference(entry_a, entry_b, drawn[0] - drawn[1], level, (n, n, n), unit)


def difference_over_seeds(
    observed: ArrayLike,
    a: ArrayLike,
    b: ArrayLike,
    groups: Any,
    metric: str,
    *,
    threshold_a: Thresholds = None,
    threshold_b: Thresholds = None,
    n_boot: int = 1000,
    level: float = 0.95,
    seed: int = 0,
    unit: str = "example",
) -> SeededDifference:
    """Compare two ways of training, each from the same seeds: the mean over seeds of a minus b.

    The interval is about what further test groups *and* further seeds would give.

    Parameters
    ----------
    observed
        Truth, `(n,)`.
    a, b
        Predictions, `(seeds, n)` or `(n,)` for one seed; row k of both is from the same seed.
    metric
        A name from `METRICS`; the difference is of the raw metric.

    Notes
    -----
    Each resample draws groups with replacement and takes the mean over all seeds. To it a seed's
    term is added: Student's t with seeds - 1 degrees of freedom times the standard error of the
    mean over seeds. Drawing few seeds with replacement instead would be too narrow: of three it
    shows two thirds of the variance, and no heavy tails. The variance over seeds is taken less
    what the test set adds to it, as large as resampling groups adds once more. With one seed the
    interval is that of `paired_difference` and says nothing of seeds.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> y = rng.normal(size=200)
    >>> better, worse = y + 0.5 * rng.normal(size=(3, 200)), y + rng.normal(size=(3, 200))
    >>> got = difference_over_seeds(y, better, worse, None, "mse")
    >>> got.high < 0, got.seeds, got.seed_sd < 0.3
    (True, 3, True)
    """
    wanted = find_metric(metric)
    rows_a, rows_b = observed_rows(observed, a, groups), observed_rows(observed, b, groups)
    seeds = len(rows_a.predicted)
    if len(rows_b.predicted) != seeds:
        raise MismatchError(
            "two ways of training have different numbers of seeds",
            found=f"{seeds} and {len(rows_b.predicted)}",
            expected="the same seeds for both",
        )
    each_a = _one_by_one(wanted.needs_threshold, threshold_a, seeds)
    each_b = _one_by_one(wanted.needs_threshold, threshold_b, seeds)
    entries = [
        prepare_entry(wanted, rows._replace(predicted=rows.predicted[[k]]), limits[k])
        for rows, limits in ((rows_a, each_a), (rows_b, each_b))
        for k in range(seeds)
    ]
    per_seed = np.array([entry.value for entry in entries])
    per_seed = per_seed[:seeds] - per_seed[seeds:]
    drawn = resample(entries, rows_a.n_groups, n_boot, seed)
    differences = drawn[:seeds] - drawn[seeds:]
    mean = differences.mean(axis=0) + _seed_term(per_seed, differences, seed)
    check_level(level)
    value, low, high, p = float(per_seed.mean()), math.nan, math.nan, math.nan
    if rows_a.n_groups >= MIN_GROUPS:
        low, high = percentile_interval(mean, value, level)
        p = math.nan if math.isnan(low) else bootstrap_p(mean)
    return SeededDifference(value, low, high, p, rows_a.n_groups, unit, per_seed)


def _one_by_one(needed: bool, given: Thresholds, seeds: int) -> list[float | None]:
    """Give each seed its threshold."""
    if not needed or given is None:
        return [None] * seeds
    limits = np.asarray(given, dtype=np.float64).reshape(-1)
    if limits.size not in (1, seeds):
        raise InputError(
            "thresholds and seeds differ in number",
            found=f"{limits.size} thresholds for {seeds} seeds",
            expected="one threshold, or one per seed",
        )
    return [float(limit) for limit in np.broadcast_to(limits, seeds)]


def _seed_term(per_seed: FloatArray, drawn: FloatArray, seed: int) -> FloatArray:
    """Draw how far the mean over seeds may be from that over all seeds, `(n_boot,)`."""
    seeds, n_boot = drawn.shape
    if seeds < 2:
        return np.zeros(n_boot)
    spread = float(per_seed.var(ddof=1))
    # Resampling groups moves seeds apart by as much as the test set has done already.
    defined = drawn[:, np.isfinite(drawn).all(axis=0)]
    by_test_set = float(defined.var(axis=0, ddof=1).mean()) - spread if defined.size else 0.0
    own = max(0.0, spread - max(0.0, by_test_set))
    rng = np.random.default_rng([seed, 3])
    term: FloatArray = rng.standard_t(seeds - 1, n_boot) * math.sqrt(own / seeds)
    return term


def difference_between_test_sets(
    a: JudgedSet,
    b: JudgedSet,
    metric: str,
    *,
    threshold_a: Thresholds = None,
    threshold_b: Thresholds = None,
    n_boot: int = 1000,
    level: float = 0.95,
    seed: int = 0,
    unit: str = "example",
) -> Difference:
    """Compare two test sets that may overlap, as those of two splits of one dataset do.

    Groups that both hold are drawn together, each set keeping its own rows of them, so the
    shared part is paired and the rest independent. Without overlap this equals resampling each
    on its own; with the same rows on both sides it equals `paired_difference`.

    Parameters
    ----------
    a, b
        Test sets whose `groups` name the same kind of unit (give both, or there is no telling
        what they share).
    """
    wanted = find_metric(metric)
    for side in (a, b):
        if side.groups is None:
            raise InputError(
                "a test set has no groups",
                expected="the gene, homology group or person of each row, on both sides",
                remedy="Use unpaired_difference if the two sets share nothing",
            )
    rows_a, rows_b, n_groups = _common_groups(a, b)
    entry_a = prepare_entry(wanted, rows_a, threshold_a, stream=0)
    entry_b = prepare_entry(wanted, rows_b, threshold_b, stream=1)
    drawn = resample([entry_a, entry_b], n_groups, n_boot, seed)
    in_a, in_b = np.unique(rows_a.group), np.unique(rows_b.group)
    shared = int(np.intersect1d(in_a, in_b).size)
    counts = (int(in_a.size), int(in_b.size), shared)
    return _difference(entry_a, entry_b, drawn[0] - drawn[1], level, counts, unit)


def unpaired_difference(
    a: JudgedSet,
    b: JudgedSet,
    metric: str,
    *,
    threshold_a: Thresholds = None,
    threshold_b: Thresholds = None,
    n_boot: int = 1000,
    level: float = 0.95,
    seed: int = 0,
    unit: str = "example",
) -> Difference:
    """Compare two test sets that share no unit: each is resampled on its own."""
    wanted = find_metric(metric)
    rows_a = observed_rows(a.observed, a.predicted, a.groups)
    rows_b = observed_rows(b.observed, b.predicted, b.groups)
    entry_a = prepare_entry(wanted, rows_a, threshold_a, stream=0)
    entry_b = prepare_entry(wanted, rows_b, threshold_b, stream=1)
    seed_a, seed_b = (int(s) for s in np.random.SeedSequence(seed).generate_state(2))
    drawn_a = resample([entry_a], rows_a.n_groups, n_boot, seed_a)[0]
    drawn_b = resample([entry_b], rows_b.n_groups, n_boot, seed_b)[0]
    counts = (rows_a.n_groups, rows_b.n_groups, 0)
    return _difference(entry_a, entry_b, drawn_a - drawn_b, level, counts, unit)


def _common_groups(a: JudgedSet, b: JudgedSet) -> tuple[Rows, Rows, int]:
    """Number the groups of two test sets together, so that a shared one has one number."""
    rows_a = observed_rows(a.observed, a.predicted, a.groups)
    rows_b = observed_rows(b.observed, b.predicted, b.groups)
    names_a, names_b = _kept_names(a), _kept_names(b)
    if names_a.dtype.kind != names_b.dtype.kind and "U" in (names_a.dtype.kind, names_b.dtype.kind):
        raise InputError(
            "the groups of two test sets are of different kinds",
            found=f"{names_a[:1].tolist()} and {names_b[:1].tolist()}",
            expected="names on both sides, or numbers on both",
        )
    distinct, codes = np.unique(np.concatenate([names_a, names_b]), return_inverse=True)
    codes = codes.astype(np.int64, copy=False).reshape(-1)
    code_a, code_b = codes[: names_a.size], codes[names_a.size :]
    n_groups = int(distinct.size)
    return (
        rows_a._replace(group=code_a, n_groups=n_groups),
        rows_b._replace(group=code_b, n_groups=n_groups),
        n_groups,
    )


def _kept_names(side: JudgedSet) -> NDArray[Any]:
    observed = np.asarray(side.observed, dtype=np.float64)
    return named_groups(np.asarray(side.groups)[~np.isnan(observed)])


def _difference(
    a: Entry,
    b: Entry,
    drawn: FloatArray,
    level: float,
    counts: tuple[int, int, int],
    unit: str,
) -> Difference:
    check_level(level)
    n_a, n_b, shared = counts
    value = a.value - b.value
    low, high, p = math.nan, math.nan, math.nan
    if min(n_a, n_b) >= MIN_GROUPS:
        low, high = percentile_interval(drawn, value, level)
        p = math.nan if math.isnan(low) else bootstrap_p(drawn)
    return Difference(value, low, high, p, min(n_a, n_b), shared, unit)


def bootstrap_p(drawn: FloatArray) -> float:
    """Give the two-sided p of no difference: how often resamples fall on the other side of 0.

    One is added to both counts, so that the least p is 2 / (resamples + 1), never 0.
    """
    defined = drawn[np.isfinite(drawn)]
    below, above = int((defined <= 0).sum()), int((defined >= 0).sum())
    return min(1.0, 2 * (min(below, above) + 1) / (defined.size + 1))
