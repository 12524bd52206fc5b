"""Find sites of many motifs in many sequences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numpy.typing import ArrayLike

from exprimo.core.errors import InputError
from exprimo.core.progress import track
from exprimo.core.sequence import Codes
from exprimo.data.motifs import MotifMatrix
from exprimo.features.motifs.kernels import LANES, scan_batch, tables_of
from exprimo.features.motifs.scores import (
    STEP,
    Steps,
    Values,
    base_frequencies,
    checked_background,
    in_steps,
    log_odds,
    score_distribution,
)

_NEVER = np.iinfo(np.int32).max


class MotifScan(NamedTuple):
    """What a scan found, one row per sequence and one column per motif.

    Attributes
    ----------
    motifs
        Names of the motifs, in the order of the columns.
    score
        Best score of any window, on either strand, in bits, float32 (n, motifs). NaN where no
        window is free of N.
    position
        First base of that window, counted from 0 along the sequence as given on either strand,
        int32; the leftmost of equals, −1 where there is none.
    strand
        1 if the site reads along the sequence, −1 if against it, int8; 1 where both are equal,
        0 where there is none.
    n_sites
        Windows that reach the threshold on either strand, int32. A window that does on both,
        as a palindrome does, counts once; overlapping windows count each.
    threshold
        Score that makes a window a site, in bits, (motifs,). Infinite where no word of a motif
        is rare enough: such a motif has no site anywhere.
    background
        Frequencies of A, C, G, T of log-odds and thresholds, (4,).
    """

    motifs: tuple[str, ...]
    score: npt.NDArray[np.float32]
    position: npt.NDArray[np.int32]
    strand: npt.NDArray[np.int8]
    n_sites: npt.NDArray[np.int32]
    threshold: Values
    background: Values

    @property
    def present(self) -> npt.NDArray[np.bool_]:
        """Whether a sequence has a site of a motif, (n, motifs)."""
        found: npt.NDArray[np.bool_] = self.n_sites > 0
        return found

    @property
    def without_sites(self) -> tuple[str, ...]:
        """Motifs too short or too vague to have a site at this threshold."""
        pairs = zip(self.motifs, self.threshold, strict=True)
        return tuple(name for name, limit in pairs if np.isinf(limit))


def scan(
    codes: Codes,
    motifs: Sequence[MotifMatrix],
    *,
    background: ArrayLike | None = None,
    pvalue: float = 1e-4,
    pseudocount: float = 0.1,
    both_strands: bool = True,
) -> MotifScan:
    """Score each window of each sequence against each motif, as FIMO does (Grant et al. 2011).

    A window is a site where its log-odds reach the score that a random window reaches with
    probability ``pvalue`` at most, on one strand. That score comes from the exact distribution
    (`score_distribution`), not from an approximation. A window that holds an N, or leaves the
    sequence, is no window. Expect 2 · length · ``pvalue`` chance sites in a sequence.

    Parameters
    ----------
    codes
        Sequences, uint8 (n, length), in gene orientation.
    motifs
        As `read_motifs` gives them; names differ.
    background
        Frequencies of A, C, G, T. None takes those of ``codes`` on both strands, so that
        sequences of one composition have equally many chance sites of each motif. Give them to
        make a sequence's sites independent of what it is scanned with.
    pvalue
        What makes a window a site.
    pseudocount
        See `log_odds`.
    both_strands
        Look for sites that read against the sequence too.

    Returns
    -------
    MotifScan
        Arrays of shape (n, motifs); 13 bytes for each pair of sequence and motif.

    Examples
    --------
    >>> from exprimo.core.sequence import encode
    >>> gata = MotifMatrix("GATA", "", np.eye(4)[[2, 0, 3, 0, 0, 2]], np.full(4, 0.25))
    >>> codes = np.stack([encode("CCCAGATAAGCC"), encode("CCCCTTATCCCC"), encode("NNNNNCCCCCCC")])
    >>> found = scan(codes, [gata], background=[0.25] * 4, pvalue=0.001)
    >>> found.present[:, 0].tolist(), found.position[:, 0].tolist(), found.strand[:, 0].tolist()
    ([True, True, False], [4, 3, 5], [1, -1, -1])
    """
    names = _checked(codes, motifs, pvalue)
    frequencies = checked_background(base_frequencies(codes) if background is None else background)
    steps = [in_steps(log_odds(motif, frequencies, pseudocount)) for motif in motifs]
    thresholds = np.array(
        [score_distribution(m, frequencies, pseudocount).threshold(pvalue) for m in motifs]
    )
    found = _scan_all(np.ascontiguousarray(codes), steps, thresholds, both_strands)
    best, position, strand, sites = found
    score = np.where(strand == 0, np.nan, best * STEP).astype(np.float32)
    return MotifScan(names, score, position, strand, sites, thresholds, frequencies)


def _checked(codes: Codes, motifs: Sequence[MotifMatrix], pvalue: float) -> tuple[str, ...]:
    if codes.ndim != 2 or codes.dtype != np.uint8:
        raise InputError(
            "not sequences to scan",
            found=f"{codes.dtype} of shape {codes.shape}",
            expected="base codes, uint8 (n, length)",
        )
    if not 0 < pvalue < 1:
        raise InputError("not a probability", found=pvalue, expected="such as 0.0001")
    names = tuple(motif.name for motif in motifs)
    if not names or len(set(names)) < len(names):
        raise InputError(
            "motifs to scan with must have names that differ",
            found=", ".join(names[:8]) or "no motif",
        )
    return names


def _scan_all(
    codes: Codes, steps: list[Steps], thresholds: Values, both_strands: bool
) -> tuple[
    npt.NDArray[np.int32], npt.NDArray[np.int32], npt.NDArray[np.int8], npt.NDArray[np.int32]
]:
    n = len(codes)
    shape = (n, len(steps))
    best, position, sites = (np.zeros(shape, dtype=np.int32) for _ in range(3))
    strand = np.zeros(shape, dtype=np.int8)
    limits = np.full(len(steps), _NEVER, dtype=np.int32)
    reached = np.isfinite(thresholds)
    limits[reached] = np.rint(thresholds[reached] / STEP)
    # Motifs of like width share a batch, since each is padded to the widest.
    order = np.argsort([len(matrix) for matrix in steps], kind="stable")
    batches = [order[at : at + LANES] for at in range(0, len(order), LANES)]
    for batch in track(batches, "Scanning motifs"):
        chosen = [steps[index] for index in batch]
        widths = np.zeros(LANES, dtype=np.int32)
        widths[: len(batch)] = [len(matrix) for matrix in chosen]
        limit = np.full(LANES, _NEVER, dtype=np.int32)
        limit[: len(batch)] = limits[batch]
        top, at, sites_here = (np.zeros((n, LANES), dtype=np.int32) for _ in range(3))
        side = np.zeros((n, LANES), dtype=np.int8)
        scan_batch(
            codes,
            tables_of(chosen),
            tables_of([matrix[::-1, ::-1] for matrix in chosen]),
            widths,
            limit,
            both_strands,
            top,
            at,
            side,
            sites_here,
        )
        used = slice(0, len(batch))
        best[:, batch], position[:, batch] = top[:, used], at[:, used]
        strand[:, batch], sites[:, batch] = side[:, used], sites_here[:, used]
    return best, position, strand, sites
