"""Tracks as BigWig files, written with pybigtools."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pybigtools  # type: ignore[import-untyped]  # the package has no type hints

from exprimo.core.errors import StorageError
from exprimo.simulate.chromatin.tracks import Steps


def write_track(path: Path, reads: npt.NDArray[np.int64], steps: Steps) -> None:
    """Write the reads of each step as a BigWig: a base has the reads of its step.

    Neighbouring steps of equal value are one interval. Steps without reads are left out, but
    for the last one of a chromosome, so that every chromosome and its length is in the file.
    """
    intervals = (one for name in steps.lengths for one in _intervals(name, reads, steps))
    try:
        pybigtools.open(str(path), "w").write(dict(steps.lengths), intervals)
    except (KeyboardInterrupt, SystemExit, MemoryError):
        raise
    # On a full disk the library panics, which is no Exception.
    except BaseException as error:
        raise StorageError(
            "cannot write a BigWig file",
            file=path,
            found=error,
            remedy="Free some space, or choose a folder that you may write to",
        ) from error


def _intervals(
    chrom: str, reads: npt.NDArray[np.int64], steps: Steps
) -> Iterator[tuple[str, int, int, float]]:
    first, count = steps.firsts[chrom], steps.counts[chrom]
    values = reads[first : first + count]
    starts = np.concatenate([[0], 1 + np.flatnonzero(np.diff(values)), [count]])
    kept = values[starts[:-1]] > 0
    kept[-1] = True
    ends = np.minimum(starts[1:] * steps.width, steps.lengths[chrom])
    columns = (starts[:-1] * steps.width, ends, values[starts[:-1]].astype(np.float64))
    return zip([chrom] * int(kept.sum()), *(one[kept].tolist() for one in columns), strict=True)
