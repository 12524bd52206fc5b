"""Genes in blocks: bounded memory, and one block per core at a time."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

# Cells of a block: 2 MiB as float64, so that a kernel's arrays stay in the cache of a core.
_CELLS = 1 << 18


# Blocks for each worker at least, so that none waits long for the last one.
_EACH = 8


def blocks(n_genes: int, n_samples: int, at_least: int = 1) -> Iterator[slice]:
    """Cut the genes into slices of about equal work.

    Examples
    --------
    >>> list(blocks(3, 1 << 17))
    [slice(0, 2, None), slice(2, 3, None)]
    """
    rows = max(1, min(_CELLS // max(1, n_samples), -(-n_genes // at_least)))
    for start in range(0, n_genes, rows):
        yield slice(start, min(n_genes, start + rows))


def for_blocks(
    n_genes: int, n_samples: int, work: Callable[[slice], None], threads: int | None = None
) -> None:
    """Do ``work`` on every block; kernels free the interpreter's lock, so threads run at once.

    Blocks write to rows of their own, hence the result does not depend on ``threads``.
    """
    workers = threads or available_threads()
    chosen = list(blocks(n_genes, n_samples, _EACH * workers if workers > 1 else 1))
    workers = min(workers, len(chosen))
    if workers <= 1:
        for block in chosen:
            work(block)
        return
    with ThreadPoolExecutor(workers) as pool:
        for _ in pool.map(work, chosen):
            pass


def available_threads() -> int:
    """Count the cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
