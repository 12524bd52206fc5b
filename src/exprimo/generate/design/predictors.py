"""The two predictors of a design: the guide that is followed, and the judge that is not."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from exprimo.core.errors import ConfigError, MismatchError
from exprimo.core.ledger import Ledger
from exprimo.core.predictor import Predictor
from exprimo.core.run import Run
from exprimo.core.sequence import Codes
from exprimo.generate.fidelity.models import open_reader, refuse_shared
from exprimo.scoring.resolve import Resolved, learned_classes

Values = npt.NDArray[np.float64]

_BASES, _FEWEST, _MOST = 65_536, 16, 1024


class Told(NamedTuple):
    """What a predictor says of sequences, both (n,); ``sd`` is NaN unless it is an ensemble."""

    mean: Values
    sd: Values


class Reader(NamedTuple):
    """A Run that reads sequence alone.

    Attributes
    ----------
    run, predictor
        The Run, and what predicts.
    task, target, classes
        What it learned, from its metrics.
    length
        Of the sequences that it reads.
    """

    run: Run
    predictor: Predictor
    task: str
    target: str
    classes: tuple[str, ...]
    length: int

    @property
    def rows(self) -> int:
        """How many sequences it reads at once."""
        return max(_FEWEST, min(_MOST, _BASES // self.length))

    def told(self, codes: Codes, output: int) -> Told:
        """Predict one output of sequences (n, length), some at a time."""
        means, sds = [np.empty(0)], [np.empty(0)]
        for start in range(0, len(codes), self.rows):
            found = self.predictor.predict({"sequence": codes[start : start + self.rows]})
            means.append(found.mean[:, output].astype(np.float64))
            sds.append(found.sd[:, output].astype(np.float64))
        return Told(np.concatenate(means), np.concatenate(sds))


def open_guide(model: str | Path, length: int, device: str, threads: int | None) -> Reader:
    """Open the Run that designs follow."""
    return _reader(open_reader(model, length, device, threads), length, str(model), "guide")


def open_judge(
    model: str | Path,
    guide: Reader,
    generator: Ledger | None,
    device: str,
    threads: int | None,
) -> Reader:
    """Open the Run that judges; refuse one that shares an example with guide or generator.

    What chose the guide's epoch counts as learned from, as everywhere.
    """
    opened = open_reader(model, guide.length, device, threads)
    judge = _reader(opened, guide.length, str(model), "judge")
    if (judge.task, judge.classes) != (guide.task, guide.classes):
        raise MismatchError(
            "the judge predicts something else than the guide",
            file=judge.run.path,
            found=", ".join([judge.task, *judge.classes]),
            expected=", ".join([guide.task, *guide.classes]),
        )
    units = {"sequence", *({"gene"} & {*guide.run.split.held_out, *judge.run.split.held_out})}
    taught = {"the guide": guide.run.ledger}
    if generator is not None:
        taught["the generator"] = generator
    for name, learned in taught.items():
        refuse_shared(
            judge.run,
            learned,
            units,
            judge="the judge",
            taught=name,
            remedy=f"Train a judge on a dataset of examples that {name} neither learned from nor "
            "was tuned on (its test part), or on another dataset of the same assay",
        )
    return judge


def _reader(found: Resolved, length: int, given: str, role: str) -> Reader:
    if found.run is None:
        raise ConfigError(
            f"nothing says what this {role} learned from",
            record=given,
            expected="a run, whose ledger names its training examples",
            remedy="Make one with: exprimo train D.h5 -o RUN",
        )
    metrics = found.run.metrics
    classes = learned_classes(metrics)
    return Reader(found.run, found.predictor, metrics["task"], metrics["target"], classes, length)
