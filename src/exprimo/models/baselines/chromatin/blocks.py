"""Small batches joined into large ones, for arithmetic that pays by the batch."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from exprimo.core.predictor import Batch
from exprimo.models.baselines.baseline import Floats, Stream


def in_blocks(stream: Stream, examples: int) -> Stream:
    """Make a stream whose batches hold at least this many examples, but for the last.

    Examples
    --------
    >>> def five():
    ...     return ((({"signal": np.zeros((2, 1, 4))}), np.zeros(2)) for _ in range(5))
    >>> [len(target) for _, target in in_blocks(five, 4)()]
    [4, 4, 2]
    """

    def blocks() -> Iterator[tuple[Batch, Floats]]:
        held: list[tuple[Batch, Floats]] = []
        for batch, target in stream():
            held.append((batch, target))
            if sum(len(values) for _, values in held) >= examples:
                yield _joined(held)
                held = []
        if held:
            yield _joined(held)

    return blocks


def _joined(held: list[tuple[Batch, Floats]]) -> tuple[Batch, Floats]:
    names = held[0][0]
    batch = {name: np.concatenate([batch[name] for batch, _ in held]) for name in names}
    return batch, np.concatenate([target for _, target in held])
