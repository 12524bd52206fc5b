"""What predictions will cost, before they begin."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from exprimo.scoring.personal.plan import HaplotypePlan
from exprimo.scoring.personal.sources import Sources


class PersonalCost(NamedTuple):
    """What is to come.

    Attributes
    ----------
    n_genes, n_people
        Of the table.
    n_copies, n_haplotypes
        Copies of windows that people have at most, and distinct ones, which alone are predicted.
    seconds
        Estimated, on one device of this machine.
    """

    n_genes: int
    n_people: int
    n_copies: int
    n_haplotypes: int
    seconds: float


def measure_cost(
    sources: Sources, plan: HaplotypePlan, *, clock: Callable[[], float] = time.perf_counter
) -> PersonalCost:
    """Predict some haplotypes of the first gene, and count up.

    They are predicted once more than is timed: the first pass makes what all others share.
    """
    first = next(window for window in plan.windows if window.distinct)
    some = np.arange(min(first.distinct, sources.model.rows_at_once()))
    codes = sources.window(first).build(some)
    sources.model.predict(codes)
    began = clock()
    sources.model.predict(codes)
    each = (clock() - began) / len(codes)
    people = len(sources.genotypes.samples)
    return PersonalCost(
        n_genes=len(plan.windows),
        n_people=people,
        n_copies=2 * people * len(plan.windows),
        n_haplotypes=plan.n_haplotypes,
        seconds=each * plan.n_haplotypes,
    )
