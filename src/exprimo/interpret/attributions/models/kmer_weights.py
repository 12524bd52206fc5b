"""A linear model on k-mer counts, explained by its own weights: exact, and without a network.

The output is ``b + sum_j w_j (x_j - c_j) / s_j``, with the count x_j of k-mer j, and mean c_j and
spread s_j of that count over training examples. One more occurrence of k-mer j adds
``u_j = w_j / s_j``. A window holds so many k-mers as its length allows, so that a number added to
every u_j changes no prediction: weights are taken less their mean over the k-mers of an ordinary
training example. Each base of an occurrence gets an equal share of its weight. So contributions
add up to the output less that at the mean counts of training examples; what an N takes away is
missing.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from exprimo.core.dataset import Dataset
from exprimo.core.errors import ConfigError
from exprimo.core.predictor import Batch, Floats
from exprimo.core.run import Run
from exprimo.core.sequence import N_CODE, Codes
from exprimo.features.kmers import count_kmers, kmer_names
from exprimo.interpret.attributions.method import (
    Attributed,
    Convergence,
    Kmers,
    MethodConfig,
    Subject,
)
from exprimo.models.baselines.kmer_linear import KmerLinearConfig
from exprimo.models.baselines.linear import LinearBaseline
from exprimo.training import TrainConfig

KMER_COLUMNS = ("kmer", "weight", "coefficient", "mean_count", "mean", "signed_mean", "n")
_MODEL = "kmer_linear"
_BASES = 4
_COMPLEMENT = str.maketrans("ACGT", "TGCA")
_BLOCK = 256

Numbers = npt.NDArray[np.float64]


def kmers_of(run: Run | None) -> Kmers | None:
    """Say what a Run counts, if it is a linear model on k-mers."""
    if run is None or run.metrics["model"] != _MODEL:
        return None
    options = KmerLinearConfig.checked(TrainConfig.load(run.config_path).options)
    return Kmers(options.k, options.canonical)


class Weights(NamedTuple):
    """Of a linear model on k-mer counts.

    Attributes
    ----------
    intercept
        The output at the mean counts of training examples.
    coefficient
        Per standard deviation of the count of each column, (columns,).
    center, scale
        Mean and spread of the counts, (columns,).
    each
        What one more occurrence of each column adds, less the mean over the k-mers of an ordinary
        training example, (columns,).
    """

    intercept: float
    coefficient: Numbers
    center: Numbers
    scale: Numbers
    each: Numbers

    @classmethod
    def of(cls, model: LinearBaseline, k: int) -> Weights:
        """Read them off a fitted model."""
        state = model.state()
        b, center, scale = (state[name] for name in ("coefficients", "center", "scale"))
        each = b[1:] / scale
        held = int(state["window"][0]) - k + 1
        return cls(float(b[0]), b[1:], center, scale, each - float(each @ center) / max(held, 1))

    def standardised(self, counts: npt.NDArray[np.int32]) -> Numbers:
        """Give coefficient × standardised count, (n, columns)."""
        found: Numbers = self.coefficient * (counts - self.center) / self.scale
        return found


class KmerWeights:
    """The weight of each k-mer, shared by the bases that make it."""

    def __init__(self, subject: Subject, config: MethodConfig) -> None:
        kmers, model = subject.kmers, subject.predictor
        if kmers is None or not isinstance(model, LinearBaseline):
            raise ConfigError("this model is not linear in k-mers", found=type(model).__name__)
        self.kmers, self.weights = kmers, Weights.of(model, kmers.k)
        self._each = _of_every_kmer(self.weights.each, kmers)

    def explain(self, batch: Batch) -> Attributed:
        """Explain some examples."""
        codes = np.asarray(batch["sequence"])
        hypothetical = shared_weights(codes, self._each, self.kmers.k)
        known = np.minimum(codes, _BASES - 1).astype(np.int64)
        values = np.take_along_axis(hypothetical, known[:, None], axis=1)[:, 0]
        values = np.where(codes < N_CODE, values, 0)
        counts = count_kmers(codes, self.kmers.k, canonical=self.kmers.canonical)
        moved = self.weights.standardised(counts).sum(1)
        delta = values.sum(1, dtype=np.float64) - moved
        facts = (delta, moved, np.abs(delta), np.abs(moved))
        outputs = (self.weights.intercept + moved).astype(np.float32)
        return Attributed(
            outputs,
            {"sequence": values.astype(np.float32)},
            {"sequence": hypothetical.astype(np.float32)},
            Convergence(*(one.astype(np.float32) for one in facts)),
        )


def shared_weights(codes: Codes, each: Numbers, k: int) -> Floats:
    """Give what each base would contribute at each position, (n, 4, length).

    The sum of the weights of the k-mers that would hold it, over k; k-mers with an N count
    nothing.

    Parameters
    ----------
    each
        Weight of every k-mer, (4^k,), in lexicographic order.

    Examples
    --------
    >>> each = np.zeros(16); each[1] = 1.0                      # AC alone counts
    >>> shared_weights(np.uint8([[0, 1, 2]]), each, 2)[0, :2].tolist()   # of A, of C
    [[0.5, 0.0, 0.0], [0.0, 0.5, 0.0]]
    """
    n, length = codes.shape
    found = np.zeros((n, _BASES, length))
    starts = length - k + 1
    if starts < 1:
        return found.astype(np.float32)
    known = codes < N_CODE
    digits = np.where(known, codes, 0).astype(np.int64)
    powers = _BASES ** np.arange(k)[::-1]
    number = sum(digits[:, t : t + starts] * powers[t] for t in range(k))
    absent = sum((~known[:, t : t + starts]).astype(np.int64) for t in range(k))
    for t in range(k):
        here = slice(t, t + starts)
        # Where a base stands in for an N, the other bases of the k-mer must be known.
        whole = absent - ~known[:, here] == 0
        for base in range(_BASES):
            other = number + (base - digits[:, here]) * powers[t]
            found[:, base, here] += np.where(whole, each[other], 0.0) / k
    return found.astype(np.float32)


def _of_every_kmer(of_columns: Numbers, kmers: Kmers) -> Numbers:
    """Give each k-mer the number of its column, (4^k,)."""
    if not kmers.canonical:
        return of_columns
    column = {name: i for i, name in enumerate(kmer_names(kmers.k, canonical=True))}
    names = kmer_names(kmers.k)
    return of_columns[[column[min(n, n.translate(_COMPLEMENT)[::-1])] for n in names]]


def kmer_table(subject: Subject, data: Dataset, rows: npt.NDArray[np.int64]) -> pd.DataFrame:
    """Tabulate what each k-mer contributes over examples, the largest first.

    Returns
    -------
    pandas.DataFrame
        ``kmer``; ``weight`` of one more occurrence, less that of the mean k-mer; ``coefficient``
        per standard deviation of its count; ``mean_count`` over the explained examples; ``mean``
        size and ``signed_mean`` of coefficient × standardised count; ``n`` examples.
    """
    kmers, model = subject.kmers, subject.predictor
    assert kmers is not None
    assert isinstance(model, LinearBaseline)
    weights = Weights.of(model, kmers.k)
    total, size, counted = np.zeros((3, len(weights.each)))
    for start in range(0, len(rows), _BLOCK):
        codes = data.rows("sequence", rows[start : start + _BLOCK])
        counts = count_kmers(codes, kmers.k, canonical=kmers.canonical)
        found = weights.standardised(counts)
        total += found.sum(0)
        size += np.abs(found).sum(0)
        counted += counts.sum(0)
    n = len(rows)
    columns = (
        kmer_names(kmers.k, kmers.canonical), weights.each, weights.coefficient,
        counted / n, size / n, total / n, n,
    )  # fmt: skip
    table = pd.DataFrame(dict(zip(KMER_COLUMNS, columns, strict=True)))
    return table.sort_values("mean", ascending=False, kind="stable", ignore_index=True)
