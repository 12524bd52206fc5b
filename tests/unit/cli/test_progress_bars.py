"""Bars on a terminal, silence elsewhere."""

from __future__ import annotations

import io
import re

import pytest
from rich.console import Console
from rich.progress import Progress

from exprimo.cli.progress import RichSink, bars, drawn_on
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


def test_a_long_note_leaves_numbers_and_times_whole() -> None:
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=80, color_system=None)
    with (
        drawn_on(console) as progress,
        show_progress(RichSink(progress)),
        task("Fitting gan", 1800) as bar,
    ):
        bar.advance(600, note="step 1200, distance -0.005, penalty 0.941, and more than fits in")
        progress.refresh()
    clock = r"[-\d]:[-\d]{2}:[-\d]{2}"
    drawn = rf"Fitting gan .* 600/1800 +{clock} +{clock} step 1200.*…"
    assert re.search(drawn, screen.getvalue())


def test_slow_steps_have_a_time_left() -> None:
    clock = [0.0]
    progress = drawn_on(Console(file=io.StringIO(), force_terminal=True))
    progress.get_time = lambda: clock[0]
    with show_progress(RichSink(progress)), task("Treating imbalance", 20) as bar:
        (running,) = progress.tasks
        running._get_time = progress.get_time
        for clock[0] in (60.0, 180.0, 300.0):
            bar.advance(1)
        assert running.time_remaining == pytest.approx(17 * 120)
