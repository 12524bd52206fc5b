"""Shards in this process: order, resuming, refusing, full disks, formats."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from exprimo.core.errors import (
    ConfigError,
    FormatError,
    InputError,
    LockedError,
    MismatchError,
    StorageError,
    VersionError,
)
from exprimo.core.files.atomic import write_lock
from exprimo.core.files.origin import read_origin
from exprimo.core.progress import show_progress
from exprimo.scoring.shards import register_work, run_shards
from exprimo.scoring.shards.folder import folder_of

WORK = """
import os
import signal

import numpy as np
import pandas as pd

from exprimo.core.errors import InputError


class Squares:
    def __init__(self, settings):
        self.n_shards = settings["n"]
        self.shard_items = [shard + 1 for shard in range(self.n_shards)]
        self.digests = {"source": settings.get("source", "aa")}
        self.settings = settings
        self.done = []

    def run(self, shard):
        if shard == self.settings.get("bad"):
            raise InputError("a bad record", file="V.vcf", record="line 3", found=7)
        if shard == self.settings.get("machine", {}).get("killed_at"):
            os.kill(os.getpid(), signal.SIGKILL)
        self.done.append(shard)
        rows = np.arange(shard + 1)
        return pd.DataFrame(
            {
                "shard": shard,
                "square": (rows * rows).astype(np.float32),
                "name": pd.Categorical([f"s{shard}"] * len(rows)),
                "note": [None if shard % 2 else "even"] * len(rows),
            }
        )


def open_squares(settings):
    return Squares(settings)
"""


@pytest.fixture(autouse=True)
def squares(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A module of work beside the test, importable here and in subprocesses."""
    folder = tmp_path / "importable"
    folder.mkdir()
    (folder / "squares_work.py").write_text(WORK)
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.setenv("PYTHONPATH", str(folder))
    monkeypatch.delitem(sys.modules, "squares_work", raising=False)
    register_work("squares", "squares_work:open_squares")
    import squares_work  # type: ignore[import-not-found]  # written just above

    return squares_work


class Recorder:
    """Keeps what was reported; may fail at a step."""

    def __init__(self, stop_after: int | None = None) -> None:
        self.started: list[tuple[str, int | None]] = []
        self.steps: list[int] = []
        self.notes: list[str] = []
        self.stop_after = stop_after

    def start(self, description: str, total: int | None) -> object:
        self.started.append((description, total))
        return 0

    def advance(self, task: object, steps: int, note: str) -> None:
        self.steps.append(steps)
        self.notes.append(note)
        if len(self.steps) == self.stop_after:
            raise KeyboardInterrupt

    def finish(self, task: object) -> None:
        pass


def settings(n: int = 5, **more: Any) -> dict[str, Any]:
    return {"n": n, **more}


def run(out: Path, **more: Any) -> Any:
    return run_shards("squares", settings(**more), out, unit="rows")


def begin(out: Path, shards: int, **more: Any) -> None:
    with pytest.raises(KeyboardInterrupt), show_progress(Recorder(shards)):
        run(out, **more)


def test_tables_are_joined_in_order_with_common_types(tmp_path: Path) -> None:
    done = run(tmp_path / "P.parquet")
    assert done == (tmp_path / "P.parquet", 15, 5, 0)
    table = pd.read_parquet(tmp_path / "P.parquet")
    assert table["shard"].tolist() == [s for s in range(5) for _ in range(s + 1)]
    assert table["square"].tolist() == [float(i * i) for s in range(5) for i in range(s + 1)]
    schema = pq.read_schema(tmp_path / "P.parquet")
    # A column of nothing in one shard has the type that it has in the others.
    assert schema.field("note").type == pa.string()
    assert schema.field("name").type == pa.string()
    assert schema.field("square").type == pa.float32()
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["P.parquet"]
    assert not folder_of(tmp_path / "P.parquet").exists()


def test_an_interrupted_call_goes_on_and_ends_the_same(tmp_path: Path, squares: Any) -> None:
    whole, broken = tmp_path / "A.parquet", tmp_path / "B.parquet"
    run(whole)
    begin(broken, 2)
    assert not broken.exists()
    worker = squares.open_squares(settings())
    bar = Recorder()
    with show_progress(bar):
        done = run_shards("squares", settings(), broken, unit="rows", worker=worker)
    assert (done.n_known, worker.done) == (2, [2, 3, 4])
    assert broken.read_bytes() == whole.read_bytes()
    assert bar.started == [("Scoring 12 rows", 12)]
    assert bar.steps == [3, 4, 5]
    assert all(note.endswith("rows/s") for note in bar.notes)


