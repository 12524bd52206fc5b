"""Baseline score and clumping with thresholding, chosen and scaled inside the training people.

Purcell et al. 2009 (Nature 460:748) add up marginal effects of variants that pass a threshold of
p and are not linked. Both thresholds are chosen here by inner folds of the training people: effects
are estimated on some of them and judged on the others. Marginal effects of linked variants add up
to too much, so that a score is scaled by its slope on people that gave it no weight.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from exprimo.genetics.clumping.calls import hard_calls, pack_calls
from exprimo.genetics.clumping.links import Links, clump_ranked, link_variants
from exprimo.genetics.scores.elastic_net import inner_folds
from exprimo.genetics.scores.polygenic.config import BASELINE, THRESHOLDED, Cell, PolygenicConfig
from exprimo.genetics.scores.polygenic.effects import SetEffects, effects_of_sets
from exprimo.genetics.scores.polygenic.linear import LinearScore, nothing_selected

Floats = npt.NDArray[np.float64]
Sets = npt.NDArray[np.bool_]


def fit_polygenic(
    dosage: npt.NDArray[np.floating],
    position: npt.NDArray[np.int64],
    target: Floats,
    covariates: Floats,
    training: Sets,
    config: PolygenicConfig | None = None,
    *,
    linked: Sets | None = None,
) -> list[Mapping[str, LinearScore]]:
    """Fit the baseline score and P+T of one gene on each set of training people.

    Parameters
    ----------
    dosage
        (variants, people), NaN where missing.
    position
        (variants,), rising, on one chromosome.
    target
        (people,), expression; covariates are taken out of both sides within each set.
    training
        (sets, people): who trains.
    linked
        (sets, people): in whom each set's linkage is measured; None: in those who train. It is
        measured once for sets that share these people.

    Returns
    -------
    list of mappings
        A set each: ``"baseline"`` and ``"p+t"`` -> the score. Where no choice of thresholds
        predicts left-out training people in the right direction, nothing is selected.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> dosage = rng.integers(0, 3, (30, 120)).astype(float)
    >>> y = dosage[4] + 0.5 * rng.normal(size=120)
    >>> found, = fit_polygenic(dosage, np.arange(30), y, np.empty((120, 0)),
    ...                        np.ones((1, 120), bool))
    >>> int(np.abs(found["p+t"].weights).argmax()), bool(found["p+t"].weights[4] > 0.8)
    (4, True)
    """
    config = config or PolygenicConfig()
    n_inner = config.inner_folds
    inner = [inner_folds(one, n_inner, config.seed) for one in training]
    sets = [one & (folds != k) for one, folds in zip(training, inner, strict=True)
            for k in range(n_inner)]  # fmt: skip
    effects = effects_of_sets(dosage, target, covariates, np.stack([*training, *sets]))
    fitted: list[Mapping[str, LinearScore]] = []
    measured: dict[bytes, Links] = {}
    # Inner folds are included in the linkage: it does not ask for expression.
    people = training if linked is None else linked
    for at, (one, folds) in enumerate(zip(people, inner, strict=True)):
        if (key := one.tobytes()) not in measured:
            measured[key] = _links(dosage[:, one], position, config)
        links = measured[key]
        first = len(training) + at * n_inner
        cells = config.cells()
        held = _held_out_scores(
            dosage, effects, links, [(first + k, folds == k) for k in range(n_inner)], cells
        )
        selected = _selected(effects, at, links, cells)
        fitted.append(_chosen(effects, at, held, selected, cells))
    return fitted


def _links(
    dosage: npt.NDArray[np.floating], position: npt.NDArray[np.int64], config: PolygenicConfig
) -> Links:
    planes = pack_calls(hard_calls(dosage.astype(np.float32, copy=False), tolerance=0.5))
    return link_variants(
        planes, position, config.r2, window=config.clump_window, measure=config.measure
    )


def _selected(
    effects: SetEffects, at: int, links: Links, cells: Sequence[Cell]
) -> npt.NDArray[np.bool_]:
    """Tell which variants each cell takes, (cells, variants), by the effects in one set."""
    r2 = effects.r2[at]
    usable = np.flatnonzero(~np.isnan(r2))
    # All p-values of a set have the same degrees of freedom: order by r² is order by p.
    rank = usable[np.argsort(-r2[usable], kind="stable")]
    clumped: dict[float, npt.NDArray[np.int64]] = {}
    taken = np.zeros((len(cells), len(r2)), dtype=np.bool_)
    for row, cell in enumerate(cells):
        rows = rank
        if cell.r2 is not None:
            if cell.r2 not in clumped:
                clumped[cell.r2] = clump_ranked(links, rank, cell.r2)
            rows = clumped[cell.r2]
        # A clump's index variant is never less significant than what it takes, so the clumps of
        # a stricter threshold are the first ones.
        taken[row, rows[r2[rows] >= effects.least_r2(cell.p)[at]]] = True
    return taken


class _Held(NamedTuple):
    """Scores of left-out people, (cells, people), and their residual expression, (people,)."""

    scores: Floats
    residual: Floats


def _held_out_scores(
    dosage: npt.NDArray[np.floating],
    effects: SetEffects,
    links: Links,
    folds: Sequence[tuple[int, Sets]],
    cells: Sequence[Cell],
) -> _Held:
    scores, residual = [], []
    for at, held in folds:
        weights = _selected(effects, at, links, cells) * effects.slope[at]
        away = dosage[:, held] - effects.mean[at][:, None]
        scores.append(weights @ np.where(np.isnan(away), 0.0, away))
        residual.append(effects.residual[at, held])
    return _Held(np.concatenate(scores, axis=1), np.concatenate(residual))


def _chosen(
    effects: SetEffects,
    at: int,
    held: _Held,
    selected: npt.NDArray[np.bool_],
    cells: Sequence[Cell],
) -> dict[str, LinearScore]:
    """Choose by the left-out people, and scale what all training people give."""
    with_y = held.scores @ held.residual
    own = np.einsum("cp,cp->c", held.scores, held.scores)
    size = np.sqrt(own * (held.residual @ held.residual))
    r = np.divide(with_y, size, out=np.zeros_like(with_y), where=size > 0)
    slope = np.divide(with_y, own, out=np.zeros_like(with_y), where=own > 0)
    rows = np.array([cell.r2 is not None for cell in cells])
    found = {}
    for name, ours in ((BASELINE, ~rows), (THRESHOLDED, rows)):
        best = int(np.argmax(np.where(ours, r, -np.inf)))
        mean, intercept = effects.mean[at], float(effects.intercept[at])
        if r[best] <= 0 or not selected[best].any():
            found[name] = nothing_selected(len(mean), mean, intercept)
            continue
        chosen = {"p": cells[best].p, "inner_r": float(r[best]), "scale": float(slope[best])}
        if cells[best].r2 is not None:
            chosen["r2"] = float(cells[best].r2 or 0.0)
        weights = slope[best] * effects.slope[at] * selected[best]
        found[name] = LinearScore(weights, mean, intercept, chosen)
    return found
