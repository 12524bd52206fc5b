"""What a builder of datasets says when it is done, and the kind of a target."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
import numpy.typing as npt

from exprimo.core.dataset import TargetKind
from exprimo.core.errors import ConfigError, FormatError
from exprimo.data.classes import check_class_names, encode_classes

KindChoice = Literal["auto", "regression", "classification", "multiclass"]


@dataclass(frozen=True)
class BuildSummary:
    """What was written, and what was not.

    Attributes
    ----------
    path
        The new dataset.
    n_examples
        Examples in it.
    dropped
        Reason -> records left out for it; reasons that left nothing out are absent.
    n_bytes
        Size of the file.
    lines
        The same in words, one sentence a line, the headline first.
    """

    path: Path
    n_examples: int
    dropped: Mapping[str, int]
    n_bytes: int
    lines: tuple[str, ...] = field(default=())


def summarise(
    path: Path,
    n_examples: int,
    length: int,
    dropped: Mapping[str, int],
    notes: Sequence[str],
    *,
    unit: str = "bases",
) -> BuildSummary:
    """Describe a dataset that was just written; ``length`` counts what an example consists of."""
    size = path.stat().st_size
    headline = (
        f"{n_examples:,} examples of {length:,} {unit} written to {path} ({_megabytes(size)})"
    )
    left_out = {reason: count for reason, count in dropped.items() if count}
    losses = [f"{count:,} left out: {reason}" for reason, count in left_out.items()]
    return BuildSummary(path, n_examples, left_out, size, (headline, *losses, *notes))


def choose_kind(values: npt.ArrayLike, kind: KindChoice, *, name: str) -> TargetKind:
    """Decide what a target is; ``auto`` takes numbers that are all 0 or 1 for classes.

    Examples
    --------
    >>> choose_kind([0, 1, np.nan], "auto", name="changed")
    'classification'
    >>> choose_kind([0, 0.5], "auto", name="expression")
    'regression'
    """
    check_kind(kind)
    if "/" in name or name in ("", "."):
        raise FormatError(
            "not usable as the name of a target",
            record=repr(name),
            expected="a name without '/'",
            remedy="Rename the column",
        )
    numbers = np.asarray(values, dtype=np.float64)
    present = numbers[~np.isnan(numbers)]
    if not present.size:
        raise FormatError("a target without a single value", record=name)
    if kind == "auto":
        return "classification" if np.isin(present, (0, 1)).all() else "regression"
    return kind


def check_kind(kind: str, classes: Sequence[str] = ()) -> tuple[str, ...]:
    """Refuse an unknown kind before long work begins; give the classes in their stored form."""
    if kind not in get_args(KindChoice):
        raise ConfigError("no such kind", found=kind, expected=", ".join(get_args(KindChoice)))
    if classes and kind != "multiclass":
        raise ConfigError(
            "only a target of several classes has names for them",
            record="classes",
            found=f"kind {kind}",
            expected="kind multiclass",
        )
    return check_class_names(classes) if classes else ()


class TargetValues(NamedTuple):
    """A target as it is stored: numbers, (examples,), and the names of its classes, if any."""

    kind: TargetKind
    values: npt.NDArray[Any]
    classes: tuple[str, ...] = ()


def settle_targets(
    columns: Mapping[str, npt.NDArray[Any]], kind: KindChoice, classes: Sequence[str] = ()
) -> dict[str, TargetValues]:
    """Decide what each target is, and code names of classes.

    Parameters
    ----------
    columns
        Name -> numbers, or text where the kind is ``multiclass``.

    Examples
    --------
    >>> cells = np.array(["up", "down", "same"], dtype=object)
    >>> settle_targets({"change": cells}, "multiclass")["change"].classes
    ('down', 'same', 'up')
    """
    settled = {}
    for name, column in columns.items():
        if kind == "multiclass":
            coded = encode_classes(column, classes, name=name)
            chosen = choose_kind(coded.codes, kind, name=name)
            settled[name] = TargetValues(chosen, coded.codes, coded.names)
        else:
            settled[name] = TargetValues(choose_kind(column, kind, name=name), column)
    return settled


def describe_targets(targets: Mapping[str, TargetValues]) -> list[str]:
    """Give one sentence per target: its kind, and how many have what."""
    lines = []
    for name, (kind, values, classes) in targets.items():
        numbers = np.asarray(values, dtype=np.float64)
        present = numbers[~np.isnan(numbers)]
        if kind == "classification":
            text = f"{int(present.sum()):,} of {present.size:,} are 1"
        elif kind == "multiclass":
            counts = np.bincount(present.astype(np.int64), minlength=len(classes))
            text = ", ".join(f"{n:,} {each}" for n, each in zip(counts, classes, strict=True))
        else:
            text = f"{present.size:,} values, {present.min():.4g} to {present.max():.4g}"
        lines.append(f"Target {name}: {kind}, {text}")
    return lines


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.1f} MB" if size >= 100_000 else f"{size / 1e3:.1f} kB"
