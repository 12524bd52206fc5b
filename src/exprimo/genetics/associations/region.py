"""Stretches of chromosomes, and chromosomes by their plain names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from exprimo.core.errors import ConfigError

Places = Mapping[str, npt.NDArray[np.int64]]
"""Chromosome (without ``chr``) -> sorted positions from 1."""


class Region(NamedTuple):
    """A stretch of a chromosome, half-open, 0-based."""

    chrom: str
    start: int
    end: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``chrom:first-last``, counted from 1, both inside.

        Examples
        --------
        >>> Region.parse("chr19:44,905,791-44,909,393")
        Region(chrom='chr19', start=44905790, end=44909393)
        """
        found = re.fullmatch(r"([^:\s]+):([\d,]+)-([\d,]+)", text.strip())
        if found is not None:
            first, last = (int(found[at].replace(",", "") or 0) for at in (2, 3))
            if 0 < first <= last:
                return cls(found[1], first - 1, last)
        raise ConfigError(
            "not a region",
            found=repr(text),
            expected="chrom:first-last, as in 19:44905791-44909393",
        )


def bare_chrom(name: str) -> str:
    """Give a chromosome's name without ``chr``.

    Examples
    --------
    >>> bare_chrom("chr19"), bare_chrom("X")
    ('19', 'X')
    """
    return name[3:] if name.lower().startswith("chr") else name


def places_of(rows: pd.DataFrame) -> Places | None:
    """Give the positions of associations by chromosome; None where some have none."""
    if not (rows["pos"] > 0).all():
        return None
    return {
        str(chrom): np.unique(part.to_numpy(np.int64))
        for chrom, part in rows.groupby("chrom")["pos"]
    }
