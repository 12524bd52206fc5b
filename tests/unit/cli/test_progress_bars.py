"""Bars on a terminal, silence elsewhere."""

from __future__ import annotations

import io

import pytest
from rich.console import Console
from rich.progress import Progress

from exprimo.cli.progress import RichSink, bars
from exprimo.core.progress import show_progress, task, track


def test_nothing_is_drawn_where_nobody_looks(capsys: pytest.CaptureFixture[str]) -> None:
    with bars():
        assert list(track(range(3), "Counting")) == [0, 1, 2]
    assert capsys.readouterr() == ("", "")


def test_a_task_is_drawn_with_its_steps_and_note() -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=100)
    with Progress(console=console) as progress, show_progress(RichSink(progress)):
        with task("Training cnn", 4) as bar:
            bar.advance(3, note="validation 0.5")
            (running,) = progress.tasks
            assert (running.description, running.completed, running.total) == ("Training cnn", 3, 4)
            assert running.fields["note"] == "validation 0.5"
        assert progress.tasks == []


def test_a_terminal_sees_the_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = io.StringIO()
    monkeypatch.setattr(
        "exprimo.cli.progress.Console", lambda **_: Console(file=screen, force_terminal=True)
    )
    with bars(), task("Indexing", 2):
        pass
    assert "Indexing" in screen.getvalue()
    assert "0/2" in screen.getvalue()
