"""Folds of people."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from exprimo.core.errors import ConfigError, FormatError, MismatchError
from exprimo.data.tabular import open_table, refuse_duplicate

FOLD_LEAK = "Nothing overrides this: fit again, so that all of a fold is made without its people"
"""What to do where something made for a fold learned from the people whom it holds out."""


def folds_of(
    people: Sequence[str],
    n: int = 5,
    seed: int = 0,
    file: str | Path | None = None,
    *,
    gaps: bool = False,
) -> npt.NDArray[np.int64]:
    """Give each person a fold: sizes differ by one at most, or as a file has it.

    Who is in which fold depends on the names and the seed, not on the order of the people.

    Parameters
    ----------
    people
        Names, each once.
    n, seed
        How many folds, and the seed; not asked where there is a file.
    file
        A table with the columns ``sample`` and ``fold``: any words. All that the file has are
        numbered in order, numbers as numbers, so that a fold keeps its number where some people
        are left out.
    gaps
        Whether a fold of the file may have nobody among these people, as where some are scored.
        If not, it is refused.

    Returns
    -------
    (people,), from 0.

    Examples
    --------
    >>> folds_of(["a", "b", "c", "d", "e"], 2).tolist()
    [1, 0, 0, 0, 1]
    """
    if file is not None:
        return _of_file(people, Path(file), gaps=gaps)
    if n < 2 or n > len(people):
        raise ConfigError(
            "no such number of folds",
            found=n,
            expected=f"2 to {len(people)}, the number of people",
        )
    by_name = np.argsort(np.asarray(people, dtype=object), kind="stable")
    shuffled = np.random.default_rng(seed).permutation(by_name)
    folds = np.empty(len(people), dtype=np.int64)
    folds[shuffled] = np.arange(len(people)) % n
    return folds


def _of_file(people: Sequence[str], file: Path, *, gaps: bool) -> npt.NDArray[np.int64]:
    seen: dict[str, int] = {}
    fold_of: dict[str, str] = {}
    with open_table(file, "a table of people: sample, fold") as table:
        name_at, fold_at = table.column("sample"), table.column("fold")
        for line, fields in table.rows:
            refuse_duplicate(seen, fields[name_at], line, what="person", file=file)
            if not fields[fold_at].strip():
                raise FormatError("a person without a fold", file=file, record=f"line {line}")
            fold_of[fields[name_at]] = fields[fold_at].strip()
    missing = [name for name in people if name not in fold_of]
    if missing:
        raise MismatchError(
            "people without a fold",
            file=file,
            found=f"{len(missing)} of {len(people)}: {', '.join(missing[:5])}",
            expected=f"every person; the file begins with {', '.join(list(fold_of)[:5])}",
            remedy="Add them, or leave them out of the people",
        )
    words = set(fold_of.values())
    numeric = all(word.isdecimal() for word in words)
    in_order = sorted(words, key=lambda word: (int(word), word)) if numeric else sorted(words)
    used = {fold_of[name] for name in people}
    if not gaps:
        _refuse_empty([word for word in in_order if word not in used], used, file)
    number = {word: at for at, word in enumerate(in_order)}
    return np.array([number[fold_of[name]] for name in people], dtype=np.int64)


def _refuse_empty(empty: Sequence[str], used: Collection[str], file: Path) -> None:
    if len(used) < 2:
        raise FormatError(
            "one fold only", file=file, found=", ".join(used), expected="two or more folds"
        )
    if empty:
        raise FormatError(
            "a fold without people",
            file=file,
            found=f"of these people nobody is in fold {', '.join(empty[:5])}",
            expected="people of every fold that the file has",
            remedy="Leave the people of that fold out of the file, or deal them into other folds",
        )
