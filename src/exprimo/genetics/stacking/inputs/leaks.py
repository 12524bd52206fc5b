"""What features learned from: a table is refused where it learned from people who are judged."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from exprimo.core.errors import LeakError
from exprimo.core.ledger import Leak, Ledger, Unit
from exprimo.genetics.stacking.inputs.tables import FeatureTable

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


class Learned(NamedTuple):
    """What the features of some tables learned from.

    Attributes
    ----------
    ledger
        Fitted thing -> people.
    by_fold
        Whether these features were made anew for each fold that is held out. If not, a person has
        one feature, by which others learn when they are judged.
    """

    ledger: Ledger
    by_fold: bool = False


def what_was_learned(
    tables: Sequence[FeatureTable], more: Sequence[str | Path] = ()
) -> list[Learned]:
    """Read the ledgers beside tables, and those that were named.

    Parameters
    ----------
    more
        Ledgers of tables that have none beside them, or of all tables where each has its own.
    """
    found, alone = [], []
    for table in tables:
        beside = ledger_beside(table.path)
        if beside is None:
            alone.append(table)
            continue
        # Weights of everybody lie beside held-out predictions, which do not come from them.
        kept = {
            name: units
            for name, units in Ledger.load(beside).learned.items()
            if not (table.held_out and name.endswith("of everybody"))
        }
        found.append(Learned(Ledger(kept), table.by_fold))
    by_fold = bool(tables) and all(table.by_fold for table in alone or tables)
    return [*found, *(Learned(Ledger.load(path), by_fold) for path in more)]


def refuse_leaks(
    learned: Iterable[Learned],
    people: Sequence[str],
    fold: Sequence[int],
    *,
    allow: bool = False,
) -> list[Leak]:
    """Refuse features that learned from people on whom a stack of them would be judged.

    Parameters
    ----------
    people, fold
        Each person's fold, as everything here is judged in.
    allow
        Give the leaks instead.

    Notes
    -----
    Features that were made anew for each fold serve that fold alone: what a ledger calls
    ``... fold 3`` must not have seen the people of fold 3. Any other feature serves all folds. A
    person's held-out score, learned from all other folds, is right to judge that score on, but the
    person also trains when another fold is judged, and then the feature knows the people of that
    fold. So features that serve all folds must have learned from none of the people.

    Examples
    --------
    >>> made = Ledger({"weights fold 0": {"individual": frozenset({"bob"})}})
    >>> refuse_leaks([Learned(made, by_fold=True)], ["ann", "bob"], [0, 1])
    []
    >>> refuse_leaks([Learned(made)], ["ann", "bob"], [0, 1])
    Traceback (most recent call last):
    exprimo.core.errors.LeakError: individual bob: leak: weights fold 0 learned from people whom \
the stack would be judged on, and training people have features of it. Found: 1 person. \
Expected: none, or features made anew for each fold (a column fold). Make the scores inside the \
stack, nested: --genotypes with --cis-feature; --allow-leak shows the number anyway and stamps it.
    """
    found: list[Leak] = []
    for ledger, by_fold in learned:
        for name, saw in ledger.learned.items():
            of_fold = _OF_FOLD.search(name) if by_fold else None
            judged = frozenset(
                person
                for person, number in zip(people, fold, strict=True)
                if of_fold is None or number == int(of_fold.group(1))
            )
            keys: Mapping[Unit, frozenset[str]] = {"individual": judged}
            found += Ledger({name: saw}).leaks(keys, ("individual",))
    if found and not allow:
        raise _refusal(found)
    return found


def _refusal(found: Sequence[Leak]) -> LeakError:
    worst = max(found, key=lambda leak: len(leak.keys))
    total = len({key for leak in found for key in leak.keys})
    return LeakError(
        f"leak: {worst.fitted} learned from people whom the stack would be judged on, and training "
        "people have features of it",
        record=f"individual {', '.join(worst.keys[:5])}",
        found=f"{total} {'person' if total == 1 else 'people'}",
        expected="none, or features made anew for each fold (a column fold)",
        remedy="Make the scores inside the stack, nested: --genotypes with --cis-feature; "
        "--allow-leak shows the number anyway and stamps it",
    )


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
