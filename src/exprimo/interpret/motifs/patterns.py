"""A pattern: what a cluster of seqlets has in common."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from exprimo.core.sequence import decode
from exprimo.data.motifs import MotifMatrix

Matrix = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]

POLY_AT = "poly(dA:dT)"
# A nucleosome-free tract of A or T: so many bases, nearly all of one kind, somewhere in a pattern.
_TRACT, _PURE = 5, 0.6
_CLEAR, _HALF = 0.5, 0.75
# Bits of a column that says next to nothing.
_VAGUE = 0.25


class Pattern(NamedTuple):
    """A motif as the model sees it.

    Attributes
    ----------
    name
        ``pos_1`` for the most frequent of those that raise the output, ``neg_1`` for the most
        frequent of those that lower it.
    sign
        1 or -1.
    probabilities
        Shares of A, C, G, T at each position of its seqlets, (width, 4).
    contributions
        Mean contribution of the bases that are there, (width, 4).
    hypothetical
        Mean of what each base would contribute, (width, 4).
    sites
        Its seqlets, (n, 4): example, start, end (half-open), strand (1, or -1 where the pattern
        reads against the sequence).
    """

    name: str
    sign: int
    probabilities: Matrix
    contributions: Matrix
    hypothetical: Matrix
    sites: Places

    @property
    def n(self) -> int:
        """Number of seqlets."""
        return len(self.sites)

    @property
    def width(self) -> int:
        """Number of positions."""
        return len(self.probabilities)

    @property
    def motif(self) -> MotifMatrix:
        """The pattern's bases as a motif."""
        return MotifMatrix(
            self.name, "", self.probabilities, np.full(4, 0.25), n_sites=float(self.n)
        )

    @property
    def is_tract(self) -> bool:
        """Tell a run of A or T, which no single factor is known by."""
        return holds_tract(self.probabilities)


def consensus(probabilities: Matrix) -> str:
    """Write a pattern: capitals for bases of at least three quarters, N where none has a half.

    Examples
    --------
    >>> consensus(np.array([[0.9, 0.1, 0, 0], [0, 0, 0.4, 0.6], [0.25] * 4]))
    'AtN'
    """
    best = probabilities.max(axis=1)
    letters = decode(probabilities.argmax(axis=1).astype(np.uint8))
    return "".join(
        letter if share >= _HALF else letter.lower() if share >= _CLEAR else "N"
        for letter, share in zip(letters, best, strict=True)
    )


def holds_tract(probabilities: Matrix) -> bool:
    """Tell whether five neighbouring positions are mostly A, or mostly T, and no other is clear.

    A clear base of another kind anywhere makes it a factor's site with a run at its side.

    Examples
    --------
    >>> holds_tract(np.eye(4)[[0, 0, 0, 0, 0, 0, 0]]), holds_tract(np.eye(4)[[0, 3] * 5])
    (True, False)
    """
    for base in (0, 3):
        mostly = np.concatenate([[0], probabilities[:, base] >= _PURE, [0]]).astype(int)
        edges = np.flatnonzero(np.diff(mostly))
        others = np.delete(probabilities, base, axis=1).max()
        if len(edges) and (edges[1::2] - edges[::2]).max() >= _TRACT and others < _HALF:
            return True
    return False


def trimmed(pattern: Pattern, share: float) -> Pattern:
    """Cut off both ends where contributions are below a share of the greatest, or bases vague.

    Vague is less than a quarter of a bit. Beside vague columns every motif with a gap of any bases
    would look like a match.

    Examples
    --------
    >>> weights = np.eye(4)[[0, 1, 2, 3, 0]] * np.array([0.1, 1, 0, 2, 0.1])[:, None]
    >>> site = np.array([[0, 10, 15, 1], [1, 10, 15, -1]])
    >>> cut = trimmed(Pattern("pos_1", 1, np.eye(4)[[0, 1, 2, 3, 0]], weights, weights, site), 0.3)
    >>> cut.width, cut.sites.tolist()
    (3, [[0, 11, 14, 1], [1, 11, 14, -1]])
    """
    size = abs(pattern.contributions).sum(axis=1)
    shares = np.clip(pattern.probabilities, 1e-9, 1.0)
    bits = 2.0 + (shares * np.log2(shares)).sum(axis=1)
    clear = bits >= _VAGUE
    # A pattern that is vague throughout is left as wide as its contributions.
    kept = np.flatnonzero((size >= share * size.max()) & (clear if clear.any() else True))
    if not len(kept):
        kept = np.flatnonzero(size >= share * size.max())
    first, end = int(kept[0]), int(kept[-1]) + 1
    sites, width = pattern.sites.copy(), pattern.width
    forward = sites[:, 3] > 0
    start = sites[:, 1].copy()
    sites[:, 1] = start + np.where(forward, first, width - end)
    sites[:, 2] = start + np.where(forward, end, width - first)
    return pattern._replace(
        probabilities=pattern.probabilities[first:end],
        contributions=pattern.contributions[first:end],
        hypothetical=pattern.hypothetical[first:end],
        sites=sites,
    )
