"""What embeddings will cost, measured on a few sequences before the work begins."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from exprimo.core.errors import StorageError
from exprimo.core.predictor import Backbone
from exprimo.core.sequence import Codes

_TRIED = 3


class EmbeddingCost(NamedTuple):
    """Sequences to embed, estimated seconds, and bytes on disk."""

    n: int
    seconds: float
    bytes: int

    def __str__(self) -> str:
        sequences = f"{self.n:,} sequence" + ("" if self.n == 1 else "s")
        return f"{sequences}, about {_duration(self.seconds)} and {_size(self.bytes)}"


def measure_cost(
    backbone: Backbone,
    sample: Codes,
    n: int,
    row_bytes: int,
    *,
    clock: Callable[[], float] = time.perf_counter,
) -> EmbeddingCost:
    """Embed a few sequences and count up.

    Parameters
    ----------
    sample
        Codes (at least 1, length); the first is embedded once more than it is timed, because the
        first pass makes what all others share.
    n
        Sequences to come.
    row_bytes
        What each takes on disk.
    """
    backbone.embed({"sequence": sample[:1]})
    tried = sample[:_TRIED]
    began = clock()
    backbone.embed({"sequence": tried})
    return EmbeddingCost(n, (clock() - began) / len(tried) * n, n * row_bytes)


def check_room(folder: Path, cost: EmbeddingCost) -> None:
    """Refuse work whose result the disk cannot hold."""
    place = folder.resolve()
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free
    if cost.bytes > free:
        raise StorageError(
            "the embeddings would not fit on the disk",
            file=folder,
            found=f"{_size(free)} free",
            expected=_size(cost.bytes),
            remedy="Use larger bins (--bin), --dtype float16 or another disk",
        )


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _size(count: int) -> str:
    """Write bytes with a decimal unit, as disks are sold.

    Examples
    --------
    >>> _size(1_300_000_000), _size(80_384)
    ('1.3 GB', '80 kB')
    """
    for factor, unit in ((1e12, "TB"), (1e9, "GB"), (1e6, "MB")):
        if count >= factor:
            return f"{count / factor:.1f} {unit}"
    return f"{count / 1e3:.0f} kB"
