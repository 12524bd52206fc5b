"""Change single bases until a predictor says what is wanted.

Both editors take, step by step, the substitution that brings the prediction nearest to the
target, and stop when it is near enough, when no substitution brings it nearer, or when all edits
are used. ``greedy`` predicts every substitution. ``gradient`` predicts only those that the slope
of the network ranks first, so that the number of predictions does not grow with the length.
"""

from __future__ import annotations

import numpy as np

from exprimo.core.progress import track
from exprimo.core.sequence import Codes
from exprimo.generate.design.aim import Aim
from exprimo.generate.design.predictors import Reader
from exprimo.models.network import NetworkPredictor
from exprimo.scoring.gradients import gradients
from exprimo.scoring.layers import network_of
from exprimo.scoring.mutagenesis.local import chain_of
from exprimo.scoring.mutagenesis.substitutions import N_BASES, Substitutions
from exprimo.scoring.mutagenesis.ways import LocalWay, Way, WholeWay

# Substitutions that the gradient editor predicts in each step.
VERIFIED = 16
_MEMORY = 128 << 20
_BASES_AT_ONCE = 16_384


def greedy(guide: Reader, starts: Codes, aim: Aim, edits: int) -> Codes:
    """Edit sequences (n, length) by the best of all substitutions, ``edits`` times at most."""
    way = _way(guide, aim)
    found = [_greedy_one(way, row, aim, edits) for row in track(starts, "Editing, greedy")]
    return np.stack(found)


def _greedy_one(way: Way, start: Codes, aim: Aim, edits: int) -> Codes:
    codes = start.copy()
    for _ in range(edits):
        wanted = Substitutions.within(codes, 0, len(codes))
        found = way.outputs({"sequence": codes[None]}, wanted)
        now = float(aim.distance(found.reference)[0])
        away = aim.distance(found.mutants[:, 0])
        best = int(np.argmin(away))
        if now <= aim.tolerance or away[best] >= now:
            break
        codes[wanted.sites[best]] = wanted.bases[best]
    return codes


def _way(guide: Reader, aim: Aim) -> Way:
    """Follow each change through a network where that is possible; it gives the same numbers."""
    predictor = guide.predictor
    if isinstance(predictor, NetworkPredictor) and predictor.precision == "fp32":
        chains = [chain_of(member, guide.length) for member in predictor.members]
        known = [chain for chain in chains if chain is not None]
        if len(known) == len(chains):
            return LocalWay(predictor, known, lambda batch: batch, [aim.output], _MEMORY)
    return WholeWay(
        lambda batch: predictor.predict(batch).mean[:, [aim.output]],
        guide.rows,
    )


def by_gradient(guide: Reader, starts: Codes, aim: Aim, edits: int) -> Codes:
    """Edit sequences (n, length) by the best of those substitutions that the slope ranks first."""
    network = network_of(guide.predictor)
    size = max(1, _BASES_AT_ONCE // guide.length)
    parts = [starts[at : at + size] for at in range(0, len(starts), size)]
    found = [
        _follow_slopes(guide, network, part, aim, edits)
        for part in track(parts, "Editing, gradient")
    ]
    return np.concatenate(found)


def _follow_slopes(
    guide: Reader, network: NetworkPredictor, starts: Codes, aim: Aim, edits: int
) -> Codes:
    codes = starts.copy()
    left = np.arange(len(codes))
    now = aim.distance(guide.told(codes, aim.output).mean)
    for _ in range(edits):
        left = left[now[left] > aim.tolerance]
        if not len(left):
            break
        candidates = _ranked(network, codes[left], aim)
        n, several, length = candidates.shape
        told = guide.told(candidates.reshape(n * several, length), aim.output)
        away = aim.distance(told.mean).reshape(n, several)
        best = away.argmin(axis=1)
        nearest = away[np.arange(n), best]
        better = nearest < now[left]
        codes[left[better]] = candidates[np.arange(n), best][better]
        now[left[better]] = nearest[better]
        left = left[better]
    return codes


def _ranked(network: NetworkPredictor, codes: Codes, aim: Aim) -> Codes:
    """Make the substitutions whose first-order prediction is nearest, (n, VERIFIED, length)."""
    name = network.outputs[aim.output]
    found = gradients(network, {"sequence": codes}, output=name, every_base=True)
    slopes = found.by_input["sequence"].astype(np.float64)
    here = np.take_along_axis(slopes, codes[:, None].astype(np.int64), axis=1)
    expected = found.outputs[:, None, None] + slopes - here
    away = np.abs(expected - aim.on_raw_scale(network.center, network.scale))
    np.put_along_axis(away, codes[:, None].astype(np.int64), np.inf, axis=1)
    n, length = codes.shape
    # By position, then base, so that ties fall alike on every machine.
    order = np.argsort(away.transpose(0, 2, 1).reshape(n, -1), axis=1, kind="stable")
    several = min(VERIFIED, (N_BASES - 1) * length)
    sites, bases = np.divmod(order[:, :several], N_BASES)
    made = np.repeat(codes[:, None], several, axis=1)
    np.put_along_axis(made, sites[:, :, None], bases[:, :, None].astype(np.uint8), axis=2)
    return made
