"""Choosing people of a file by name."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from exprimo.core.errors import FormatError, InputError, MismatchError
from exprimo.data.genotypes.calls import Rows
from exprimo.data.textfile import open_text


def choose_samples(
    asked: Sequence[str] | Path | None, known: Sequence[str], path: Path
) -> tuple[tuple[str, ...], Rows]:
    """Give the names chosen, in the order asked for, and their places in the file.

    ``asked`` is a list of names, or a file with one a line; None means all.

    Examples
    --------
    >>> names, places = choose_samples(["c", "a"], ["a", "b", "c"], Path("g.vcf"))
    >>> names, places.tolist()
    (('c', 'a'), [2, 0])
    """
    twice = [name for name, count in Counter(known).items() if count > 1]
    if twice:
        raise FormatError(
            "two samples of one name",
            file=path,
            found=", ".join(twice[:5]),
            remedy="Give each its own name",
        )
    if not known:
        raise FormatError(
            "there are no samples in this file",
            file=path,
            expected="genotypes of at least one person",
        )
    if asked is None:
        return tuple(known), np.arange(len(known))
    names, source = _asked(asked)
    if not names:
        raise InputError("no sample was asked for", file=source, remedy="Name at least one")
    place = {name: i for i, name in enumerate(known)}
    unknown = [name for name in names if name not in place]
    if unknown:
        raise _unknown(unknown, names, known, path)
    again = [name for name, count in Counter(names).items() if count > 1]
    if again:
        raise InputError(
            "a sample is asked for twice", file=source, found=", ".join(again[:5]), expected="once"
        )
    return names, np.array([place[name] for name in names])


def _asked(asked: Sequence[str] | Path) -> tuple[tuple[str, ...], Path | None]:
    if isinstance(asked, str):
        return (asked,), None
    if not isinstance(asked, Path):
        return tuple(asked), None
    with open_text(asked, "names of samples, one a line") as lines:
        names = [line.strip() for line in lines]
    return tuple(name for name in names if name and not name.startswith("#")), asked


def _unknown(
    unknown: list[str], names: Sequence[str], known: Sequence[str], path: Path
) -> MismatchError:
    more = f" and {len(unknown) - 3} more of {len(names)}" if len(unknown) > 3 else ""
    near = difflib.get_close_matches(unknown[0], known[:100_000], n=1)
    count = f"one of {len(known):,} samples such as {', '.join(known[:3])}"
    return MismatchError(
        "no such sample",
        file=path,
        found=", ".join(unknown[:3]) + more,
        expected=count,
        remedy=f"Did you mean {near[0]}?" if near else "Check the names",
    )
