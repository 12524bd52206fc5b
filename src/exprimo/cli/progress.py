"""Progress bars with rate and time left, on a terminal; silence elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Column

from exprimo.core.progress import show_progress

# Seconds over which the rate is taken; of steps slower than half of it no time left is told.
_REMEMBERED = 3600.0


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
    with drawn_on(console) as progress, show_progress(RichSink(progress)):
        yield


def drawn_on(console: Console) -> Progress:
    """Give bars that say the time left of slow steps too: a training takes minutes, not seconds."""
    return Progress(
        *columns(), console=console, transient=True, expand=True, speed_estimate_period=_REMEMBERED
    )


def columns() -> tuple[ProgressColumn, ...]:
    """Give the columns: on a narrow terminal bar and note give way, never a number or a time."""
    return (
        TextColumn("{task.description}", table_column=Column(no_wrap=True)),
        BarColumn(bar_width=None, table_column=Column(ratio=1, min_width=6)),
        MofNCompleteColumn(table_column=Column(no_wrap=True, min_width=5)),
        TimeElapsedColumn(table_column=Column(no_wrap=True, min_width=7)),
        TimeRemainingColumn(table_column=Column(no_wrap=True, min_width=7)),
        TextColumn(
            "{task.fields[note]}",
            table_column=Column(ratio=2, no_wrap=True, overflow="ellipsis"),
        ),
    )
