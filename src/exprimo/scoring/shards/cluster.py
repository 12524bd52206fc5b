"""Shards on a Ray cluster: one worker a device, and what a lost worker had goes to another."""

from __future__ import annotations

import json
import logging
import os
import shutil
import tempfile
import warnings
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from exprimo.core.errors import ConfigError, ExprimoError, MismatchError
from exprimo.core.files.provenance import exprimo_version
from exprimo.scoring.shards.actor import Scorer
from exprimo.scoring.shards.crossing import read_error, read_plan
from exprimo.scoring.shards.work import MACHINE, Plan

# A shard that ends its worker this often is taken for the reason.
_TRIES = 3
_QUIET = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_enable_metrics_collection": "0"}


class _Slots(NamedTuple):
    """Workers that a cluster has room for, and what each takes."""

    n: int
    resources: dict[str, float]
    machine: dict[str, Any]


@contextmanager
def ray_workers(
    opener: str, settings: dict[str, Any], address: str | None, plan: Plan | None
) -> Iterator[RayWorkers]:
    """Start one worker a GPU of the cluster, or one a CPU where it has none.

    ``machine`` of the settings may say ``device`` (``cpu`` leaves the GPUs alone) and
    ``threads``, CPUs for each worker.
    """
    ray = _import_ray()
    with _connected(ray, address):
        slots = _slots(ray.cluster_resources(), settings.get(MACHINE) or {})
        text = json.dumps({**settings, MACHINE: slots.machine})
        workers = RayWorkers(ray, opener, text, slots)
        try:
            workers.plan = plan or workers.first_plan()
            yield workers
        finally:
            workers.close()


def _import_ray() -> Any:
    # Before the import, or Ray does not see them.
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    try:
        import ray
    except ImportError:
        raise ConfigError(
            "Ray is not installed",
            record="--executor ray",
            remedy="Install it with: pip install 'exprimo[scale]'",
        ) from None
    return ray


@contextmanager
def _connected(ray: Any, address: str | None) -> Iterator[None]:
    """Be connected; what is connected already is used and stays so."""
    if ray.is_initialized():
        yield
        return
    # Ray's sockets stand in this folder, and the name of a socket must be short.
    folder = None if address else tempfile.mkdtemp(prefix="xr", dir="/tmp")
    own = {} if address else {"include_dashboard": False, "_temp_dir": folder}
    try:
        try:
            # Of a cluster that others started, its warnings are the user's to read.
            with _quiet(logging.WARNING if address else logging.ERROR):
                ray.init(
                    address=address or "local", log_to_driver=False, configure_logging=False, **own
                )
        except (ConnectionError, ValueError, RuntimeError) as error:
            raise ConfigError(
                "no Ray cluster answers",
                record=address or "a cluster of this machine",
                found=str(error).splitlines()[0] if str(error) else None,
                remedy="Start one with: ray start --head, and give its address",
            ) from error
        try:
            yield
        finally:
            ray.shutdown()
    finally:
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _quiet(least: int) -> Iterator[None]:
    """Keep off the terminal what Ray says of itself when it starts, below a level of logging."""
    logger = logging.getLogger("ray")
    level = logger.level
    logger.setLevel(least)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            yield
    finally:
        logger.setLevel(level)


