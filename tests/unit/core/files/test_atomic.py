"""Whole or not at all: errors, kills, full disks, and two writers at once."""

from __future__ import annotations

import fcntl
import os
import signal
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from exprimo.core.errors import InputError, LockedError, StorageError
from exprimo.core.files import atomic
from exprimo.core.files.atomic import (
    atomic_directory,
    atomic_file,
    is_being_written,
    partial_path,
    refuse_existing,
    storage_errors,
    write_lock,
)

HOLD = """
    import sys
    from exprimo.core.files.atomic import atomic_file, atomic_directory
    kind = {"file": atomic_file, "folder": atomic_directory}[sys.argv[1]]
    with kind(sys.argv[2]) as partial:
        if sys.argv[1] == "file":
            partial.write_text("half")
        else:
            (partial / "part").write_text("half")
        print("writing", flush=True)
        sys.stdin.readline()
"""


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_appears_whole_and_replaces_the_old_one(tmp_path: Path) -> None:
    target = tmp_path / "new" / "folder" / "a.txt"
    for text in ("first", "second"):
        with atomic_file(target) as partial:
            partial.write_text(text)
            assert not target.exists() or target.read_text() == "first"
        assert target.read_text() == text
    assert _names(target.parent) == ["a.txt"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_an_error_leaves_what_was_there_before(error: type[BaseException], tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    target.write_text("old")

    def fail() -> None:
        with atomic_file(target) as partial:
            partial.write_text("half")
            raise error

    with pytest.raises(error):
        fail()
    assert target.read_text() == "old"
    assert _names(tmp_path) == ["a.txt"]


def test_what_a_killed_writer_left_is_not_taken_over(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    partial_path(target).write_text("half of another")
    with atomic_file(target) as partial, open(partial, "a") as handle:
        handle.write("whole")
    assert target.read_text() == "whole"


def test_a_folder_stands_in_the_way_of_a_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="a folder stands where"), atomic_file(tmp_path):
        pass


def test_a_device_or_pipe_is_not_replaced(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(InputError, match="not a plain file"), atomic_file(pipe):
        pass
    assert pipe.is_fifo()


def test_a_file_stands_where_a_folder_is_needed(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("")
    with (
        pytest.raises(StorageError, match=r"a/b\.txt: cannot write here"),
        atomic_file(tmp_path / "a" / "b.txt"),
    ):
        pass


def test_a_folder_appears_whole(tmp_path: Path) -> None:
    target = tmp_path / "RUN"
    with atomic_directory(target) as partial:
        (partial / "inner").mkdir()
        (partial / "inner" / "a").write_text("x")
        assert not target.exists()
    assert (target / "inner" / "a").read_text() == "x"
    assert _names(tmp_path) == ["RUN"]


def test_a_failed_folder_goes_and_a_resumable_one_stays(tmp_path: Path) -> None:
    def fail(resume: bool) -> None:
        with atomic_directory(tmp_path / "RUN", resume=resume) as partial:
            (partial / "a").write_text("x")
            raise ValueError("no")

    for resume, left in ((False, []), (True, [".RUN.partial"])):
        with pytest.raises(ValueError, match="no"):
            fail(resume)
        assert _names(tmp_path) == left
    with atomic_directory(tmp_path / "RUN", resume=True) as partial:
        assert (partial / "a").read_text() == "x"
    assert (tmp_path / "RUN" / "a").read_text() == "x"


def test_without_resume_an_old_partial_folder_is_removed_first(tmp_path: Path) -> None:
    old = partial_path(tmp_path / "RUN")
    old.mkdir()
    (old / "stale").write_text("x")
    with atomic_directory(tmp_path / "RUN") as partial:
        assert _names(partial) == []


def test_an_existing_folder_is_refused_and_kept(tmp_path: Path) -> None:
    (tmp_path / "RUN").mkdir()
    with pytest.raises(InputError, match="already exists"), atomic_directory(tmp_path / "RUN"):
        pass
    with pytest.raises(InputError, match="already exists"):
        refuse_existing(tmp_path / "RUN")
    assert _names(tmp_path) == ["RUN"]


def test_a_second_writer_in_this_process_is_refused(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    assert not is_being_written(target)
    with write_lock(target):
        assert is_being_written(target)
        with pytest.raises(LockedError, match=f"process {os.getpid()}"), write_lock(target):
            pass
        assert is_being_written(target)
    assert not is_being_written(target)
    assert _names(tmp_path) == []


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_two_processes_and_a_kill(kind: str, tmp_path: Path, start) -> None:
    target = tmp_path / "out"
    write = atomic_file if kind == "file" else atomic_directory
    first = start(HOLD, kind, target)
    assert first.stdout.readline() == "writing\n"
    assert is_being_written(target)
    with pytest.raises(LockedError, match=f"process {first.pid}"), write(target):
        pass
    assert not target.exists()
    first.send_signal(signal.SIGKILL)
    first.wait()
    assert not is_being_written(target)
    assert not target.exists()
    with write(target) as partial:
        inside = partial if kind == "file" else partial / "part"
        assert not inside.exists()
        inside.write_text("whole")
    assert (target if kind == "file" else target / "part").read_text() == "whole"
    assert _names(tmp_path) == ["out"]


def test_a_lock_file_removed_before_it_was_locked_is_not_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One writer opens the lock file; before it locks it, the holder ends and a third begins."""
    target = tmp_path / "a.txt"
    holder = write_lock(target)
    third = write_lock(target)
    holder.__enter__()
    real = fcntl.flock
    calls = []

    def late(handle: int, operation: int) -> None:
        calls.append(operation)
        if len(calls) == 1:
            monkeypatch.setattr(atomic.fcntl, "flock", real)
            holder.__exit__(None, None, None)
            third.__enter__()
            monkeypatch.setattr(atomic.fcntl, "flock", late)
        real(handle, operation)

    monkeypatch.setattr(atomic.fcntl, "flock", late)
    with pytest.raises(LockedError), write_lock(target):
        pass
    assert len(calls) == 2
    third.__exit__(None, None, None)
    with write_lock(target):
        assert is_being_written(target)


def test_a_lock_file_removed_before_it_was_locked_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "a.txt"
    holder = write_lock(target)
    holder.__enter__()
    real = fcntl.flock

    def late(handle: int, operation: int) -> None:
        monkeypatch.setattr(atomic.fcntl, "flock", real)
        holder.__exit__(None, None, None)
        real(handle, operation)

    monkeypatch.setattr(atomic.fcntl, "flock", late)
    with write_lock(target):
        assert is_being_written(target)
        with pytest.raises(LockedError), write_lock(target):
            pass
    assert _names(tmp_path) == []


def test_no_handle_is_left_open(tmp_path: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))
    target = tmp_path / "a.txt"
    for _ in range(5):
        with write_lock(target), pytest.raises(LockedError), write_lock(target):
            pass
        is_being_written(target)
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_folder_that_came_while_waiting_for_the_lock_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "RUN"
    real = fcntl.flock

    def late(handle: int, operation: int) -> None:
        target.mkdir(exist_ok=True)
        real(handle, operation)

    monkeypatch.setattr(atomic.fcntl, "flock", late)
    with pytest.raises(InputError, match="already exists"), atomic_directory(target):
        pass


def test_a_full_disk_is_named_and_leaves_the_old_file(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    target.write_text("old")

    def fill() -> None:
        with atomic_file(target) as partial, open("/dev/full", "wb", buffering=0) as full:
            partial.write_text("half")
            full.write(b"more")

    with pytest.raises(StorageError, match=r"a\.txt: the disk is full\. Found: No space left"):
        fill()
    assert target.read_text() == "old"
    assert _names(tmp_path) == ["a.txt"]


def test_a_refusal_names_the_file_that_was_refused() -> None:
    with (
        pytest.raises(StorageError, match=r"D\.h5: cannot write here.*denied: scratch"),
        storage_errors("D.h5"),
    ):
        raise PermissionError(13, "Permission denied", "scratch")


def test_other_errors_of_the_system_are_left_alone() -> None:
    with pytest.raises(FileNotFoundError), storage_errors("D.h5"):
        os.stat("/nonexistent/file")


def test_a_folder_without_permission_is_named(tmp_path: Path, start) -> None:
    closed = tmp_path / "closed"
    closed.mkdir()
    closed.chmod(0o555)
    process = start(
        """
        import os, sys
        from exprimo.core.errors import StorageError
        from exprimo.core.files.atomic import atomic_file
        os.chdir(sys.argv[1])
        if os.getuid() == 0:  # whom no permission stops
            os.setuid(65534)
        try:
            with atomic_file("a.txt"):
                print("entered")
        except StorageError as error:
            print(error)
        """,
        closed,
    )
    told, complaint = process.communicate()
    assert "a.txt: cannot write here. Found: Permission denied" in told, complaint


@pytest.mark.parametrize("name", ["", ".", "/", "a\0b", "a\0/b"])
@pytest.mark.parametrize("write", [atomic_file, atomic_directory, refuse_existing, partial_path])
def test_what_is_no_name_is_refused(name: str, write: Callable[[str], object]) -> None:
    with pytest.raises(InputError, match="not a name for an output"):
        write(name).__enter__()  # type: ignore[attr-defined]  # two of them are contexts
    assert not is_being_written(name)


@pytest.mark.parametrize("write", [atomic_file, atomic_directory])
def test_names_that_the_system_refuses_are_storage_errors(
    write: Callable[[Path], AbstractContextManager[Path]], tmp_path: Path
) -> None:
    for target in (tmp_path / ("x" * 300), Path("/proc/exprimo")):
        with pytest.raises(StorageError, match="cannot write here"), write(target):
            pass
    with pytest.raises(StorageError, match="name too long"):
        refuse_existing(tmp_path / ("x" * 300))


def test_a_missing_file_read_while_writing_stays_what_it_is(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), atomic_file(tmp_path / "a.txt"):
        (tmp_path / "none").read_text()
