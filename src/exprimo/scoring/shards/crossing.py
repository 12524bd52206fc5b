"""What crosses between a driver and its workers: errors and plans as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator

from exprimo.core.errors import ExprimoError
from exprimo.scoring.shards.work import Plan

_PARTS = ("problem", "file", "record", "found", "expected", "remedy")


def error_text(error: ExprimoError) -> str:
    """Write an error as JSON; what was found and expected become text.

    Examples
    --------
    >>> from exprimo.core.errors import InputError
    >>> text = error_text(InputError("no such gene", record="g1", found=3))
    >>> read_error(text)
    InputError('g1: no such gene. Found: 3.')
    """
    parts = {name: getattr(error, name) for name in _PARTS}
    parts = {name: None if part is None else str(part) for name, part in parts.items()}
    return json.dumps({"error": type(error).__name__, **parts})


def read_error(text: str) -> ExprimoError:
    """Make the error again, of its own class."""
    parts = json.loads(text)
    kinds = {kind.__name__: kind for kind in _kinds(ExprimoError)}
    kind = kinds.get(parts.pop("error"), ExprimoError)
    return kind(parts.pop("problem"), **parts)


def _kinds(kind: type[ExprimoError]) -> Iterator[type[ExprimoError]]:
    yield kind
    for inner in kind.__subclasses__():
        yield from _kinds(inner)


def plan_text(plan: Plan) -> str:
    """Write a plan as JSON."""
    return json.dumps({"shard_items": plan.shard_items, "digests": plan.digests})


def read_plan(text: str) -> Plan:
    """Read a plan.

    Examples
    --------
    >>> read_plan(plan_text(Plan((3, 1), {"model": "ab"})))
    Plan(shard_items=(3, 1), digests={'model': 'ab'})
    """
    parts = json.loads(text)
    return Plan(tuple(parts["shard_items"]), parts["digests"])
