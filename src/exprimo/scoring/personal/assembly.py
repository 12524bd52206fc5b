"""From predictions of distinct haplotypes to those of people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from exprimo.core.errors import FormatError
from exprimo.core.predictor import Floats
from exprimo.scoring.personal.config import Window
from exprimo.scoring.personal.spool import CarrierFile, Carriers

HaplotypeRows = Literal["each", "mean"]
# Rows of a table that is handed on at once.
_ROWS = 1 << 19


class People(NamedTuple):
    """Whose predictions are written, and how.

    Attributes
    ----------
    names
        Individuals, in the order of the genotypes.
    tracks
        Names of what is predicted.
    rows
        ``each``: a row for each copy; ``mean``: one for each person.
    spread
        Whether phasings were drawn at random, so that predictions have a spread.
    """

    names: Sequence[str]
    tracks: Sequence[str]
    rows: HaplotypeRows
    spread: bool


class _Values(NamedTuple):
    """Predictions of copies or of people: (rows, tracks) each; who and which copy, (rows,)."""

    person: npt.NDArray[np.int64]
    copy: npt.NDArray[np.int8] | None
    mean: Floats
    sd: Floats | None
    ids: list[str | None] | None


def assemble(
    tables: Iterator[pa.Table], carriers: CarrierFile, windows: Sequence[Window], people: People
) -> Iterator[pa.Table]:
    """Turn the tables of shards into rows of gene x person x haplotype x track.

    What is held is the predictions of one gene.
    """
    predictions = _by_window(tables, windows, len(people.tracks))
    step = max(1, _ROWS // max(1, 2 * len(people.tracks)))
    for window, held, values in zip(windows, carriers.read(len(windows)), predictions, strict=True):
        for first in range(0, len(people.names), step):
            some = slice(first, first + step)
            found = _values(held, values, some, people)
            yield _table(window.gene_id, found, people)


def _by_window(
    tables: Iterator[pa.Table], windows: Sequence[Window], n_tracks: int
) -> Iterator[Floats]:
    """Gather the predictions of one window after another, (distinct, tracks)."""
    held: list[Floats] = [np.empty((0, n_tracks), dtype=np.float32)]
    rows = 0
    for window in windows:
        while rows < window.distinct:
            table = next(tables, None)
            if table is None:
                raise FormatError("shards end before their last gene", record=window.gene_id)
            lists = table.column("prediction").combine_chunks()
            held.append(lists.flatten().to_numpy().reshape(-1, n_tracks))
            rows += table.num_rows
        every = np.concatenate(held)
        yield every[: window.distinct]
        held, rows = [every[window.distinct :]], rows - window.distinct


def _values(held: Carriers, values: Floats, some: slice, people: People) -> _Values:
    if held.weights is not None:
        return _mixtures(held.weights[some], values, some)
    index = held.copies[some]
    if people.rows == "each":
        return _copies(index, values, held.ids, some, spread=people.spread)
    return _means(index, values, some, spread=people.spread)


def _mixtures(weights: npt.NDArray[np.float32], values: Floats, some: slice) -> _Values:
    there = ~np.isnan(weights).any(axis=1)
    mean = weights[there].astype(np.float64) @ values.astype(np.float64)
    return _Values(np.flatnonzero(there) + some.start, None, mean.astype(np.float32), None, None)


def _copies(
    index: npt.NDArray[np.int32],
    values: Floats,
    ids: npt.NDArray[Any],
    some: slice,
    *,
    spread: bool,
) -> _Values:
    """One row for each copy that there is; of several phasings their mean."""
    person, copy = np.nonzero(index[..., 0] >= 0)
    rows = index[person, copy]
    mean, sd = _over_phasings(values[rows], spread=spread)
    # A copy that differs between phasings is no one haplotype.
    same = (rows == rows[:, :1]).all(axis=1)
    names = [str(ids[row]) if one else None for row, one in zip(rows[:, 0], same, strict=True)]
    return _Values(person + some.start, (copy + 1).astype(np.int8), mean, sd, names)


def _means(index: npt.NDArray[np.int32], values: Floats, some: slice, *, spread: bool) -> _Values:
    """One row for each person who has a copy: the mean over the copies."""
    person = np.flatnonzero((index[..., 0] >= 0).any(axis=1))
    mine = index[person]
    there = (mine >= 0)[..., None]
    copies = np.where(there, values[np.maximum(mine, 0)].astype(np.float64), 0)
    mean, sd = _over_phasings(copies.sum(axis=1) / there.sum(axis=1), spread=spread)
    return _Values(person + some.start, None, mean, sd, None)


def _over_phasings(values: npt.NDArray[Any], *, spread: bool) -> tuple[Floats, Floats | None]:
    """Give mean and standard deviation of (rows, phasings, tracks) over phasings."""
    if not spread:
        return values[:, 0].astype(np.float32), None
    exact = values.astype(np.float64)
    n = exact.shape[1]
    sd = exact.std(axis=1, ddof=1) if n > 1 else np.full_like(exact[:, 0], np.nan)
    return exact.mean(axis=1).astype(np.float32), sd.astype(np.float32)


def _table(gene_id: str, found: _Values, people: People) -> pa.Table:
    n, tracks = found.mean.shape
    rows = np.repeat(np.arange(n), tracks)
    columns: dict[str, pa.Array] = {
        "gene_id": pa.array([gene_id]).take(pa.array(np.zeros(n * tracks, dtype=np.int64))),
        "individual": pa.array(list(people.names), pa.string()).take(pa.array(found.person[rows])),
    }
    if found.copy is not None:
        columns["haplotype"] = pa.array(found.copy[rows])
    columns["track"] = pa.array(list(people.tracks), pa.string()).take(
        pa.array(np.tile(np.arange(tracks), n))
    )
    columns["prediction"] = pa.array(found.mean.reshape(-1), pa.float32())
    if found.sd is not None:
        columns["prediction_sd"] = pa.array(found.sd.reshape(-1), pa.float32())
    if found.ids is not None:
        columns["haplotype_id"] = pa.array(found.ids, pa.string()).take(pa.array(rows))
    return pa.table(columns)
