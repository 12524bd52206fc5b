"""Every measure of every set at equal n, over several draws.

Held-out real sequences are cut into two halves, by groups of kin. One half is what all sets are
compared with; the other is the floor: what real sequences themselves score at this n.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from exprimo.core.progress import track
from exprimo.core.sequence import Codes
from exprimo.data.motifs import MotifMatrix
from exprimo.features.motifs import base_frequencies
from exprimo.generate.fidelity.cautions import GENERATED, REAL
from exprimo.generate.fidelity.material import Material
from exprimo.generate.fidelity.measures import (
    MotifUse,
    activity,
    diversity,
    gc_profile,
    kmer_spectra,
    motif_use,
    position_kmers,
    two_sample,
)
from exprimo.generate.fidelity.measures.composition import gc_by_position
from exprimo.generate.fidelity.measures.motifs import compare_use, place_divergence
from exprimo.generate.fidelity.models import Reader
from exprimo.generate.reference import fit_rivals

OTHER_HALF = "held-out, other half"
# Sequences that a network reads in one draw: 1,000 of 80 bases, 200 of 2,000.
_READ_BASES, _FEWEST_READ, _MOST_READ = 400_000, 200, 1000
# Bases times motifs that one set's scan may take: about a second.
_SCANNED = 5e8

Draw = Callable[[int, np.random.Generator], Codes]


class Judges(NamedTuple):
    """What else looks at the sequences, where a user named it."""

    motifs: Sequence[MotifMatrix] = ()
    pvalue: float = 1e-4
    embedding: Reader | None = None
    oracle: Reader | None = None
    unseen: npt.NDArray[np.bool_] | None = None


class Compared(NamedTuple):
    """Tables of the comparison.

    Attributes
    ----------
    measures
        measure, set, n, draws, value (mean over draws), low, high (smallest and largest draw).
    positions
        position (0-based), and the share of G and C in generated and in held-out sequences.
    motifs
        Use of each motif by generated and by held-out sequences; empty without motifs.
    """

    measures: pd.DataFrame
    positions: pd.DataFrame
    motifs: pd.DataFrame


def compare(material: Material, judges: Judges, *, draws: int, most: int, seed: int) -> Compared:
    """Measure generated, held-out and rival sequences against held-out ones."""
    sample, real = material.sample.codes, material.held_out
    n = min(most, len(sample), len(real) // 2)
    sets = {GENERATED: _without_replacement(sample), **fit_rivals(material.alike)}
    rows: list[tuple[str, str, int, int, float]] = []
    used: list[dict[str, MotifUse]] = []
    for draw in track(range(draws), "Comparing with held-out sequences and rivals"):
        rng = np.random.default_rng([seed, draw])
        floor, other = halves(material.held_group, n, rng)
        drawn = {GENERATED: sets[GENERATED](n, rng), REAL: real[floor]}
        drawn |= {name: make(n, rng) for name, make in sets.items() if name != GENERATED}
        uses: dict[str, MotifUse] = {}
        kin = {REAL: material.held_group[floor], OTHER_HALF: material.held_group[other]}
        for name, size, found in _all_measures(drawn, real[other], kin, judges, uses):
            rows += [(measure, name, size, draw, value) for measure, value in found.items()]
        used.append(uses)
    if judges.oracle is not None and judges.unseen is not None:
        rows += _activities(material, judges.oracle, judges.unseen, sets, draws, most, seed)
    table = pd.DataFrame(rows, columns=["measure", "set", "n", "draw", "value"])
    return Compared(_over_draws(table), _positions(sample, real), _motif_table(judges, used))


def halves(
    group: npt.NDArray[np.int64], n: int, rng: np.random.Generator
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Draw two sets of ``n`` rows that share no row, and no group but the one that is cut.

    Examples
    --------
    >>> one, other = halves(np.array([0, 0, 1, 1]), 2, np.random.default_rng(0))
    >>> sorted(np.concatenate([one, other]).tolist())
    [0, 1, 2, 3]
    """
    place = rng.permutation(int(group.max()) + 1)
    order = np.lexsort((rng.random(len(group)), place[group]))
    return order[:n], order[len(order) - n :]


def _without_replacement(codes: Codes) -> Draw:
    return lambda n, rng: codes[rng.choice(len(codes), n, replace=False)]


