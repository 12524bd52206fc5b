"""Order and augmentation, drawn anew for each epoch from (seed, member, epoch).

Because nothing depends on what was drawn before, the state of the loader is the number of the
epoch, and a resumed run sees exactly what an unbroken one would have.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from exprimo.core.dataset import SEQUENCES, Dataset
from exprimo.core.sequence import N_CODE, Codes, reverse_complement
from exprimo.training.config import FitConfig

Rows = npt.NDArray[np.int64]


def epoch_generator(seed: int, member: int, epoch: int) -> np.random.Generator:
    """Make the generator of one epoch of one member."""
    return np.random.default_rng([seed, member, epoch])


def epoch_batches(rows: Rows, batch_size: int, generator: np.random.Generator) -> Iterator[Rows]:
    """Shuffle rows and cut full batches; the remainder waits for another epoch's order.

    Examples
    --------
    >>> batches = list(epoch_batches(np.arange(10), 4, epoch_generator(0, 0, 0)))
    >>> [len(b) for b in batches]
    [4, 4]
    """
    order = generator.permutation(rows)
    for start in range(0, len(rows) // batch_size * batch_size, batch_size):
        yield order[start : start + batch_size]


def load_batch(
    dataset: Dataset,
    names: tuple[str, ...],
    rows: Rows,
    fit: FitConfig,
    generator: np.random.Generator,
) -> dict[str, npt.NDArray[np.generic]]:
    """Fetch inputs and augment the sequence; both haplotypes of a person alike."""
    batch = dataset.batch(names, rows)
    sequences = [name for name in SEQUENCES if name in batch]
    if sequences and fit.shift:
        offsets = generator.integers(-fit.shift, fit.shift + 1, len(rows))
        for name in sequences:
            batch[name] = shift(batch[name], offsets)
    if sequences and fit.reverse_complement in ("augment", "both"):
        turned = generator.random(len(rows)) < 0.5
        for name in sequences:
            codes = batch[name]
            batch[name] = np.where(turned[:, None], reverse_complement(codes), codes)
    return batch


def shift(codes: Codes, offsets: npt.NDArray[np.int64]) -> Codes:
    """Move each row to the right by its offset; what comes in from outside is N.

    Examples
    --------
    >>> shift(np.array([[0, 1, 2, 3]], np.uint8), np.array([1])).tolist()
    [[4, 0, 1, 2]]
    """
    length = codes.shape[1]
    source = np.arange(length)[None, :] - offsets[:, None]
    inside = (source >= 0) & (source < length)
    moved = np.take_along_axis(codes, np.clip(source, 0, length - 1), axis=1)
    return np.where(inside, moved, np.uint8(N_CODE)).astype(np.uint8)
