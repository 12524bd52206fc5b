"""Which tracks of a backbone a user means."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from exprimo.core.errors import ConfigError
from exprimo.core.predictor import Backbone

_FEW = 64


def chosen_tracks(
    backbone: Backbone, wanted: Sequence[str], table: str | Path | None
) -> tuple[list[int], tuple[str, ...]]:
    """Give numbers and names of the tracks that are wanted; of few tracks all, if none is named.

    Numbers and ranges (``4``, ``10-19``) need no table.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> chosen_tracks(SimpleNamespace(name="toy", n_tracks=8), ["2", "5-6"], None)
    ([2, 5, 6], ('2', '5', '6'))
    """
    n = backbone.n_tracks
    if not wanted:
        if n > _FEW:
            raise ConfigError(
                "say which tracks you mean",
                record=backbone.name,
                found=f"a model of {n:,} tracks",
                remedy='Name them: --tracks "CAGE whole blood,H3K27me3", or by number: 10-19',
            )
        wanted = [f"0-{n - 1}"]
    numbers = [_numbers(text.strip(), n) for text in wanted]
    flat = list(dict.fromkeys(number for group in numbers for number in group or ()))
    return flat, tuple(str(number) for number in flat)


def _numbers(text: str, n: int) -> list[int] | None:
    first, dash, last = text.partition("-")
    if not first.isdecimal() or (dash and not last.isdecimal()):
        return None
    stop = int(last) if dash else int(first)
    if stop >= n or stop < int(first):
        raise ConfigError("no such track", record=text, expected=f"numbers from 0 to {n - 1}")
    return list(range(int(first), stop + 1))
