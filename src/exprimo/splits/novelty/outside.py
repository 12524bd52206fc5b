"""Inputs of test examples that are unlike those of training examples.

Each input becomes a short profile: of a sequence the shares of its 3-mers and its GC content, of
numbers the numbers, of rows of bins the mean and spread of each row. The distance of an example is
the root mean square of its profile in standard deviations around the mean of one half of the
training examples. Beyond which distance an example counts as outside, the other half says: 99% of
its examples lie within. The halves share no group, cell type or person where training and test
examples share none.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from exprimo.core.dataset import SEQUENCES, Dataset
from exprimo.core.split import Split
from exprimo.features.composition import gc_content
from exprimo.features.kmers import count_kmers

WITHIN = 0.99
"""The share of unseen training examples that lies within the bound."""

_K, _BLOCK = 3, 256
_MOST_TRAINING, _MOST_TEST = 4000, 1000
# A bound that 99% keep needs a hundred examples, and a share of 1% as many.
_FEWEST = 100
_HELD = ("cell_type", "individual")
# Numbers that say which gene or which sequence it is have no profile.
_NO_PROFILE = ("gene", "embedding", *SEQUENCES[1:])

Rows = npt.NDArray[np.int64]
Values = npt.NDArray[np.float64]


class Outside(NamedTuple):
    """Test examples whose input lies farther from training than 99% of unseen training examples.

    Attributes
    ----------
    input
        Which input.
    share
        Their share; 0.01 is expected of examples that are like those of training.
    n
        Test examples that were looked at.
    """

    input: str
    share: float
    n: int


def outside_training(dataset: Dataset, split: Split, seed: int = 0) -> list[Outside]:
    """Say for each input how many test examples are unlike what a model learned from.

    At most 4,000 training and 1,000 test examples are read, evenly along the dataset.

    Parameters
    ----------
    seed
        Of the halves.

    Returns
    -------
    list of Outside
        Empty where either half, or the test part, has fewer than 100 examples; without inputs of
        fewer than 100 distinct rows.
    """
    train = _evenly(split.rows("train"), _MOST_TRAINING)
    test = _evenly(split.rows("test"), _MOST_TEST)
    first, second = _halves(dataset, split, train, seed)
    if min(len(first), len(second), len(test)) < _FEWEST:
        return []
    found = []
    for name, info in dataset.inputs.items():
        few = info.n_distinct < _FEWEST
        if few or name in _NO_PROFILE or len(info.shape) not in (1, 2):
            continue
        known, unseen, judged = (_profiles(dataset, name, rows) for rows in (first, second, test))
        share = share_outside(known, unseen, judged)
        if np.isfinite(share):
            found.append(Outside(name, share, len(test)))
    return found


def share_outside(known: Values, unseen: Values, judged: Values) -> float:
    """Give the share of examples farther from the known than 99% of the unseen.

    Parameters
    ----------
    known, unseen, judged
        Profiles, (n, numbers); what is missing is NaN. NaN where no number varies.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> a, b, c = rng.normal(size=(3, 500, 4))
    >>> share_outside(a, b, c) < 0.03, share_outside(a, b, c + 9)
    (True, 1.0)
    """
    said = np.isfinite(known).any(0)
    center, spread = np.nanmean(known[:, said], axis=0), np.nanstd(known[:, said], axis=0)
    varies = spread > 0
    if not varies.any():
        return float("nan")

    def distance(profiles: Values) -> Values:
        z = (profiles[:, said][:, varies] - center[varies]) / spread[varies]
        n = np.isfinite(z).sum(1)
        found: Values = np.sqrt(np.nansum(z**2, axis=1) / np.maximum(n, 1))
        return found

    return float((distance(judged) > np.quantile(distance(unseen), WITHIN)).mean())


def _profiles(dataset: Dataset, name: str, rows: Rows) -> Values:
    parts = [
        _profile(dataset.rows(name, rows[start : start + _BLOCK]), name in SEQUENCES)
        for start in range(0, len(rows), _BLOCK)
    ]
    return np.concatenate(parts)


def _profile(values: npt.NDArray[np.generic], bases: bool) -> Values:
    if bases:
        codes = np.asarray(values, dtype=np.uint8)
        counts = count_kmers(codes, _K).astype(np.float64)
        total = np.maximum(counts.sum(1, keepdims=True), 1)
        return np.column_stack([counts / total, gc_content(codes)])
    numbers = np.asarray(values, dtype=np.float64)
    if numbers.ndim == 2:
        return numbers
    known = np.isfinite(numbers)
    n = np.maximum(known.sum(2), 1)
    filled = np.where(known, numbers, 0.0)
    mean = filled.sum(2) / n
    spread = np.sqrt(np.maximum((filled**2).sum(2) / n - mean**2, 0))
    told = np.where(known.any(2), 1.0, np.nan)
    return np.concatenate([mean * told, spread * told], axis=1)


def _evenly(rows: Rows, most: int) -> Rows:
    if len(rows) <= most:
        return rows
    return rows[np.linspace(0, len(rows) - 1, most).round().astype(np.int64)]


def _halves(dataset: Dataset, split: Split, rows: Rows, seed: int) -> tuple[Rows, Rows]:
    """Give two halves that share nothing of what test examples do not share with training."""
    labels = [split.example_id if split.group is None else split.group]
    labels += [dataset.column(c) for c in _HELD if c in split.held_out and c in dataset.columns]
    first = second = np.ones(len(rows), dtype=bool)
    rng = np.random.default_rng(seed)
    for of_each in labels:
        names, code = np.unique(of_each[rows], return_inverse=True)
        here = (rng.permutation(len(names)) < len(names) // 2)[code]
        first, second = first & here, second & ~here
    return rows[first], rows[second]
