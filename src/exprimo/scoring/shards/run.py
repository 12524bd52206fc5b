"""Do work in shards: here, or on the workers of a Ray cluster."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Literal, NamedTuple, Protocol, get_args

from exprimo.core.errors import ConfigError
from exprimo.core.files.atomic import refuse_existing
from exprimo.core.progress import task
from exprimo.scoring.shards.folder import Assemble, JoinedShards, ShardFolder, open_folder
from exprimo.scoring.shards.manifest import Work
from exprimo.scoring.shards.tables import TableWriter, writer_for
from exprimo.scoring.shards.work import Plan, Worker, open_work, opener_of, plan_of, shard_bytes

ExecutorName = Literal["local", "ray"]


class Executor(Protocol):
    """Does shards in any order and gives each table as the bytes of a parquet file."""

    @property
    def plan(self) -> Plan:
        """What the work consists of."""

    def results(self, shards: list[int]) -> Iterator[tuple[int, bytes]]:
        """Do these shards."""


def run_shards(
    kind: str,
    settings: dict[str, Any],
    out: str | Path,
    *,
    executor: ExecutorName = "local",
    address: str | None = None,
    unit: str,
    worker: Worker | None = None,
    assemble: Assemble | None = None,
    write: TableWriter | None = None,
    origin: dict[str, Any] | None = None,
) -> JoinedShards:
    """Do all shards of some work and write their tables, in order, into one file.

    Finished shards stand in a hidden folder beside ``out`` until the last is done. A call that
    was stopped goes on there when it is repeated, and has lost the shards that were under way:
    one here, one for each worker on a cluster. A folder of other settings or sources is refused,
    and so is an ``out`` that stands already.

    Parameters
    ----------
    kind
        A kind known to `register_work`.
    settings
        What its opener takes; JSON must hold it. ``machine`` in it (``device``, ``threads``)
        may change between calls, all else may not.
    out
        The file: ``.parquet`` or ``.tsv``, or what ``write`` writes.
    executor, address
        ``local``, or ``ray``: one worker for each GPU of the cluster at ``address``, or for each
        CPU where there is none; without an address, a cluster of this machine alone.
    unit
        What the items of a shard are, for the progress bar: ``haplotypes``.
    worker
        The same work, where it is open already.
    assemble
        Turns the stream of the shards' tables into that of the file's.
    write
        Writes the file; by default by the suffix of ``out``.
    origin
        Provenance, kept in the file or beside it.
    """
    target = Path(out)
    refuse_existing(target)
    writer = write or writer_for(target)
    if executor not in get_args(ExecutorName):
        raise ConfigError("no such executor", found=executor, expected="local or ray")
    if address is not None and executor != "ray":
        raise ConfigError("an address is that of a Ray cluster", remedy="Add --executor ray")
    with (
        _executor(executor, kind, settings, address, worker) as workers,
        open_folder(target, Work.of(kind, settings, workers.plan)) as folder,
    ):
        _do_missing(folder, workers, unit)
        return folder.join(writer, origin or {}, assemble)


def _do_missing(folder: ShardFolder, workers: Executor, unit: str) -> None:
    missing = folder.missing()
    items = folder.work.shard_items
    total = sum(items[number] for number in missing)
    began, done = time.perf_counter(), 0
    with task(f"Scoring {total:,} {unit}", total) as bar:
        for number, content in workers.results(missing):
            folder.add(number, content)
            done += items[number]
            rate = done / max(time.perf_counter() - began, 1e-9)
            bar.advance(items[number], f"{rate:,.3g} {unit}/s")


class _Local(NamedTuple):
    """The shards one after another, in this process."""

    plan: Plan
    worker: Worker

    def results(self, shards: list[int]) -> Iterator[tuple[int, bytes]]:
        """Do these shards."""
        for number in shards:
            yield number, shard_bytes(self.worker, number)


@contextmanager
def _local(opener: str, settings: dict[str, Any], worker: Worker | None) -> Iterator[Executor]:
    chosen = open_work(opener, settings) if worker is None else worker
    try:
        yield _Local(plan_of(chosen), chosen)
    finally:
        close = getattr(chosen, "close", None)
        if worker is None and close is not None:
            close()


def _executor(
    name: ExecutorName,
    kind: str,
    settings: dict[str, Any],
    address: str | None,
    worker: Worker | None,
) -> AbstractContextManager[Executor]:
    opener = opener_of(kind)
    if name == "local":
        return _local(opener, settings, worker)
    from exprimo.scoring.shards.cluster import ray_workers

    return ray_workers(opener, settings, address, None if worker is None else plan_of(worker))
