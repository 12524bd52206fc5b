"""Parts that a user named: which chromosomes, or which cell types, judge and tune."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from exprimo.core.errors import ConfigError, InputError
from exprimo.splits.allotment import Fractions, allot
from exprimo.splits.atoms import NO_LABEL, Labels, group_keys
from exprimo.splits.chromosomes import find_chromosomes

_TRAIN, _VAL, _TEST = range(3)
_PART_NAMES = ("train", "val", "test")


class NamedParts(NamedTuple):
    """What was named: ``thing`` in words, ``option`` as in ``--test-chroms``."""

    thing: str
    option: str
    val: tuple[str, ...]
    test: tuple[str, ...]

    @property
    def any(self) -> bool:
        """Tell whether anything was named."""
        return bool(self.val or self.test)


def find_values(
    wanted: NamedParts, known: Sequence[str], *, file: str | Path
) -> dict[int, list[str]]:
    """Find the dataset's names of what the user named, by part (1 is val, 2 is test).

    Examples
    --------
    >>> find_values(NamedParts("cell type", "cells", (), ("C2",)), ["C1", "C2"], file="D.h5")
    {2: ['C2'], 1: []}
    """
    given = {}
    for part, values in ((_TEST, wanted.test), (_VAL, wanted.val)):
        option = f"--{_PART_NAMES[part]}-{wanted.option}"
        if wanted.option == "chroms":
            given[part] = find_chromosomes(values, known, option=option, file=file)
        else:
            given[part] = _exact(values, known, wanted.thing, option, file)
    both = sorted(set(given[_TEST]) & set(given[_VAL]))
    if both:
        raise ConfigError(f"a {wanted.thing} is named for test and for val", found=", ".join(both))
    return given


def _exact(
    values: Sequence[str], known: Sequence[str], thing: str, option: str, file: str | Path
) -> list[str]:
    unknown = [value for value in values if value not in known]
    if unknown:
        near = difflib.get_close_matches(unknown[0], known, n=1, cutoff=0.5)
        shown = ", ".join(known[:20]) + (f" and {len(known) - 20} more" if len(known) > 20 else "")
        raise ConfigError(
            f"{option} names {thing}s that the dataset does not have",
            file=file,
            found=", ".join(unknown),
            expected=f"some of {shown}",
            remedy=f"Did you mean {near[0]}?" if near else None,
        )
    return list(dict.fromkeys(values))


def named_parts(
    labels: Labels,
    names: npt.NDArray[np.str_],
    ids: npt.NDArray[np.str_],
    given: Mapping[int, Sequence[str]],
    wanted: NamedParts,
    *,
    fractions: Fractions,
    seed: int,
    file: str | Path,
) -> npt.NDArray[np.int64]:
    """Put the named values into their parts; deal the others out for a part that was not named.

    A part that was not named keeps its share of all examples; train takes what is left.

    Parameters
    ----------
    labels, names
        The value of each example, -1 where it has none, and what each number stands for.
    ids
        Names of the examples.
    given
        Part -> values, from `find_values`.
    """
    parts = np.full(len(ids), _TRAIN, np.int64)
    for part, chosen in given.items():
        parts[np.isin(labels, np.flatnonzero(np.isin(names, chosen)))] = part
    open_parts = [_TRAIN, *(part for part in (_VAL, _TEST) if not given[part])]
    rest = np.flatnonzero((parts == _TRAIN) & (labels != NO_LABEL))
    _, group = np.unique(labels[rest], return_inverse=True)
    sizes = np.bincount(group)
    if len(sizes) < len(open_parts):
        raise InputError(
            f"too few {wanted.thing}s are left",
            file=file,
            found=f"{len(sizes)} of {len(names)} not named",
            expected=f"at least one each for {' and '.join(_PART_NAMES[p] for p in open_parts)}",
            remedy=f"Name fewer {wanted.thing}s",
        )
    if len(open_parts) > 1:
        shares_of = [fractions[part] * (labels != NO_LABEL).sum() for part in open_parts[1:]]
        shares = np.array([max(len(rest) - sum(shares_of), 0.0), *shares_of])
        dealt = allot(sizes, group_keys(ids[rest], group), shares / shares.sum(), seed=seed)
        parts[rest] = np.asarray(open_parts)[dealt[group]]
    return parts
