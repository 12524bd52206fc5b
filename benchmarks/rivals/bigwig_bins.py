"""Other ways to read windows of a BigWig in bins, each as its users are shown to use it.

Every function takes a path, first bases of windows by chromosome (ascending), bins, and bases a
bin, opens the file, and returns means per bin, uncovered bases as 0, shape (windows, bins).

Sources: ``pybigtools`` (github.com/jackh726/bigtools, MIT) and ``pyBigWig``
(github.com/deeptools/pyBigWig, MIT). "a call a gene" asks for one window after the other;
"merged" fetches overlapping windows at once and cuts them, which is faster than whole chromosomes
on both genomes of the benchmark.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

Means = np.ndarray[Any, Any]
Windows = dict[str, Any]
Reader = Callable[[Path, Windows, int, int], Means]


def pybigtools_exact_bins(path: Path, windows: Windows, n_bins: int, bin_size: int) -> Means:
    """Ask for exact means in bins, a call a gene."""
    import pybigtools

    means = _empty(windows, n_bins)
    at = 0
    with pybigtools.open(str(path)) as track:
        for chrom, starts in windows.items():
            for start in starts.tolist():
                track.values(
                    chrom, start, start + n_bins * bin_size, bins=n_bins, exact=True,
                    uncovered=0.0, oob=0.0, fillna=0.0, arr=means[at],
                )  # fmt: skip
                at += 1
    return means


def pybigtools_bases(path: Path, windows: Windows, n_bins: int, bin_size: int) -> Means:
    """Ask for every base and average, a call a gene."""
    return _by_window(_pybigtools_values(path), windows, n_bins, bin_size)


def pybigtools_merged(path: Path, windows: Windows, n_bins: int, bin_size: int) -> Means:
    """Ask for every base of merged windows."""
    return _by_region(_pybigtools_values(path), windows, n_bins, bin_size)


def pybigwig_bases(path: Path, windows: Windows, n_bins: int, bin_size: int) -> Means:
    """Ask for every base and average, a call a gene."""
    return _by_window(_pybigwig_values(path), windows, n_bins, bin_size)


def pybigwig_merged(path: Path, windows: Windows, n_bins: int, bin_size: int) -> Means:
    """Ask for every base of merged windows."""
    return _by_region(_pybigwig_values(path), windows, n_bins, bin_size)


# Name -> module that it needs, and the function.
CALL_A_GENE: dict[str, tuple[str, Reader]] = {
    "pybigtools, exact bins": ("pybigtools", pybigtools_exact_bins),
    "pybigtools, bases": ("pybigtools", pybigtools_bases),
    "pyBigWig, bases": ("pyBigWig", pybigwig_bases),
}
BATCH: dict[str, tuple[str, Reader]] = {
    "pybigtools, merged": ("pybigtools", pybigtools_merged),
    "pyBigWig, merged": ("pyBigWig", pybigwig_merged),
}


def _pybigtools_values(path: Path) -> Callable[[str, int, int], Means]:
    import pybigtools

    track = pybigtools.open(str(path))
    return lambda chrom, start, end: track.values(
        chrom, start, end, uncovered=0.0, oob=0.0, fillna=0.0
    )


def _pybigwig_values(path: Path) -> Callable[[str, int, int], Means]:
    import pyBigWig

    track = pyBigWig.open(str(path))
    return lambda chrom, start, end: np.nan_to_num(
        track.values(chrom, start, end, numpy=True), copy=False
    )


def _by_window(
    values: Callable[[str, int, int], Means], windows: Windows, n_bins: int, bin_size: int
) -> Means:
    means = _empty(windows, n_bins)
    at = 0
    for chrom, starts in windows.items():
        for start in starts.tolist():
            found = values(chrom, start, start + n_bins * bin_size)
            means[at] = found.reshape(n_bins, bin_size).mean(axis=1)
            at += 1
    return means


def _by_region(
    values: Callable[[str, int, int], Means], windows: Windows, n_bins: int, bin_size: int
) -> Means:
    means = _empty(windows, n_bins)
    length = n_bins * bin_size
    at = 0
    for chrom, starts in windows.items():
        for group in _regions(starts.tolist(), length):
            found = values(chrom, group[0], group[-1] + length)
            for start in group:
                part = found[start - group[0] : start - group[0] + length]
                means[at] = part.reshape(n_bins, bin_size).mean(axis=1)
                at += 1
    return means


def _regions(starts: list[int], length: int) -> Iterator[list[int]]:
    group = starts[:1]
    for start in starts[1:]:
        if start > group[-1] + length:
            yield group
            group = []
        group.append(start)
    if group:
        yield group


def _empty(windows: Windows, n_bins: int) -> Means:
    return np.empty((sum(map(len, windows.values())), n_bins))
