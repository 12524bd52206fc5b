"""Covariates of people: what may explain expression besides the genotype."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from exprimo.core.errors import FormatError, MismatchError
from exprimo.data.tabular import Table, is_missing, is_number, open_table, refuse_duplicate

_WHAT = "a table with a row, or a column, for each person"
# Never the name of a group; others that `is_missing` knows, such as "none", may be.
_EMPTY = ("na", "nan", "n/a", ".")


class Covariates(NamedTuple):
    """Numbers that describe people.

    Attributes
    ----------
    names
        One a column; a column of words becomes one column for each word but the first.
    values
        (people, covariates), in the order of the people that were asked for.
    """

    names: tuple[str, ...]
    values: npt.NDArray[np.float64]


def read_covariates(
    path: str | Path, people: Sequence[str], *, refuse_constant: bool = False
) -> Covariates:
    """Read covariates of some people; which way the table lies is told by where their names are.

    Parameters
    ----------
    path
        A row for each person, or as GTEx has it, a column for each person.
    people
        Names, in the order that is wanted; all must be there.
    refuse_constant
        Whether a covariate that is the same for all of them is an error. Else a column of one
        word is left out, and one of one number is kept.

    Examples
    --------
    >>> import tempfile
    >>> table = Path(tempfile.mkdtemp()) / "c.tsv"
    >>> _ = table.write_text("id\\tann\\tbob\\nage\\t30\\t50\\nsex\\tf\\tm\\n")
    >>> found = read_covariates(table, ["bob", "ann"])
    >>> found.names, found.values.tolist()
    (('age', 'sex=m'), [[50.0, 1.0], [30.0, 0.0]])
    """
    with open_table(path, _WHAT) as table:
        rows = [fields for _, fields in table.rows]
    cells = _by_person(table, rows, people)
    if refuse_constant:
        _refuse_constant(cells, table)
    names: list[str] = []
    columns: list[npt.NDArray[np.float64]] = []
    for name, words in cells.items():
        numbers = _numbers(words)
        if numbers is not None:
            names.append(name)
            columns.append(numbers)
            continue
        _refuse_gaps(name, words, people, table)
        for level in sorted(set(words))[1:]:
            names.append(f"{name}={level}")
            columns.append(np.array([word == level for word in words], dtype=np.float64))
    values = np.stack(columns, axis=1) if columns else np.empty((len(people), 0))
    return Covariates(tuple(names), values)


def people_of_covariates(path: str | Path, people: Collection[str]) -> tuple[str, ...]:
    """Give all whom a file of covariates names, whichever way it lies.

    Parameters
    ----------
    path
        As `read_covariates` takes it.
    people
        Those who may be there: if one of them heads a column, people are columns.

    Examples
    --------
    >>> import tempfile
    >>> table = Path(tempfile.mkdtemp()) / "c.tsv"
    >>> _ = table.write_text("id\\tann\\tbob\\nage\\t30\\t50\\n")
    >>> people_of_covariates(table, ["bob", "eve"])
    ('ann', 'bob')
    """
    with open_table(path, _WHAT) as table:
        if set(people) & set(table.header[1:]):
            return tuple(table.header[1:])
        seen: dict[str, int] = {}
        for line, fields in table.rows:
            refuse_duplicate(seen, fields[0], line, what="person", file=table.path)
    return tuple(seen)


def _by_person(table: Table, rows: list[list[str]], people: Sequence[str]) -> dict[str, list[str]]:
    """Give the cells of each covariate in the order of the people."""
    wanted = set(people)
    if wanted & set(table.header[1:]):
        place = {name: at for at, name in enumerate(table.header)}
        _require_all(people, place, table)
        _refuse_same_name([row[0] for row in rows], table)
        return {row[0]: [_bare(row[place[name]]) for name in people] for row in rows}
    of_person: dict[str, list[str]] = {}
    for row in rows:
        if row[0] in of_person:
            raise FormatError(
                "a person has two rows of covariates",
                file=table.path,
                found=row[0],
                expected="one row a person",
            )
        of_person[row[0]] = row
    _require_all(people, of_person, table)
    return {
        name: [_bare(of_person[person][at]) for person in people]
        for at, name in enumerate(table.header)
        if at
    }


def _refuse_same_name(names: Sequence[str], table: Table) -> None:
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise FormatError(
            "two covariates of one name",
            file=table.path,
            found=", ".join(twice[:5]),
            expected="each name once, in a table with a row for each covariate",
            remedy="Give each its own name",
        )


def _refuse_gaps(name: str, words: Sequence[str], people: Sequence[str], table: Table) -> None:
    """Refuse a missing cell, and among numbers anything that is none: it would turn them to words.

    A word such as ``none`` is a level among other words.
    """
    numbers = [is_number(word) for word in words]
    for word, person, number in zip(words, people, numbers, strict=True):
        if not word or (any(numbers) and not number):
            missing = is_missing(word)
            raise FormatError(
                "a covariate is missing" if missing else "a covariate of numbers and words",
                file=table.path,
                record=f"{name}, person {person}",
                found=repr(word),
                expected="a number for each person, or a word for each",
                remedy="Fill it in, or leave out the person or the covariate"
                if missing
                else "Where numbers are names of groups, write them as words, such as b1",
            )


def _refuse_constant(cells: dict[str, list[str]], table: Table) -> None:
    constant = [
        name
        for name, words in cells.items()
        if len(set(words)) == 1
        or ((numbers := _numbers(words)) is not None and not np.ptp(numbers))
    ]
    if constant:
        raise FormatError(
            "constant covariates",
            file=table.path,
            found=", ".join(constant[:8]),
            expected="values that differ between people",
            remedy="Leave them out",
        )


def _require_all(people: Sequence[str], known: Collection[str], table: Table) -> None:
    missing = [name for name in people if name not in known]
    if missing:
        raise MismatchError(
            "people without covariates",
            file=table.path,
            found=f"{len(missing)} of {len(people)}: {', '.join(missing[:5])}",
            expected="every person, as a row or a column",
            remedy="Add them, or leave them out of the people",
        )


def _bare(text: str) -> str:
    bare = text.strip()
    return "" if bare.lower() in _EMPTY else bare


def _numbers(words: list[str]) -> npt.NDArray[np.float64] | None:
    if not all(map(is_number, words)):
        return None
    return np.array([float(word) for word in words], dtype=np.float64)
