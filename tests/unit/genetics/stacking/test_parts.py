"""Folds over people, and over people and genes."""

from __future__ import annotations

import numpy as np
import pytest

from exprimo.core.errors import InputError
from exprimo.genetics.stacking.parts import (
    deal,
    inner_parts,
    parts_of_people,
    parts_of_people_and_genes,
)

PERSON = np.tile(np.arange(12), 6)
GENE = np.repeat(np.arange(6), 12)


def _hold_everything_once(parts, rows):
    held = np.sum([part.held for part in parts], axis=0)
    assert (held == rows).all()


def test_people_and_genes_are_apart():
    parts = parts_of_people_and_genes(deal(PERSON, 4, 0), deal(GENE, 3, 1))
    assert len(parts) == 12
    _hold_everything_once(parts, np.ones(72))
    for part in parts:
        assert not set(PERSON[part.training]) & set(PERSON[part.held])
        assert not set(GENE[part.training]) & set(GENE[part.held])
        assert not set(PERSON[part.known]) & set(PERSON[part.held])
        assert set(GENE[part.held]) <= set(GENE[part.known])


@pytest.mark.parametrize("genes_too", [False, True])
def test_inner_parts_keep_to_the_training_rows(genes_too):
    outer = parts_of_people_and_genes(deal(PERSON, 4, 0), deal(GENE, 3, 1))[5]
    parts = list(inner_parts(outer, PERSON, GENE, 3, genes_too=genes_too, seed=2))
    _hold_everything_once(parts, outer.training)
    for part in parts:
        assert not (part.known & ~outer.training).any()
        assert not set(PERSON[part.training]) & set(PERSON[part.held])
        assert bool(set(GENE[part.training]) & set(GENE[part.held])) is not genes_too


def test_too_few_to_deal():
    with pytest.raises(InputError, match="too few folds"):
        parts_of_people(np.zeros(5, int))
    outer = parts_of_people(np.arange(12) % 3)[0]
    with pytest.raises(InputError, match="too few people for the inner folds"):
        list(inner_parts(outer, np.arange(12), np.zeros(12, int), 5, genes_too=False, seed=0))
