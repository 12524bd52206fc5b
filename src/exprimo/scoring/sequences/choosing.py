"""Which tracks of a backbone a user means."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from exprimo.core.errors import ConfigError, InputError
from exprimo.core.predictor import Backbone
from exprimo.data.fetch.enformer import tracks_path
from exprimo.data.tracks import TrackTable, read_tracks

_FEW = 64
# The model whose table is fetched with its weights.
_DESCRIBED = "enformer"


def chosen_tracks(
    backbone: Backbone, wanted: Sequence[str], table: str | Path | None
) -> tuple[list[int], tuple[str, ...]]:
    """Give numbers and names of the tracks that are wanted; of few tracks all, if none is named.

    Parameters
    ----------
    wanted
        Numbers and ranges (``4``, ``10-19``), which need no table; identifiers, assays or words
        of descriptions, which do.
    table
        The table of tracks; None: the one that was fetched with Enformer.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> chosen_tracks(SimpleNamespace(name="toy", n_tracks=8), ["2", "5-6"], None)
    ([2, 5, 6], ('2', '5', '6'))
    """
    n = backbone.n_tracks
    described = _table(backbone, table)
    if not wanted:
        if n > _FEW:
            raise ConfigError(
                "say which tracks you mean",
                record=backbone.name,
                found=f"a model of {n:,} tracks",
                remedy='Name them: --tracks "CAGE whole blood,H3K27me3", or by number: 10-19',
            )
        numbers = list(range(n))
    elif described is not None:
        numbers = list(described.choose(wanted))
    else:
        groups = [_numbers(text.strip(), n) for text in wanted]
        numbers = list(dict.fromkeys(number for group in groups for number in group))
    names = tuple(map(str, numbers)) if described is None else described.names(numbers)
    return numbers, names


def _table(backbone: Backbone, given: str | Path | None) -> TrackTable | None:
    """Read the table that describes a backbone's tracks, if there is one."""
    fetched = tracks_path()
    path = given or (fetched if backbone.name == _DESCRIBED and fetched.exists() else None)
    if path is None:
        return None
    table = read_tracks(path)
    if given is None and len(table.tracks) != backbone.n_tracks:
        return None  # a network of other sizes, whose tracks have numbers only
    table.check_number(backbone.n_tracks, backbone.name)
    return table


def _numbers(text: str, n: int) -> list[int]:
    first, dash, last = text.partition("-")
    if not first.isdecimal() or (dash and not last.isdecimal()):
        raise InputError(
            "words need a table that describes the tracks",
            record=f"--tracks {text}",
            expected=f"a number from 0 to {n - 1}, or a range such as 10-19",
            remedy="Give the table with --track-table FILE, or get Enformer's with: "
            "exprimo fetch enformer",
        )
    stop = int(last) if dash else int(first)
    if stop >= n or stop < int(first):
        raise ConfigError("no such track", record=text, expected=f"numbers from 0 to {n - 1}")
    return list(range(int(first), stop + 1))
