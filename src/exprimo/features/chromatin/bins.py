"""Bins around transcription start sites, in gene orientation."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

from exprimo.core.errors import ConfigError
from exprimo.data.signals import SignalFile
from exprimo.features.windows import promoter_table


def halves(n_bins: int, bin_size: int) -> tuple[int, int]:
    """Give the bases before the TSS, and from the TSS base on.

    Bin ``n_bins // 2`` begins with the TSS base.

    Examples
    --------
    >>> halves(100, 100), halves(5, 10)
    ((5000, 5000), (20, 30))
    """
    if n_bins < 1 or bin_size < 1:
        raise ConfigError(
            "windows need bins, and bins need bases",
            found=f"{n_bins} bins of {bin_size} bases",
            expected="1 or more of both",
        )
    before = n_bins // 2
    return before * bin_size, (n_bins - before) * bin_size


def bin_windows(sites: pd.DataFrame, n_bins: int, bin_size: int) -> pd.DataFrame:
    """Turn transcription start sites into windows of bins.

    Parameters
    ----------
    sites
        Columns chrom, tss (0-based), strand.
    n_bins, bin_size
        Bins a window, and bases a bin.

    Returns
    -------
    DataFrame
        Columns chrom, start, end, strand; a window may leave its chromosome.

    Examples
    --------
    >>> sites = pd.DataFrame({"chrom": ["I", "I"], "tss": [100, 100], "strand": ["+", "-"]})
    >>> bin_windows(sites, 4, 10)[["start", "end"]].values.tolist()
    [[80, 120], [81, 121]]
    """
    upstream, downstream = halves(n_bins, bin_size)
    return promoter_table(sites, upstream=upstream, downstream=downstream)


def gene_bins(
    track: SignalFile,
    sites: pd.DataFrame,
    names: Mapping[str, str],
    n_bins: int,
    bin_size: int,
) -> npt.NDArray[np.float32]:
    """Read the signal around each TSS, from upstream to downstream on both strands.

    Parameters
    ----------
    track
        An opened track.
    sites
        Columns chrom, tss (0-based), strand.
    names
        Chromosome of the sites -> its name in the track. Sites on others have signal 0.
    n_bins, bin_size
        Bins a window, and bases a bin.

    Returns
    -------
    array
        Shape (sites, n_bins) float32. Bin ``n_bins // 2`` begins with the TSS base; bins on the
        minus strand are reversed. Bases off the chromosome have signal 0.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from exprimo.data.signals import open_signal
    >>> file = Path(tempfile.mkdtemp()) / "a.bedgraph"
    >>> _ = file.write_text("I\\t0\\t2\\t1\\nI\\t2\\t4\\t5\\n")
    >>> sites = pd.DataFrame({"chrom": ["I", "I"], "tss": [2, 1], "strand": ["+", "-"]})
    >>> with open_signal(file) as track:
    ...     gene_bins(track, sites, {"I": "I"}, 2, 2).tolist()
    [[1.0, 5.0], [5.0, 1.0]]
    """
    windows = bin_windows(sites, n_bins, bin_size)
    starts = windows["start"].to_numpy(np.int64)
    out = np.zeros((len(sites), n_bins), dtype=np.float32)
    chroms = sites["chrom"].to_numpy(dtype=object)
    for chrom in dict.fromkeys(chroms):
        if chrom in names:
            # In the order of the chromosome, neighbouring blocks of the file are read once.
            rows = np.flatnonzero(chroms == chrom)
            rows = rows[np.argsort(starts[rows], kind="stable")]
            out[rows] = track.bins(names[chrom], starts[rows], n_bins, bin_size)
    minus = (sites["strand"] == "-").to_numpy(np.bool_)
    out[minus] = out[minus, ::-1]
    return out
