"""A folder in which work grows, shard by shard, until it is joined into one file."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from exprimo.core.errors import FormatError
from exprimo.core.files.atomic import atomic_file, storage_errors, write_lock
from exprimo.core.files.provenance import sha256_file
from exprimo.scoring.shards.manifest import (
    MANIFEST,
    Shard,
    Work,
    name_shard,
    read_manifest,
    shard_file,
    write_manifest,
)
from exprimo.scoring.shards.tables import Tables, TableWriter

Assemble = Callable[[Iterator[pa.Table]], Iterator[pa.Table]]


class JoinedShards(NamedTuple):
    """What was written, of how many shards, and how many of them an earlier call had made."""

    path: Path
    n_rows: int
    n_shards: int
    n_known: int


class ShardFolder:
    """The hidden folder beside an output in which its shards stand; made by `open_folder`.

    Attributes
    ----------
    path
        The folder.
    work
        What is being made.
    shards
        Those that count, by number.
    """

    def __init__(self, out: Path, work: Work, shards: dict[int, Shard]) -> None:
        self.out = out
        self.path = folder_of(out)
        self.work = work
        self.shards = shards
        self.n_known = len(shards)

    @property
    def n_shards(self) -> int:
        """Shards of the whole work."""
        return len(self.work.shard_items)

    def missing(self) -> list[int]:
        """Give the shards that are still to be made, in order."""
        return [number for number in range(self.n_shards) if number not in self.shards]

    def add(self, number: int, content: bytes) -> None:
        """Store a shard: its file first, then its name in the manifest."""
        rows = pq.read_metadata(BytesIO(content)).num_rows
        with atomic_file(self.path / shard_file(number)) as partial:
            partial.write_bytes(content)
        shard = Shard(shard=number, sha256=hashlib.sha256(content).hexdigest(), rows=rows)
        name_shard(self.path, shard)
        self.shards[number] = shard

    def tables(self) -> Iterator[pa.Table]:
        """Read the shards in order, each with the columns and types of all."""
        files = [self.path / shard_file(number) for number in range(self.n_shards)]
        schemas = [_schema(file) for file in files]
        # A column that is empty in one shard, or whole numbers there, is as in the others.
        schema = pa.unify_schemas(schemas, promote_options="permissive")
        for number, file in enumerate(files):
            content = file.read_bytes()
            if hashlib.sha256(content).hexdigest() != self.shards[number].sha256:
                raise _damaged(file)
            yield pq.read_table(BytesIO(content)).select(schema.names).cast(schema)

    def join(
        self, writer: TableWriter, origin: dict[str, Any], assemble: Assemble | None = None
    ) -> JoinedShards:
        """Write all shards into the output, in order and a few at a time; remove the folder."""
        tables: Tables = self.tables()
        if assemble is not None:
            tables = assemble(tables)
        n_rows = writer(self.out, tables, origin)
        shutil.rmtree(self.path)
        return JoinedShards(self.out, n_rows, self.n_shards, self.n_known)


def folder_of(out: Path) -> Path:
    """Give the hidden folder beside an output.

    Examples
    --------
    >>> folder_of(Path("a/P.parquet")).name
    '.P.parquet.shards'
    """
    return out.with_name(f".{out.name}.shards")


@contextmanager
def open_folder(out: Path, work: Work) -> Iterator[ShardFolder]:
    """Begin a folder of shards, or go on with the one that the same work left.

    Raises
    ------
    MismatchError
        Other work was begun for this output.
    LockedError
        Another process is at it.
    """
    path = folder_of(out)
    with write_lock(path):
        with storage_errors(path):
            path.mkdir(exist_ok=True)
        shards: dict[int, Shard] = {}
        if (path / MANIFEST).is_file():
            known, shards = read_manifest(path)
            known.check_same(work, path)
            shards = {n: one for n, one in shards.items() if _is_whole(path / one.file, one)}
        else:
            write_manifest(path, work)
        yield ShardFolder(out, work, shards)


def _is_whole(file: Path, shard: Shard) -> bool:
    return file.is_file() and sha256_file(file) == shard.sha256


def _schema(file: Path) -> pa.Schema:
    try:
        with file.open("rb") as handle:
            return pq.read_schema(handle).remove_metadata()
    except (OSError, pa.ArrowInvalid):
        raise _damaged(file) from None


def _damaged(file: Path) -> FormatError:
    return FormatError(
        "a finished shard is missing or damaged",
        file=file,
        remedy="Run the same command again; this shard is then made anew",
    )
