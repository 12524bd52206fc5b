"""Log-odds of a motif on a lattice of integers, and the exact distribution of its score.

Scores are sums of integers, in steps of `STEP` bits, so that a threshold found in the
distribution is the very threshold that the scan applies.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numpy.typing import ArrayLike

from exprimo.core.compiled import compiled
from exprimo.core.errors import InputError
from exprimo.core.sequence import Codes
from exprimo.data.motifs import MotifMatrix

# A step is far below what distinguishes two sites, and the distribution of a motif of 12
# positions then takes a few milliseconds.
STEP = 0.001
# What MEME takes where a file does not say how many sites a matrix was counted from.
DEFAULT_SITES = 20.0

Values = npt.NDArray[np.float64]
Steps = npt.NDArray[np.int32]


def base_frequencies(codes: Codes) -> Values:
    """Give the frequencies of A, C, G, T in sequences read on both strands, shape (4,).

    A and T are equal then, and so are C and G. One of each base is added, so that none is 0.

    Examples
    --------
    >>> from exprimo.core.sequence import encode
    >>> base_frequencies(encode("AATTTCGGNN")[None]).round(3).tolist()
    [0.292, 0.208, 0.208, 0.292]
    """
    counts = np.bincount(codes.reshape(-1), minlength=5)[:4] + 1.0
    both = counts + counts[::-1]
    frequencies: Values = both / both.sum()
    return frequencies


def checked_background(background: ArrayLike) -> Values:
    """Return four base frequencies that sum to 1, or refuse them."""
    given = np.asarray(background, dtype=np.float64)
    if given.shape != (4,) or not (given > 0).all() or abs(given.sum() - 1) > 0.02:
        raise InputError(
            "not a background",
            found=given.tolist(),
            expected="four frequencies above 0, of A, C, G and T, which sum to 1",
        )
    frequencies: Values = given / given.sum()
    return frequencies


def log_odds(motif: MotifMatrix, background: Values, pseudocount: float = 0.1) -> Values:
    """Give log2 of probability over background, shape (width, 4), in bits.

    Before that ``pseudocount`` sites of background are added to those that the matrix was
    counted from (20 where the file does not say), as MEME's programs do.

    Examples
    --------
    >>> half = MotifMatrix("h", "", np.array([[0.5, 0.5, 0, 0]]), np.full(4, 0.25), n_sites=9)
    >>> log_odds(half, half.background, pseudocount=1).round(3).tolist()
    [[0.926, 0.926, -3.322, -3.322]]
    """
    if not (math.isfinite(pseudocount) and pseudocount > 0):
        raise InputError(
            "a base that a motif never has would score minus infinity",
            found=f"pseudocount {pseudocount}",
            expected="a pseudo-count above 0, such as 0.1",
        )
    sites = motif.n_sites or DEFAULT_SITES
    smoothed = (motif.probabilities * sites + pseudocount * background) / (sites + pseudocount)
    bits: Values = np.log2(smoothed / background)
    return bits


def in_steps(bits: Values) -> Steps:
    """Round scores in bits to whole steps."""
    return np.rint(bits / STEP).astype(np.int32)


class ScoreDistribution(NamedTuple):
    """How a motif's score is distributed at one place of random sequence, on one strand.

    Attributes
    ----------
    lowest
        The lowest score, in steps.
    tail
        P(score ≥ lowest + i steps) for i = 0, 1, ...; the last is that of the best word.
    """

    lowest: int
    tail: Values

    def pvalue(self, score: ArrayLike) -> Values:
        """Give the probability of a score (bits) at least as high; NaN for a missing score."""
        bits = np.asarray(score, dtype=np.float64)
        # A tenth of a step is taken off, since scores are kept in single precision.
        steps = np.ceil(np.nan_to_num(bits, nan=0.0) / STEP - 0.1) - self.lowest
        padded = np.append(self.tail, 0.0)
        found = padded[np.clip(steps, 0, len(self.tail)).astype(np.int64)]
        return np.where(np.isnan(bits), np.nan, found)

    def threshold(self, pvalue: float) -> float:
        """Give the lowest score (bits) of at most this probability; infinite if there is none."""
        reached = self.tail[self.tail <= pvalue * (1 + 1e-12)]
        if not reached.size:
            return math.inf
        # Between two scores that words have the tail is flat; the upper of them is meant.
        at = np.flatnonzero(self.tail == reached[0])[-1]
        return (self.lowest + int(at)) * STEP


def score_distribution(
    motif: MotifMatrix, background: ArrayLike, pseudocount: float = 0.1
) -> ScoreDistribution:
    """Compute the exact distribution of a motif's score where each base is independent.

    Position by position, the distribution is shifted and added for the four bases (Staden 1989;
    Touzet and Varré 2007). It is exact for scores rounded to `STEP` bits per position.

    Parameters
    ----------
    motif
        A motif.
    background
        Frequencies of A, C, G, T, shape (4,), of the random sequence and of the log-odds.
    pseudocount
        See `log_odds`.

    Examples
    --------
    >>> word = MotifMatrix("w", "", np.eye(4)[[0, 1, 2]], np.full(4, 0.25))
    >>> scores = score_distribution(word, [0.25] * 4)
    >>> best = log_odds(word, word.background).max(axis=1).sum()
    >>> float(scores.pvalue(best - 0.01)) == 1 / 64, scores.threshold(1 / 65)
    (True, inf)
    """
    frequencies = checked_background(background)
    steps = in_steps(log_odds(motif, frequencies, pseudocount))
    lowest = steps.min(axis=1)
    density = _convolve(steps - lowest[:, None], frequencies)
    tail: Values = np.minimum(density[::-1].cumsum()[::-1], 1.0)
    return ScoreDistribution(int(lowest.sum()), tail)


@compiled
def _convolve(steps: Steps, frequencies: Values) -> Values:
    """Add the columns one by one; ``steps`` begin at 0 in each row."""
    size = 1
    for column in range(steps.shape[0]):
        size += steps[column].max()
    density = np.zeros(size)
    following = np.zeros(size)
    density[0] = 1.0
    reach = 1
    for column in range(steps.shape[0]):
        extent = reach + steps[column].max()
        following[:extent] = 0.0
        for base in range(4):
            shift = steps[column, base]
            weight = frequencies[base]
            for at in range(reach):
                following[at + shift] += weight * density[at]
        density, following = following, density
        reach = extent
    return density
