"""``exprimo embed``: frozen embeddings of a dataset's sequences, each computed once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from exprimo.core.dataset import Dataset
from exprimo.core.errors import ConfigError, InputError
from exprimo.core.files.atomic import atomic_file, write_lock
from exprimo.core.files.provenance import sha256_file
from exprimo.core.predictor import Backbone
from exprimo.core.progress import Task, task
from exprimo.core.sequence import Codes
from exprimo.features.embeddings.keys import KEY_BYTES, Keys, sequence_keys
from exprimo.features.embeddings.manifest import MANIFEST, Dtype, Manifest, Shard
from exprimo.features.embeddings.store import EmbeddingStore
from exprimo.scoring.embeddings.cost import EmbeddingCost, check_room, measure_cost
from exprimo.scoring.embeddings.pooling import pool, positions_per_bin
from exprimo.scoring.resolve import resolve_backbone
from exprimo.training.config import MachineConfig
from exprimo.training.machine import prepare

# A kill costs at most about a minute of work; a shard that is made sooner may be this large.
_SHARD_SECONDS, _SHARD_BYTES = 60.0, 1 << 26
_CHUNK = 1024
# Bases that go through the backbone at once.
_BASES = 65_536
_LARGEST_HALF = 65_504.0


class Embedded(NamedTuple):
    """What `embed` made: new and already known sequences, and what it had foreseen."""

    path: Path
    n_new: int
    n_known: int
    shape: tuple[int, int]
    cost: EmbeddingCost


def embed(
    model: str,
    dataset: str | Path,
    out: str | Path,
    *,
    bin: int = 128,
    dtype: Dtype = "float16",
    device: str = "auto",
    threads: int | None = None,
) -> Embedded:
    """Compute the embeddings of a dataset's distinct sequences that a store lacks.

    A killed call goes on with the last finished shard when it is repeated; another dataset with
    windows of the same length adds its new sequences.

    Parameters
    ----------
    model
        A pretrained backbone: ``NAME`` or ``NAME:FILE``, such as ``hyenadna-small-32k``.
    dataset
        An ``.h5`` file with the input ``sequence``.
    out
        The store, a folder: new, or of the same backbone, window, bin and dtype.
    bin
        Bases over which hidden vectors are averaged; 1 keeps each.
    dtype
        ``float16`` (three digits, half the size) or ``float32``.

    Examples
    --------
    >>> exprimo.embed("hyenadna-small-32k", "D.h5", "STORE")     # doctest: +SKIP
    """
    if dtype not in ("float16", "float32"):
        raise ConfigError(
            "no such type of numbers", record="dtype", found=dtype, expected="float16 or float32"
        )
    devices, _, _ = prepare(MachineConfig(device=device, threads=threads))
    backbone = resolve_backbone(model, device=devices[0])
    factor = positions_per_bin(bin, backbone.stride)
    folder = Path(out)
    if folder.exists() and not (folder / MANIFEST).is_file() and _holds_something(folder):
        raise InputError(
            "a file or another folder stands where the store should be written", file=folder
        )
    with Dataset.open(dataset) as data, write_lock(folder):
        data.index("sequence")
        sample = data.distinct("sequence", 0, 3)
        known = Manifest.read(folder) if (folder / MANIFEST).is_file() else None
        wanted = _wanted(backbone, sample, bin, factor, dtype, known)
        if known is not None:
            known.check_same(wanted, folder)
        manifest = known or wanted
        missing, keys = _missing(data, EmbeddingStore(folder, manifest))
        n_known = data.inputs["sequence"].n_distinct - len(missing)
        cost = EmbeddingCost(0, 0.0, 0)
        if len(missing):
            cost = measure_cost(backbone, sample, len(missing), manifest.row_bytes)
            check_room(folder, cost)
        folder.mkdir(parents=True, exist_ok=True)
        work = _Work(backbone, data, folder, factor)
        with task(f"Embedding {cost}", len(missing)) as bar:
            for rows in _shard_rows(missing, manifest.row_bytes, cost):
                shard = work.write_shard(manifest, rows, keys[rows], bar)
                manifest = manifest.model_copy(update={"shards": (*manifest.shards, shard)})
                manifest.write(folder)
    return Embedded(folder, len(missing), n_known, (manifest.bins, manifest.channels), cost)


def _holds_something(folder: Path) -> bool:
    """Tell a foreign folder from one in which a killed call had begun its first shard."""
    if not folder.is_dir():
        return True
    return any(
        not path.name.lstrip(".").startswith(("shard-", "manifest.")) for path in folder.iterdir()
    )


def _wanted(
    backbone: Backbone,
    sample: Codes,
    bin_bases: int,
    factor: int,
    dtype: Dtype,
    known: Manifest | None,
) -> Manifest:
    """Describe the store that is asked for; of a new one, an embedding tells the bins."""
    if known is None:
        positions = backbone.embed({"sequence": sample[:1]}).shape[1]
    return Manifest(
        backbone=backbone.name,
        digest=backbone.digest,
        bases=sample.shape[1],
        bin=bin_bases,
        bins=-(-positions // factor) if known is None else known.bins,
        channels=backbone.channels,
        dtype=dtype,
    )


def _missing(data: Dataset, store: EmbeddingStore) -> tuple[npt.NDArray[np.int64], Keys]:
    """Give the distinct rows whose sequence is not stored, and the keys of all rows."""
    n = data.inputs["sequence"].n_distinct
    keys = np.empty(n, dtype=f"S{KEY_BYTES}")
    with store:
        for start in range(0, n, _CHUNK):
            keys[start : start + _CHUNK] = sequence_keys(
                data.distinct("sequence", start, start + _CHUNK)
            )
        return np.flatnonzero(~store.has(keys)), keys


def _shard_rows(
    missing: npt.NDArray[np.int64], row_bytes: int, cost: EmbeddingCost
) -> Iterator[npt.NDArray[np.int64]]:
    """Cut the work into shards that take about a minute each, and are not too large."""
    each = cost.seconds / max(1, cost.n)
    by_time = int(_SHARD_SECONDS / each) if each > 0 else len(missing)
    size = max(1, min(by_time, _SHARD_BYTES // row_bytes))
    for start in range(0, len(missing), size):
        yield missing[start : start + size]


class _Work(NamedTuple):
    """What makes shards out of rows of a dataset."""

    backbone: Backbone
    data: Dataset
    folder: Path
    factor: int

    def write_shard(
        self, manifest: Manifest, rows: npt.NDArray[np.int64], keys: Keys, bar: Task
    ) -> Shard:
        """Embed rows into the next pair of files, which do not count before they are named."""
        name = f"shard-{len(manifest.shards):05d}.npy"
        shape = (len(rows), manifest.bins, manifest.channels)
        header = {"descr": np.dtype(manifest.dtype).str, "fortran_order": False, "shape": shape}
        step = max(1, _BASES // manifest.bases)
        # Written, not mapped: on a full disk a write fails, and a mapped page kills the process.
        with atomic_file(self.folder / name) as partial, partial.open("wb") as file:
            np.lib.format.write_array_header_1_0(file, header)
            for start in range(0, len(rows), step):
                chosen = rows[start : start + step]
                file.write(self._embed(chosen, manifest).astype(manifest.dtype).tobytes())
                bar.advance(len(chosen))
        keys_path = self.folder / name.replace(".npy", ".keys.npy")
        with atomic_file(keys_path) as partial, partial.open("wb") as file:
            raw = np.ascontiguousarray(keys).view(np.uint8).reshape(len(keys), KEY_BYTES)
            np.save(file, raw, allow_pickle=False)
        return Shard(
            file=name,
            sha256=sha256_file(self.folder / name),
            keys_sha256=sha256_file(keys_path),
            rows=len(rows),
        )

    def _embed(self, rows: npt.NDArray[np.int64], manifest: Manifest) -> npt.NDArray[np.float32]:
        codes = np.concatenate([self.data.distinct("sequence", row, row + 1) for row in rows])
        values = pool(self.backbone.embed({"sequence": codes}), self.factor)
        largest = float(np.abs(values).max())
        if not largest <= (_LARGEST_HALF if manifest.dtype == "float16" else np.inf):
            raise InputError(
                "an embedding cannot be stored",
                record=manifest.backbone,
                found=f"a number of {largest:g}",
                expected=f"finite numbers that {manifest.dtype} holds",
                remedy="Use --dtype float32, or other weights",
            )
        return values
