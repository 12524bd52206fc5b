"""Tables over many examples, from the contributions of each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from exprimo.core.dataset import SEQUENCES, Dataset
from exprimo.core.errors import InputError, MismatchError
from exprimo.features.embeddings.attach import INPUT as EMBEDDING
from exprimo.interpret.attributions.store import SEQUENCE, Attributions
from exprimo.interpret.bins import bin_offsets, bin_table, sum_by_label
from exprimo.interpret.examples import read_sites
from exprimo.interpret.files import top_table
from exprimo.interpret.importance import importance_profile, top_positions

FEATURE_COLUMNS = ("input", "feature", "mean", "signed_mean", "along", "n")
EVERY_EXAMPLE = "all examples"

_SHOWN_POSITIONS, _SHOWN_EXAMPLES = 20, 100
_BLOCK = 256
_FILES = {
    "signal": "mark_bins.tsv",
    "kmer_bins": "kmer_bins.tsv",
    "cell_context": "context_bins.tsv",
}

Rows = npt.NDArray[np.int64]


class Around(NamedTuple):
    """What tables are made of beside contributions.

    Attributes
    ----------
    rows
        The explained examples' rows in the dataset.
    groups
        The independent unit of each, (n,).
    tss_index
        Column of the TSS base in a window.
    smooth
        Width of the moving mean of the profile.
    """

    rows: Rows
    groups: npt.NDArray[Any]
    tss_index: int
    smooth: int


def sequence_tables(
    found: Attributions, around: Around, prediction: npt.NDArray[Any]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Give importance over the window, and the top positions in examples over all predictions."""
    values = found.mapped(f"inputs/{SEQUENCE}/values")
    profile = importance_profile(
        values, around.tss_index, smooth=around.smooth, groups=around.groups
    )
    top = top_positions(
        values,
        prediction,
        around.tss_index,
        n_positions=min(_SHOWN_POSITIONS, values.shape[1]),
        n_examples=_SHOWN_EXAMPLES,
    )
    return profile, top_table(top, list(found.example_id))


def bin_tables(
    found: Attributions, dataset: Dataset, around: Around, bin_size: int, slopes: bool
) -> dict[str, pd.DataFrame]:
    """Give mean contributions in bins by cell type, of every input that has rows and bins.

    Parameters
    ----------
    bin_size
        Bases of a bin.
    slopes
        The contributions are slopes per unit of the input: its spread is put beside them.

    Returns
    -------
    dict
        File name -> columns `bins.BIN_COLUMNS`; of slopes also ``sd`` of the input there and
        ``per_sd``, the slope times it.
    """
    labels, names = _labels(dataset, around.rows)
    tables = {}
    for name in found.inputs:
        info = dataset.inputs[name]
        if name in (*SEQUENCES, EMBEDDING) or len(info.shape) != 2:
            continue
        n_rows, n_bins = info.shape
        rows = info.labels if len(info.labels) == n_rows else [str(i) for i in range(n_rows)]
        sums = sum_by_label(_blocks(found, name), labels, len(names))
        table = bin_table(sums, names, rows, bin_offsets(n_bins, bin_size))
        if slopes:
            sd = np.concatenate(
                [
                    dataset.rows(name, around.rows[labels == number]).std(0).ravel()
                    for number in range(len(names))
                ]
            )
            table = table.assign(sd=sd, per_sd=table["mean"] * sd)
        tables[_FILES.get(name, f"{name}_bins.tsv")] = table
    return tables


def embedding_table(found: Attributions, around: Around, bin_size: int) -> pd.DataFrame:
    """Give mean contributions of stored embeddings by bin, summed over channels.

    Parameters
    ----------
    bin_size
        Bases of a bin.

    Returns
    -------
    pandas.DataFrame
        Columns `bins.BIN_COLUMNS`; the first bin begins with the window.
    """
    summed = (
        (rows, values.sum(2, dtype=np.float64)[:, None])
        for rows, values in _blocks(found, EMBEDDING)
    )
    sums = sum_by_label(summed, np.zeros(found.n, np.int64), 1)
    offsets = [bin_size * b - around.tss_index for b in range(sums.total.shape[2])]
    return bin_table(sums, [EVERY_EXAMPLE], ["all channels"], offsets)


