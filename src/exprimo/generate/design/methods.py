"""Which methods can be used with what is given, and what they propose beside the baselines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple, get_args

import numpy as np

from exprimo.core.errors import ConfigError
from exprimo.core.sequence import Codes
from exprimo.generate.design import editing
from exprimo.generate.design.aim import Aim
from exprimo.generate.design.drawing import Source, ranked, refuse_unsteered, steered, unguided
from exprimo.generate.design.judging import Proposed
from exprimo.generate.design.known import Known, Starts
from exprimo.generate.design.predictors import Reader, Values
from exprimo.models.network import NetworkPredictor
from exprimo.scoring.layers import network_of

Method = Literal["guidance", "ranked", "greedy", "gradient"]
METHODS: tuple[Method, ...] = get_args(Method)
_DRAWN = ("guidance", "ranked")
_EDITORS = ("greedy", "gradient")

START, HELD_OUT = "start", "held-out nearest"
UNGUIDED, ASKED = "unguided draw", "asked draw"


class Budget(NamedTuple):
    """How much each method may do: designs, edits of each, draws for each, and the seed."""

    n: int
    edits: int
    draws: int
    seed: int


def settle_methods(
    wanted: Sequence[str] | None, guide: Reader, source: Source | None
) -> tuple[tuple[str, ...], list[str]]:
    """Give the methods to use, and say in words which cannot be.

    Whoever names one that cannot be used gets an error; of all, those are left out.
    """
    if wanted is not None:
        _check_named(wanted, guide, source)
        return tuple(dict.fromkeys(wanted)), []
    used, notes = ["greedy"], []
    if isinstance(guide.predictor, NetworkPredictor):
        used.append("gradient")
    else:
        notes.append("gradient: left out, as the guide is no network and has no slope")
    if source is None:
        notes.append("guidance, ranked: left out, as no generator was given")
    else:
        used.append("ranked")
        if source.steers:
            used.append("guidance")
        else:
            notes.append(
                f"guidance: left out, as the passes of {source.family} cannot be guided; "
                "ranked draws and keeps the nearest"
            )
    return tuple(name for name in METHODS if name in used), notes


def _check_named(wanted: Sequence[str], guide: Reader, source: Source | None) -> None:
    unknown = [name for name in wanted if name not in METHODS]
    if unknown or not wanted:
        raise ConfigError(
            "no such method of design",
            record="method",
            found=", ".join(unknown) or "none",
            expected=", ".join(METHODS),
        )
    if "gradient" in wanted:
        network_of(guide.predictor)
    if set(_DRAWN) & set(wanted) and source is None:
        raise ConfigError(
            "these methods draw from a generator, and none was given",
            record="method",
            found=", ".join(name for name in wanted if name in _DRAWN),
            remedy="Name one (--generator GEN), made with: exprimo generate fit D.h5 -o GEN",
        )
    if "guidance" in wanted and source is not None:
        refuse_unsteered(source)


def edits_by(methods: Sequence[str]) -> bool:
    """Say whether any of the methods begins with real sequences."""
    return bool(set(_EDITORS) & set(methods))


def propose(
    methods: Sequence[str],
    guide: Reader,
    aim: Aim,
    source: Source | None,
    starts: Starts | None,
    budget: Budget,
) -> Iterator[Proposed]:
    """Let each method propose, with the draws that nobody has chosen beside it."""
    if source is not None and "guidance" in methods:
        drawn = steered(source, guide, aim, budget.n, budget.draws, budget.seed)
        yield Proposed("guidance", drawn)
    if source is not None and "ranked" in methods:
        kept, first = ranked(source, guide, aim, budget.n, budget.draws, budget.seed)
        yield Proposed("ranked", kept)
        if source.condition is not None:
            yield Proposed(ASKED, first, True)
    if starts is not None:
        if "greedy" in methods:
            found = editing.greedy(guide, starts.codes, aim, budget.edits)
            yield _edited("greedy", found, starts)
        if "gradient" in methods:
            found = editing.by_gradient(guide, starts.codes, aim, budget.edits)
            yield _edited("gradient", found, starts)
    if source is not None:
        yield Proposed(UNGUIDED, unguided(source, budget.n, budget.seed), True)


def baselines(
    known: Known, predicted: Values, aim: Aim, starts: Starts | None, n: int
) -> Iterator[Proposed]:
    """Give the sequences that editors started from, and the real ones that one gets for free."""
    if starts is not None:
        names = ["" for _ in starts.names]
        yield Proposed(START, starts.codes, True, None, names, starts.measured)
    if len(known.held_out):
        order = np.argsort(aim.distance(predicted), kind="stable")[:n]
        rows = known.held_out[order]
        yield Proposed(HELD_OUT, known.codes[rows], True, None, None, known.measured[rows])


def _edited(method: str, codes: Codes, starts: Starts) -> Proposed:
    return Proposed(method, codes, False, starts.codes, starts.names)
