"""Before anything is predicted: the distinct haplotypes of each gene, and who has which."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from exprimo.core.progress import track
from exprimo.scoring.personal.config import Piece, Window
from exprimo.scoring.personal.sources import Sources, digest_of, named_haplotypes
from exprimo.scoring.personal.spool import Carriers, Spool
from exprimo.scoring.sequences import SequenceModel

# A shard is what a stop may lose. Of models that read one window at a time, each is dear: minutes
# of a large network on a CPU. Of others a shard takes seconds, as files of shards cost time too.
_WINDOWS, _BASES = 8, 1 << 23


class HaplotypePlan(NamedTuple):
    """Windows with their distinct haplotypes counted, and what was met on the way."""

    windows: tuple[Window, ...]
    skipped: dict[str, int]
    with_unknown: int

    @property
    def n_haplotypes(self) -> int:
        """Distinct haplotypes of all windows."""
        return sum(window.distinct for window in self.windows)


def plan_haplotypes(sources: Sources, spool: Spool) -> HaplotypePlan:
    """Find the distinct haplotypes of every window, and keep who has which."""
    windows, skipped, with_unknown = [], Counter[str](), 0
    for window in track(sources.config.windows, "Finding distinct haplotypes"):
        found = sources.window(window)
        ids = named_haplotypes(found, spool.codes)
        spool.carriers.add(Carriers(ids, found.index, found.weights))
        facts = {"distinct": len(ids), "digest": digest_of(ids)}
        windows.append(window.model_copy(update=facts))
        skipped.update(found.skipped)
        with_unknown += int(found.contains_unknown.sum())
    # Counted by the reader, each allele once, however many windows hold it.
    skipped.update(sources.genotypes.skipped)
    return HaplotypePlan(tuple(windows), dict(skipped), with_unknown)


def shard_size(model: SequenceModel) -> int:
    """Choose how many haplotypes make a shard."""
    at_once = model.rows_at_once()
    if at_once == 1:
        return _WINDOWS
    return max(_WINDOWS * at_once, _BASES // (model.upstream + model.downstream))


def cut_into_shards(counts: list[int], size: int) -> tuple[tuple[Piece, ...], ...]:
    """Fill shards of ``size`` haplotypes, gene after gene.

    Examples
    --------
    >>> [[(p.window, p.first, p.end) for p in s] for s in cut_into_shards([2, 5, 1], 4)]
    [[(0, 0, 2), (1, 0, 2)], [(1, 2, 5), (2, 0, 1)]]
    """
    shards: list[tuple[Piece, ...]] = []
    pieces: list[Piece] = []
    room = size
    for window, count in enumerate(counts):
        first = 0
        while first < count:
            end = min(count, first + room)
            pieces.append(Piece(window=window, first=first, end=end))
            room -= end - first
            first = end
            if not room:
                shards.append(tuple(pieces))
                pieces, room = [], size
    if pieces:
        shards.append(tuple(pieces))
    return tuple(shards)