def feature_table(found: Attributions, dataset: Dataset, around: Around) -> pd.DataFrame | None:
    """Give the contributions of inputs that are a row of numbers, such as half-life features.

    Returns
    -------
    pandas.DataFrame
        ``mean`` of the size of the contribution, ``signed_mean``, and ``along``: the correlation
        of the contribution with the feature over examples, whose sign says whether more of the
        feature raises the output (empty where either does not vary). None where there is none.
    """
    tables = []
    for name in found.inputs:
        info = dataset.inputs[name]
        if name in SEQUENCES or len(info.shape) != 1:
            continue
        values = found.values(input=name).astype(np.float64)
        given = np.asarray(dataset.rows(name, around.rows), dtype=np.float64)
        labels = info.labels if len(info.labels) == values.shape[1] else None
        tables.append(
            pd.DataFrame(
                {
                    "input": name,
                    "feature": labels or [str(i) for i in range(values.shape[1])],
                    "mean": np.abs(values).mean(0),
                    "signed_mean": values.mean(0),
                    "along": [_correlation(*pair) for pair in zip(values.T, given.T, strict=False)]
                    if given.shape == values.shape
                    else np.nan,
                    "n": len(values),
                }
            )
        )
    return pd.concat(tables, ignore_index=True) if tables else None


def _correlation(a: npt.NDArray[np.float64], b: npt.NDArray[np.float64]) -> float:
    known = np.isfinite(a) & np.isfinite(b)
    a, b = a[known], b[known]
    if len(a) < 3 or a.std() == 0 or b.std() == 0:
        return float("nan")
    return float(np.corrcoef(a, b)[0, 1])


def _labels(dataset: Dataset, rows: Rows) -> tuple[npt.NDArray[np.int64], list[str]]:
    """Number the explained examples by cell type, (n,)."""
    if "cell_type" not in dataset.columns:
        return np.zeros(len(rows), np.int64), [EVERY_EXAMPLE]
    names, code = np.unique(dataset.column("cell_type")[rows], return_inverse=True)
    return code.astype(np.int64), [str(name) or EVERY_EXAMPLE for name in names]


def _blocks(found: Attributions, name: str) -> Iterator[tuple[Rows, Any]]:
    for start in range(0, found.n, _BLOCK):
        values = found.values(slice(start, start + _BLOCK), input=name)
        yield np.arange(start, start + len(values), dtype=np.int64), values


def sites_in_windows(
    sites: Path, places: Mapping[str, npt.NDArray[Any]], length: int | None, dataset: Path
) -> npt.NDArray[np.bool_]:
    """Mark the bases of a BED file in the explained windows, (n, length); see `known_sites`.

    Parameters
    ----------
    places
        Of the windows; empty where they have none.
    length
        Bases of a window; None where no sequence is explained.
    """
    if length is None or not places:
        raise InputError(
            "sites cannot be found in these windows",
            file=dataset,
            found="no sequence, or windows without a place on a genome",
            expected="the input sequence, and the columns chrom, start, end, strand",
            remedy="Leave --sites out",
        )
    marked = known_sites(read_sites(sites, places), places, length)
    inside = marked.any(1)
    if not (inside & ~marked.all(1)).any():
        raise MismatchError(
            "sites cover whole windows" if inside.any() else "no site lies in an explained window",
            file=sites,
            found=f"{int(inside.sum()):,} of {len(marked):,} windows with a site",
            expected="a window with bases inside and outside of sites",
            remedy="Give sites of the same genome as the dataset, or leave --sites out",
        )
    return marked


def known_sites(
    sites: pd.DataFrame, places: Mapping[str, npt.NDArray[Any]], length: int
) -> npt.NDArray[np.bool_]:
    """Mark the bases of known sites in windows, (n, length), in gene orientation.

    Parameters
    ----------
    sites
        ``chrom``, ``start``, ``end``, 0-based and half-open.
    places
        ``chrom``, ``start``, ``end``, ``strand`` of each window, (n,).

    Examples
    --------
    >>> places = {"chrom": np.array(["1", "1"]), "start": np.array([10, 10]),
    ...           "end": np.array([14, 14]), "strand": np.array(["+", "-"])}
    >>> sites = pd.DataFrame({"chrom": ["1"], "start": [12], "end": [20]})
    >>> known_sites(sites, places, 4).astype(int).tolist()
    [[0, 0, 1, 1], [1, 1, 0, 0]]
    """
    marked = np.zeros((len(places["start"]), length), dtype=bool)
    by_chrom = {str(name): some for name, some in sites.groupby("chrom", sort=False)}
    for number in range(len(marked)):
        here = by_chrom.get(str(places["chrom"][number]))
        first, end = int(places["start"][number]), int(places["end"][number])
        if here is None:
            continue
        near = here[(here["end"] > first) & (here["start"] < end)]
        for low, high in zip(near["start"] - first, near["end"] - first, strict=True):
            marked[number, max(low, 0) : max(high, 0)] = True
        if places["strand"][number] == "-":
            marked[number] = marked[number, ::-1].copy()
    return marked
