"""Three ways to lay people and genes out: gene by gene, all genes at once, people by genes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from exprimo.core.progress import track
from exprimo.genetics.stacking.config import Design, StackConfig
from exprimo.genetics.stacking.inputs.tables import Features
from exprimo.genetics.stacking.nested import Rows, Stacked, stack_rows
from exprimo.genetics.stacking.parts import (
    Part,
    deal,
    inner_parts,
    parts_of_people,
    parts_of_people_and_genes,
)

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


class GenePredictions(NamedTuple):
    """Held-out predictions of every gene and person.

    Attributes
    ----------
    names
        Of the predictors.
    predicted
        (predictors, genes, people).
    observed, training_mean
        (genes, people): expression less covariates, and the mean of the training people, both by
        the training people of the person's fold.
    weights
        (genes or 1, parts, members) of the linear meta-learner.
    """

    names: tuple[str, ...]
    predicted: FloatArray
    observed: FloatArray
    training_mean: FloatArray
    weights: FloatArray


def stack_genes(
    features: Features,
    expression: FloatArray | Sequence[FloatArray],
    fold: IntArray,
    settings: StackConfig,
    *,
    design: Design = "gene",
    covariates: FloatArray | Sequence[FloatArray] | None = None,
    gene_folds: int = 5,
    seed: int = 0,
) -> GenePredictions:
    """Stack features of people, nested and out of fold.

    Parameters
    ----------
    expression
        (genes, people), or one such array for each fold, prepared by its training people.
    fold
        Of each person, (people,), 0, 1, ....
    design
        ``gene``: each gene for itself, rows are people. ``genes``: rows are genes and people, one
        model for all; within each fold of people the genes are held out in folds too.
        ``people-by-genes``: as published; rows are people, columns are the features of all genes.
    covariates
        (people, covariates), projected out by training people; or one such array for each fold.
    gene_folds
        Folds of genes in the design ``genes``; 1: every gene may train.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> x = rng.normal(size=(1, 2, 40, 1))
    >>> y = x[0, :, :, 0] + 0.5 * rng.normal(size=(2, 40))
    >>> settings = StackConfig(members=("ridge",), metas=("stack_linear",), inner_folds=3)
    >>> done = stack_genes(Features(("x",), x), y, np.arange(40) % 4, settings)
    >>> done.names, done.predicted.shape
    (('ridge', 'stack_linear'), (2, 2, 40))
    """
    if design == "genes":
        return _all_at_once(features, expression, fold, settings, covariates, gene_folds, seed)
    found = []
    wide = design == "people-by-genes"
    each = _each(expression)
    n_genes = len(each[0])
    for gene in track(range(n_genes), "stacking genes", n_genes):
        mine = slice(None) if wide else slice(gene, gene + 1)
        # (genes, people, features) -> (people, genes * features)
        blocks = [np.concatenate(list(block[mine]), axis=1) for block in features.values]
        targets = [values[gene] for values in each]
        found.append(_one_gene(blocks, targets, fold, settings, covariates, seed))
    return GenePredictions(
        found[0].names,
        np.stack([one.predicted for one in found], axis=1),
        np.stack([one.observed for one in found]),
        np.stack([one.training_mean for one in found]),
        np.stack([one.weights for one in found]),
    )


def _each(values: FloatArray | Sequence[FloatArray]) -> Sequence[FloatArray]:
    """Give one array for each fold, or the one of all folds."""
    return [values] if isinstance(values, np.ndarray) else values


def _one_gene(
    blocks: list[FloatArray],
    targets: list[FloatArray],
    fold: IntArray,
    settings: StackConfig,
    covariates: FloatArray | Sequence[FloatArray] | None,
    seed: int,
) -> Stacked:
    people, gene = np.arange(len(fold)), np.zeros(len(fold), dtype=np.int64)
    features = blocks[0] if len(blocks) == 1 else blocks
    rows = Rows(features, targets[0] if len(targets) == 1 else targets, gene, covariates)

    def inner(part: Part) -> Iterable[Part]:
        return inner_parts(part, people, gene, settings.inner_folds, genes_too=False, seed=seed)

    return stack_rows(rows, parts_of_people(fold), inner, settings, seed=seed)


def _all_at_once(
    features: Features,
    expression: FloatArray | Sequence[FloatArray],
    fold: IntArray,
    settings: StackConfig,
    covariates: FloatArray | Sequence[FloatArray] | None,
    gene_folds: int,
    seed: int,
) -> GenePredictions:
    n_genes, n_people = _each(expression)[0].shape
    person = np.tile(np.arange(n_people), n_genes)
    gene = np.repeat(np.arange(n_genes), n_people)
    genes_too = gene_folds > 1
    if genes_too:
        parts = parts_of_people_and_genes(fold[person], deal(gene, gene_folds, seed))
    else:
        parts = parts_of_people(fold[person])
    of_part = np.array([fold[person[np.argmax(part.held)]] for part in parts])
    blocks = [block.reshape(n_genes * n_people, -1) for block in features.values]
    by_fold = [blocks[number] for number in of_part] if len(blocks) > 1 else blocks[0]
    target = _residuals(expression, covariates, fold)

    def inner(part: Part) -> Iterable[Part]:
        return inner_parts(part, person, gene, settings.inner_folds, genes_too=genes_too, seed=seed)

    done = [
        stack_rows(
            Rows(by_fold[at] if isinstance(by_fold, list) else by_fold, target[number], gene),
            [part],
            inner,
            settings,
            seed=seed,
        )
        for at, (part, number) in track(
            list(enumerate(zip(parts, of_part, strict=True))), "stacking parts", len(parts)
        )
    ]
    shape = (n_genes, n_people)
    return GenePredictions(
        done[0].names,
        _joined([one.predicted for one in done]).reshape(-1, *shape),
        _joined([one.observed for one in done]).reshape(shape),
        _joined([one.training_mean for one in done]).reshape(shape),
        np.concatenate([one.weights for one in done])[None],
    )


def _residuals(
    expression: FloatArray | Sequence[FloatArray],
    covariates: FloatArray | Sequence[FloatArray] | None,
    fold: IntArray,
) -> dict[int, FloatArray]:
    """Give expression less covariates for each fold that is held out, (genes * people,)."""
    values = _each(expression)
    more = None if covariates is None else _each(covariates)
    found = {}
    for at, number in enumerate(np.unique(fold)):
        left = values[at if len(values) > 1 else 0]
        design = None if more is None else more[at if len(more) > 1 else 0]
        if design is not None and design.shape[1]:
            known = fold != number
            centred = design - design[known].mean(axis=0)
            away = left[:, known] - left[:, known].mean(axis=1, keepdims=True)
            effect, *_ = np.linalg.lstsq(centred[known], away.T, rcond=None)
            left = left - (centred @ effect).T
        found[int(number)] = left.reshape(-1)
    return found


def _joined(arrays: list[FloatArray]) -> FloatArray:
    """Take each value from the one part that has it."""
    found = arrays[0].copy()
    for array in arrays[1:]:
        found = np.where(np.isnan(found), array, found)
    return found
