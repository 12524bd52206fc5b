"""What is fitted: counts with their factors, and a design; and the constants of the fit."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

# DESeq2's: the least mean inside iterations, and a ridge of 1e-6 per squared log2 unit.
LEAST_MEAN = 0.5
RIDGE = 1e-6 / np.log(2) ** 2


@dataclass(frozen=True)
class Observed:
    """Counts, int64 (genes, samples), with factors (1, samples) or (genes, samples)."""

    counts: Ints
    factors: Floats

    @property
    def n_genes(self) -> int:
        return int(self.counts.shape[0])

    @property
    def n_samples(self) -> int:
        return int(self.counts.shape[1])

    def rows(self, chosen: slice | npt.NDArray[np.generic]) -> Observed:
        """Take some genes."""
        factors = self.factors if len(self.factors) == 1 else self.factors[chosen]
        if isinstance(chosen, slice):
            return Observed(self.counts[chosen], factors)
        return Observed(np.ascontiguousarray(self.counts[chosen]), factors)

    def normalized(self) -> Floats:
        """Divide counts by their factors."""
        return np.asarray(self.counts / self.factors)

    def mean_factors(self) -> Floats:
        """Give each sample's factor, the mean over genes where genes have their own."""
        return np.asarray(self.factors.mean(0))


@dataclass(frozen=True)
class Model:
    """A design matrix of full rank, (samples, coefficients), C-contiguous float64."""

    x: Floats

    @property
    def n_coefficients(self) -> int:
        return int(self.x.shape[1])

    @property
    def n_samples(self) -> int:
        return int(self.x.shape[0])

    @cached_property
    def cell_of_sample(self) -> Ints:
        """Number the cells: samples whose rows of the design are equal, in order of appearance."""
        _, first, codes = np.unique(self.x, axis=0, return_index=True, return_inverse=True)
        rank = np.empty(len(first), dtype=np.int64)
        rank[np.argsort(first)] = np.arange(len(first))
        return np.asarray(rank[codes.reshape(-1)])

    @cached_property
    def replicates(self) -> Ints:
        """Count, for each sample, the samples of its cell."""
        cells = self.cell_of_sample
        return np.asarray(np.bincount(cells)[cells])

    @property
    def is_group_model(self) -> bool:
        """Tell whether there is one coefficient per cell: means are then those of the cells."""
        return int(self.cell_of_sample.max()) + 1 == self.n_coefficients

    @property
    def is_intercept_only(self) -> bool:
        return self.n_coefficients == 1 and bool(np.all(self.x == 1))

    @cached_property
    def projection(self) -> Floats:
        """Project samples onto the design: X(XᵀX)⁻¹Xᵀ, symmetric."""
        q, _ = np.linalg.qr(self.x)
        return np.ascontiguousarray(q @ q.T)