def _all_measures(
    drawn: dict[str, Codes],
    real: Codes,
    kin: dict[str, npt.NDArray[np.int64]],
    judges: Judges,
    uses: dict[str, MotifUse],
) -> Iterator[tuple[str, int, dict[str, float]]]:
    """Give (set, n, values) of each measure of each set; ``kin`` has the groups of real ones."""
    n, length = real.shape
    scanned = min(n, max(_FEWEST_READ, int(_SCANNED / (length * max(1, len(judges.motifs))))))
    read = _readable(n, length)
    background = base_frequencies(real)
    if judges.motifs:
        uses[OTHER_HALF] = motif_use(real[:scanned], judges.motifs, background, judges.pvalue)
    vectors = judges.embedding(real[:read]) if judges.embedding else None
    for name, codes in drawn.items():
        yield name, n, kmer_spectra(codes, real)
        group, real_group = kin.get(name), kin[OTHER_HALF]
        yield name, n, position_kmers(codes, real, group, real_group)
        yield name, n, gc_profile(codes, real)
        yield name, n, diversity(codes)
        if judges.motifs:
            uses[name] = motif_use(codes[:scanned], judges.motifs, background, judges.pvalue)
            yield name, scanned, compare_use(uses[name], uses[OTHER_HALF])
        if judges.embedding and vectors is not None:
            some = None if group is None else group[:read]
            own = judges.embedding(codes[:read])
            yield name, read, two_sample(own, vectors, some, real_group[:read])


def _readable(n: int, length: int) -> int:
    return min(n, _MOST_READ, max(_FEWEST_READ, _READ_BASES // length))


def _activities(
    material: Material,
    oracle: Reader,
    unseen: npt.NDArray[np.bool_],
    sets: dict[str, Draw],
    draws: int,
    most: int,
    seed: int,
) -> list[tuple[str, str, int, int, float]]:
    """Compare predicted activity with held-out sequences that the oracle has not learned from."""
    known = material.held_out[unseen]
    group = np.unique(material.held_group[unseen], return_inverse=True)[1]
    n = min(most, len(material.sample.codes), len(known) // 2)
    n = _readable(n, known.shape[1])
    rows = []
    for draw in track(range(draws), "Predicting activity"):
        rng = np.random.default_rng([seed, draw, 1])
        floor, other = halves(group, n, rng)
        real = oracle(known[other])[:, 0].astype(np.float64)
        drawn = {REAL: known[floor], **{name: make(n, rng) for name, make in sets.items()}}
        for name, codes in drawn.items():
            found = activity(oracle(codes)[:, 0].astype(np.float64), real)
            rows += [(measure, name, n, draw, value) for measure, value in found.items()]
    return rows


def _over_draws(table: pd.DataFrame) -> pd.DataFrame:
    grouped = table.groupby(["measure", "set"], sort=False)
    found = grouped["value"].agg(value="mean", low="min", high="max").reset_index()
    counts = grouped.agg(n=("n", "first"), draws=("draw", "nunique")).reset_index()
    return found.merge(counts, on=["measure", "set"], sort=False)


def _positions(sample: Codes, real: Codes) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "position": np.arange(sample.shape[1]),
            "gc_generated": gc_by_position(sample),
            "gc_held_out": gc_by_position(real),
        }
    )


def _motif_table(judges: Judges, used: list[dict[str, MotifUse]]) -> pd.DataFrame:
    """Average the use of each motif over draws; the floor stands beside each distance."""
    if not judges.motifs:
        return pd.DataFrame()

    def mean(value: Callable[[dict[str, MotifUse]], npt.NDArray[np.float64]]) -> object:
        found = np.stack([value(uses) for uses in used])
        known = ~np.isnan(found)
        total = np.where(known, found, 0.0).sum(axis=0)
        return np.where(known.any(axis=0), total / np.maximum(1, known.sum(axis=0)), np.nan)

    return pd.DataFrame(
        {
            "motif": [motif.name for motif in judges.motifs],
            "alt_name": [motif.alt_name for motif in judges.motifs],
            "sites_generated": mean(lambda u: u[GENERATED].sites),
            "sites_held_out": mean(lambda u: u[OTHER_HALF].sites),
            "present_generated": mean(lambda u: u[GENERATED].present),
            "present_held_out": mean(lambda u: u[OTHER_HALF].present),
            "places_generated": mean(lambda u: place_divergence(u[GENERATED], u[OTHER_HALF])),
            "places_held_out": mean(lambda u: place_divergence(u[REAL], u[OTHER_HALF])),
        }
    )
