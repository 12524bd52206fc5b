"""Shards on a cluster of two nodes, one of which goes away while it works."""

from __future__ import annotations

import builtins
import os
import shutil
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from exprimo.core.errors import ConfigError, ExprimoError, InputError, MismatchError
from exprimo.core.files.provenance import exprimo_version
from exprimo.scoring.shards import register_work, run_shards
from exprimo.scoring.shards.actor import Scorer
from exprimo.scoring.shards.cluster import RayWorkers, _slots
from exprimo.scoring.shards.crossing import error_text, read_error

WORK = """
import os
from pathlib import Path

import pandas as pd

from exprimo.core.errors import InputError


class Waiting:
    n_shards = 8
    shard_items = [1] * 8

    def __init__(self, settings):
        self.settings = settings
        self.machine = settings.get("machine", {})

    def _node(self):
        import ray

        return ray.get_runtime_context().get_node_id()

    def run(self, shard):
        if shard == self.settings.get("bad"):
            raise InputError("a bad record", file="V.vcf", record="line 3", found=7)
        if shard == self.settings.get("deadly"):
            os._exit(1)
        once = self.settings.get("once")
        if once and Path(once).exists() and self.machine:
            os.remove(once)
            os._exit(1)
        if "events" in self.settings and self.machine:
            events = Path(self.settings["events"])
            if self._node() == self.settings["leaving"]:
                # Opening waits for the other end, which removes this node; nothing is written.
                (events / "leaving").open("rb").read()
                (events / "never").open("rb").read()
            elif shard in self.settings["first"]:
                os.read(os.open(events / "stays", os.O_RDONLY), 1)
        return pd.DataFrame({"shard": [shard], "square": [shard * shard / 3]})


def open_waiting(settings):
    return Waiting(settings)
"""


@pytest.fixture
def importable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "importable"
    folder.mkdir()
    (folder / "waiting_work.py").write_text(WORK)
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.setenv("PYTHONPATH", str(folder))
    monkeypatch.delitem(sys.modules, "waiting_work", raising=False)
    register_work("waiting", "waiting_work:open_waiting")


