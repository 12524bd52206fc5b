"""The inner loop of the scan: many motifs at once, three bases at a time.

A window's score is the sum of one table entry for each three bases. The entries of the motifs
of a batch lie side by side, so that one load and one addition serve several motifs: 800 motifs
cost far less than 800 scans.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from exprimo.core.compiled import compiled
from exprimo.core.sequence import N_CODE, Codes
from exprimo.features.motifs.scores import Steps

# The tables of 32 motifs of 12 positions, both strands, are 64 kB: about the L1 cache.
LANES = 32
BASES = 3
_WORDS = 4**BASES
# Below any score: a lane without a motif, or a window that holds an N or leaves the sequence.
NOTHING = -(1 << 30)

Words = npt.NDArray[np.uint8]


@compiled
def words_of(codes: Codes, words: Words, clean: npt.NDArray[np.int32]) -> None:
    """Fill, for each position of one sequence, the word that begins there and the run without N.

    Parameters
    ----------
    codes
        Shape (length,).
    words
        Shape (length + padding,): the number of the three bases from there on, N read as A.
    clean
        Shape (length,): how many bases from there on are known.
    """
    run = 0
    word = 0
    words[codes.size :] = 0
    for at in range(codes.size - 1, -1, -1):
        base = codes[at]
        known = base < N_CODE
        run = run + 1 if known else 0
        word = (word >> 2) | ((base if known else 0) << (2 * (BASES - 1)))
        words[at] = word
        clean[at] = run


def tables_of(steps: list[Steps], lanes: int = LANES) -> npt.NDArray[np.int32]:
    """Tabulate the scores of words, shape (blocks, words, lanes), for motifs of (width, 4).

    Columns beyond a motif's width score 0; lanes beyond the motifs score `NOTHING`.
    """
    width = max(len(matrix) for matrix in steps)
    blocks = -(-width // BASES)
    bases = np.indices((4,) * BASES).reshape(BASES, _WORDS)
    tables = np.zeros((blocks, _WORDS, lanes), dtype=np.int32)
    for lane, matrix in enumerate(steps):
        padded = np.zeros((blocks * BASES, 4), dtype=np.int32)
        padded[: len(matrix)] = matrix
        for block in range(blocks):
            rows = padded[block * BASES : (block + 1) * BASES]
            tables[block, :, lane] = rows[np.arange(BASES)[:, None], bases].sum(axis=0)
    tables[0, :, len(steps) :] = NOTHING
    return tables


@compiled
def scan_batch(
    codes: Codes,
    forward: npt.NDArray[np.int32],
    reverse: npt.NDArray[np.int32],
    widths: npt.NDArray[np.int32],
    limits: npt.NDArray[np.int32],
    both: bool,
    best: npt.NDArray[np.int32],
    position: npt.NDArray[np.int32],
    strand: npt.NDArray[np.int8],
    sites: npt.NDArray[np.int32],
) -> None:
    """Scan sequences (n, length) with one batch of motifs; fill four arrays (n, lanes).

    ``forward`` and ``reverse`` are tables of the motifs and of their reverse complements.
    """
    length = codes.shape[1]
    blocks, _, lanes = forward.shape
    widest = widths.max()
    words = np.zeros(length + BASES * blocks, dtype=np.uint8)
    clean = np.zeros(length, dtype=np.int32)
    plus = np.empty(lanes, dtype=np.int32)
    minus = np.empty(lanes, dtype=np.int32)
    top = np.empty(lanes, dtype=np.int32)
    top_at = np.empty(lanes, dtype=np.int32)
    top_strand = np.empty(lanes, dtype=np.int32)
    count = np.empty(lanes, dtype=np.int32)
    for row in range(codes.shape[0]):
        words_of(codes[row], words, clean)
        top[:] = NOTHING
        top_at[:] = -1
        top_strand[:] = 0
        count[:] = 0
        for at in range(length):
            word = words[at]
            for lane in range(lanes):
                plus[lane] = forward[0, word, lane]
                minus[lane] = reverse[0, word, lane]
            for block in range(1, blocks):
                word = words[at + BASES * block]
                for lane in range(lanes):
                    plus[lane] += forward[block, word, lane]
                    minus[lane] += reverse[block, word, lane]
            if not both:
                minus[:] = NOTHING
            if clean[at] < widest:
                for lane in range(lanes):
                    if clean[at] < widths[lane]:
                        plus[lane] = NOTHING
                        minus[lane] = NOTHING
            for lane in range(lanes):
                here = max(plus[lane], minus[lane])
                count[lane] += here >= limits[lane]
                better = here > top[lane]
                top[lane] = here if better else top[lane]
                top_at[lane] = at if better else top_at[lane]
                side = 1 if plus[lane] >= minus[lane] else -1
                top_strand[lane] = side if better else top_strand[lane]
        best[row] = top
        position[row] = top_at
        strand[row] = top_strand
        sites[row] = count
