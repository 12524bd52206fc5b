"""Where a variant stands in a window, and what it moves."""

from __future__ import annotations

from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]


class Edits(NamedTuple):
    """Variants as replacements within windows in gene orientation; each array (variants,).

    Attributes
    ----------
    first
        Index in the reference window of the first replaced base; may lie outside.
    n_ref, n_alt
        How many bases are replaced, and by how many; 0 and 0: the alleles are equal.
    alt_first
        Index in the alternate window at which the new bases begin.
    left, right
        How far the bases before the replaced ones move, and those behind them. The anchor stays,
        so one of them is 0, unless the anchor is among the replaced.
    """

    first: Ints
    n_ref: Ints
    n_alt: Ints
    alt_first: Ints
    left: Ints
    right: Ints

    @classmethod
    def of(
        cls,
        first: Ints,
        n_ref: Ints,
        n_alt: Ints,
        minus: npt.NDArray[np.bool_],
        *,
        anchor: int,
    ) -> Self:
        """Place the new bases so that the base at index ``anchor`` stays there.

        Bases beyond the variant, as seen from the anchor, move. If the anchor is itself
        replaced, old and new bases pair from the left of the forward strand, and the partner of
        the anchor stays at its index; if it has none, the next base downstream comes there. So
        personal sequences have it, too (`exprimo.features.haplotypes`).

        Parameters
        ----------
        minus
            Which windows run along the minus strand.

        Examples
        --------
        >>> plus = np.array([False])
        >>> deletion = Edits.of(np.array([7]), np.array([3]), np.array([0]), plus, anchor=8)
        >>> deletion.left, deletion.right          # base 10 comes to 8, base 6 to 7
        (array([1]), array([-2]))
        """
        rank = anchor - first
        paired = np.where(minus, np.maximum(rank - n_ref + n_alt, 0), np.minimum(rank, n_alt))
        alt_first = np.where(rank >= n_ref, first + n_ref - n_alt, anchor - paired)
        alt_first = np.where(rank < 0, first, alt_first)
        left = alt_first - first
        right = alt_first + n_alt - first - n_ref
        return cls(first, n_ref, n_alt, alt_first, left, right)
