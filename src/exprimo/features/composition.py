"""GC and CpG content: what every sequence model must beat."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from exprimo.core.sequence import N_CODE, Codes

COMPOSITION_NAMES = ("gc", "cpg", "cpg_observed_expected")

Values = npt.NDArray[np.float64]


def gc_content(codes: Codes) -> Values:
    """Give the share of G and C among the known bases of each row; NaN where none is known.

    Examples
    --------
    >>> from exprimo.core.sequence import encode
    >>> gc_content(encode("GCATNN")[None]).tolist()
    [0.5]
    """
    known = np.count_nonzero(codes != N_CODE, axis=1)
    strong = np.count_nonzero((codes == 1) | (codes == 2), axis=1)
    return _ratio(strong, known)


def cpg_content(codes: Codes) -> Values:
    """Give the share of CpG among the known dinucleotides of each row; NaN where none is known."""
    known = codes != N_CODE
    return _ratio(_cpg_count(codes), np.count_nonzero(known[:, :-1] & known[:, 1:], axis=1))


def cpg_observed_expected(codes: Codes) -> Values:
    """Give observed over expected CpG (Gardiner-Garden and Frommer 1987) of each row.

    The number of CpG times the number of known bases, over the number of C times that of G;
    NaN where C or G does not occur.

    Examples
    --------
    >>> from exprimo.core.sequence import encode
    >>> cpg_observed_expected(encode("CGCGATAT")[None]).tolist()
    [4.0]
    """
    known = np.count_nonzero(codes != N_CODE, axis=1)
    c = np.count_nonzero(codes == 1, axis=1)
    g = np.count_nonzero(codes == 2, axis=1)
    return _ratio(_cpg_count(codes) * known, c * g)


def composition(codes: Codes) -> Values:
    """Give `COMPOSITION_NAMES` of each row as (n, 3) features, 0 where one is not defined.

    Examples
    --------
    >>> from exprimo.core.sequence import encode
    >>> composition(encode("AANN")[None]).tolist()
    [[0.0, 0.0, 0.0]]
    """
    columns = [gc_content(codes), cpg_content(codes), cpg_observed_expected(codes)]
    return np.nan_to_num(np.stack(columns, axis=1), nan=0.0)


def _cpg_count(codes: Codes) -> npt.NDArray[np.intp]:
    counts: npt.NDArray[np.intp] = np.count_nonzero(
        (codes[:, :-1] == 1) & (codes[:, 1:] == 2), axis=1
    )
    return counts


def _ratio(above: npt.NDArray[np.intp], below: npt.NDArray[np.intp]) -> Values:
    out = np.full(len(above), np.nan)
    np.divide(above, below, out=out, where=below > 0)
    return out
