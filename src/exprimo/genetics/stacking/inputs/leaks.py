"""What features learned from: a table is refused where it learned from people who are judged."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from exprimo.core.ledger import Leak, Ledger, Unit

_OF_FOLD = re.compile(r"\bfold[ _]?(\d+)$")


def ledger_beside(table: str | Path) -> Path | None:
    """Find what a feature table learned from: ``NAME.ledger.parquet``, or that of its folder.

    Examples
    --------
    >>> ledger_beside("features.parquet") is None
    True
    """
    path = Path(table)
    for beside in (path.with_name(f"{path.stem}.ledger.parquet"), path.parent / "ledger.parquet"):
        if beside.is_file() and beside != path:
            return beside
    return None


def refuse_leaks(
    ledgers: Iterable[Ledger],
    people: Sequence[str],
    fold: Sequence[int],
    *,
    allow: bool = False,
) -> list[Leak]:
    """Refuse features that learned from the people on whom they would be judged.

    Parameters
    ----------
    people, fold
        Each person's fold, as everything here is judged in.
    allow
        Give the leaks instead.

    Notes
    -----
    What a ledger calls ``... fold 3`` was fitted for the people of fold 3, and must not have seen
    these; anything else must have seen none of the people.

    Examples
    --------
    >>> made = Ledger({"weights fold 0": {"individual": frozenset({"bob"})}})
    >>> refuse_leaks([made], ["ann", "bob"], [0, 1])
    []
    >>> refuse_leaks([made], ["ann", "bob"], [1, 0])
    Traceback (most recent call last):
    exprimo.core.errors.LeakError: individual bob: leak: weights fold 0 learned from what it \
would be judged on. Found: 1 shared keys (individual). Expected: none, because the split holds \
them out. Evaluate on the test part or on other data; --allow-leak shows the number anyway and \
stamps it.
    """
    found: list[Leak] = []
    for ledger in ledgers:
        for name, learned in ledger.learned.items():
            of_fold = _OF_FOLD.search(name)
            judged = frozenset(
                person
                for person, number in zip(people, fold, strict=True)
                if of_fold is None or number == int(of_fold.group(1))
            )
            keys: Mapping[Unit, frozenset[str]] = {"individual": judged}
            found += Ledger({name: learned}).check(keys, ("individual",), allow=allow)
    return found


def ledger_of_folds(
    people: Sequence[str], fold: Sequence[int], genes: Mapping[int, Iterable[str]] | None = None
) -> Ledger:
    """Record who trained for each fold, under ``stack fold N``.

    Parameters
    ----------
    genes
        For each fold the genes that trained, where genes are held out too.

    Examples
    --------
    >>> ledger_of_folds(["ann", "bob"], [0, 1]).learned["stack fold 0"]
    {'individual': frozenset({'bob'})}
    """
    learned: dict[str, dict[Unit, frozenset[str]]] = {}
    for number in sorted(set(fold)):
        trained: dict[Unit, frozenset[str]] = {
            "individual": frozenset(
                person for person, of in zip(people, fold, strict=True) if of != number
            )
        }
        if genes is not None:
            trained["gene"] = frozenset(genes[number])
        learned[f"stack fold {number}"] = trained
    return Ledger(learned)
