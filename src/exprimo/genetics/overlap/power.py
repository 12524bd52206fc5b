"""Whether there is any association to overlap with."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from exprimo.genetics.overlap.ranking import Floats

LEVEL = 0.05


class Power(NamedTuple):
    """How many associations are significant among those tested.

    Attributes
    ----------
    n_tests
        Associations with a p-value.
    smallest_p
        The least of them; None without tests.
    bonferroni
        The p-value below which one is significant at `LEVEL` over all tests. Under LD there are
        fewer independent tests, so this is strict.
    n_bonferroni, n_bh
        Associations that pass it, and those at a false discovery rate of `LEVEL`
        (Benjamini & Hochberg 1995).
    """

    n_tests: int
    smallest_p: float | None
    bonferroni: float | None
    n_bonferroni: int
    n_bh: int


def power_of(p: Floats) -> Power:
    """Count what is significant; missing p-values are no tests.

    Examples
    --------
    >>> power_of(np.array([0.01, 0.02, 0.3, 0.9, np.nan]))
    Power(n_tests=4, smallest_p=0.01, bonferroni=0.0125, n_bonferroni=1, n_bh=2)
    """
    tested = np.sort(p[~np.isnan(p)])
    n = len(tested)
    if not n:
        return Power(0, None, None, 0, 0)
    threshold = LEVEL / n
    passed = np.flatnonzero(tested <= LEVEL * np.arange(1, n + 1) / n)
    return Power(
        n,
        float(tested[0]),
        threshold,
        int((tested <= threshold).sum()),
        int(passed[-1]) + 1 if len(passed) else 0,
    )


def power_statement(power: Power) -> str:
    """Say in one sentence what the counts mean for an overlap.

    Examples
    --------
    >>> print(power_statement(power_of(np.array([0.3, 0.6]))))
    None of 2 associations is significant (smallest p 0.3, Bonferroni 0.025): the ranking by p is \
that of noise, and no overlap with it speaks for or against a model.
    """
    if not power.n_tests:
        return "No association has a p-value."
    tests = f"{power.n_tests:,} associations"
    if power.n_bonferroni or power.n_bh:
        return (
            f"Of {tests}, {power.n_bonferroni:,} pass Bonferroni ({power.bonferroni:.2g}) and "
            f"{power.n_bh:,} Benjamini-Hochberg at {LEVEL:g}; smallest p {power.smallest_p:.2g}."
        )
    return (
        f"None of {tests} is significant (smallest p {power.smallest_p:.2g}, Bonferroni "
        f"{power.bonferroni:.2g}): the ranking by p is that of noise, and no overlap with it "
        "speaks for or against a model."
    )