def _slots(resources: dict[str, float], machine: dict[str, Any]) -> _Slots:
    """Count the workers that there is room for.

    Examples
    --------
    >>> _slots({"CPU": 8.0, "GPU": 2.0}, {})
    _Slots(n=2, resources={'num_gpus': 1, 'num_cpus': 1}, machine={'device': 'cuda', 'threads': 1})
    >>> _slots({"CPU": 8.0}, {"threads": 4})
    _Slots(n=2, resources={'num_cpus': 4}, machine={'device': 'cpu', 'threads': 4})
    """
    device, threads = str(machine.get("device") or "auto"), int(machine.get("threads") or 1)
    gpus, cpus = int(resources.get("GPU", 0)), int(resources.get("CPU", 0))
    wants_gpu = device.startswith("cuda")
    if gpus and device != "cpu":
        taken: dict[str, float] = {"num_gpus": 1, "num_cpus": threads}
        return _Slots(gpus, taken, {"device": "cuda", "threads": threads})
    if wants_gpu or cpus < threads:
        raise ConfigError(
            "the cluster has no room for a worker",
            found=f"{gpus} GPUs, {cpus} CPUs",
            expected="a GPU" if wants_gpu else f"{threads} CPUs",
            remedy="Use --device cpu" if wants_gpu else "Use fewer --threads",
        )
    return _Slots(cpus // threads, {"num_cpus": threads}, {"device": "cpu", "threads": threads})


class RayWorkers:
    """The workers; `results` hands out shards and takes tables back.

    A worker gets its first shard once it has opened the work, so that one which waits for room
    holds nothing back. One that is lost is replaced; the new one waits until there is room.
    """

    plan: Plan

    def __init__(self, ray: Any, opener: str, settings: str, slots: _Slots) -> None:
        self._ray = ray
        # Ray would restart a worker under its old name; a new one shows when it is ready.
        self._class = ray.remote(max_restarts=0, max_task_retries=0, **slots.resources)(Scorer)
        self._arguments = opener, settings, os.getcwd()
        self._opening: dict[Any, Any] = {}
        self._idle: list[Any] = []
        self._busy: dict[Any, tuple[Any, int]] = {}
        self._plans: list[Plan] = []
        self._lost_opening = 0
        self._slots = slots.n
        gone = ray.exceptions
        # The last three: the node went away between the answer and its arrival here.
        self._lost = (
            gone.RayActorError,
            gone.ObjectLostError,
            gone.WorkerCrashedError,
            gone.NodeDiedError,
        )
        for _ in range(slots.n):
            self._start()

    def first_plan(self) -> Plan:
        """Wait until one worker has opened the work; give its plan."""
        while not self._plans:
            self._take_next({}, deque())
        return self._plans[0]

    def results(self, shards: list[int]) -> Iterator[tuple[int, bytes]]:
        """Do these shards in any order, each until it is done."""
        waiting = deque(shards)
        tries = dict.fromkeys(shards, 0)
        left = len(shards)
        while left:
            while waiting and self._idle:
                number, worker = waiting.popleft(), self._idle.pop()
                self._busy[worker.run.remote(number)] = worker, number
            done = self._take_next(tries, waiting)
            if done is not None:
                left -= 1
                yield done

    def close(self) -> None:
        """End all workers."""
        working = [worker for worker, _ in self._busy.values()]
        for worker in [*self._opening.values(), *self._idle, *working]:
            self._ray.kill(worker, no_restart=True)
        self._opening, self._idle, self._busy = {}, [], {}

    def _start(self) -> None:
        worker = self._class.remote(*self._arguments)
        self._opening[worker.open.remote()] = worker

    def _take_next(self, tries: dict[int, int], waiting: deque[int]) -> tuple[int, bytes] | None:
        """Wait until a worker answers or is lost; give a shard, if that was what came."""
        [first], _ = self._ray.wait([*self._busy, *self._opening], num_returns=1)
        if first in self._opening:
            self._opened(first)
            return None
        worker, number = self._busy.pop(first)
        try:
            error, content = self._ray.get(first)
        except self._lost as lost:
            self._replace(worker)
            tries[number] += 1
            if tries[number] >= _TRIES:
                raise _ended(f"shard {number}", tries[number], lost) from lost
            # In front: whoever is free does it next, and the end does not wait for it.
            waiting.appendleft(number)
            return None
        self._idle.append(worker)
        if error:
            raise read_error(error)
        return number, content

    def _opened(self, reference: Any) -> None:
        worker = self._opening.pop(reference)
        try:
            error, plan, version = self._ray.get(reference)
        except self._lost as lost:
            self._lost_opening += 1
            self._replace(worker)
            # Nodes that go away take workers along; with no plan there is none that can open.
            if self._lost_opening >= _TRIES * self._slots:
                raise _ended("opening the work", self._lost_opening, lost) from lost
            return
        self._idle.append(worker)
        if version != exprimo_version():
            raise _differs("another version of Exprimo", version, exprimo_version())
        if error:
            raise read_error(error)
        self._plans.append(read_plan(plan))
        expected = getattr(self, "plan", self._plans[0])
        if self._plans[-1] != expected:
            raise _differs("other files", self._plans[-1].digests, expected.digests)

    def _replace(self, lost: Any) -> None:
        self._ray.kill(lost, no_restart=True)
        self._start()


def _ended(what: str, times: int, error: Exception) -> ExprimoError:
    return ExprimoError(
        "workers of the cluster ended without an answer",
        record=what,
        found=f"{times} times; {str(error).splitlines()[0]}",
        remedy="Give each more memory (fewer workers: more --threads for each), "
        "or see with --executor local what ends them; what was finished stays",
    )


def _differs(what: str, found: object, expected: object) -> MismatchError:
    return MismatchError(
        f"a worker of the cluster has {what}",
        found=found,
        expected=expected,
        remedy="Give all nodes the same Exprimo and the same files under the same paths",
    )
