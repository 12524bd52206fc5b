"""Make a Split: who may learn from whom."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from exprimo.core.dataset import Dataset
from exprimo.core.errors import ConfigError, InputError
from exprimo.core.split import PARTS, Split
from exprimo.splits.allotment import Fractions, allot, check_fractions, note_uneven
from exprimo.splits.atoms import (
    NO_LABEL,
    Labels,
    column_labels,
    gene_labels,
    group_keys,
    join_labels,
    place_labels,
    sequence_labels,
    sequence_rows,
    told_overlap,
)
from exprimo.splits.homology import HomologyGroups, sequence_groups
from exprimo.splits.named import NamedParts, find_values, named_parts
from exprimo.splits.names import Factor, default_strategy, held_out_units, parse_strategy

DEFAULT_FRACTIONS: Fractions = (0.8, 0.1, 0.1)

_TRAIN, _VAL, _TEST, _NONE = range(len(PARTS))
_GIVEN = PARTS[:_NONE]
# What parts are called in columns that users bring.
_PART_OF_NAME: dict[str, int] = {name: part for part, name in enumerate(_GIVEN)}
_PART_OF_NAME |= {"valid": _VAL, "validation": _VAL}
# Below this many test examples of a cross, a reader is told how few there are.
_FEW_JUDGE = 200

_PART_WINDOWS = (
    "Build the dataset with shorter windows (upstream, downstream), so that neighbouring genes "
    "share no bases; or split by chromosome"
)

_GROUPS_OF = {
    "homology": "homology_groups",
    "gene": "genes",
    "random": "genes_or_sequences",
    "example": "examples",
}

Parts = npt.NDArray[np.int64]
Notes = dict[str, int | str]


class Kin(NamedTuple):
    """What examples share, one label each (``sequence``: one per copy), and their families."""

    gene: Labels
    sequence: Labels
    atoms: Labels
    family: Labels
    unit: str
    pairs: int


class _Task(NamedTuple):
    """What every step of one split needs; the steps add to ``notes``."""

    dataset: Dataset
    ids: npt.NDArray[np.str_]
    kin: Kin
    fractions: Fractions
    seed: int
    notes: Notes


def make_split(
    dataset: Dataset,
    strategy: str | None = None,
    *,
    seed: int = 0,
    fractions: Fractions = DEFAULT_FRACTIONS,
    test_chroms: Sequence[str] = (),
    val_chroms: Sequence[str] = (),
    test_cells: Sequence[str] = (),
    val_cells: Sequence[str] = (),
    groups: HomologyGroups | None = None,
    threads: int = 2,
    purge: bool = True,
) -> Split:
    """Split a dataset into train, val and test.

    Examples of one gene or one exact sequence (either strand) never stand on both sides where
    the strategy holds genes out: they are dealt together, or the training copy is set aside
    (part ``none``) and counted in the notes. The split depends on the seed and on the examples'
    ids, not on their order.

    Parameters
    ----------
    strategy
        ``random``, ``gene``, ``homology``, ``chromosome``, ``cell``, ``individual``,
        ``column:NAME``, or a cross such as ``gene*cell``, whose test part is test genes in test
        cells. ``example`` deals every example for itself and holds nothing out: where one gene
        stands in several cells it leaks, and is for comparison only. None chooses
        (`default_strategy`).
    fractions
        Wanted shares of train, val and test; of each factor, in a cross.
    test_chroms, val_chroms
        Chromosomes for those parts, in any style; only with ``chromosome``.
    test_cells, val_cells
        Cell types for those parts; only with ``cell``, alone or in a cross.
    groups
        Homology groups of the dataset's distinct sequences, where they are known already.
    purge
        Set aside what shares a gene or an exact sequence with a part that judges it; False
        leaves the leak in, for the ledger to find (demonstrations).

    Examples
    --------
    >>> with Dataset.open("D.h5") as data:                      # doctest: +SKIP
    ...     make_split(data, "chromosome", test_chroms=["VII", "XV"]).counts()
    """
    check_fractions(fractions)
    strategy = strategy or default_strategy(dataset)
    factors = parse_strategy(strategy)
    named = {
        "chromosome": NamedParts("chromosome", "chroms", tuple(val_chroms), tuple(test_chroms)),
        "cell": NamedParts("cell type", "cells", tuple(val_cells), tuple(test_cells)),
    }
    for kind, wanted in named.items():
        if wanted.any and all(factor.kind != kind for factor in factors):
            raise ConfigError(
                f"{wanted.thing}s were named for a split that does not use them",
                found=strategy,
                expected=f"the strategy {kind}",
            )
    for factor in factors:
        _check_columns(dataset, factor)
    ids = dataset.column("example_id").astype(str)
    task = _Task(dataset, ids, make_kin(dataset, groups, threads), fractions, seed, {})
    parts = _crossed(
        [
            _named(task, factor, named[factor.kind])
            if factor.kind in named and named[factor.kind].any
            else _dealt(task, factor)
            for factor in factors
        ],
        task.notes,
    )
    held_out = held_out_units(strategy)
    if purge and "sequence" in held_out:
        _purge(parts, task.kin, factors, task.notes)
    _check_parts(dataset, strategy, parts)
    units, unit = _resampled(task, factors)
    return Split(
        example_id=ids,
        part=np.asarray(PARTS)[parts],
        strategy=strategy,
        seed=seed,
        dataset_sha256=dataset.sha256,
        held_out=held_out,
        notes=task.notes,
        group=units.astype(str),
        unit=unit,
    )


def _resampled(task: _Task, factors: tuple[Factor, ...]) -> tuple[Labels, str]:
    """Label what intervals resample: people, genes where genes or cells are dealt, else families.

    Of a gene in several cell types no two examples are independent, and a split by genes or by
    cell types promises nothing of relatives.
    """
    kinds = {factor.kind for factor in factors}
    if "individual" in kinds:
        return column_labels(task.dataset, "individual")[0], "individual"
    if kinds <= {"gene", "cell", "example"} and (task.kin.gene != NO_LABEL).any():
        return task.kin.atoms, "gene"
    return task.kin.family, task.kin.unit


def make_kin(dataset: Dataset, groups: HomologyGroups | None, threads: int) -> Kin:
    gene, sequence = gene_labels(dataset), sequence_labels(dataset)
    atoms = join_labels(gene, sequence)
    if "sequence" not in dataset.inputs:
        unit = "gene" if (gene != NO_LABEL).any() else "example"
        return Kin(gene, sequence, atoms, atoms, unit, 0)
    if groups is None:
        groups = sequence_groups(dataset, threads=threads)
    near = groups.group[sequence_rows(dataset)]
    family = join_labels(atoms, near, place_labels(dataset))
    return Kin(gene, sequence, atoms, family, "homology group", groups.n_pairs)


def _check_columns(dataset: Dataset, factor: Factor) -> None:
    column = "gene_id" if factor.kind == "gene" else factor.column
    if column is not None and column not in dataset.columns:
        near = difflib.get_close_matches(column, dataset.columns, n=1, cutoff=0.5)
        raise InputError(
            f"the split needs the column {column}",
            file=dataset.path,
            found=f"columns {', '.join(dataset.columns)}",
            remedy=f"Did you mean column:{near[0]}?" if near else "Choose another strategy",
        )
    if factor.kind == "homology" and "sequence" not in dataset.inputs:
        raise InputError(
            "homology needs sequences, and this dataset has none",
            file=dataset.path,
            found=f"inputs {', '.join(dataset.inputs)}",
            remedy="Split by chromosome, gene, cell or column:NAME",
        )


def _dealt(task: _Task, factor: Factor) -> Parts:
    """Deal whole groups out; examples without a group train."""
    kin, ids, notes = task.kin, task.ids, task.notes
    if factor.column is not None:
        labels, names = column_labels(task.dataset, factor.column)
        if set(names.tolist()) <= _PART_OF_NAME.keys() and _GIVEN[_TEST] in names.tolist():
            return _as_given(names, labels, factor.column, notes)
    else:
        labels = _labels_of(kin, factor.kind)
    parts = np.full(len(ids), _TRAIN, np.int64)
    rows = np.flatnonzero(labels != NO_LABEL)
    if len(rows) < len(ids):
        notes[f"train_only_without_{factor.column or 'gene_id'}"] = len(ids) - len(rows)
    _, group = np.unique(labels[rows], return_inverse=True)
    sizes = np.bincount(group)
    overlap = told_overlap(task.dataset) if factor.kind == "homology" else ""
    if len(sizes) < 3:
        things = f"values of {factor.column}" if factor.column else _GROUPS_OF[factor.kind]
        raise InputError(
            "too few groups to hold any out",
            file=task.dataset.path,
            record=f"split {factor.kind}",
            found=f"{len(sizes)} {things.replace('_', ' ')}" + (f": {overlap}" if overlap else ""),
            expected="at least three: one each for train, val and test",
            remedy=_PART_WINDOWS if overlap else "Choose another strategy",
        )
    parts[rows] = allot(sizes, group_keys(ids[rows], group), task.fractions, seed=task.seed)[group]
    if factor.column is not None:
        _note_values(names, labels, parts, factor.column, notes)
    else:
        notes[_GROUPS_OF[factor.kind]] = len(sizes)
        notes["largest_group"] = int(sizes.max())
    if factor.kind == "homology":
        notes["near_duplicate_pairs"] = kin.pairs
    notes |= note_uneven(parts[rows], sizes, task.fractions, factor.kind, overlap)
    return parts


def _labels_of(kin: Kin, kind: str) -> Labels:
    if kind == "example":
        return np.arange(len(kin.atoms), dtype=np.int64)
    if kind == "gene":
        return np.where(kin.gene == NO_LABEL, NO_LABEL, kin.atoms)
    return kin.family if kind == "homology" else kin.atoms


def _named(task: _Task, factor: Factor, wanted: NamedParts) -> Parts:
    """Put what was named into test and val; deal the rest out for a part that was not named."""
    assert factor.column is not None  # both kinds that can be named are columns
    labels, names = column_labels(task.dataset, factor.column)
    given = find_values(wanted, names.tolist(), file=task.dataset.path)
    parts = named_parts(
        labels,
        names,
        task.ids,
        given,
        wanted,
        fractions=task.fractions,
        seed=task.seed,
        file=task.dataset.path,
    )
    if (labels == NO_LABEL).any():
        task.notes[f"train_only_without_{factor.column}"] = int((labels == NO_LABEL).sum())
    _note_values(names, labels, parts, factor.column, task.notes)
    return parts


def _as_given(names: npt.NDArray[np.str_], labels: Labels, column: str, notes: Notes) -> Parts:
    """Take a column of the values train, val and test at its word; a row without one trains."""
    part_of_label = np.array([_PART_OF_NAME[name] for name in names.tolist()], dtype=np.int64)
    parts = np.full(len(labels), _TRAIN, np.int64)
    known = labels != NO_LABEL
    parts[known] = part_of_label[labels[known]]
    notes["parts_as_given"] = column
    if not known.all():
        notes[f"train_only_without_{column}"] = int((~known).sum())
    return parts


def _note_values(
    names: npt.NDArray[np.str_], labels: Labels, parts: Parts, column: str, notes: Notes
) -> None:
    for part in (_VAL, _TEST):
        held = np.unique(labels[(parts == part) & (labels != NO_LABEL)])
        shown = ", ".join(names[held[:20]].tolist())
        more = f" and {len(held) - 20} more" if len(held) > 20 else ""
        notes[f"{PARTS[part]}_{column}"] = shown + more


def _crossed(sides: list[Parts], notes: Notes) -> Parts:
    """Keep the examples on which all factors agree; set the others aside."""
    parts = sides[0].copy()
    for side in sides[1:]:
        parts[side != parts] = _NONE
    if len(sides) > 1:
        notes["mixed_set_aside"] = int((parts == _NONE).sum())
        _note_cross(parts, notes)
    return parts


def _note_cross(parts: Parts, notes: Notes) -> None:
    """Tell the true shares where a cross leaves little to judge by; each side's own are moot."""
    for name in [name for name in notes if name.startswith("uneven_")]:
        del notes[name]
    counts = np.bincount(parts, minlength=len(PARTS))
    if counts[_TEST] < _FEW_JUDGE:
        shares = [f"{PARTS[part]} {counts[part]:,}" for part in (_TRAIN, _VAL, _TEST)]
        notes["uneven_cross"] = (
            f"{', '.join(shares)} of {len(parts):,} examples: those that mix the parts of the two "
            f"sides, {counts[_NONE]:,}, are set aside, and few are left to judge by"
        )


