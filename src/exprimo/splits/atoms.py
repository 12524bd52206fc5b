"""Which examples may not be parted: those of one gene, one sequence, one homology group."""

from __future__ import annotations

import hashlib

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from exprimo.core.dataset import COLUMNS, SEQUENCES, Dataset
from exprimo.core.ledger import sequence_keys

NO_LABEL = -1


Labels = npt.NDArray[np.int64]


def column_labels(dataset: Dataset, name: str) -> tuple[Labels, npt.NDArray[np.str_]]:
    """Number the values of a column; missing ones get -1.

    Returns
    -------
    labels, names
        Shape (examples,), and the value that each number stands for.
    """
    values = dataset.column(name)
    spec = COLUMNS.get(name)
    missing = "" if spec is None or spec.dtype != "int64" else str(spec.missing)
    codes, names = pd.factorize(values.astype(str), sort=True)
    labels = codes.astype(np.int64)
    absent = np.flatnonzero(names == missing)
    if len(absent):
        labels = np.where(labels == absent[0], NO_LABEL, labels - (labels > absent[0]))
        names = np.delete(names, absent)
    return labels, np.asarray(names, dtype=str)


def gene_labels(dataset: Dataset) -> Labels:
    """Number the genes, shape (examples,); all -1 where the dataset names none."""
    if "gene_id" not in dataset.columns:
        return np.full(len(dataset), NO_LABEL, np.int64)
    return column_labels(dataset, "gene_id")[0]


def sequence_inputs(dataset: Dataset) -> tuple[str, ...]:
    """Name the inputs of bases that a dataset has: none, one, or a person's two copies."""
    return tuple(name for name in SEQUENCES if name in dataset.inputs)


def sequence_rows(dataset: Dataset) -> Labels:
    """Number the stored rows of bases that each example has, (examples, copies).

    The rows of a second copy are numbered behind those of the first.
    """
    columns, n = [], 0
    for name in sequence_inputs(dataset):
        columns.append(dataset.index(name).astype(np.int64) + n)
        n += dataset.inputs[name].n_distinct
    return np.stack(columns, axis=1)


def sequence_labels(dataset: Dataset) -> Labels:
    """Number the exact sequences, both strands as one, shape (examples, copies).

    A sequence has one number, whichever copy it is; -1, in one column, without sequence.
    """
    names = sequence_inputs(dataset)
    if not names:
        return np.full((len(dataset), 1), NO_LABEL, np.int64)
    everyone = np.arange(len(dataset), dtype=np.int64)
    hashes = [key for name in names for key in sequence_keys(dataset, everyone, name)]
    codes, _ = pd.factorize(np.asarray(hashes, dtype=object))
    rows = sequence_rows(dataset)
    _, place = np.unique(rows, return_inverse=True)
    labels: Labels = codes.astype(np.int64)[place].reshape(rows.shape)
    return labels


def place_labels(dataset: Dataset) -> Labels:
    """Number the stretches of genome whose windows overlap by half or more, shape (examples,).

    It joins what k-mers cannot show: two windows that share a stretch of low complexity only.
    Neighbours in genome order are compared, which is enough because windows of one dataset have
    one length; -1 where the place is not known.
    """
    labels = np.full(len(dataset), NO_LABEL, np.int64)
    if not {"chrom", "start", "end"} <= set(dataset.columns):
        return labels
    chrom, _ = column_labels(dataset, "chrom")
    start, end = (dataset.column(name).astype(np.int64) for name in ("start", "end"))
    known = np.flatnonzero((chrom != NO_LABEL) & (end > start))
    rows = known[np.lexsort((end[known], start[known], chrom[known]))]
    before, after = rows[:-1], rows[1:]
    shared = np.minimum(end[before], end[after]) - start[after]
    shorter = np.minimum(end[before] - start[before], end[after] - start[after])
    joined = (chrom[before] == chrom[after]) & (2 * shared >= shorter)
    labels[rows] = np.cumsum(np.concatenate([[0], ~joined])) if len(rows) else 0
    return labels


def told_overlap(dataset: Dataset) -> str:
    """Say how many windows overlap the next along the genome; empty unless most of them do."""
    if not {"chrom", "start", "end"} <= set(dataset.columns):
        return ""
    chrom, _ = column_labels(dataset, "chrom")
    start, end = (dataset.column(name).astype(np.int64) for name in ("start", "end"))
    known = (chrom != NO_LABEL) & (end > start)
    places = np.unique(np.column_stack([chrom, start, end])[known], axis=0)
    before, after = places[:-1], places[1:]
    shared = (before[:, 0] == after[:, 0]) & (before[:, 2] > after[:, 1])
    if 2 * shared.sum() < len(places):
        return ""
    length = int(np.median(places[:, 2] - places[:, 1]))
    return (
        f"{int(shared.sum()):,} of {len(places):,} windows of {length:,} bases overlap the next "
        "along the genome"
    )


def join_labels(*labels: Labels) -> Labels:
    """Join the examples that share any label, directly or through others; -1 joins nothing.

    Labels have the shape (examples,), or (examples, copies) where an example has several of one
    kind, any of which it may share.

    Examples
    --------
    >>> gene = np.array([0, 0, 1, -1, -1])
    >>> sequence = np.array([0, 1, 1, 2, 3])
    >>> join_labels(gene, sequence).tolist()
    [0, 0, 0, 1, 2]
    >>> copies = np.array([[0, 1], [2, 0], [3, 3]])    # the first's first is the other's second
    >>> join_labels(copies).tolist()
    [0, 0, 1]
    """
    n = len(labels[0])
    one, other = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for label in labels:
        known = label != NO_LABEL
        rows = np.nonzero(known)[0]
        _, first, inverse = np.unique(label[known], return_index=True, return_inverse=True)
        one.append(rows)
        other.append(rows[first][inverse])
    edges = (np.concatenate(one), np.concatenate(other))
    graph = coo_array((np.ones(len(edges[0]), np.int8), edges), shape=(n, n))
    return connected_components(graph, directed=False)[1].astype(np.int64)


def group_keys(example_id: npt.NDArray[np.str_], group: Labels) -> npt.NDArray[np.uint64]:
    """Give each group a number that depends on its examples' ids only, not on their order."""
    digests = b"".join(
        hashlib.blake2b(name.encode(), digest_size=8).digest() for name in example_id.tolist()
    )
    keys = np.zeros(int(group.max(initial=-1)) + 1, np.uint64)
    np.add.at(keys, group, np.frombuffer(digests, np.uint64))
    return keys
