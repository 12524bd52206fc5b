"""The nearest training sequence of each sequence, by edit distance.

Short sequences are compared with all training sequences. Long ones are compared with the
`CANDIDATES` that share the most words of `WORD` bases with them. An edit breaks at most `WORD`
words, so what shares few words is far (Ukkonen 1992): where the distance that was found is not
above this bound for all others, the neighbour is proven to be the nearest.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from exprimo.core.compiled import compiled
from exprimo.core.progress import track
from exprimo.core.sequence import Codes
from exprimo.features.kmers import count_kmers
from exprimo.generate.fidelity.memorisation.edit_distance import nearest_of_all, nearest_of_some

WORD = 6
CANDIDATES = 16
# Steps over 64 cells of the table that all pairs may take: about a minute.
_AFFORDABLE = 2e10
_BLOCK = 8192
_QUERIES = 64
_CACHED = 16
_HIGHEST = 255


class Neighbours(NamedTuple):
    """The nearest training sequence of each of some sequences.

    Attributes
    ----------
    row
        Which training sequence, (n,).
    distance
        Edits to it, exact, (n,).
    proven
        Whether no training sequence is nearer, (n,); where not, ``distance`` is an upper bound
        on the distance to the nearest.
    """

    row: npt.NDArray[np.int64]
    distance: npt.NDArray[np.int64]
    proven: npt.NDArray[np.bool_]


def nearest_training(
    queries: Codes, training: Codes, *, exhaustive: bool | None = None
) -> Neighbours:
    """Find the nearest training sequence of each query, in the orientation as stored.

    Parameters
    ----------
    queries, training
        Sequences (n, length) and (training, length) without N, of one length.
    exhaustive
        Compare with all of them; unset: where that takes less than about a minute.

    Examples
    --------
    >>> from exprimo.core.sequence import encode
    >>> known = np.stack([encode("ACGTACGTAC"), encode("TTTTTTGGGG")])
    >>> found = nearest_training(encode("TTTTTGGGGG")[None], known)
    >>> found.row.tolist(), found.distance.tolist(), found.proven.tolist()
    ([1], [1], [True])
    """
    queries, training = np.ascontiguousarray(queries), np.ascontiguousarray(training)
    length = queries.shape[1]
    if exhaustive is None:
        steps = len(queries) * len(training) * length * -(-length // 64)
        exhaustive = steps <= _AFFORDABLE or len(training) <= CANDIDATES or length <= WORD
    parts = [queries[at : at + _QUERIES] for at in range(0, len(queries), _QUERIES)]
    found, proven = [], []
    if exhaustive:
        for part in track(parts, "Comparing with all training sequences"):
            found.append(nearest_of_all(part, training))
            proven.append(np.ones(len(part), bool))
    else:
        shared = _shared_words(queries, training)
        for number, part in enumerate(track(parts, "Comparing with training sequences")):
            counts = shared[number * _QUERIES : number * _QUERIES + len(part)]
            order = np.argpartition(-counts.astype(np.int32), CANDIDATES, axis=1)
            best = nearest_of_some(part, training, order[:, :CANDIDATES].astype(np.int64))
            # The place behind the candidates holds the largest count among the others.
            others = np.take_along_axis(counts, order[:, CANDIDATES : CANDIDATES + 1], axis=1)
            words = length - WORD + 1
            bound = np.ceil((words - others[:, 0].astype(np.float64)) / WORD)
            found.append(best)
            proven.append(best[:, 1] <= bound)
    joined = np.concatenate(found)
    return Neighbours(joined[:, 0], joined[:, 1], np.concatenate(proven))


def _shared_words(queries: Codes, training: Codes) -> npt.NDArray[np.uint16]:
    """Count at most how many words each query shares with each training sequence."""
    shared = np.empty((len(queries), len(training)), np.uint16)
    counts = count_kmers(queries, WORD)
    asked = np.minimum(counts, _HIGHEST).astype(np.uint8)
    # A count above 255 is cut; what was cut off may all be shared.
    cut = (counts - asked).sum(axis=1).astype(np.int64)
    starts = range(0, len(training), _BLOCK)
    for start in track(starts, "Counting words of training sequences"):
        block = np.minimum(count_kmers(training[start : start + _BLOCK], WORD), _HIGHEST)
        words = block.astype(np.uint8)
        # A few queries at a time stay in the processor's cache.
        for at in range(0, len(queries), _CACHED):
            rows = slice(at, at + _CACHED)
            _overlaps(asked[rows], words, cut[rows], shared[rows, start : start + _BLOCK])
    return shared


@compiled
def _overlaps(
    queries: npt.NDArray[np.uint8],
    others: npt.NDArray[np.uint8],
    cut: npt.NDArray[np.int64],
    shared: npt.NDArray[np.uint16],
) -> None:
    for other in range(others.shape[0]):
        for row in range(queries.shape[0]):
            total = np.int32(0)
            for word in range(queries.shape[1]):
                total += np.int32(min(queries[row, word], others[other, word]))
            shared[row, other] = min(total + cut[row], 65_535)
