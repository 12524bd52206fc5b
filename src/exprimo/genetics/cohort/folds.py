"""Folds of people."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from exprimo.core.errors import ConfigError, FormatError, MismatchError
from exprimo.data.tabular import open_table, refuse_duplicate


def folds_of(
    people: Sequence[str], n: int = 5, seed: int = 0, file: str | Path | None = None
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
        A table with the columns ``sample`` and ``fold``: any words; they are numbered in order,
        numbers as numbers.

    Returns
    -------
    (people,), from 0.

    Examples
    --------
    >>> folds_of(["a", "b", "c", "d", "e"], 2).tolist()
    [1, 0, 0, 0, 1]
    """
    if file is not None:
        return _of_file(people, Path(file))
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


def _of_file(people: Sequence[str], file: Path) -> npt.NDArray[np.int64]:
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
    used = [fold_of[name] for name in people]
    numeric = all(word.isdecimal() for word in used)
    words = sorted(set(used), key=int) if numeric else sorted(set(used))
    if len(words) < 2:
        raise FormatError(
            "one fold only", file=file, found=", ".join(words), expected="two or more folds"
        )
    number = {word: at for at, word in enumerate(words)}
    return np.array([number[word] for word in used], dtype=np.int64)
