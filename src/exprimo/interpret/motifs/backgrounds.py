"""Sequences to insert motifs into, and motifs as bases to insert."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from exprimo.core.errors import ConfigError, InputError
from exprimo.core.sequence import Codes, reverse_complement
from exprimo.data.motifs import MotifMatrix
from exprimo.features.shuffles import dinucleotide_shuffle

Form = Literal["consensus", "sampled"]
_LISTED = 12


def shuffled_each(codes: Codes, seed: int) -> Codes:
    """Shuffle each sequence once and keep its dinucleotides, (n, length)."""
    return np.concatenate(
        [dinucleotide_shuffle(row, 1, seed + number) for number, row in enumerate(codes)]
    )


def words_of(motif: MotifMatrix, n: int, form: Form, seed: int) -> Codes:
    """Give the bases of a motif for each of ``n`` backgrounds, (n, width).

    Examples
    --------
    >>> gat = MotifMatrix("g", "", np.eye(4)[[2, 0, 3]], np.full(4, 0.25))
    >>> words_of(gat, 2, "sampled", seed=0).tolist()
    [[2, 0, 3], [2, 0, 3]]
    """
    if form == "consensus":
        return np.repeat(motif.probabilities.argmax(axis=1).astype(np.uint8)[None], n, axis=0)
    reached = motif.probabilities.cumsum(axis=1)[None, :, :3]
    drawn = np.random.default_rng(seed).random((n, motif.width, 1))
    words: Codes = (drawn >= reached).sum(axis=2).astype(np.uint8)
    return words


def inserted(codes: Codes, words: Codes, start: int, strand: int) -> Codes:
    """Replace bases of each sequence by its word.

    Examples
    --------
    >>> inserted(np.zeros((1, 5), np.uint8), np.array([[1, 1, 0]], np.uint8), 1, -1).tolist()
    [[0, 3, 2, 2, 0]]
    """
    made = codes.copy()
    made[:, start : start + words.shape[1]] = words if strand > 0 else reverse_complement(words)
    return made


def chosen_motifs(
    motifs: Sequence[MotifMatrix], names: Sequence[str], length: int
) -> list[MotifMatrix]:
    """Choose motifs by id or alternative name; all of a file unless any is named."""
    known = {motif.name: motif for motif in reversed(motifs)}
    by_factor = {motif.alt_name: motif for motif in reversed(motifs) if motif.alt_name}
    unknown = [name for name in names if name not in known and name not in by_factor]
    if unknown:
        raise ConfigError(
            "the file has no such motif",
            record=unknown[0],
            expected=_listed([motif.name for motif in motifs]),
        )
    chosen = [known.get(name) or by_factor[name] for name in names] or list(motifs)
    wide = [motif.name for motif in chosen if motif.width > length]
    if wide:
        raise InputError(
            "a motif is wider than the model's window",
            record=wide[0],
            expected=f"at most {length} bases",
            remedy="Name the others with --only",
        )
    return chosen


def _listed(names: Sequence[str]) -> str:
    more = len(names) - _LISTED
    return ", ".join(names[:_LISTED]) + (f" and {more:,} more" if more > 0 else "")
