"""How many copies of a chromosome a person has, where the file does not say it itself."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from exprimo.data.genotypes.calls import Rows
from exprimo.data.genotypes.view import MISSING, NO_COPY

MALE, FEMALE, UNKNOWN = 1, 2, 0

AUTOSOME, X, Y, MITOCHONDRION = "", "X", "Y", "MT"

# PLINK numbers human chromosomes; 25 holds the variants of X that men have twice.
PLINK_NUMBERS = {"23": "X", "24": "Y", "25": "X", "26": "MT"}
PLINK_NAMES = {"XY": "X", "PAR1": "X", "PAR2": "X"}
_DIPLOID_PARTS = {"25", "XY", "PAR1", "PAR2"}

# Pseudoautosomal regions of X, 0-based and half-open, by the length of X: GRCh38 and GRCh37
# (Genome Reference Consortium).
_PSEUDOAUTOSOMAL = {
    156_040_895: ((10_000, 2_781_479), (155_701_382, 156_030_895)),
    155_270_560: ((60_000, 2_699_520), (154_931_043, 155_260_560)),
}


def sex_chromosome(name: str) -> str:
    """Give `X`, `Y` or `MITOCHONDRION` by a chromosome's name, else `AUTOSOME`.

    Examples
    --------
    >>> sex_chromosome("chrX"), sex_chromosome("Y"), sex_chromosome("chrM"), sex_chromosome("2")
    ('X', 'Y', 'MT', '')
    """
    bare = name[3:] if name.lower().startswith("chr") else name
    if bare.upper() in ("M", "MT", "MITO"):
        return MITOCHONDRION
    return bare.upper() if bare.upper() in (X, Y) else AUTOSOME


def plink_chromosome(name: str, *, numbered: bool) -> str:
    """Give the plain name of a chromosome in a PLINK file: of 23 to 26 where ``numbered``.

    Examples
    --------
    >>> plink_chromosome("23", numbered=True), plink_chromosome("PAR1", numbered=False)
    ('X', 'X')
    """
    return PLINK_NAMES.get(name) or (PLINK_NUMBERS.get(name, name) if numbered else name)


def one_copy(
    names: npt.NDArray[np.object_], starts: Rows, x_length: int | None, *, numbered: bool
) -> npt.NDArray[np.object_]:
    """Give per variant the kind of chromosome it has, (variants,): pseudoautosomal is `AUTOSOME`.

    Pseudoautosomal are the chromosomes 25, XY, PAR1 and PAR2 of PLINK, and the regions of X in
    GRCh38 and GRCh37 where ``x_length`` tells which it is.

    Examples
    --------
    >>> names = np.array(["X", "X", "PAR1"], object)
    >>> one_copy(names, np.array([20_000, 3_000_000, 20_000]), 156_040_895, numbered=False).tolist()
    ['', 'X', '']
    """
    kind_of = {
        name: AUTOSOME
        if name in _DIPLOID_PARTS and (numbered or not name.isdecimal())
        else sex_chromosome(plink_chromosome(name, numbered=numbered))
        for name in dict.fromkeys(names)
    }
    kinds = np.empty(len(names), dtype=object)
    kinds[:] = [kind_of[name] for name in names]
    for start, end in _PSEUDOAUTOSOMAL.get(x_length or 0, ()):
        kinds[(kinds == X) & (starts >= start) & (starts < end)] = AUTOSOME
    return kinds


def with_ploidy(
    codes: npt.NDArray[np.int16], kinds: npt.NDArray[np.object_], sex: npt.NDArray[np.int8]
) -> npt.NDArray[np.int16]:
    """Take away the copies that people do not have from genotypes written as if of two.

    Men have one X and one Y, women no Y, everybody one mitochondrial sequence; of unknown sex,
    X keeps both copies and Y one. Heterozygous where there is one copy is missing.

    Parameters
    ----------
    codes
        (variants, samples, 2); changed in place and given back.
    kinds
        (variants,) as of `one_copy`.
    sex
        (samples,) `MALE`, `FEMALE` or `UNKNOWN`.

    Examples
    --------
    >>> codes = np.array([[[1, 1], [0, 1], [1, 1]]], np.int16)
    >>> with_ploidy(codes, np.array(["X"], object), np.array([1, 1, 2], np.int8)).tolist()
    [[[1, -2], [-1, -2], [1, 1]]]
    """
    everybody = np.ones(len(sex), dtype=bool)
    single = {X: sex == MALE, Y: sex != FEMALE, MITOCHONDRION: everybody}
    for kind, who in single.items():
        rows, people = np.flatnonzero(kinds == kind), np.flatnonzero(who)
        if len(rows) and len(people):
            grid = np.ix_(rows, people)
            first, second = codes[..., 0][grid], codes[..., 1][grid]
            codes[..., 0][grid] = np.where(first == second, first, MISSING)
            codes[..., 1][grid] = NO_COPY
    codes[np.ix_(kinds == Y, sex == FEMALE)] = NO_COPY
    return codes
