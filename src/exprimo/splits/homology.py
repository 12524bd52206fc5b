"""Which sequences are near-duplicates of one another, on either strand, in linear time.

Sequences are compared by the canonical k-mers that they share (a k-mer and its reverse
complement are one). Of the k-mers a fixed fraction is sampled by hash ("FracMinHash", Irber et
al. 2022): what one sequence keeps its homologue keeps too, so the shared fraction of the sample
estimates the shared fraction of all. Window minimisers of the same density keep fewer of the
shared k-mers (measured at 2 kb: 6% fewer at 95% identity, 17% fewer at 80%), because a mutation
beside a k-mer can dethrone it.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from exprimo.core.dataset import Dataset
from exprimo.core.errors import InputError
from exprimo.core.progress import track
from exprimo.core.sequence import Codes
from exprimo.splits.atoms import sequence_inputs
from exprimo.splits.homology_settings import IDENTITY, MAX_COPIES, HomologySettings
from exprimo.splits.kmer_kernels import (
    PLACES,
    ROW_BITS,
    count_kmers,
    fill_buckets,
    index_rows,
    link_rows,
    renumber,
    sample_kmers,
    unite,
)

MAX_PAIRS = 5_000_000

_LOW_COMPLEXITY = 0.55
_CHANCE_PARTNERS = 0.002
_LOCAL_SHARED = 0.1
_FAMILY_SHARED = 0.5
_BLOCK_ROWS = 2_048
_CHUNK_BASES = 8_000_000
_FEWEST = 4
_ENOUGH_ROWS = 50
_CONSTANT = 0.95
_NO_PAIRS = np.empty((0, 2), np.int32)
_NO_SHARES = np.empty(0, np.float32)


@dataclass(frozen=True)
class HomologyGroups:
    """Groups of near-duplicate sequences.

    Attributes
    ----------
    group
        Shape (sequences,): group number, in order of first appearance.
    pairs, shared
        Shape (stored, 2), the rows of near-duplicate pairs, smaller row first, and shape
        (stored,), the fraction of the smaller one's k-mers that the pair shares.
    n_pairs
        Pairs found. ``pairs`` holds no more than the cap.
    n_family_pairs
        Of these, pairs found only by frequent k-mers. Where there are any, a family larger than
        ``max_copies`` was chained, not compared all against all, and ``n_pairs`` is a lower bound.
    n_frequent
        k-mers with more than ``max_copies`` copies.
    min_count
        Shared sampled k-mers below which a pair may be chance, given the amount of sequence.
    adapters
        Bases at either end that are the same in nearly all sequences, and were left out.
    settings
        What was used.
    """

    group: npt.NDArray[np.int64]
    pairs: npt.NDArray[np.int64]
    shared: npt.NDArray[np.float32]
    n_pairs: int
    n_family_pairs: int
    n_frequent: int
    min_count: int
    adapters: tuple[int, int]
    settings: HomologySettings

    @property
    def n_groups(self) -> int:
        """How many groups there are, single sequences included."""
        return int(self.group.max(initial=-1)) + 1

    @property
    def sizes(self) -> npt.NDArray[np.int64]:
        """Give the number of sequences of each group, shape (groups,)."""
        return np.bincount(self.group, minlength=self.n_groups)


def homology_groups(
    sequences: Codes | Iterable[Codes],
    *,
    k: int | None = None,
    every: int | None = None,
    identity: float = IDENTITY,
    max_copies: int = MAX_COPIES,
    max_pairs: int = MAX_PAIRS,
    threads: int = 2,
) -> HomologyGroups:
    """Group sequences that are near-duplicates of one another on either strand.

    Parameters
    ----------
    sequences
        Base codes, shape (rows, length), or chunks of such rows; at most 16.7 million rows.
    k, every, identity, max_copies
        See `HomologySettings`; what is None is chosen by the length.
    max_pairs
        How many pairs to store; all are counted and all count for the groups.
    threads
        Threads that compare rows.

    Examples
    --------
    >>> from exprimo.core.sequence import reverse_complement
    >>> rng = np.random.default_rng(0)
    >>> rows = rng.integers(0, 4, (3, 200), dtype=np.uint8)
    >>> rows[2] = reverse_complement(rows[0])
    >>> homology_groups(rows).group.tolist()
    [0, 1, 0]
    """
    chunks = iter([sequences] if isinstance(sequences, np.ndarray) else sequences)
    first = next(chunks, np.empty((0, 0), np.uint8))
    left, right = adapters = _adapters(first)
    inside = slice(left, first.shape[1] - right)
    settings = HomologySettings.for_length(
        inside.stop - left, k=k, every=every, identity=identity, max_copies=max_copies
    )
    cores = (chunk[:, inside] for chunk in itertools.chain([first], chunks))
    sketch = _sketch(_pieces(cores), settings)
    index = _index(sketch.keys, len(sketch.order))
    parent = np.arange(len(sketch.order), dtype=np.int64)
    kept_pairs: list[npt.NDArray[np.int32]] = []
    kept_shared: list[npt.NDArray[np.float32]] = []
    n_pairs = n_family = 0
    for pairs, shared, families in _links(index, settings, sketch.min_count, threads):
        unite(parent, pairs)
        room = max(0, max_pairs - n_pairs)
        kept_pairs.append(pairs[:room])
        kept_shared.append(shared[:room])
        n_pairs += len(pairs)
        n_family += families
    return HomologyGroups(
        group=_numbered(parent, sketch.order),
        pairs=np.sort(sketch.order[np.concatenate([_NO_PAIRS, *kept_pairs])], axis=1),
        shared=np.concatenate([_NO_SHARES, *kept_shared]),
        n_pairs=n_pairs,
        n_family_pairs=n_family,
        n_frequent=int((np.diff(index.starts) > settings.max_copies).sum()),
        min_count=sketch.min_count,
        adapters=adapters,
        settings=settings,
    )


def sequence_groups(
    dataset: Dataset, *, identity: float = IDENTITY, threads: int = 2
) -> HomologyGroups:
    """Group the distinct sequences of a dataset; rows are those of `sequence_rows`."""
    names = sequence_inputs(dataset)
    if not names:
        raise InputError(
            "homology needs sequences, and this dataset has none",
            file=dataset.path,
            found=f"inputs {', '.join(dataset.inputs)}",
            remedy="Split by chromosome, gene, cell or column:NAME",
        )
    step = max(1, _CHUNK_BASES // dataset.inputs[names[0]].shape[0])
    places = [
        (name, start) for name in names for start in range(0, dataset.inputs[name].n_distinct, step)
    ]
    chunks = (dataset.distinct(name, start, start + step) for name, start in places)
    return homology_groups(
        track(chunks, "Reading sequences", total=len(places)), identity=identity, threads=threads
    )


class _Sketch(NamedTuple):
    keys: npt.NDArray[np.uint64]  # sorted; the row number in a key is a rank in `order`
    order: npt.NDArray[np.int64]
    min_count: int


class _Index(NamedTuple):
    starts: npt.NDArray[np.int64]
    members: npt.NDArray[np.int32]
    row_starts: npt.NDArray[np.int64]
    slots: npt.NDArray[np.int64]
    buckets: npt.NDArray[np.int32]
    places: npt.NDArray[np.uint8]
    per_row: npt.NDArray[np.int64]


def _adapters(rows: Codes) -> tuple[int, int]:
    """Measure the constant ends of a library: a primer site links nothing.

    Not in a library that is constant for the most part, which is one family of variants.
    """
    length = rows.shape[1]
    if len(rows) < _ENOUGH_ROWS:
        return 0, 0
    varies = np.array([np.bincount(c).max() < _CONSTANT * len(rows) for c in rows.T])
    inside = np.flatnonzero(varies)
    if 2 * len(inside) < length:
        return 0, 0
    return int(inside[0]), int(length - 1 - inside[-1])


def _pieces(chunks: Iterable[Codes]) -> Iterator[Codes]:
    for chunk in chunks:
        step = max(1, _CHUNK_BASES // max(1, chunk.shape[1]))
        for start in range(0, len(chunk), step):
            yield np.ascontiguousarray(chunk[start : start + step])


def _sketch(pieces: Iterable[Codes], settings: HomologySettings) -> _Sketch:
    found, contents = [np.empty(0, np.uint64)], [np.empty(0, np.uint64)]
    composition = np.zeros(4, np.int64)
    max_repeats = math.ceil(_LOW_COMPLEXITY * (settings.k - 3))
    n = 0
    for piece in pieces:
        keys = np.empty(piece.size, np.uint64)
        content = np.empty(len(piece), np.uint64)
        if n + len(piece) > 1 << ROW_BITS:
            raise InputError("too many sequences", expected=f"at most {1 << ROW_BITS:,}")
        used = sample_kmers(
            piece, n, settings.k, settings.every, max_repeats, keys, content, composition
        )
        found.append(keys[:used].copy())
        contents.append(content)
        n += len(piece)
    keys = np.concatenate(found)
    # Rows are ranked by what they contain, so that the groups do not depend on their order.
    order = np.argsort(np.concatenate(contents), kind="stable").astype(np.int64)
    rank = np.empty(n, np.uint64)
    rank[order] = np.arange(n, dtype=np.uint64)
    renumber(keys, rank)
    keys.sort()
    return _Sketch(keys, order, _chance_floor(composition, n, settings))


def _chance_floor(
    composition: npt.NDArray[np.int64], n_rows: int, settings: HomologySettings
) -> int:
    """Count the sampled k-mers of the shortest exact match that is hardly ever chance.

    Two random positions match over l bases with probability q ** l, where q is the sum of the
    squared base frequencies; a row has 2 * n * length ** 2 positions to match, both strands.
    """
    total = int(composition.sum())
    if total == 0:
        return 1
    q = float(((composition / total) ** 2).sum())
    chances = 2 * total * (total / n_rows) / _CHANCE_PARTNERS
    length = math.log(chances) / -math.log(min(q, 0.9))
    return max(_FEWEST, math.ceil((length - settings.k + 1) / settings.every))


def _index(keys: npt.NDArray[np.uint64], n_rows: int) -> _Index:
    per_row = np.zeros(n_rows, np.int64)
    n_buckets, n_members = count_kmers(keys, per_row)
    index = _Index(
        starts=np.zeros(n_buckets + 1, np.int64),
        members=np.empty(n_members, np.int32),
        row_starts=np.zeros(n_rows + 1, np.int64),
        slots=np.empty(n_members, np.int64),
        buckets=np.empty(n_members, np.int32),
        places=np.empty(n_members, np.uint8),
        per_row=per_row,
    )
    member_places = np.empty(n_members, np.uint8)
    fill_buckets(keys, index.starts, index.members, member_places)
    index_rows(index.starts, index.members, member_places, *index[2:-1])
    return index


def _links(
    index: _Index, settings: HomologySettings, min_count: int, threads: int
) -> Iterator[tuple[npt.NDArray[np.int32], npt.NDArray[np.float32], int]]:
    n = len(index.per_row)
    limits = (
        settings.max_copies,
        settings.min_shared,
        min_count,
        math.ceil(settings.span * PLACES),
        _LOCAL_SHARED,
        _FAMILY_SHARED,
    )

    def link(first: int) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float32], int]:
        last = min(first + _BLOCK_ROWS, n)
        return link_rows(first, last, *index, *limits)

    blocks = range(0, n, _BLOCK_ROWS)
    with ThreadPoolExecutor(max(1, threads)) as pool:
        yield from track(pool.map(link, blocks), "Comparing sequences", total=len(blocks))


def _numbered(parent: npt.NDArray[np.int64], order: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    root = parent.copy()
    while not np.array_equal(root, root[root]):
        root = root[root]
    by_row = np.empty(len(order), np.int64)
    by_row[order] = root
    _, first, inverse = np.unique(by_row, return_index=True, return_inverse=True)
    number = np.empty(len(first), np.int64)
    number[np.argsort(first)] = np.arange(len(first))
    groups: npt.NDArray[np.int64] = number[inverse]
    return groups
