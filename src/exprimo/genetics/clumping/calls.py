"""Genotypes as bits: one plane for carriers, one for two copies, 64 people a word."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from exprimo.data.genotypes.view import MISSING, NO_COPY, Block

Calls = npt.NDArray[np.int8]
Words = npt.NDArray[np.uint64]

UNKNOWN = np.int8(-1)
_WORD = 64


class Planes(NamedTuple):
    """Copies of ALT as bits, a row a variant, 64 people a word.

    Attributes
    ----------
    carrier, double
        (variants, words): who has at least one copy, who has two. Missing genotypes have neither.
    called
        (variants, words): whose genotype is known.
    n_called
        (variants,), how many.
    n_people
        Of all.
    """

    carrier: Words
    double: Words
    called: Words
    n_called: npt.NDArray[np.int64]
    n_people: int

    def of(self, rows: npt.NDArray[np.int64] | slice) -> Planes:
        """Keep some variants, in this order."""
        return Planes(
            self.carrier[rows],
            self.double[rows],
            self.called[rows],
            self.n_called[rows],
            self.n_people,
        )


def block_calls(block: Block) -> Calls:
    """Count ALT in hard calls, (variants, people): 0, 1, 2, or -1 where any copy is missing.

    One copy of a haploid counts as two, as PLINK stores it.

    Examples
    --------
    >>> import pandas as pd
    >>> alleles = np.array([[[0, 1], [1, -2], [-1, 1]]], np.int8)
    >>> block_calls(Block(pd.DataFrame(), alleles, np.ones((1, 3), bool), None, None)).tolist()
    [[1, 2, -1]]
    """
    first, second = block.alleles[..., 0], block.alleles[..., 1]
    calls = first + second
    if block.alleles.size and block.alleles.min() < 0:
        calls = np.where(second == NO_COPY, 2 * first, calls)
        calls = np.where(first == NO_COPY, 2 * second, calls)
        unknown = (first == MISSING) | (second == MISSING) | (calls < 0)
        calls[unknown] = UNKNOWN
    return calls.astype(np.int8, copy=False)


def hard_calls(dosage: npt.NDArray[np.float32], *, tolerance: float = 0.1) -> Calls:
    """Round dosages to copies; further than ``tolerance`` from a whole number is missing.

    0.1 is what PLINK 2 takes when it makes hard calls of imputed dosages.

    Examples
    --------
    >>> hard_calls(np.array([[0.05, 1.2, 2.0, np.nan]], np.float32)).tolist()
    [[0, -1, 2, -1]]
    """
    known = np.nan_to_num(dosage, nan=-1.0)
    rounded = np.rint(known)
    # Single precision: 0.1 itself is to be inside.
    away = np.abs(known - rounded) > tolerance + 1e-6
    return np.where(away | (rounded < 0) | (rounded > 2), UNKNOWN, rounded).astype(np.int8)


def pack_calls(calls: Calls) -> Planes:
    """Pack hard calls, (variants, people), into planes of bits.

    Examples
    --------
    >>> planes = pack_calls(np.array([[0, 1, 2, -1]], np.int8))
    >>> planes.carrier.tolist(), planes.double.tolist(), planes.n_called.tolist()
    ([[6]], [[4]], [3])
    """
    known = calls >= 0
    return Planes(
        _packed(calls >= 1),
        _packed(calls == 2),
        _packed(known),
        known.sum(axis=1, dtype=np.int64),
        calls.shape[1],
    )


def _packed(bits: npt.NDArray[np.bool_]) -> Words:
    n_variants, n_people = bits.shape
    words = max(1, -(-n_people // _WORD))
    room = np.zeros((n_variants, words * 8), dtype=np.uint8)
    packed = np.packbits(bits, axis=1, bitorder="little")
    room[:, : packed.shape[1]] = packed
    return room.view(np.uint64)