@pytest.mark.slow
def test_a_killed_process_loses_the_shard_that_it_was_at(tmp_path: Path, squares: Any) -> None:
    out = tmp_path / "P.parquet"
    code = (
        "from exprimo.scoring.shards import register_work, run_shards\n"
        "register_work('squares', 'squares_work:open_squares')\n"
        f"run_shards('squares', {settings(machine={'killed_at': 3})!r}, {str(out)!r}, unit='rows')"
    )
    ended = subprocess.run([sys.executable, "-c", code], env=dict(os.environ), timeout=60)
    assert ended.returncode == -signal.SIGKILL
    worker = squares.open_squares(settings())
    done = run_shards("squares", settings(), out, unit="rows", worker=worker)
    assert (done.n_known, worker.done) == (3, [3, 4])
    run(tmp_path / "W.parquet")
    assert out.read_bytes() == (tmp_path / "W.parquet").read_bytes()


@pytest.mark.parametrize(
    ("change", "record"),
    [({"n": 6}, "n"), ({"more": 1}, "more"), ({"source": "bb"}, "source")],
)
def test_other_settings_or_sources_are_refused(
    tmp_path: Path, change: dict[str, Any], record: str
) -> None:
    out = tmp_path / "P.parquet"
    begin(out, 2)
    with pytest.raises(MismatchError, match="begun with other settings") as caught:
        run(out, **change)
    assert caught.value.record == record
    assert run(out).n_known == 2


def test_other_sources_alone_are_refused(tmp_path: Path, squares: Any) -> None:
    begin(tmp_path / "P.parquet", 1)
    worker = squares.open_squares(settings())
    worker.digests = {"source": "changed"}
    with pytest.raises(MismatchError, match="source"):
        run_shards("squares", settings(), tmp_path / "P.parquet", unit="rows", worker=worker)


def test_another_machine_may_go_on(tmp_path: Path) -> None:
    begin(tmp_path / "P.parquet", 2, machine={"device": "cpu", "threads": 1})
    assert run(tmp_path / "P.parquet", machine={"threads": 8}).n_known == 2


def test_a_shard_counts_only_when_it_is_named_and_whole(tmp_path: Path) -> None:
    out = tmp_path / "P.parquet"
    begin(out, 3)
    folder = folder_of(out)
    manifest = folder / "manifest.jsonl"
    lines = manifest.read_bytes().splitlines(keepends=True)
    assert len(lines) == 4
    # Killed while the third was being named; the second's file was damaged since.
    manifest.write_bytes(b"".join(lines[:3]) + lines[3][:20])
    (folder / "shard-0000001.parquet").write_bytes(b"PAR1")
    assert run(out).n_known == 1
    assert len(pd.read_parquet(out)) == 15


@pytest.mark.parametrize(
    ("text", "error", "match"),
    [
        ("{}\n", FormatError, "not the manifest"),
        ("", FormatError, "not the manifest"),
        ("no json\n", FormatError, "not the manifest"),
        ('{"kind": "exprimo-shards", "format_version": 99}\n', VersionError, "newer Exprimo"),
    ],
)
def test_a_foreign_manifest_is_refused(
    tmp_path: Path, text: str, error: type[Exception], match: str
) -> None:
    folder = folder_of(tmp_path / "P.parquet")
    folder.mkdir()
    (folder / "manifest.jsonl").write_text(text)
    with pytest.raises(error, match=match):
        run(tmp_path / "P.parquet")


def test_two_processes_do_not_make_the_same(tmp_path: Path) -> None:
    out = tmp_path / "P.parquet"
    with write_lock(folder_of(out)), pytest.raises(LockedError):
        run(out)


