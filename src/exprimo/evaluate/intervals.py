"""Intervals by resampling whole groups, and a seed where several were trained.

Rows of one gene, homology group or person are not independent, so a resample draws groups with
replacement and takes all rows of each. Where several seeds were trained it also draws one of
them, so that the interval covers what retraining would change.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from exprimo.core.errors import ConfigError, InputError
from exprimo.evaluate.classification import CLASSIFICATION_METRICS
from exprimo.evaluate.inputs import Rows, observed_rows
from exprimo.evaluate.metric import Metric, Resampled, calls, check_values, value_of
from exprimo.evaluate.multiclass.metrics import MULTICLASS_METRICS
from exprimo.evaluate.proportions import check_level
from exprimo.evaluate.regression import REGRESSION_METRICS
from exprimo.evaluate.results import MIN_GROUPS, Estimate, FloatArray

METRICS: dict[str, Metric] = {
    **REGRESSION_METRICS,
    **CLASSIFICATION_METRICS,
    **MULTICLASS_METRICS,
}

# Resamples are made in blocks of about this many weights, to stay in the processor's cache.
_BLOCK = 1 << 18

# An interval is claimed only if at most this share of resamples leaves the metric undefined.
_UNDEFINED = 0.1


def find_metric(name: str) -> Metric:
    """Return the metric of that name, or refuse with the nearest known name."""
    if name in METRICS:
        return METRICS[name]
    near = difflib.get_close_matches(name, METRICS, n=1)
    raise ConfigError(
        "unknown metric",
        found=name,
        expected=", ".join(METRICS),
        remedy=f"Did you mean {near[0]}?" if near else None,
    )


def bootstrap(
    observed: ArrayLike,
    predicted: ArrayLike,
    groups: Any,
    metrics: Sequence[str],
    *,
    threshold: float | Sequence[float] | None = None,
    n_boot: int = 1000,
    level: float = 0.95,
    seed: int = 0,
    unit: str = "example",
) -> dict[str, Estimate]:
    """Estimate metrics with percentile intervals over resampled groups.

    Parameters
    ----------
    observed
        Truth, `(n,)`; rows with NaN are left out (`Estimate.n` counts those kept).
    predicted
        Numbers, scores or probabilities, `(n,)`, or `(seeds, n)`; the value is then the mean
        over seeds, and each resample takes one seed. For several classes `(seeds, n, classes)`.
    groups
        Independent unit of each row, `(n,)`; None makes every row a unit.
    metrics
        Names from `REGRESSION_METRICS`, `CLASSIFICATION_METRICS` or `MULTICLASS_METRICS`.
    threshold
        For metrics of calls: chosen on validation, one for all seeds or one per seed.
    unit
        What a group is ("gene", "homology group", "person"), for the report.

    Notes
    -----
    With fewer than three groups no interval is claimed (NaN); below ten `few_groups` is set.
    Resamples on which a metric is undefined (one class only) are left out; if they are more than
    one in ten, the interval is NaN.

    Examples
    --------
    >>> import numpy as np
    >>> y = np.arange(30.0)
    >>> got = bootstrap(y, y + np.tile([1, -1, 0], 10), None, ["mae"], unit="gene")["mae"]
    >>> round(got.value, 3), got.low < got.value < got.high, got.n_groups, got.unit
    (0.667, True, 30, 'gene')
    """
    check_level(level)
    rows = observed_rows(observed, predicted, groups)
    entries = [prepare_entry(find_metric(name), rows, threshold) for name in metrics]
    draws = resample(entries, rows.n_groups, n_boot, seed)
    estimates = {}
    for entry, drawn in zip(entries, draws, strict=True):
        low, high = math.nan, math.nan
        if rows.n_groups >= MIN_GROUPS:
            low, high = percentile_interval(
                drawn, entry.value, level, recentre=entry.metric.shifts_in_resamples
            )
        n = rows.observed.size
        estimates[entry.metric.name] = Estimate(entry.value, low, high, n, rows.n_groups, unit)
    return estimates


class Entry(NamedTuple):
    """A metric prepared for each seed of one model; equal streams draw the same seeds."""

    metric: Metric
    per_seed: list[Resampled]
    value: float
    n_rows: int
    stream: int


def prepare_entry(
    metric: Metric,
    rows: Rows,
    threshold: float | Sequence[float] | None = None,
    stream: int = 0,
) -> Entry:
    """Check a model's rows for a metric, and sort or sum them once per seed."""
    check_values(metric.takes, rows.observed, rows.predicted)
    predicted = rows.predicted
    if metric.needs_threshold:
        limits = _thresholds(metric, threshold, len(predicted))
        pairs = zip(predicted, limits, strict=True)
        predicted = np.stack([calls(scores, limit) for scores, limit in pairs])
    y = rows.observed
    values = [value_of(metric.prepare, y, s) for s in predicted]
    prepared: list[Resampled] = []
    if y.size:
        prepared = [metric.prepare(y, s, rows.group, rows.n_groups) for s in predicted]
    return Entry(metric, prepared, float(np.mean(values)), y.size, stream)


