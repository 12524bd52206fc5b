"""Shuffle a sequence and keep its dinucleotides: what a model sees in mere composition."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from exprimo.core.compiled import compiled
from exprimo.core.errors import InputError
from exprimo.core.sequence import N_CODE, Codes


def dinucleotide_shuffle(codes: Codes, n: int, seed: int) -> Codes:
    """Draw ``n`` sequences uniformly from those with the same dinucleotide counts.

    A sequence is a walk along its dinucleotides. A random tree of last exits, drawn by Wilson's
    loop-erased walks (Propp and Wilson 1998), makes every such walk equally likely (Altschul
    and Erickson 1985; Kandel, Matias, Unger and Winkler 1996).

    Parameters
    ----------
    codes
        One sequence, shape (length,). Ns stay where they are; each stretch between them is
        shuffled on its own.
    n
        How many shuffles.
    seed
        The same seed gives the same shuffles; the first of ten is the first of a hundred.

    Returns
    -------
    array
        Shape (n, length). Each stretch keeps its first and last base.

    Examples
    --------
    >>> from exprimo.core.sequence import decode, encode
    >>> decode(dinucleotide_shuffle(encode("ACAGA"), 1, seed=3)[0]) in {"ACAGA", "AGACA"}
    True
    """
    if codes.ndim != 1:
        raise InputError("shuffle one sequence at a time", found=f"shape {codes.shape}")
    if n < 1:
        raise InputError("draw at least one shuffle", found=n)
    known = np.concatenate([[False], codes != N_CODE, [False]])
    edges = np.flatnonzero(np.diff(known))
    shuffled = np.repeat(codes[None], n, axis=0)
    rng = np.random.default_rng(seed)
    for row in shuffled:
        for start, end in edges.reshape(-1, 2):
            _shuffle_stretch(row[start:end], rng)
    return shuffled


@compiled
def _last_exits(
    following: Codes,
    first: npt.NDArray[np.int64],
    degree: npt.NDArray[np.int64],
    root: int,
    rng: np.random.Generator,
) -> npt.NDArray[np.int64]:
    """Choose for each base but ``root`` the place in ``following`` of its last exit."""
    exits = np.full(4, -1, dtype=np.int64)
    in_tree = degree == 0
    in_tree[root] = True
    for begin in range(4):
        base = begin
        while not in_tree[base]:
            # Overwriting an earlier exit on return is what erases the loop.
            exits[base] = first[base] + int(rng.random() * degree[base])
            base = int(following[exits[base]])
        base = begin
        while not in_tree[base]:
            in_tree[base] = True
            base = int(following[exits[base]])
    return exits


@compiled
def _shuffle_stretch(stretch: Codes, rng: np.random.Generator) -> None:
    size = stretch.size
    if size < 4:  # with both ends kept and one base between, nothing can move
        return
    degree = np.zeros(4, dtype=np.int64)
    for at in range(size - 1):
        degree[stretch[at]] += 1
    first = np.zeros(4, dtype=np.int64)
    first[1:] = np.cumsum(degree)[:3]
    filled = first.copy()
    following = np.empty(size - 1, dtype=np.uint8)
    for at in range(size - 1):
        base = stretch[at]
        following[filled[base]] = stretch[at + 1]
        filled[base] += 1

    root = int(stretch[size - 1])
    exits = _last_exits(following, first, degree, root, rng)
    for base in range(4):
        loose = degree[base]
        if exits[base] >= 0:
            loose -= 1
            last = first[base] + loose
            kept = following[exits[base]]
            following[exits[base]] = following[last]
            following[last] = kept
        for at in range(loose - 1, 0, -1):
            other = first[base] + int(rng.random() * (at + 1))
            here = first[base] + at
            swapped = following[here]
            following[here] = following[other]
            following[other] = swapped

    used = first.copy()
    base = int(stretch[0])
    for at in range(1, size):
        step = used[base]
        used[base] += 1
        base = int(following[step])
        stretch[at] = base
