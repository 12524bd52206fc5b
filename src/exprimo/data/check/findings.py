"""What a check gives back for one file."""

from __future__ import annotations

from typing import NamedTuple


class Findings(NamedTuple):
    """What a file holds, and what is wrong with it although it could be read."""

    facts: dict[str, str]
    problems: list[str]
