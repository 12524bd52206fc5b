"""Covariates of people: what may explain expression besides the genotype."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from exprimo.core.errors import FormatError, MismatchError
from exprimo.data.tabular import Table, open_table

_WHAT = "a table with a row, or a column, for each person"


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


def read_covariates(path: str | Path, people: Sequence[str]) -> Covariates:
    """Read covariates of some people; which way the table lies is told by where their names are.

    Parameters
    ----------
    path
        A row for each person, or as GTEx has it, a column for each person.
    people
        Names, in the order that is wanted; all must be there.

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
    names: list[str] = []
    columns: list[npt.NDArray[np.float64]] = []
    for name, words in cells.items():
        numbers = _numbers(words)
        if numbers is not None:
            names.append(name)
            columns.append(numbers)
            continue
        if "" in words:
            raise FormatError(
                "a covariate is missing",
                file=table.path,
                record=f"{name}, person {people[words.index('')]}",
                expected="a number or a word for each person",
            )
        for level in sorted(set(words))[1:]:
            names.append(f"{name}={level}")
            columns.append(np.array([word == level for word in words], dtype=np.float64))
    values = np.stack(columns, axis=1) if columns else np.empty((len(people), 0))
    return Covariates(tuple(names), values)


def _by_person(table: Table, rows: list[list[str]], people: Sequence[str]) -> dict[str, list[str]]:
    """Give the cells of each covariate in the order of the people."""
    wanted = set(people)
    if wanted & set(table.header[1:]):
        place = {name: at for at, name in enumerate(table.header)}
        _require_all(people, place, table)
        return {row[0]: [_bare(row[place[name]]) for name in people] for row in rows}
    of_person = {row[0]: row for row in rows}
    _require_all(people, of_person, table)
    return {
        name: [_bare(of_person[person][at]) for person in people]
        for at, name in enumerate(table.header)
        if at
    }


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
    return "" if bare.lower() in ("na", "nan") else bare


def _numbers(words: list[str]) -> npt.NDArray[np.float64] | None:
    try:
        values = np.array([float(word) for word in words], dtype=np.float64)
    except ValueError:
        return None
    return values if np.isfinite(values).all() else None