def _purge(parts: Parts, kin: Kin, factors: tuple[Factor, ...], notes: Notes) -> None:
    """Set aside what shares a gene or an exact sequence with a part that judges it."""
    counted = any(factor.kind in ("chromosome", "column") for factor in factors)
    for part, judges in ((_VAL, (_TEST,)), (_TRAIN, (_VAL, _TEST))):
        judged = np.isin(parts, judges)
        known = np.zeros(len(parts), dtype=bool)
        for labels in (kin.gene, kin.sequence):
            each = labels.reshape(len(parts), -1)
            theirs = np.unique(each[judged])
            known |= np.isin(each, theirs[theirs != NO_LABEL]).any(axis=1)
        purged = known & (parts == part)
        parts[purged] = _NONE
        if counted or purged.any():
            notes[f"purged_from_{PARTS[part]}"] = int(purged.sum())


def _check_parts(dataset: Dataset, strategy: str, parts: Parts) -> None:
    held = np.bincount(parts, minlength=len(PARTS))
    empty = [PARTS[part] for part in (_TRAIN, _VAL, _TEST) if held[part] == 0]
    if empty:
        raise InputError(
            f"the split leaves no example for {' and '.join(empty)}",
            file=dataset.path,
            record=f"split {strategy}",
            found=", ".join(f"{PARTS[part]} {count:,}" for part, count in enumerate(held)),
            remedy="Choose a strategy with more groups, or other fractions or chromosomes",
        )
