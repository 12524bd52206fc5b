"""``exprimo generate design``: propose sequences for a target, and have another model judge."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypedDict

import pandas as pd

from exprimo.core.dataset import Dataset
from exprimo.core.errors import ConfigError, MismatchError
from exprimo.core.files.atomic import refuse_existing
from exprimo.core.ledger import Ledger
from exprimo.generate.design.aim import Aim, read_aim
from exprimo.generate.design.drawing import Source, open_source
from exprimo.generate.design.judging import NO_JUDGE, judged_by, table_of
from exprimo.generate.design.known import (
    Known,
    Starts,
    far_starts,
    length_of,
    read_known,
    read_starts,
)
from exprimo.generate.design.methods import (
    HELD_OUT,
    Budget,
    baselines,
    edits_by,
    propose,
    settle_methods,
)
from exprimo.generate.design.predictors import Reader, Values, open_guide, open_judge
from exprimo.generate.design.summary import accuracy, summarise
from exprimo.generate.design.writing import Origin, Result, write_designs

MOST = 10_000
_MOST_DRAWS = 1000


class Designed(NamedTuple):
    """What was designed.

    Attributes
    ----------
    path
        The folder: ``designs.tsv``, ``designs.fa``, ``summary.tsv``, ``design.json``,
        ``ledger.parquet``.
    target
        What was asked for: a value of the target, or a probability.
    judged_by
        The judge's name, or that there was none.
    designs
        One row per sequence, baselines included.
    summary
        One row per method.
    accuracy
        Of guide and judge on real sequences that nobody learned from; None where nothing was
        measured.
    notes
        What a reader should know: methods left out, a target that no training example has.
    """

    path: Path
    target: float
    judged_by: str
    designs: pd.DataFrame
    summary: pd.DataFrame
    accuracy: dict[str, dict[str, Any] | None]
    notes: tuple[str, ...]


class _Machine(TypedDict):
    """Where models compute, as for training."""

    device: str
    threads: int | None


class _Setting(NamedTuple):
    """All that was opened and checked, before any work is done."""

    guide: Reader
    judge: Reader | None
    source: Source | None
    aim: Aim
    known: Known
    ledger: Ledger
    data: Path
    data_sha256: str


def generate_design(
    model: str | Path,
    dataset: str | Path,
    out: str | Path,
    *,
    target: float | str,
    n: int = 20,
    methods: Sequence[str] | None = None,
    generator: str | Path | None = None,
    judge: str | Path | None = None,
    start: str | Path | None = None,
    edits: int = 10,
    draws: int = 8,
    guidance: float = 1.0,
    steps: int | None = None,
    tolerance: float | None = None,
    seed: int = 0,
    device: str = "auto",
    threads: int | None = None,
) -> Designed:
    """Propose sequences for a target value, and let an independent predictor judge them.

    Parameters
    ----------
    model
        The guide: a Run that reads sequence alone. Methods follow its predictions.
    dataset
        Real sequences: some to start from, all to tell how far designs are from what is known.
    out
        A new folder.
    target
        A value in units of the guide's target; of two classes a probability; of several the
        name of a class.
    n
        Designs per method.
    methods
        Of ``guidance``, ``ranked``, ``greedy``, ``gradient``; unset: all that can be used.
    generator
        A folder made by `generate_fit`, for ``guidance`` and ``ranked``.
    judge
        A Run trained on other examples than guide and generator. Without one only the guide's
        own predictions are reported, and the tables say so.
    start
        FASTA of sequences to edit; unset: held-out sequences whose prediction is far off.
    edits
        Substitutions per design, at most.
    draws
        Continuations among which the guide chooses, and draws for each one that is kept.
    guidance, steps
        Of the generator, as `generate_sample` takes them.
    tolerance
        A prediction this near to the target is near enough; unset: 0.05 standard deviations of
        the guide's training values, 0.01 of a probability.
    seed
        The same seed and settings give the same designs.

    Examples
    --------
    >>> import exprimo
    >>> exprimo.generate_design("RUN", "D.h5", "OUT", target=12)           # doctest: +SKIP
    """
    refuse_existing(out)
    _refuse_settings(n, edits, draws, seed)
    machine = _Machine(device=device, threads=threads)
    with Dataset.open(dataset) as data:
        length = length_of(data)
        guide = open_guide(model, length, device, threads)
        aim = read_aim(target, guide, tolerance)
        source = _source(generator, aim, guide, guidance, steps, machine)
        setting = _opened(data, guide, aim, source, judge, machine)
    _refuse_edits(edits, length)
    chosen, left_out = settle_methods(methods, guide, source)
    budget = Budget(n, edits, draws, seed)
    free = guide.told(setting.known.codes[setting.known.held_out], aim.output).mean
    starts = _starts(setting, chosen, start, free, budget)
    proposed = [
        *propose(chosen, guide, aim, source, starts, budget),
        *baselines(setting.known, free, aim, starts, n),
    ]
    table = table_of(proposed, setting.known, guide, setting.judge, aim)
    settings = {
        **budget._asdict(), "target": aim.told, "methods": list(chosen), "guidance": guidance,
        "steps": steps, "tolerance": aim.tolerance, "start": None if start is None else str(start),
    }  # fmt: skip
    summary, known_well = summarise(table, seed), _accuracy(setting, free, seed)
    notes = [*_notes(setting, table, n), *left_out]
    write_designs(
        Path(out),
        Result(table, summary, known_well, notes, settings, setting.ledger),
        Origin(aim, guide, setting.judge, source, setting.data, setting.data_sha256),
    )
    by = judged_by(setting.judge)
    return Designed(Path(out), aim.value, by, table, summary, known_well, tuple(notes))


def _starts(
    setting: _Setting,
    methods: Sequence[str],
    start: str | Path | None,
    free: Values,
    budget: Budget,
) -> Starts | None:
    """Find what editors begin with, if there are any; ``free`` is predicted of the held out."""
    if not edits_by(methods):
        return None
    if start is not None:
        return read_starts(start, setting.guide.length, setting.judge, MOST)
    return far_starts(setting.known, free, setting.aim, budget.n, budget.seed, setting.data)


def _source(
    generator: str | Path | None,
    aim: Aim,
    guide: Reader,
    guidance: float,
    steps: int | None,
    machine: _Machine,
) -> Source | None:
    """Open the generator, if one was given."""
    if generator is not None:
        return open_source(generator, aim, guide, guidance=guidance, steps=steps, **machine)
    if guidance != 1 or steps is not None:
        raise ConfigError(
            "guidance and steps are a generator's, and none was given", record="generator"
        )
    return None


def _opened(
    data: Dataset,
    guide: Reader,
    aim: Aim,
    source: Source | None,
    judge: str | Path | None,
    machine: _Machine,
) -> _Setting:
    """Open the judge, and read who learned from which sequences."""
    taught = {"guide": guide.run.ledger}
    if source is not None:
        taught["generator"] = source.made.ledger
    opened = None
    if judge is not None:
        opened = open_judge(judge, guide, taught.get("generator"), **machine)
    ledgers = [*taught.values(), *([opened.run.ledger] if opened else [])]
    known = read_known(data, guide, ledgers, aim)
    named = {
        f"{who}: {what}": units
        for who, ledger in taught.items()
        for what, units in ledger.learned.items()
    }
    return _Setting(guide, opened, source, aim, known, Ledger(named), data.path, data.sha256)


def _accuracy(setting: _Setting, free: Values, seed: int) -> dict[str, dict[str, Any] | None]:
    """Judge guide and judge themselves by what was measured of sequences new to both."""
    rows, aim = setting.known.held_out, setting.aim
    measured = setting.known.measured[rows]
    group = None if setting.known.group is None else setting.known.group[rows]
    found = {"guide": accuracy(measured, free, group, aim.task, seed)}
    if setting.judge is not None:
        told = setting.judge.told(setting.known.codes[rows], aim.output).mean
        found["judge"] = accuracy(measured, told, group, aim.task, seed)
    return found


def _notes(setting: _Setting, table: pd.DataFrame, n: int) -> list[str]:
    """Say what a reader of the tables should know."""
    aim, notes = setting.aim, []
    if setting.judge is None:
        notes.append(f"judged by {NO_JUDGE}")
    elif setting.judge.target != setting.guide.target:
        notes.append(
            f"the judge predicts {setting.judge.target}, the guide {setting.guide.target}: their "
            "difference means something only if both have one unit"
        )
    if aim.outside and aim.learned is not None:
        notes.append(
            f"no training example of the guide has a value as extreme as {aim.value:g} "
            f"({aim.learned[0]:g} to {aim.learned[1]:g}): its predictions there are extrapolated"
        )
    source = setting.source
    if source is not None and (ends := source.learned) is not None:
        notes.append(
            f"no training example of the generator has a value as extreme as {aim.value:g} "
            f"({ends[0]:g} to {ends[1]:g}): what it is asked for there, it has not learned"
        )
    if source is not None and source.condition is None:
        notes.append(
            "the generator is not asked for the target, as it was not fitted with a condition "
            "on what the guide predicts"
        )
    counts = table["method"].value_counts()
    few = [f"{counts[name]} {name}" for name in ("ranked", HELD_OUT) if 0 < counts.get(name, 0) < n]
    if few:
        notes.append(f"fewer than {n}: {', '.join(few)}")
    if HELD_OUT not in counts:
        notes.append("no real sequence is held out from all, so none stands beside the designs")
    unjudged = int(table["judged"].isna().sum())
    if unjudged:
        notes.append(f"{unjudged} sequences are not judged: the judge has learned from them")
    return notes


def _refuse_settings(n: int, edits: int, draws: int, seed: int) -> None:
    limits = (("n", n, 1, MOST), ("draws", draws, 1, _MOST_DRAWS), ("edits", edits, 1, MOST))
    for name, value, least, most in limits:
        if not least <= value <= most:
            raise ConfigError(
                "out of range", record=name, found=f"{value:,}", expected=f"{least:,} to {most:,}"
            )
    if seed < 0:
        raise ConfigError("a seed is 0 or more", record="seed", found=seed)


def _refuse_edits(edits: int, length: int) -> None:
    if edits > length:
        raise MismatchError(
            "more edits than bases",
            record="edits",
            found=f"{edits:,}",
            expected=f"at most {length:,}, as sequences are that long",
        )
