"""Steps reach whoever listens, and nobody where nobody does."""

from __future__ import annotations

import pytest

from exprimo.core.progress import show_progress, task, track


class _Listener:
    def __init__(self) -> None:
        self.heard: list[tuple[object, ...]] = []

    def start(self, description: str, total: int | None) -> object:
        self.heard.append(("start", description, total))
        return description

    def advance(self, task: object, steps: int, note: str) -> None:
        self.heard.append(("advance", task, steps, note))

    def finish(self, task: object) -> None:
        self.heard.append(("finish", task))


def test_a_listener_hears_start_steps_and_end() -> None:
    listener = _Listener()
    with show_progress(listener), task("Cutting", total=5) as bar:
        bar.advance(2, "chr1")
        bar.advance()
    assert listener.heard == [
        ("start", "Cutting", 5),
        ("advance", "Cutting", 2, "chr1"),
        ("advance", "Cutting", 1, ""),
        ("finish", "Cutting"),
    ]


def test_a_task_is_closed_when_its_work_fails() -> None:
    listener = _Listener()
    with pytest.raises(ZeroDivisionError), show_progress(listener), task("Dividing"):
        _ = 1 / 0
    assert listener.heard[-1] == ("finish", "Dividing")


def test_track_counts_a_list_and_leaves_its_items_alone() -> None:
    listener = _Listener()
    with show_progress(listener):
        assert list(track("abc", "Reading")) == ["a", "b", "c"]
        assert list(track(iter("ab"), "Streaming")) == ["a", "b"]
    assert listener.heard[0] == ("start", "Reading", 3)
    assert [event[0] for event in listener.heard].count("advance") == 5
    assert ("start", "Streaming", None) in listener.heard


def test_an_abandoned_track_is_closed() -> None:
    listener = _Listener()
    with show_progress(listener):
        steps = track([1, 2, 3], "Reading")
        next(steps)
        steps.close()  # type: ignore[attr-defined]  # it is a generator
    assert listener.heard[-1] == ("finish", "Reading")


def test_nobody_listens_outside_the_block(capfd: pytest.CaptureFixture[str]) -> None:
    listener = _Listener()
    with show_progress(listener):
        pass
    assert list(track([1, 2], "Reading")) == [1, 2]
    assert listener.heard == []
    assert capfd.readouterr() == ("", "")
