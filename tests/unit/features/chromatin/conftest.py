"""Tiny tracks on disk, and a world of two cell types whose every number is known."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pybigtools
import pytest

# Chromosome I has signal 0, 1, 2, ... per base, so that a bin's mean tells where it lies.
LENGTH = 40
WriteTrack = Callable[..., Path]


@pytest.fixture
def write_track(tmp_path: Path) -> WriteTrack:
    """Write per-base signal (chromosome -> values) as a BigWig."""

    def write(name: str, signal: Mapping[str, Sequence[float]]) -> Path:
        path = tmp_path / name
        entries = [
            (chrom, at, at + 1, float(value))
            for chrom, values in signal.items()
            for at, value in enumerate(values)
        ]
        lengths = {chrom: len(values) for chrom, values in signal.items()}
        pybigtools.open(str(path), "w").write(lengths, iter(entries))
        return path

    return write


@dataclass
class CellWorld:
    """Three genes on a chromosome of 40 bases, and tracks of two marks in two cell types."""

    folder: Path
    genes: Path
    tracks: list[str]

    def write(self, name: str, text: str) -> Path:
        """Put a file beside the others."""
        path = self.folder / name
        path.write_text(text)
        return path


@pytest.fixture
def cells(tmp_path: Path, write_track: WriteTrack) -> CellWorld:
    """Write the world: mark ``up`` is the position, ``down`` 100 less it; cell B has twice that."""
    genes = tmp_path / "genes.bed"
    # TSSs at 20 (plus), 19 (minus) and 1 (plus: its window leaves the chromosome).
    genes.write_text("I\t20\t30\tg1\t0\t+\nI\t10\t20\tg2\t0\t-\nI\t1\t9\tg3\t0\t+\n")
    position = np.arange(LENGTH, dtype=float)
    tracks = []
    for cell, factor in (("A", 1.0), ("B", 2.0)):
        for mark, values in (("up", position), ("down", 100 - position)):
            path = write_track(f"{cell}.{mark}.bw", {"I": (values * factor).tolist()})
            tracks.append(f"{cell}:{mark}:{path}")
    return CellWorld(tmp_path, genes, tracks)
