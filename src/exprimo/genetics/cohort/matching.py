"""Which people all files have."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from exprimo.core.errors import InputError, MismatchError
from exprimo.data.genotypes import open_genotypes
from exprimo.data.genotypes.plink.tables import read_fam, read_psam
from exprimo.data.genotypes.plink.trio import find_trio
from exprimo.data.textfile import open_text


def genotyped_people(path: str | Path) -> tuple[str, ...]:
    """Give the names of all people of genotypes; of a PLINK data set variants are not read.

    Parameters
    ----------
    path
        As `exprimo.data.genotypes.open_genotypes` takes it.
    """
    trio = find_trio(Path(path))
    if trio is not None:
        read = read_fam if trio.kind == "PLINK 1" else read_psam
        return tuple(read(trio.people).names)
    with open_genotypes(path) as genotypes:
        return genotypes.samples


def match_people(
    genotyped: Sequence[str],
    measured: Sequence[str],
    described: Sequence[str] | None = None,
    *,
    asked: Sequence[str] | Path | None = None,
    files: tuple[str, str, str] = ("genotypes", "expression", "covariates"),
) -> tuple[tuple[str, ...], dict[str, int]]:
    """Give the people whom all files name, and how many were dropped for which reason.

    Parameters
    ----------
    genotyped, measured, described
        Names in the genotypes, the expression and the covariates (None: there are none).
    asked
        Keep these only, in this order; else all, in the order of the expression.
    files
        What the three are called in errors.

    Examples
    --------
    >>> match_people(["a", "b", "c"], ["c", "d", "b"], ["b"])
    (('b',), {'people without genotypes': 1, 'people without expression': 1, \
'people without covariates': 1})
    """
    lists = [(files[0], genotyped), (files[1], measured)]
    if described is not None:
        lists.append((files[2], described))
    for file, names in lists:
        _refuse_twice(names, file)
    wanted = None if asked is None else _asked(asked)
    order = measured if wanted is None else wanted
    known = [frozenset(names) for _, names in lists]
    people = tuple(name for name in order if all(name in names for names in known))
    if not people:
        raise _no_overlap(lists, wanted)
    reasons = ("people without genotypes", "people without expression", "people without covariates")
    pool = known[0] | known[1] if wanted is None else frozenset(wanted)
    dropped: dict[str, int] = {}
    for at, (reason, has) in enumerate(zip(reasons, known, strict=False)):
        # Who lacks genotypes or expression is not counted again as lacking covariates.
        left = pool if at < 2 else pool & known[0] & known[1]
        dropped[reason] = len(left - has)
    if wanted is not None:
        dropped["people not asked for"] = len((known[0] & known[1]) - frozenset(wanted))
    return people, {reason: count for reason, count in dropped.items() if count}


def _asked(asked: Sequence[str] | Path) -> tuple[str, ...]:
    if not isinstance(asked, Path):
        names = tuple(asked)
    else:
        with open_text(asked, "names of people, one a line") as lines:
            stripped = [line.strip() for line in lines]
        names = tuple(name for name in stripped if name and not name.startswith("#"))
    _refuse_twice(names, str(asked) if isinstance(asked, Path) else "the people asked for")
    return names


def _refuse_twice(names: Sequence[str], file: str) -> None:
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise InputError(
            "people who are named twice",
            file=file,
            found=", ".join(twice[:5]),
            expected="each person once",
            remedy="Give each their own name, or leave the second out",
        )


def _no_overlap(
    lists: list[tuple[str, Sequence[str]]], wanted: tuple[str, ...] | None
) -> MismatchError:
    told = [*lists, ("asked for", wanted)] if wanted is not None else lists
    heads = [f"{file}: {', '.join(list(names)[:5]) or 'nobody'}" for file, names in told]
    return MismatchError(
        "nobody is in all of the files",
        found="; ".join(heads),
        expected="the same names of people in each",
        remedy="Name people alike in all files",
    )
