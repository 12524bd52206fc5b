"""Progress bars with rate and time left, on a terminal; silence elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from exprimo.core.progress import show_progress


class RichSink:
    """Draw tasks of the library with rich."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    def start(self, description: str, total: int | None) -> object:
        return self._progress.add_task(description, total=total, note="", visible=bool(description))

    def advance(self, task: object, steps: int, note: str) -> None:
        self._progress.advance(_id(task), steps)
        if note:
            self._progress.update(_id(task), note=note)

    def finish(self, task: object) -> None:
        self._progress.remove_task(_id(task))


def _id(task: object) -> TaskID:
    assert isinstance(task, int)
    return TaskID(task)


@contextmanager
def bars() -> Iterator[None]:
    """Show bars on standard error while the block runs, if that is a terminal."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
    )
    with (
        Progress(*columns, console=console, transient=True) as progress,
        show_progress(RichSink(progress)),
    ):
        yield
