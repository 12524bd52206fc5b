"""What a kind of work must offer to be done in shards, and where each kind is found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any, NamedTuple, Protocol, runtime_checkable

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from exprimo.core.errors import ConfigError

# Not part of what was asked: on another machine the same work goes on.
MACHINE = "machine"


class Worker(Protocol):
    """Work that falls into shards; each is done alone and gives the same table anywhere."""

    @property
    def n_shards(self) -> int:
        """How many there are."""

    @property
    def shard_items(self) -> Sequence[int]:
        """What each counts on the progress bar, (n_shards,): haplotypes, variants."""

    def run(self, shard: int) -> pd.DataFrame:
        """Do one shard; its columns are those of all others, and it may have no rows."""


@runtime_checkable
class ReadsSources(Protocol):
    """A worker that knows what it reads."""

    @property
    def digests(self) -> Mapping[str, str]:
        """Source -> SHA-256 or another fingerprint: work over other sources is other work."""


class Plan(NamedTuple):
    """What all workers of one work agree on."""

    shard_items: tuple[int, ...]
    digests: dict[str, str]

    @property
    def n_shards(self) -> int:
        """How many shards there are."""
        return len(self.shard_items)


def plan_of(worker: Worker) -> Plan:
    """Ask a worker for its plan."""
    digests = dict(worker.digests) if isinstance(worker, ReadsSources) else {}
    items = tuple(int(items) for items in worker.shard_items)
    if len(items) != worker.n_shards:
        raise ConfigError("shards without their number of items", found=worker.n_shards)
    return Plan(items, digests)


_OPENERS = {
    "mutagenesis": "exprimo.scoring.mutagenesis.work:open_mutagenesis",
    "personal": "exprimo.scoring.personal.work:open_personal",
    "variants": "exprimo.scoring.variants.work:open_variants",
}


def register_work(kind: str, opener: str) -> None:
    """Make a kind of work known.

    Parameters
    ----------
    kind
        Its name, which stands in the manifest.
    opener
        ``module:function``; the function takes the settings, a dict that JSON can hold, and gives
        a `Worker`. The settings' key ``machine`` (``device`` and ``threads``) says where it
        computes; a cluster fills it in anew for each worker.

    Examples
    --------
    >>> register_work("mine", "mypackage.work:open_mine")
    >>> opener_of("mine")
    'mypackage.work:open_mine'
    """
    _OPENERS[kind] = opener


def opener_of(kind: str) -> str:
    """Give ``module:function`` of a kind of work."""
    if kind not in _OPENERS:
        raise ConfigError("no such work", found=kind, expected=", ".join(sorted(_OPENERS)))
    return _OPENERS[kind]


def open_work(opener: str, settings: Mapping[str, Any]) -> Worker:
    """Open work by the name of its opener."""
    module, function = opener.split(":")
    worker: Worker = getattr(import_module(module), function)(dict(settings))
    return worker


def shard_bytes(worker: Worker, shard: int) -> bytes:
    """Do a shard and give its table as the bytes of a parquet file.

    Categories become plain values, so that tables of different shards fit together.
    """
    table = pa.Table.from_pandas(worker.run(shard), preserve_index=False)
    fields = [
        field.with_type(field.type.value_type) if pa.types.is_dictionary(field.type) else field
        for field in table.schema
    ]
    sink = pa.BufferOutputStream()
    pq.write_table(table.cast(pa.schema(fields)), sink, compression="zstd")
    written: bytes = sink.getvalue().to_pybytes()
    return written
