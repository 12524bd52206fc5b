"""The substitutions of a window, and what a model makes of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt

from exprimo.core.predictor import Floats
from exprimo.core.sequence import N_CODE, Codes

N_BASES = 4


@dataclass(frozen=True)
class Substitutions:
    """Single bases put in the place of others, ordered by position.

    Attributes
    ----------
    sites
        Index in the window, (n,).
    bases
        Code of the new base, (n,).
    """

    sites: npt.NDArray[np.int64]
    bases: Codes

    @classmethod
    def within(cls, codes: Codes, low: int, high: int) -> Self:
        """List all of a window's positions ``low`` to ``high`` (outside), three at each.

        Where N stands it is not known what would be replaced, so there is none.

        Examples
        --------
        >>> found = Substitutions.within(np.array([0, 4, 2], np.uint8), 0, 3)
        >>> found.sites.tolist(), found.bases.tolist()
        ([0, 0, 0, 2, 2, 2], [1, 2, 3, 0, 1, 3])
        """
        new = np.arange(N_BASES, dtype=np.uint8)
        here = codes[low:high, None]
        where, base = np.nonzero((here != new) & (here != N_CODE))
        return cls(where.astype(np.int64) + low, new[base])

    def take(self, rows: slice | npt.NDArray[np.intp]) -> Substitutions:
        """Give some of them."""
        return Substitutions(self.sites[rows], self.bases[rows])

    def __len__(self) -> int:
        return self.sites.size


class Effects(NamedTuple):
    """What all substitutions in a stretch of a window do, in gene orientation.

    Attributes
    ----------
    low
        Index in the window of the first position.
    reference
        The bases that are there, (positions,).
    prediction
        What is predicted with them, (tracks,).
    values
        ALT - REF, (tracks, 4, positions) in the order ACGT: 0 for the base that is there, NaN
        where N is.
    """

    low: int
    reference: Codes
    prediction: Floats
    values: Floats

    @classmethod
    def of(
        cls, codes: Codes, low: int, high: int, found: Substitutions, ref: Floats, alt: Floats
    ) -> Self:
        """Put predictions ``ref`` (tracks,) and ``alt`` (n, tracks) in their places."""
        reference = codes[low:high]
        values = np.full((len(ref), N_BASES, high - low), np.nan, dtype=np.float32)
        at = np.flatnonzero(reference != N_CODE)
        values[:, reference[at], at] = 0
        values[:, found.bases, found.sites - low] = (alt - ref).T
        return cls(low, reference, ref, values)


def centred(values: Floats) -> Floats:
    """Take the mean over the four bases off, (..., 4, positions).

    The value of the base that is there is then its attribution: how much more is predicted with
    it than with a base drawn at random.

    Examples
    --------
    >>> centred(np.array([[0.0], [-1.0], [-1.0], [-2.0]]))[:, 0]
    array([ 1.,  0.,  0., -1.])
    """
    taken: Floats = values - values.mean(axis=-2, keepdims=True)
    return taken


def strongest(values: Floats) -> Floats:
    """Give the effect of the greatest size at each position, with its sign, (..., positions).

    Examples
    --------
    >>> strongest(np.array([[0.0], [0.5], [-2.0], [1.0]]))
    array([-2.])
    """
    at = np.abs(np.nan_to_num(values)).argmax(axis=-2, keepdims=True)
    found: Floats = np.take_along_axis(values, at, axis=-2)[..., 0, :]
    return found
