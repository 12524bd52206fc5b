"""Other ways to cut and encode windows, each as its users are shown to use it.

Every function takes a FASTA path and a table (chrom, start, end, strand), opens the file, and
returns all windows in gene orientation, one-hot encoded, as (n, 4, length) or (n, length, 4).

Sources:

pyfaidx_loop
    Written for this comparison after what course scripts and student projects do: slice
    ``pyfaidx.Fasta`` (github.com/mdshw5/pyfaidx, BSD) window by window, look each letter up in a
    dictionary of vectors.
pyfastx_loop
    The same loop over ``pyfastx.Fasta.fetch`` (github.com/lmdu/pyfastx, MIT), which complements
    in C, with a NumPy table instead of the dictionary.
bionumpy_table
    ``bionumpy`` (github.com/bionumpy/bionumpy, MIT): an indexed FASTA asked for all intervals.
tangermeme_loci
    ``tangermeme.io.extract_loci`` (github.com/jmschrei/tangermeme, MIT).
genvarloader_reference
    ``genvarloader.RefDataset`` (github.com/mcvickerlab/GenVarLoader, MIT) on its own binary
    cache of the genome, encoded with ``seqpro.ohe`` (github.com/ML4GLand/SeqPro, MIT).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

Encoded = np.ndarray[Any, Any]
Cutter = Callable[[Path, pd.DataFrame], Encoded]

_VECTORS = {
    "A": [1, 0, 0, 0],
    "C": [0, 1, 0, 0],
    "G": [0, 0, 1, 0],
    "T": [0, 0, 0, 1],
    "N": [0, 0, 0, 0],
}
_TABLE = np.zeros((256, 4), dtype=np.uint8)
for _letter, _vector in _VECTORS.items():
    _TABLE[ord(_letter)] = _vector


def pyfaidx_loop(fasta: Path, windows: pd.DataFrame) -> Encoded:
    """Cut one window after the other, encode one letter after the other."""
    import pyfaidx

    rows = []
    with pyfaidx.Fasta(str(fasta)) as genome:
        for chrom, start, end, strand in windows.itertuples(index=False):
            stretch = genome[chrom][start:end]
            if strand == "-":
                stretch = stretch.reverse.complement
            rows.append(np.array([_VECTORS[x] for x in str(stretch).upper()], dtype=np.uint8))
    return np.stack(rows)


def pyfastx_loop(fasta: Path, windows: pd.DataFrame) -> Encoded:
    """Cut one window after the other, encode each with a table."""
    import pyfastx

    genome = pyfastx.Fasta(str(fasta))
    rows = []
    for chrom, start, end, strand in windows.itertuples(index=False):
        letters = genome.fetch(chrom, (start + 1, end), strand=strand)
        rows.append(_TABLE[np.frombuffer(letters.encode(), dtype=np.uint8)])
    return np.stack(rows)


def bionumpy_table(fasta: Path, windows: pd.DataFrame) -> Encoded:
    """Ask for all intervals at once."""
    import bionumpy

    genome = bionumpy.Genome.from_file(str(fasta), sort_names=False).read_sequence()
    intervals = bionumpy.datatypes.StrandedInterval(
        windows["chrom"].tolist(),
        windows["start"].to_numpy(),
        windows["end"].to_numpy(),
        windows["strand"].tolist(),
    )
    sequences = genome.extract_intervals(intervals, stranded=True)
    letters = np.asarray(sequences.to_numpy_array().raw())
    return np.asarray(letters[:, None, :] == np.arange(4)[:, None]).view(np.uint8)


def tangermeme_loci(fasta: Path, windows: pd.DataFrame) -> Encoded:
    """Extract all loci, then turn those of the minus strand."""
    import torch
    from tangermeme.io import extract_loci

    length = int(windows["end"].iloc[0] - windows["start"].iloc[0])
    encoded = extract_loci(windows[["chrom", "start", "end"]], str(fasta), in_window=length)
    minus = torch.from_numpy((windows["strand"] == "-").to_numpy())
    encoded[minus] = torch.flip(encoded[minus], (1, 2))
    return np.asarray(encoded.numpy())


def genvarloader_reference(fasta: Path, windows: pd.DataFrame) -> Encoded:
    """Cut from the genome in memory, read from its own cache file."""
    import genvarloader
    import polars
    import seqpro

    bed = polars.DataFrame(
        {
            "chrom": windows["chrom"].tolist(),
            "chromStart": windows["start"].to_numpy(),
            "chromEnd": windows["end"].to_numpy(),
            "strand": windows["strand"].tolist(),
        }
    )
    length = int(windows["end"].iloc[0] - windows["start"].iloc[0])
    reference = genvarloader.Reference.from_path(fasta)
    letters = genvarloader.RefDataset(reference, bed).with_len(length)[:]
    return np.asarray(seqpro.ohe(letters, seqpro.DNA))


RIVALS: dict[str, tuple[str, Cutter]] = {
    "pyfaidx loop, dictionary": ("pyfaidx", pyfaidx_loop),
    "pyfastx loop, table": ("pyfastx", pyfastx_loop),
    "bionumpy": ("bionumpy", bionumpy_table),
    "tangermeme": ("tangermeme", tangermeme_loci),
    "genvarloader + seqpro": ("genvarloader", genvarloader_reference),
}
