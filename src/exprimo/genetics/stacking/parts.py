"""Who trains and who is judged: folds over people, and over people and genes at once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from exprimo.core.errors import InputError

Mask = NDArray[np.bool_]
IntArray = NDArray[np.int64]


class Part(NamedTuple):
    """One fold of rows; each mask is (rows,).

    Attributes
    ----------
    training
        Learned from.
    held
        Predicted.
    known
        Rows of the training people, also of genes that are held out: each gene's level and
        spread come from these. Without held-out genes, the training rows.
    """

    training: Mask
    held: Mask
    known: Mask


def parts_of_people(fold: IntArray) -> list[Part]:
    """Hold out each fold of people in turn.

    Examples
    --------
    >>> [part.held.tolist() for part in parts_of_people(np.array([0, 1, 0]))]
    [[True, False, True], [False, True, False]]
    """
    numbers = np.unique(fold)
    if len(numbers) < 2:
        raise InputError("too few folds to judge on", found=len(numbers), expected="2 or more")
    return [Part(fold != number, fold == number, fold != number) for number in numbers]


def parts_of_people_and_genes(person_fold: IntArray, gene_fold: IntArray) -> list[Part]:
    """Hold out each fold of people in each fold of genes: neither is seen in training.

    Parameters
    ----------
    person_fold, gene_fold
        Of each row, (rows,).

    Examples
    --------
    >>> people, genes = np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1])
    >>> first = parts_of_people_and_genes(people, genes)[0]
    >>> first.training.tolist(), first.held.tolist()
    ([False, False, False, True], [True, False, False, False])
    """
    numbers = np.unique(gene_fold)
    if len(numbers) < 2:
        raise InputError("too few folds of genes", found=len(numbers), expected="2 or more")
    return [
        Part(
            people.training & (gene_fold != number),
            people.held & (gene_fold == number),
            people.known,
        )
        for people in parts_of_people(person_fold)
        for number in numbers
    ]


def deal(codes: IntArray, n: int, seed: int) -> IntArray:
    """Deal distinct codes into ``n`` folds and give that of each row, (rows,).

    Examples
    --------
    >>> deal(np.array([7, 7, 3, 5]), 3, 0).tolist()
    [0, 0, 1, 2]
    """
    distinct, place = np.unique(codes, return_inverse=True)
    folds = np.empty(len(distinct), dtype=np.int64)
    shuffled = np.random.default_rng(seed).permutation(len(distinct))
    folds[shuffled] = np.arange(len(distinct)) % n
    dealt: IntArray = folds[place]
    return dealt


def inner_parts(
    outer: Part, person: IntArray, gene: IntArray, n: int, *, genes_too: bool, seed: int
) -> Iterator[Part]:
    """Deal the training rows of an outer part anew, in the same manner; nobody else appears."""
    rows = np.flatnonzero(outer.training)
    n_people = len(np.unique(person[rows]))
    if n_people < 2 * n:
        raise InputError(
            "too few people for the inner folds",
            found=f"{n_people} training people",
            expected=f"at least two for each of {n} folds",
            remedy="Use fewer inner folds",
        )
    people = deal(person[rows], n, seed)
    if genes_too:
        # The genes of a fold must differ too, or the members would look better than they are.
        found = parts_of_people_and_genes(people, deal(gene[rows], n, seed + 1))
    else:
        found = parts_of_people(people)
    for part in found:
        training, held = np.zeros_like(outer.training), np.zeros_like(outer.training)
        training[rows[part.training]] = True
        held[rows[part.held]] = True
        known = np.zeros_like(training)
        known[rows[part.known]] = True
        yield Part(training, held, known)