def _thresholds(
    metric: Metric, threshold: float | Sequence[float] | None, n_seeds: int
) -> list[float]:
    if threshold is None:
        raise InputError(
            f"{metric.label} needs a threshold",
            expected="one that was chosen on validation examples",
            remedy="Give threshold=choose_threshold(observed_val, score_val).value",
        )
    given = np.asarray(threshold, dtype=np.float64)
    limits: list[float] = np.full(n_seeds, given).tolist() if given.ndim == 0 else given.tolist()
    if len(limits) != n_seeds:
        raise InputError(
            "thresholds and seeds differ in number",
            found=f"{len(limits)} thresholds for {n_seeds} seeds",
            expected="one threshold, or one per seed",
        )
    return limits


def resample(entries: Sequence[Entry], n_groups: int, n_boot: int, seed: int) -> FloatArray:
    """Compute every entry on the same resamples of groups, `(entries, n_boot)`.

    The draws depend on `seed` and `n_groups` alone, so that two calls on the same groups are
    paired.
    """
    if n_boot < 1:
        raise ConfigError("too few resamples", found=n_boot, expected="at least 1")
    values = np.full((len(entries), n_boot), np.nan)
    if n_groups == 0:
        return values
    picks = [_seed_draws(entry, n_boot, seed) for entry in entries]
    widest = max([n_groups, *(entry.n_rows for entry in entries)])
    start = 0
    for times in _group_draws(n_groups, n_boot, max(1, _BLOCK // widest), seed):
        here = slice(start, start + len(times))
        for row, entry in enumerate(entries):
            picked = picks[row][here]
            for index, prepared in enumerate(entry.per_seed):
                mine = np.flatnonzero(picked == index)
                if mine.size == len(times):
                    values[row, here] = prepared(times)
                elif mine.size:
                    values[row, start + mine] = prepared(times[mine])
        start += len(times)
    return values


def _group_draws(n_groups: int, n_boot: int, block: int, seed: int) -> Iterator[FloatArray]:
    """Yield multiplicities of groups, `(<= block, n_groups)`, each row summing to n_groups."""
    rng = np.random.default_rng(seed)
    for start in range(0, n_boot, block):
        size = min(block, n_boot - start)
        drawn = rng.integers(0, n_groups, size=(size, n_groups))
        drawn += np.arange(size)[:, None] * n_groups
        times = np.bincount(drawn.reshape(-1), minlength=size * n_groups)
        yield times.reshape(size, n_groups).astype(np.float64)


def _seed_draws(entry: Entry, n_boot: int, seed: int) -> Any:
    rng = np.random.default_rng([seed, 1 + entry.stream])
    return rng.integers(0, max(1, len(entry.per_seed)), size=n_boot)


def percentile_interval(
    drawn: FloatArray, value: float, level: float, *, recentre: bool = False
) -> tuple[float, float]:
    """Give the middle `level` of the resampled values, NaN where too many are undefined.

    With `recentre` the bias of the resamples (their mean less `value`) is taken off first.
    """
    defined = drawn[np.isfinite(drawn)]
    if math.isnan(value) or defined.size < (1 - _UNDEFINED) * drawn.size:
        return math.nan, math.nan
    tail = (1 - level) / 2
    low, high = np.quantile(defined, [tail, 1 - tail])
    if recentre:
        bias = float(defined.mean()) - value
        return max(0.0, float(low) - bias), float(high) - bias
    return float(low), float(high)
