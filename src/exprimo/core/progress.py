"""Progress without printing: the library reports steps, whoever called decides how they look."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sized
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Protocol, TypeVar

T = TypeVar("T")


class ProgressSink(Protocol):
    """What a display must offer; the command line installs one made with rich."""

    def start(self, description: str, total: int | None) -> object:
        """Open a task of ``total`` steps and return its handle."""

    def advance(self, task: object, steps: int, note: str) -> None:
        """Move a task forward; ``note`` is shown behind it."""

    def finish(self, task: object) -> None:
        """Close a task."""


_sink: ContextVar[ProgressSink | None] = ContextVar("exprimo_progress", default=None)


@contextmanager
def show_progress(sink: ProgressSink) -> Iterator[None]:
    """Send the progress of everything inside the block to ``sink``."""
    token = _sink.set(sink)
    try:
        yield
    finally:
        _sink.reset(token)


def shown() -> bool:
    """Tell whether progress is shown to anybody."""
    return _sink.get() is not None


class Task:
    """One running task; ``advance`` costs nothing where nobody looks."""

    def __init__(self, description: str, total: int | None) -> None:
        self._sink = _sink.get()
        self._handle = self._sink.start(description, total) if self._sink else None

    def advance(self, steps: int = 1, note: str = "") -> None:
        if self._sink:
            self._sink.advance(self._handle, steps, note)

    def finish(self) -> None:
        if self._sink:
            self._sink.finish(self._handle)


@contextmanager
def task(description: str, total: int | None = None) -> Iterator[Task]:
    """Report a task of ``total`` steps (None: not known).

    Examples
    --------
    >>> with task("Cutting windows", total=2) as bar:
    ...     bar.advance(2)
    """
    running = Task(description, total)
    try:
        yield running
    finally:
        running.finish()


def track(items: Iterable[T], description: str, total: int | None = None) -> Iterator[T]:
    """Iterate over ``items`` and report each one as a step."""
    if total is None and isinstance(items, Sized):
        total = len(items)
    with task(description, total) as bar:
        for item in items:
            yield item
            bar.advance()
