"""A second process: what it does, tells and raises, and that it ends."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from exprimo.core.beside import beside
from exprimo.core.errors import ConfigError
from exprimo.core.progress import show_progress, shown, task


def work(folder: str, steps: int) -> None:
    """Do what the tests ask of the other process."""
    print("what the work prints is no event")
    Path(folder, "shown").write_text(str(shown()), encoding="utf-8")
    with task("Counting", total=steps) as bar:
        for step in range(steps):
            bar.advance(1, f"at {step}")
    Path(folder, "cores").write_text(json.dumps(sorted(os.sched_getaffinity(0))), encoding="utf-8")
    Path(folder, "pid").write_text(str(os.getpid()), encoding="utf-8")


def refuse(file: str) -> None:
    raise ConfigError("no such model", file=file, record="model", found=3, remedy="Name one.")


def fall() -> None:
    raise ZeroDivisionError


def sleep(folder: str) -> None:
    """Say who it is, then do nothing for a minute."""
    Path(folder, "pid.part").write_text(str(os.getpid()), encoding="utf-8")
    Path(folder, "pid.part").rename(Path(folder, "pid"))
    time.sleep(60)


class Kept:
    """A display that keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[object, ...]] = []

    def start(self, description: str, total: int | None) -> object:
        self.told.append(("start", description, total))
        return description

    def advance(self, task: object, steps: int, note: str) -> None:
        self.told.append((task, steps, note))

    def finish(self, task: object) -> None:
        self.told.append(("finish", task))


@pytest.fixture(autouse=True)
def _found_by_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))


def gone(pid: int) -> bool:
    """Tell whether a process has ended, waiting for as long as that may take."""
    until = time.monotonic() + 30
    while time.monotonic() < until:
        try:
            state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2]
        except FileNotFoundError:
            return True
        if state.split()[0] == "Z":
            return True
        os.sched_yield()
    return False


def test_work_is_done_and_its_progress_is_shown_here(tmp_path: Path) -> None:
    kept = Kept()
    with show_progress(kept), beside("test_beside:work", str(tmp_path), 3) as other:
        other.wait()
    assert int((tmp_path / "pid").read_text()) != os.getpid()
    assert kept.told == [
        ("start", "Counting", 3),
        *(("Counting", 1, f"at {step}") for step in range(3)),
        ("finish", "Counting"),
    ]


def test_each_has_its_half_of_the_cores(tmp_path: Path) -> None:
    before = os.sched_getaffinity(0)
    with beside("test_beside:work", str(tmp_path), 1) as other:
        ours = os.sched_getaffinity(0)
        other.wait()
    its = set(json.loads((tmp_path / "cores").read_text()))
    assert os.sched_getaffinity(0) == before == ours | its
    assert len(before) == 1 or not ours & its


def test_nothing_is_told_where_nobody_looks(tmp_path: Path) -> None:
    with beside("test_beside:work", str(tmp_path), 3) as other:
        other.wait()
    assert (tmp_path / "shown").read_text() == "False"


def test_a_refusal_is_raised_here_as_it_was(tmp_path: Path) -> None:
    with (
        pytest.raises(ConfigError, match=r"a.toml, model: no such model. Found: 3. Name one"),
        beside("test_beside:refuse", "a.toml") as other,
    ):
        other.wait()


def test_a_fall_is_no_success(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(RuntimeError, match="status 1"), beside("test_beside:fall") as other:
        other.wait()
    assert "ZeroDivisionError" in capfd.readouterr().err


def test_it_ends_with_the_block(tmp_path: Path) -> None:
    with beside("test_beside:sleep", str(tmp_path)):
        while not (tmp_path / "pid").exists():
            os.sched_yield()
    assert gone(int((tmp_path / "pid").read_text()))


def test_it_ends_with_a_killed_parent(tmp_path: Path) -> None:
    code = (
        "import sys\nfrom exprimo.core.beside import beside\n"
        "with beside('test_beside:sleep', sys.argv[1]) as other: other.wait()"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(tmp_path)]) as parent:
        while not (tmp_path / "pid").exists():
            assert parent.poll() is None
            os.sched_yield()
        parent.kill()
    assert gone(int((tmp_path / "pid").read_text()))
