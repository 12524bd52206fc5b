"""Variants chosen for what needs few: evenly spread over the file, or not linked."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from exprimo.data.genotypes.cohort.tally import GenotypeCodes, Int

_CHUNK = 256
_WINDOW = 200
_DISTANCE = 1_000_000
# Chance alone gives a mean r² of 1 / samples, so a small cohort needs a higher bar.
_CHANCE = 15.0


class EvenSample:
    """At most ``limit`` variants, evenly spread over a stream whose length is not known.

    Each ``stride``-th is kept; when there are too many, every second goes and the stride doubles.

    Attributes
    ----------
    seen
        Variants that were offered.
    """

    def __init__(self, limit: int, n_samples: int) -> None:
        self._limit = max(limit, 2)
        self._stride = 1
        self._codes = [np.empty((0, n_samples), dtype=np.int8)]
        self._chrom = [np.empty(0, dtype=np.int64)]
        self._start = [np.empty(0, dtype=np.int64)]
        self._kept = 0
        self.seen = 0

    def offer(self, codes: GenotypeCodes, chrom: Int, start: Int) -> None:
        """Offer variants, (variants, samples), with the number of their chromosome and place."""
        first = -self.seen % self._stride
        self.seen += len(codes)
        taken = slice(first, None, self._stride)
        self._codes.append(codes[taken].copy())
        self._chrom.append(chrom[taken].copy())
        self._start.append(start[taken].copy())
        self._kept += len(self._start[-1])
        while self._kept > self._limit:
            codes_kept, chrom_kept, start_kept = self.variants()
            self._codes = [codes_kept[::2].copy()]
            self._chrom, self._start = [chrom_kept[::2].copy()], [start_kept[::2].copy()]
            self._kept = len(self._start[0])
            self._stride *= 2

    def variants(self) -> tuple[GenotypeCodes, Int, Int]:
        """Give codes, chromosomes and starts of what was kept."""
        return (
            np.concatenate(self._codes),
            np.concatenate(self._chrom),
            np.concatenate(self._start),
        )


def unlinked(
    codes: GenotypeCodes, chrom: Int, start: Int, *, most_r2: float = 0.2
) -> npt.NDArray[np.bool_]:
    """Choose variants so that no two within 1 Mb are correlated, the first of each kept.

    Parameters
    ----------
    codes
        (variants, samples): 0, 1, 2 copies of ALT; anything else is missing and counts as the
        mean. In order of position.
    most_r2
        Squared correlation of ALT counts above which the later goes; with fewer than 75 samples
        the bar is 15 / samples, because chance gives such values.

    Returns
    -------
    NDArray of bool
        (variants,). A variant without variation is not chosen.

    Examples
    --------
    >>> rows = np.array([[0, 1, 2, 1] * 30, [0, 1, 2, 1] * 30, [1, 0, 1, 2] * 30], np.int8)
    >>> unlinked(rows, np.zeros(3, int), np.arange(3)).tolist()
    [True, False, True]
    """
    n_variants, n_samples = codes.shape
    bar = min(max(most_r2, _CHANCE / max(n_samples, 1)), 0.99)
    keep = np.zeros(n_variants, dtype=np.bool_)
    tail = np.empty((0, n_samples), dtype=np.float32)
    places = np.empty(0, dtype=np.int64)
    for begin in range(0, n_variants, _CHUNK):
        chunk = unit_rows(codes[begin : begin + _CHUNK])
        at = np.arange(begin, begin + len(chunk))
        beside, rows = np.concatenate([places, at]), np.concatenate([tail, chunk])
        near = (chrom[at][:, None] == chrom[beside]) & (
            np.abs(start[at][:, None] - start[beside]) <= _DISTANCE
        )
        linked = near & (np.square(chunk @ rows.T) > bar)
        chosen = np.concatenate([np.ones(len(places), np.bool_), np.zeros(len(at), np.bool_)])
        for i in np.flatnonzero(chunk.any(axis=1)):
            chosen[len(places) + i] = not (linked[i] & chosen).any()
        keep[at] = chosen[len(places) :]
        last = np.flatnonzero(chosen)[-_WINDOW:]
        tail, places = rows[last], beside[last]
    return keep


def unit_rows(codes: GenotypeCodes) -> npt.NDArray[np.float32]:
    """Centre the ALT counts of each variant and scale them to length 1; missing gets 0."""
    called = (codes >= 0) & (codes <= 2)
    values = np.where(called, codes, 0).astype(np.float32)
    mean = values.sum(axis=1) / np.maximum(called.sum(axis=1), 1)
    values -= mean[:, None].astype(np.float32)
    values[~called] = 0
    length = np.linalg.norm(values, axis=1, keepdims=True)
    flat = length < 1e-4
    scaled: npt.NDArray[np.float32] = np.where(flat, 0, values / np.where(flat, 1, length))
    return scaled
