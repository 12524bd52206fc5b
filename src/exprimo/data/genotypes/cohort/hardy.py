"""The exact test of Hardy-Weinberg proportions (Wigginton, Cutler, Abecasis 2005)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from exprimo.core.compiled import compiled

# Sums of many terms round differently from the one observed.
_SLACK = 1.0 + 1e-9
_NEGLIGIBLE = 1e-16


def hardy_weinberg_p(
    hom_ref: npt.ArrayLike, het: npt.ArrayLike, hom_alt: npt.ArrayLike
) -> npt.NDArray[np.float64]:
    """Give the exact p of each variant, (variants,), from its numbers of diploid genotypes.

    P is the probability, given the allele counts, of all numbers of heterozygotes that are no
    more likely than the observed one (Wigginton et al. 2005, equation 2; no mid-p). Without
    genotypes, or with one allele only, it is 1.

    Examples
    --------
    >>> hardy_weinberg_p([1, 100], [0, 0], [1, 100]).round(4).tolist()
    [0.3333, 0.0]
    """
    counts = np.stack(
        np.broadcast_arrays(
            np.asarray(hom_ref, np.int64), np.asarray(het, np.int64), np.asarray(hom_alt, np.int64)
        )
    )
    flat = counts.reshape(3, -1)
    p = np.empty(flat.shape[1])
    _exact(flat[0], flat[1], flat[2], p)
    return p.reshape(counts.shape[1:])


@compiled
def _exact(
    hom_ref: npt.NDArray[np.int64],
    het: npt.NDArray[np.int64],
    hom_alt: npt.NDArray[np.int64],
    p: npt.NDArray[np.float64],
) -> None:
    for v in range(len(p)):
        n = hom_ref[v] + het[v] + hom_alt[v]
        rare = 2 * min(hom_ref[v], hom_alt[v]) + het[v]
        if n == 0 or rare == 0:
            p[v] = 1.0
            continue
        # All terms are relative to the one nearest the mode, of the parity that is possible.
        mode = rare * (2 * n - rare) // (2 * n)
        mode += (mode ^ rare) & 1
        seen = 1.0
        low, high = min(mode, het[v]), max(mode, het[v])
        for h in range(low, high, 2):
            # P(h + 2) / P(h), with the homozygotes that h leaves.
            r = (rare - h) // 2
            step = 4.0 * r * (n - h - r) / ((h + 2.0) * (h + 1.0))
            seen = seen * step if het[v] > mode else seen / step
        total, tail = 0.0, 0.0
        for direction in range(2):
            term, h = 1.0, mode
            if direction == 1:
                r = (rare - h) // 2
                term = 4.0 * r * (n - h - r) / ((h + 2.0) * (h + 1.0))
                h += 2
            while 0 <= h <= rare:
                total += term
                if term <= seen * _SLACK:
                    tail += term
                    if term < _NEGLIGIBLE * tail and term < _NEGLIGIBLE * total:
                        break
                r = (rare - h) // 2
                if direction == 1:
                    term *= 4.0 * r * (n - h - r) / ((h + 2.0) * (h + 1.0))
                    h += 2
                else:
                    term *= h * (h - 1.0) / (4.0 * (r + 1.0) * (n - h - r + 1.0))
                    h -= 2
        p[v] = min(1.0, tail / total)
