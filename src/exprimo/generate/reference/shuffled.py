"""Shuffles of training sequences as a sample: the negative control of augmentation."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np
import pandas as pd

from exprimo.core.dataset import Dataset, write_dataset
from exprimo.core.dataset.generated import Generated, write_stamp
from exprimo.core.dataset.writer import DatasetWriter
from exprimo.core.errors import ConfigError
from exprimo.core.files.atomic import atomic_file, refuse_existing
from exprimo.core.files.provenance import describe_origin
from exprimo.core.sequence import Codes
from exprimo.features.shuffles import dinucleotide_shuffle
from exprimo.generate.conditioning import target_kind
from exprimo.generate.config import GenerateConfig
from exprimo.generate.material import (
    TrainingSequences,
    find_split,
    gather,
    ledger_of,
    refuse_leaks,
)
from exprimo.generate.reference.rivals import SHUFFLE

_CHUNK = 1000


class Shuffled(NamedTuple):
    """What was written: ``n`` shuffles of ``learned`` distinct training sequences."""

    path: Path
    n: int
    learned: int


def write_shuffles(
    dataset: str | Path,
    out: str | Path,
    *,
    n: int,
    label: str,
    like: str | Path,
    target: str | None = None,
    seed: int = 0,
) -> Shuffled:
    """Write dinucleotide shuffles of the training sequences of a class, stamped as a sample.

    A shuffle has the composition of a training sequence and nothing else of it: what generated
    sequences add beyond composition, they must show against these. Every training sequence is
    shuffled equally often, as far as ``n`` allows; each keeps its first and last base.

    Parameters
    ----------
    dataset
        An ``.h5`` file with sequences of one length.
    out
        A new ``.h5`` dataset, as `generate_sample` writes it: its ledger names the training
        sequences of the class, and its stamp says that nobody has checked it.
    n
        How many shuffles.
    label, target
        The class, and what it is a class of; unset: the only target.
    like
        The Run whose split says what trains.
    seed
        The same seed and number give the same shuffles.

    Examples
    --------
    >>> write_shuffles("D.h5", "S.h5", n=1000, label="1", like="RUN")      # doctest: +SKIP
    """
    path = Path(out)
    refuse_existing(path)
    if n < 1:
        raise ConfigError("draw one sequence at least", record="n", found=n)
    config = GenerateConfig.checked(
        {
            "dataset": str(Path(dataset).resolve()),
            "label": label,
            "target": target,
            "like": str(Path(like).resolve()),
            "seed": seed,
            "fit": {"watch": 0.0},
        }
    )
    with Dataset.open(dataset) as data:
        split = find_split(data, config)
        learned = gather(data, config, split)
        ledger = ledger_of(data, learned)
        refuse_leaks(ledger, data, split)
        origin: dict[str, Any] = {
            "family": SHUFFLE,
            "dataset": {"path": str(data.path.resolve()), "sha256": data.sha256},
            "split": {
                "strategy": split.strategy,
                "seed": split.seed,
                "counts": split.counts(),
                "held_out": list(split.held_out),
            },
            "asked": {"n": n, "label": label, "seed": seed},
        }
        sources = [data.path]
    with atomic_file(path) as partial:
        facts = describe_origin(sources, builder="shuffled training sequences", **origin)
        with write_dataset(partial, facts) as file:
            _fill(file, learned, n, seed)
        with h5py.File(partial, "r+") as opened:
            write_stamp(opened, Generated(origin, ledger))
    return Shuffled(path, n, len(learned.codes))


def _fill(file: DatasetWriter, learned: TrainingSequences, n: int, seed: int) -> None:
    ids = [f"shuffled_{i}" for i in range(1, n + 1)]
    file.examples(pd.DataFrame({"example_id": ids}))
    file.input("sequence", _shuffles(learned.codes, n, seed))
    if (of_class := learned.label) is not None:
        kind = target_kind(of_class.classes)
        classes = of_class.classes if kind == "multiclass" else ()
        file.target(of_class.target, np.full(n, of_class.number), kind=kind, classes=classes)


def _shuffles(codes: Codes, n: int, seed: int) -> Iterator[Codes]:
    """Shuffle every sequence in turn, in an order drawn anew each time through."""
    rng = np.random.default_rng([seed, 5])
    rounds = -(-n // len(codes))
    order = np.concatenate([rng.permutation(len(codes)) for _ in range(rounds)])[:n]
    seeds = rng.integers(0, 2**31, n)
    for start in range(0, n, _CHUNK):
        here = slice(start, start + _CHUNK)
        yield np.concatenate(
            [
                dinucleotide_shuffle(codes[row], 1, int(one))
                for row, one in zip(order[here], seeds[here], strict=True)
            ]
        )