def test_a_full_disk_is_said_and_what_was_finished_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "P.parquet"
    write, calls = Path.write_bytes, []

    def full(self: Path, data: bytes) -> int:
        if self.name.startswith(".shard-"):
            calls.append(self)
            if len(calls) == 3:
                raise OSError(errno.ENOSPC, "No space left on device")
        return write(self, data)

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(StorageError, match="the disk is full"):
        run(out)
    monkeypatch.undo()
    sys.path.insert(0, str(tmp_path / "importable"))
    try:
        assert run(out).n_known == 2
    finally:
        sys.path.remove(str(tmp_path / "importable"))


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
def test_a_disk_that_fills_while_the_manifest_or_the_output_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "P.parquet"
    begin(out, 4)
    opened = Path.open

    def full(self: Path, mode: str = "r", *args: Any, **more: Any) -> Any:
        writes_end = mode == "ab" or (mode == "wb" and self.name == ".P.partial.parquet")
        return opened(Path("/dev/full") if writes_end else self, mode, *args, **more)

    monkeypatch.setattr(Path, "open", full)
    with pytest.raises(StorageError, match="the disk is full"):
        run(out)
    monkeypatch.setattr(Path, "open", opened)
    done = run(out)
    assert (done.n_known, done.n_rows) == (4, 15)


def test_a_finished_output_is_refused_before_any_work(tmp_path: Path, squares: Any) -> None:
    out = tmp_path / "P.parquet"
    run(out)
    content = out.read_bytes()
    worker = squares.open_squares(settings(7))
    with pytest.raises(InputError, match=r"P\.parquet: this already exists\. Choose another"):
        run_shards("squares", settings(7), out, unit="rows", worker=worker)
    assert worker.done == []
    assert out.read_bytes() == content
    assert not folder_of(out).exists()


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    with pytest.raises(StorageError):
        run(Path("/proc/P.parquet"))
    (tmp_path / "P.parquet").mkdir()
    with pytest.raises(InputError, match="already exists"):
        run(tmp_path / "P.parquet")


def test_errors_of_the_work_pass_through(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"V\.vcf, line 3: a bad record"):
        run(tmp_path / "P.parquet", bad=2)
    assert not (tmp_path / "P.parquet").exists()
    assert folder_of(tmp_path / "P.parquet").is_dir()


@pytest.mark.parametrize(
    ("more", "match"),
    [
        ({"executor": "slurm"}, "no such executor"),
        ({"address": "127.0.0.1:1"}, "an address is that of a Ray cluster"),
    ],
)
def test_wrong_executors_are_refused(tmp_path: Path, more: Any, match: str) -> None:
    with pytest.raises(ConfigError, match=match):
        run_shards("squares", settings(), tmp_path / "P.parquet", unit="rows", **more)
    with pytest.raises(ConfigError, match="no such work"):
        run_shards("cubes", {}, tmp_path / "P.parquet", unit="rows")
    with pytest.raises(InputError, match="unknown kind of output"):
        run(tmp_path / "P.xlsx")


def test_provenance_is_in_a_parquet_file_and_beside_a_text_file(tmp_path: Path) -> None:
    origin = {"model": "m", "genome": "g.fa"}
    for name in ("P.parquet", "P.tsv"):
        run_shards("squares", settings(3), tmp_path / name, unit="rows", origin=origin)
        assert read_origin(tmp_path / name) == origin
    text = (tmp_path / "P.tsv").read_text().splitlines()
    assert text[:3] == ["shard\tsquare\tname\tnote", "0\t0.0\ts0\teven", "1\t0.0\ts1\t"]
    assert json.loads((tmp_path / "P.tsv.provenance.json").read_text()) == origin
    (tmp_path / "P.tsv.provenance.json").unlink()
    with pytest.raises(FormatError, match="no provenance"):
        read_origin(tmp_path / "P.tsv")


def test_tables_may_be_assembled_and_written_otherwise(tmp_path: Path) -> None:
    def assemble(tables: Any) -> Any:
        for table in tables:
            yield pa.table({"rows": [table.num_rows]})

    run_shards("squares", settings(), tmp_path / "P.parquet", unit="rows", assemble=assemble)
    assert pd.read_parquet(tmp_path / "P.parquet")["rows"].tolist() == [1, 2, 3, 4, 5]

    def write(path: Path, tables: Any, origin: dict[str, Any]) -> int:
        path.write_text(str(sum(table.num_rows for table in tables)))
        return 1

    run_shards("squares", settings(), tmp_path / "P.own", unit="rows", write=write)
    assert (tmp_path / "P.own").read_text() == "15"
