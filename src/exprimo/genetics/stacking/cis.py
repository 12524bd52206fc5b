"""Scores of the variants around each gene: what a stack must beat, and what it may learn from.

Both are of the same people and folds. As rivals, scores are fitted without each fold and judged on
it. As features they are nested: those of a held-out fold come from all its training people, those
of the training people are predictions by other training people (Wolpert 1992, Neural Networks
5:241), so that nothing of a fold is in any feature that its members learn from.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from exprimo.core.ledger import Ledger, Unit
from exprimo.core.progress import track
from exprimo.genetics.cohort import CisWindow, Cohort, PreparedFolds, cis_windows
from exprimo.genetics.cohort.folds import FOLD_LEAK
from exprimo.genetics.scores.elastic_net import inner_folds
from exprimo.genetics.scores.fitting.config import ScoresConfig
from exprimo.genetics.scores.fitting.gene import fit_sets
from exprimo.genetics.stacking.designs import GenePredictions
from exprimo.genetics.stacking.inputs.tables import Features

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
Mask = NDArray[np.bool_]

PREFIX = "cis_"


class CisScores(NamedTuple):
    """Scores of genes as distances from the training mean; 0 where nothing was selected.

    Attributes
    ----------
    rivals, features
        Names of models.
    told
        (rivals, genes, people): each person by weights of the other folds.
    made
        (folds, genes, people, features): for each fold that is held out, everybody's.
    """

    rivals: tuple[str, ...]
    features: tuple[str, ...]
    told: FloatArray
    made: FloatArray

    def joined(self, others: Features) -> Features:
        """Put the features behind others."""
        if not self.features:
            return others
        names = tuple(PREFIX + name for name in self.features)
        shape = (len(self.made), *others.values.shape[1:])
        values = np.concatenate([np.broadcast_to(others.values, shape), self.made], axis=3)
        return Features((*others.names, *names), values)

    def beside(self, done: GenePredictions) -> GenePredictions:
        """Add the rivals to the predictors of a stack."""
        names = (*done.names, *(PREFIX + name for name in self.rivals))
        told = done.training_mean + self.told
        return done._replace(names=names, predicted=np.concatenate([done.predicted, told]))


class NestedSets(NamedTuple):
    """Who trains: each fold's training people, then these without each of their inner folds.

    Attributes
    ----------
    training
        (sets, people).
    outer
        (sets,): the fold that is held out.
    inner
        (sets,): the inner fold that is left out too; -1: none.
    scored
        (sets, people): who is predicted.
    """

    training: Mask
    outer: IntArray
    inner: IntArray
    scored: Mask

    def linked(self) -> Mask:
        """Give the people in whom linkage is measured: each fold's training people."""
        whole = {int(k): self.training[at] for at, k in enumerate(self.outer) if self.inner[at] < 0}
        return np.stack([whole[int(number)] for number in self.outer])

    def ledger(self, people: Sequence[str]) -> Ledger:
        """Record whom the features of each fold learned from."""
        learned: dict[str, Mapping[Unit, frozenset[str]]] = {}
        names = np.asarray(people, dtype=object)
        for number in np.unique(self.outer):
            saw = self.training[self.outer == number].any(axis=0)
            of_fold: Mapping[Unit, frozenset[str]] = {"individual": frozenset(names[saw].tolist())}
            learned[f"cis scores fold {number}"] = of_fold
        return Ledger(learned)


def nested_sets(fold: IntArray, n_inner: int, seed: int) -> NestedSets:
    """List who trains for each fold, and where ``n_inner`` is not 0, for its inner folds.

    Examples
    --------
    >>> sets = nested_sets(np.array([0, 0, 1, 1]), 2, 0)
    >>> sets.outer.tolist(), sets.inner.tolist()
    ([0, 0, 0, 1, 1, 1], [-1, 0, 1, -1, 0, 1])
    >>> sets.training[:2].tolist(), sets.scored[1].tolist()
    ([[False, False, True, True], [False, False, False, True]], [False, False, True, False])
    """
    rows: list[tuple[Mask, int, int, Mask]] = []
    for number in np.unique(fold).tolist():
        training = fold != number
        rows.append((training, number, -1, ~training))
        if n_inner:
            dealt = inner_folds(training, n_inner, seed)
            rows += [
                (training & (dealt != part), number, part, dealt == part) for part in range(n_inner)
            ]
    training, outer, inner, scored = zip(*rows, strict=True)
    return NestedSets(np.stack(training), np.array(outer), np.array(inner), np.stack(scored))