@pytest.fixture
def cluster(importable: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A cluster of one node with one CPU; its files have short names, as sockets need."""
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    monkeypatch.setenv("RAY_enable_metrics_collection", "0")
    folder = tempfile.mkdtemp(prefix="xr", dir="/tmp")
    monkeypatch.setenv("RAY_TMPDIR", folder)
    import ray
    from ray.cluster_utils import Cluster

    made = Cluster(
        initialize_head=True,
        head_node_args={
            "num_cpus": 1,
            "include_dashboard": False,
            "object_store_memory": 80 << 20,
        },
    )
    try:
        yield made
    finally:
        ray.shutdown()
        made.shutdown()
        shutil.rmtree(folder, ignore_errors=True)


def local(tmp_path: Path) -> pd.DataFrame:
    out = tmp_path / "local.parquet"
    run_shards("waiting", {}, out, unit="rows")
    return pd.read_parquet(out)


@pytest.mark.slow
def test_a_removed_node_loses_nothing(cluster: Any, tmp_path: Path) -> None:
    leaving = cluster.add_node(num_cpus=1, object_store_memory=80 << 20)
    events = tmp_path / "events"
    events.mkdir()
    for name in ("leaving", "never", "stays"):
        os.mkfifo(events / name)

    def remove() -> None:
        # Opening waits until a worker on that node holds a shard and reads.
        with (events / "leaving").open("wb"):
            cluster.remove_node(leaving, allow_graceful=False)
        os.write(stays, bytes(len(first)))

    # Open at both ends, so it waits for nobody; the worker that stays takes a byte for each of
    # the first shards, and so cannot finish before the node is gone.
    stays, first = os.open(events / "stays", os.O_RDWR), [0, 1]
    remover = threading.Thread(target=remove, daemon=True)
    remover.start()
    settings = {"events": str(events), "leaving": leaving.node_id, "first": first}
    out = tmp_path / "ray.parquet"
    done = run_shards(
        "waiting", settings, out, executor="ray", address=cluster.address, unit="rows"
    )
    remover.join(10)
    assert not remover.is_alive()
    os.close(stays)
    assert done.n_rows == 8
    pd.testing.assert_frame_equal(pd.read_parquet(out), local(tmp_path))


@pytest.mark.slow
def test_a_killed_worker_is_replaced_and_failures_that_repeat_end_the_work(
    cluster: Any, tmp_path: Path
) -> None:
    import ray

    ray.init(address=cluster.address, log_to_driver=False, configure_logging=False)
    out = tmp_path / "P.parquet"
    with pytest.raises(InputError, match=r"V\.vcf, line 3: a bad record. Found: 7"):
        run_shards("waiting", {"bad": 2}, out, executor="ray", unit="rows")
    other = tmp_path / "Q.parquet"
    with pytest.raises(ExprimoError, match=r"shard 2: .*ended without an answer.*3 times"):
        run_shards("waiting", {"deadly": 2}, other, executor="ray", unit="rows")
    (tmp_path / "once").touch()
    lived = tmp_path / "L.parquet"
    run_shards("waiting", {"once": str(tmp_path / "once")}, lived, executor="ray", unit="rows")
    assert not (tmp_path / "once").exists()
    pd.testing.assert_frame_equal(pd.read_parquet(lived), local(tmp_path))
    # What was there is used, and stays.
    assert ray.is_initialized()
    with pytest.raises(ConfigError, match="no room for a worker"):
        run_shards("waiting", {"machine": {"threads": 64}}, other, executor="ray", unit="rows")
    with pytest.raises(ConfigError, match="no room for a worker"):
        run_shards("waiting", {"machine": {"device": "cuda"}}, other, executor="ray", unit="rows")


def test_missing_ray_is_said(
    importable: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = builtins.__import__

    def without(name: str, *more: Any, **named: Any) -> Any:
        if name == "ray":
            raise ImportError(name)
        return whole(name, *more, **named)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ConfigError, match=r"pip install 'exprimo\[scale\]'"):
        run_shards("waiting", {}, tmp_path / "P.parquet", executor="ray", unit="rows")


def test_workers_take_what_the_cluster_has() -> None:
    taken = _slots({"CPU": 16.0, "GPU": 2.0}, {"threads": 4})
    assert (taken.n, taken.resources) == (2, {"num_gpus": 1, "num_cpus": 4})
    assert taken.machine == {"device": "cuda", "threads": 4}
    assert _slots({"CPU": 16.0, "GPU": 2.0}, {"device": "cpu"}).n == 16
    assert _slots({"CPU": 7.0}, {"threads": 2}).n == 3


def test_a_worker_answers_with_errors_as_text(importable: None) -> None:
    scorer = Scorer("waiting_work:open_waiting", '{"bad": 1}')
    error, plan, version = scorer.open()
    assert error == ""
    assert plan == '{"shard_items": [1, 1, 1, 1, 1, 1, 1, 1], "digests": {}}'
    assert version
    error, content = scorer.run(1)
    assert content == b""
    raised = read_error(error)
    assert type(raised) is InputError
    assert (raised.file, raised.record, raised.found) == ("V.vcf", "line 3", "7")
    error, content = scorer.run(0)
    assert error == ""
    assert content[:4] == b"PAR1"


class FakeHandle:
    """A worker whose calls give a name for the answer."""

    def __init__(self) -> None:
        self.open = self.run = self

    def remote(self, *arguments: object) -> object:
        return object()


class FakeRay:
    """A cluster whose workers answer at once, in order."""

    exceptions = SimpleNamespace(
        RayActorError=ConnectionError,
        ObjectLostError=ConnectionError,
        WorkerCrashedError=ConnectionError,
        NodeDiedError=ConnectionError,
    )

    def __init__(self, answers: list[tuple[str, str, str]]) -> None:
        self.answers = answers

    def remote(self, **resources: object) -> Any:
        return lambda kind: SimpleNamespace(remote=lambda *arguments: FakeHandle())

    def wait(self, references: list[Any], num_returns: int) -> tuple[list[Any], list[Any]]:
        return references[-1:], references[:-1]

    def get(self, reference: object) -> tuple[str, str, str]:
        return self.answers.pop(0)

    def kill(self, worker: object, no_restart: bool) -> None:
        pass


def first_two_plans(answers: list[tuple[str, str, str]]) -> None:
    workers = RayWorkers(FakeRay(answers), "m:f", "{}", _slots({"CPU": 2.0}, {}))
    workers.plan = workers.first_plan()
    list(workers.results([0]))


@pytest.mark.parametrize(
    ("answers", "error", "match"),
    [
        (
            [
                ("", '{"shard_items": [1], "digests": {"model": "aa"}}', "VERSION"),
                ("", '{"shard_items": [1], "digests": {"model": "bb"}}', "VERSION"),
            ],
            MismatchError,
            "has other files",
        ),
        ([("", "", "0.0.0")], MismatchError, "another version of Exprimo"),
        (
            [(error_text(InputError("no such file", file="g.fa")), "", "VERSION")],
            InputError,
            "no such file",
        ),
    ],
)
def test_workers_that_differ_are_refused(
    answers: list[tuple[str, str, str]], error: type[Exception], match: str
) -> None:
    told = [(e, p, v.replace("VERSION", exprimo_version())) for e, p, v in answers]
    with pytest.raises(error, match=match):
        first_two_plans(told)
