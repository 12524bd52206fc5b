"""This side of the second process: start it, show its progress, raise its errors, end it."""

from __future__ import annotations

import contextvars
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from exprimo.core import errors
from exprimo.core.beside.child import ENDED, FIELDS
from exprimo.core.errors import ExprimoError
from exprimo.core.progress import Task, shown

_CHILD = "from exprimo.core.beside.child import serve; serve()"


class Beside:
    """What runs in the second process."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self._tasks: dict[int, Task] = {}
        self._last: dict[str, Any] = {}
        # The display that is shown here belongs to this thread's context.
        context = contextvars.copy_context()
        self._reader = threading.Thread(target=context.run, args=(self._read,), daemon=True)
        self._reader.start()

    def wait(self) -> None:
        """Wait for its end; raise what it raised."""
        self._reader.join()
        code = self._process.wait()
        if failed := self._last.get("failed"):
            kind = getattr(errors, failed["kind"], ExprimoError)
            raise kind(failed["problem"], **{name: failed[name] for name in FIELDS})
        if code or ENDED not in self._last:
            raise RuntimeError(f"the second process ended with status {code}; see above for why")

    def order(self, what: dict[str, Any]) -> None:
        """Tell it what to do."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(what) + "\n")
        self._process.stdin.flush()

    def end(self) -> None:
        """End it, if it still runs."""
        self._process.kill()
        self._reader.join()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            event = json.loads(line)
            if "start" in event:
                self._tasks[event["task"]] = Task(event["start"], event["total"])
            elif "steps" in event:
                self._tasks[event["task"]].advance(event["steps"], event["note"])
            elif "task" in event:
                self._tasks.pop(event["task"]).finish()
            else:
                self._last = event


@contextmanager
def beside(function: str, *arguments: str | int) -> Iterator[Beside]:
    """Run ``module:function`` with these arguments in a process of its own, on half of the cores.

    It ends with the block, and with this process, however that ends. The block has the other half
    of the cores: two teams of threads on the same ones wait for each other at every step.

    Examples
    --------
    >>> with beside("time:sleep", 0) as other:
    ...     other.wait()
    """
    home = str(Path(__file__).parents[3])
    known = os.environ.get("PYTHONPATH")
    environment = {
        **os.environ,
        "PYTHONPATH": f"{home}{os.pathsep}{known}" if known else home,
    }
    cores = sorted(os.sched_getaffinity(0))
    ours = cores[: max(1, len(cores) // 2)]
    its = [core for core in cores if core not in ours] or cores
    with subprocess.Popen(
        [sys.executable, "-c", _CHILD],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        env=environment,
    ) as process:
        other = Beside(process)
        try:
            os.sched_setaffinity(0, ours)
            what = {"function": function, "arguments": arguments, "cores": its}
            other.order({**what, "progress": shown()})
            yield other
        finally:
            os.sched_setaffinity(0, cores)
            other.end()