def score_cis(
    cohort: Cohort,
    prepared: PreparedFolds,
    genes: Sequence[str],
    fold: IntArray,
    config: ScoresConfig,
    *,
    features: Sequence[str] = (),
    n_inner: int = 5,
    strands: Mapping[str, str] | None = None,
    seed: int = 0,
) -> CisScores:
    """Fit scores of genes without each fold, and those that become features inside it too.

    Parameters
    ----------
    prepared
        Expression and covariates of the cohort for each fold.
    config
        Its models are the rivals.
    features
        Models whose scores become features.
    n_inner
        Folds of the training people, each predicted by the others.
    """
    sets = nested_sets(fold, n_inner if features else 0, seed)
    ledger = sets.ledger(cohort.people).merged(prepared.ledger)
    refuse_seen(ledger, cohort.people, fold)
    place = {gene: at for at, gene in enumerate(cohort.expression.genes["gene_id"])}
    order = {gene: at for at, gene in enumerate(genes)}
    windows = cis_windows(
        cohort,
        upstream=config.upstream,
        downstream=config.downstream,
        maf=config.maf,
        strands=strands,
        genes=frozenset(genes),
    )
    told = np.zeros((len(config.models), len(genes), len(fold)))
    made = np.zeros((int(fold.max()) + 1, len(genes), len(fold), len(features)))
    for window in track(windows, "cis-genotypes", len(genes)):
        gene = order[window.gene_id]
        given = (window, prepared, place[window.gene_id], sets, config, tuple(features))
        for at, model, away in _scores_of_gene(*given):
            people = sets.scored[at]
            if sets.inner[at] < 0 and model in config.models:
                told[config.models.index(model), gene, people] = away
            if model in features:
                made[sets.outer[at], gene, people, features.index(model)] = away
    return CisScores(tuple(config.models), tuple(features), told, made)


def refuse_seen(ledger: Ledger, people: Sequence[str], fold: IntArray) -> None:
    """Refuse what learned from people of the fold that it was made for."""
    for number in np.unique(fold):
        held = frozenset(who for who, of in zip(people, fold, strict=True) if of == number)
        own = {name: of for name, of in ledger.learned.items() if name.endswith(f"fold {number}")}
        Ledger(own).check({"individual": held}, ("individual",), remedy=FOLD_LEAK)


def _scores_of_gene(
    window: CisWindow,
    prepared: PreparedFolds,
    row: int,
    sets: NestedSets,
    config: ScoresConfig,
    features: Collection[str],
) -> Iterator[tuple[int, str, FloatArray]]:
    """Give set, model, and the scores of those whom the set predicts."""
    wanted = [
        tuple(dict.fromkeys((*config.models, *features))) if inner < 0 else tuple(features)
        for inner in sets.inner
    ]
    linked = sets.linked()
    position = window.variants["start"].to_numpy(np.int64)
    numbers = np.unique(sets.outer)
    # All sets at once where they have the same expression: one product serves them all.
    parts = [np.arange(len(wanted))] if prepared.same else [sets.outer == k for k in numbers]
    for part, number in zip(parts, numbers, strict=False):
        chosen = np.arange(len(wanted))[part]
        values, covariates = prepared.of_fold(int(number))
        fits = fit_sets(
            window.dosage, position, values[row], covariates, sets.training[chosen], config,
            models=[wanted[at] for at in chosen], linked=linked[chosen],
        )  # fmt: skip
        for at, fit in zip(chosen.tolist(), fits, strict=True):
            dosage = window.dosage[:, sets.scored[at]]
            for model, score in fit.items():
                yield at, model, score.away_from_mean(dosage)
