"""Chromosomes that a user named, found among a dataset's own whatever their style."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from exprimo.core.coordinates import reconcile_chromosomes
from exprimo.core.errors import ConfigError, MismatchError


def find_chromosomes(
    wanted: Sequence[str], known: Sequence[str], *, option: str, file: str | Path
) -> list[str]:
    """Give the dataset's names of the chromosomes that the user named.

    Parameters
    ----------
    wanted, known
        The user's names and the dataset's.
    option, file
        Where the names came from and where they are looked for, for the message.

    Examples
    --------
    >>> find_chromosomes(["chrXV", "7"], ["I", "II", "VII", "XV"], option="--test-chroms",
    ...                  file="D.h5")
    ['XV', 'VII']
    """
    try:
        match = reconcile_chromosomes(known, wanted)
    except MismatchError:
        match = {}
    unknown = [name for name in wanted if name not in match]
    if unknown:
        raise ConfigError(
            f"{option} names chromosomes that the dataset does not have",
            file=file,
            found=", ".join(unknown),
            expected=f"some of {', '.join(known)}",
        )
    return list(dict.fromkeys(match[name] for name in wanted))
