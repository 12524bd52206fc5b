"""What a split keeps together and what it tears apart: the overlaps behind an optimistic score."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np
import numpy.typing as npt
import pandas as pd

from exprimo.core.dataset import Dataset
from exprimo.core.split import PARTS, Split
from exprimo.splits.atoms import (
    NO_LABEL,
    Labels,
    column_labels,
    gene_labels,
    sequence_labels,
    sequence_rows,
)
from exprimo.splits.homology import HomologyGroups, sequence_groups
from exprimo.splits.pair_counts import (
    TEST,
    TRAIN,
    PairCounts,
    count_by_part,
    overlapping_intervals,
    pairs_between,
    pairs_within,
)

MAX_NAMED = 10_000

_COUNT_COLUMNS = (
    "relation", *PairCounts._fields, "test_examples_related", "share_of_test_examples"
)  # fmt: skip
_NAMED_COLUMNS = (
    "relation", "example_id_test", "example_id_train", "gene_id_test", "gene_id_train", "shared"
)  # fmt: skip


@dataclass(frozen=True)
class Overlaps:
    """The relations between examples, counted by the parts of a split.

    Attributes
    ----------
    counts
        One row per relation (``identical_sequence``, ``near_duplicate_sequence``, ``same_gene``,
        ``overlapping_interval``; those that the dataset can show). Columns: ``pairs`` of
        examples, ``together`` in one part, ``torn`` between two, ``train_test`` torn between
        those, ``aside`` with a member in no part; ``test_examples_related`` to a training
        example, and their share of the test part.
    named
        Test and training examples with identical or near-duplicate sequence, the most alike
        first: example ids, gene ids (empty where unknown), ``shared`` fraction of the smaller
        one's k-mers.
    n_named
        How many such pairs there are; ``named`` holds no more than its cap.
    nearest
        One row per test example: ``example_id`` and ``shared``, the largest fraction of k-mers
        shared with any training example; 0 where none is near.
    complete
        False where a family was too large to compare all against all: near-duplicate pairs are
        then at least what is counted.
    """

    counts: pd.DataFrame
    named: pd.DataFrame
    n_named: int
    nearest: pd.DataFrame
    complete: bool

    def count(self, relation: str) -> PairCounts:
        """Give the pair counts of one relation; all 0 where the dataset cannot show it."""
        row = self.counts[self.counts["relation"] == relation]
        if row.empty:
            return PairCounts(0, 0, 0, 0, 0)
        return PairCounts(*(int(row.iloc[0][name]) for name in PairCounts._fields))


def count_overlaps(
    dataset: Dataset,
    split: Split,
    *,
    groups: HomologyGroups | None = None,
    max_named: int = MAX_NAMED,
    threads: int = 2,
) -> Overlaps:
    """Count the related examples that a split keeps together and those that it tears apart.

    Parameters
    ----------
    dataset, split
        The split must have been made for this dataset.
    groups
        Homology groups of the distinct sequences, where they are known already.
    max_named
        How many pairs to name; all are counted.
    """
    split.check_dataset(dataset.sha256, file=dataset.path)
    parts = pd.Categorical(split.part, categories=list(PARTS)).codes.astype(np.int64)
    n_test = int((parts == TEST).sum())
    rows: list[tuple[str, PairCounts, int]] = []
    named = pd.DataFrame(columns=list(_NAMED_COLUMNS))
    nearest = np.zeros(len(parts), np.float32)
    n_named, complete = 0, True
    if "sequence" in dataset.inputs:
        groups = groups or sequence_groups(dataset, threads=threads)
        kin = _SequenceKin(dataset, parts, groups)
        rows += kin.counts()
        nearest = kin.nearest()
        n_named, complete = kin.n_pairs(), kin.complete
        named = _name(dataset, islice(kin.named(), max_named))
    gene = gene_labels(dataset)
    if (gene != NO_LABEL).any():
        rows.append(("same_gene", *_within(gene, parts)))
    if {"chrom", "start", "end"} <= set(dataset.columns):
        rows.append(("overlapping_interval", *_intervals(dataset, parts)))
    share = max(1, n_test)
    counts = [(name, *pairs, related, related / share) for name, pairs, related in rows]
    return Overlaps(
        counts=pd.DataFrame(counts, columns=list(_COUNT_COLUMNS)),
        named=named,
        n_named=n_named,
        nearest=pd.DataFrame(
            {"example_id": split.example_id[parts == TEST], "shared": nearest[parts == TEST]}
        ),
        complete=complete,
    )


def _within(labels: Labels, parts: Labels) -> tuple[PairCounts, int]:
    counts = count_by_part(labels, parts, int(labels.max(initial=-1)) + 1)
    return pairs_within(counts), int(counts[counts[:, TRAIN] > 0, TEST].sum())


def _intervals(dataset: Dataset, parts: Labels) -> tuple[PairCounts, int]:
    chrom, _ = column_labels(dataset, "chrom")
    start, end = (dataset.column(name).astype(np.int64) for name in ("start", "end"))
    # A row without a place stores -1 for both ends.
    chrom = np.where((start < 0) & (end <= start), NO_LABEL, chrom)
    counts, related = overlapping_intervals(chrom, start, end, parts)
    return counts, int((related & (parts == TEST)).sum())


class _SequenceKin:
    """Identical and near-duplicate sequences of one dataset, seen through one split.

    Where examples hold two copies, a pair counts once for each sequence that it shares.
    """

    def __init__(self, dataset: Dataset, parts: Labels, groups: HomologyGroups) -> None:
        self.parts = parts
        self.exact = sequence_labels(dataset)
        # One example and label a row, and none twice where both copies are equal.
        n_labels = int(self.exact.max()) + 1
        examples = np.repeat(np.arange(len(parts)), self.exact.shape[1])
        both = np.unique(self.exact.ravel() + n_labels * examples)
        self.example, self.label = np.divmod(both, n_labels)
        self.by_exact = count_by_part(self.label, parts[self.example], n_labels)
        # A sequence and its reverse complement are two stored rows but one sequence.
        of_row = np.full(len(groups.group), NO_LABEL, np.int64)
        of_row[sequence_rows(dataset)] = self.exact
        pairs = np.sort(of_row[groups.pairs], axis=1)
        apart = pairs[:, 0] != pairs[:, 1]
        table = pd.DataFrame(
            {"one": pairs[apart, 0], "other": pairs[apart, 1], "shared": groups.shared[apart]}
        ).drop_duplicates(["one", "other"])
        self.pairs = table[["one", "other"]].to_numpy(np.int64)
        self.shared = table["shared"].to_numpy(np.float32)
        self.complete = groups.n_pairs == len(groups.pairs) and groups.n_family_pairs == 0

    def nearest(self) -> npt.NDArray[np.float32]:
        """Give each example's largest shared fraction with a training sequence."""
        trains = self.by_exact[:, TRAIN] > 0
        best = trains.astype(np.float32)
        for mine, other in ((0, 1), (1, 0)):
            near = np.where(trains[self.pairs[:, other]], self.shared, np.float32(0))
            np.maximum.at(best, self.pairs[:, mine], near)
        nearest: npt.NDArray[np.float32] = best[self.exact].max(axis=1)
        return nearest

    def counts(self) -> list[tuple[str, PairCounts, int]]:
        trains = self.by_exact[:, TRAIN] > 0
        near = np.zeros(len(trains), dtype=bool)
        near[self.pairs[trains[self.pairs[:, 1]], 0]] = True
        near[self.pairs[trains[self.pairs[:, 0]], 1]] = True
        tests = self.exact[self.parts == TEST]
        return [
            ("identical_sequence", pairs_within(self.by_exact), _any(trains[tests])),
            (
                "near_duplicate_sequence",
                pairs_between(self.by_exact, self.pairs),
                _any(near[tests]),
            ),
        ]

    def n_pairs(self) -> int:
        same = (self.by_exact[:, TRAIN] * self.by_exact[:, TEST]).sum()
        return int(same) + pairs_between(self.by_exact, self.pairs).train_test

    def named(self) -> Iterator[tuple[str, int, int, float]]:
        """Yield (relation, test example, training example, shared), the most alike first."""
        order = np.argsort(self.label, kind="stable")
        bounds = np.searchsorted(self.label[order], np.arange(len(self.by_exact) + 1))

        def examples(label: int, part: int) -> list[int]:
            rows = self.example[order[bounds[label] : bounds[label + 1]]]
            return [int(row) for row in rows[self.parts[rows] == part]]

        both = (self.by_exact[:, TRAIN] > 0) & (self.by_exact[:, TEST] > 0)
        for label in np.flatnonzero(both).tolist():
            for test in examples(label, TEST):
                for train in examples(label, TRAIN):
                    yield "identical_sequence", test, train, 1.0
        for at in np.argsort(-self.shared, kind="stable").tolist():
            one, other = self.pairs[at].tolist()
            for mine, theirs in ((one, other), (other, one)):
                if self.by_exact[mine, TEST] and self.by_exact[theirs, TRAIN]:
                    for test in examples(mine, TEST):
                        for train in examples(theirs, TRAIN):
                            yield "near_duplicate_sequence", test, train, float(self.shared[at])


def _any(related: npt.NDArray[np.bool_]) -> int:
    """Count the examples of which any copy is related, (examples, copies)."""
    return int(related.any(axis=1).sum())


def _name(dataset: Dataset, found: Iterable[tuple[str, int, int, float]]) -> pd.DataFrame:
    table = pd.DataFrame(found, columns=["relation", "test", "train", "shared"])
    tests, trains = table["test"].to_numpy(np.int64), table["train"].to_numpy(np.int64)
    ids, n = dataset.column("example_id"), len(dataset)
    genes = dataset.column("gene_id") if "gene_id" in dataset.columns else np.full(n, "")
    shared = table["shared"].to_numpy(np.float32)
    columns = (table["relation"], ids[tests], ids[trains], genes[tests], genes[trains], shared)
    return pd.DataFrame(dict(zip(_NAMED_COLUMNS, columns, strict=True)))
