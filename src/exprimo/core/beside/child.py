"""The other side: do what is ordered, tell of it in lines of JSON."""

from __future__ import annotations

import importlib
import json
import os
import signal
import sys
import threading
from contextlib import nullcontext
from typing import IO, Any

from exprimo.core.errors import ExprimoError
from exprimo.core.progress import show_progress

ENDED = "ended"
FIELDS = ("file", "record", "found", "expected", "remedy")


def serve() -> None:
    """Do what the first line of standard input orders, and tell of it on standard output."""
    # What the work itself might print must not stand between the events.
    events = os.fdopen(os.dup(1), "w", encoding="utf-8", buffering=1)
    os.dup2(2, 1)
    ordered = json.loads(sys.stdin.readline())
    # Before anything is imported: libraries count the cores that they find.
    os.sched_setaffinity(0, ordered["cores"])
    threading.Thread(target=_end_with_parent, daemon=True).start()
    module, _, name = ordered["function"].partition(":")
    work = getattr(importlib.import_module(module), name)
    told: dict[str, Any] = {ENDED: True}
    with show_progress(_Events(events)) if ordered["progress"] else nullcontext():
        try:
            work(*ordered["arguments"])
        except ExprimoError as error:
            fields = {name: _plain(getattr(error, name)) for name in FIELDS}
            told = {"failed": {"kind": type(error).__name__, "problem": error.problem, **fields}}
    _write(events, told)


def _end_with_parent() -> None:
    """End when the parent's end of standard input closes: it has ended."""
    sys.stdin.read()
    os.kill(os.getpid(), signal.SIGTERM)


def _plain(value: object) -> str | None:
    return None if value is None else str(value)


def _write(events: IO[str], event: dict[str, Any]) -> None:
    events.write(json.dumps(event) + "\n")


class _Events:
    """Progress as lines of JSON."""

    def __init__(self, events: IO[str]) -> None:
        self._events = events
        self._lock = threading.Lock()
        self._count = 0

    def start(self, description: str, total: int | None) -> object:
        with self._lock:
            self._count += 1
            task = self._count
        self._tell({"task": task, "start": description, "total": total})
        return task

    def advance(self, task: object, steps: int, note: str) -> None:
        self._tell({"task": task, "steps": steps, "note": note})

    def finish(self, task: object) -> None:
        self._tell({"task": task})

    def _tell(self, event: dict[str, Any]) -> None:
        with self._lock:
            _write(self._events, event)
