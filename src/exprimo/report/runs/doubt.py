"""A reason for distrust: how much it weighs, what it says, where its evidence lies."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple

Weight = Literal["serious", "caution", "checked"]
_ORDER: dict[Weight, int] = {"serious": 0, "caution": 1, "checked": 2}


class Doubt(NamedTuple):
    """A reason for distrust, or a check that found none, and where its evidence lies."""

    weight: Weight
    title: str
    text: str
    source: str


def by_weight(found: Iterable[Doubt]) -> list[Doubt]:
    """Order doubts, the serious ones first and what was checked last."""
    return sorted(found, key=lambda doubt: _ORDER[doubt.weight])
