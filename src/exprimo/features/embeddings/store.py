"""Read a store of embeddings: rows by key, in memory that does not grow with the store."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from exprimo.core.errors import FormatError, InputError
from exprimo.core.files.provenance import sha256_file
from exprimo.features.embeddings.keys import KEY_BYTES, Keys
from exprimo.features.embeddings.manifest import Manifest, Shard


class _Open(NamedTuple):
    """An open shard: file handle and where its numbers begin."""

    path: Path
    handle: int
    offset: int


def embedding_facts(path: str | Path) -> dict[str, Any]:
    """Say what made the embeddings of a store."""
    made = Manifest.read(Path(path))
    return {"backbone": made.backbone, "digest": made.digest, "bin": made.bin}


class EmbeddingStore:
    """Embeddings by the key of their sequence; use `open`, as a context manager.

    Rows are read one by one from the page cache, not mapped: mapped pages would count as this
    process's memory, and add up over an epoch. What is held is a key of 16 bytes per sequence.

    Attributes
    ----------
    manifest
        What was stored: backbone, bin, shape.

    Examples
    --------
    >>> with EmbeddingStore.open("STORE") as store:              # doctest: +SKIP
    ...     store.rows(sequence_keys(codes))                     # (n, bins, channels)
    """

    def __init__(self, path: Path, manifest: Manifest) -> None:
        self.path, self.manifest = path, manifest
        self._shards: list[_Open] = []
        keys = [np.empty(0, dtype=f"S{KEY_BYTES}")]
        try:
            for shard in manifest.shards:
                keys.append(_read_keys(path, shard))
                self._shards.append(_open_shard(path / shard.file, shard, manifest))
        except BaseException:
            self.close()
            raise
        self._starts = np.cumsum([0, *(shard.rows for shard in manifest.shards)])
        self.keys: Keys = np.concatenate(keys)
        self._order = np.argsort(self.keys, kind="stable")
        self._sorted = self.keys[self._order]

    @classmethod
    def open(cls, path: str | Path) -> Self:
        """Open a store after checking that its shards are there and whole."""
        folder = Path(path)
        return cls(folder, Manifest.read(folder))

    @property
    def shape(self) -> tuple[int, int]:
        """(bins, channels) of one sequence."""
        return self.manifest.bins, self.manifest.channels

    def __len__(self) -> int:
        return len(self.keys)

    def facts(self) -> dict[str, Any]:
        """Say what made the embeddings: stores with equal facts hold the same of a sequence."""
        return embedding_facts(self.path)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Release the files."""
        for shard in self._shards:
            os.close(shard.handle)
        self._shards = []

    def has(self, keys: Keys) -> npt.NDArray[np.bool_]:
        """Tell which sequences are stored, shape (n,)."""
        if not len(self):
            return np.zeros(len(keys), dtype=bool)
        found: npt.NDArray[np.bool_] = self._sorted[self._nearest(keys)] == keys
        return found

    def require(self, keys: Keys) -> None:
        """Refuse to go on where a sequence is not stored."""
        present = self.has(keys)
        if not present.all():
            raise InputError(
                "a sequence is not in the store",
                file=self.path,
                found=f"{int((~present).sum()):,} of {len(keys):,} sequences are missing",
                remedy="Add them with: exprimo embed MODEL D.h5 -o STORE",
            )

    def rows(self, keys: Keys) -> npt.NDArray[Any]:
        """Fetch embeddings, (n, bins, channels), in the order of the keys, as they are stored."""
        self.require(keys)
        out = np.empty((len(keys), *self.shape), dtype=self.manifest.dtype)
        if not len(keys):
            return out
        view = memoryview(out).cast("B")  # type: ignore[arg-type]  # an ndarray is a buffer
        size = self.manifest.row_bytes
        places = self._order[self._nearest(keys)]
        numbers = np.searchsorted(self._starts, places, side="right") - 1
        for position, (place, number) in enumerate(zip(places, numbers, strict=True)):
            shard = self._shards[number]
            at = shard.offset + int(place - self._starts[number]) * size
            part = view[position * size : (position + 1) * size]
            if os.preadv(shard.handle, [part], at) != size:
                raise _broken(shard.path, "it was cut short while it was read")
        return out

    def verify(self) -> None:
        """Compare every file with its checksum in the manifest."""
        for shard in self.manifest.shards:
            for name, expected in (
                (shard.file, shard.sha256),
                (shard.keys_file, shard.keys_sha256),
            ):
                if sha256_file(self.path / name) != expected:
                    raise _broken(self.path / name, "its checksum is another")

    def _nearest(self, keys: Keys) -> npt.NDArray[np.int64]:
        at = np.searchsorted(self._sorted, keys)
        return np.minimum(at, len(self._sorted) - 1)


def _read_keys(folder: Path, shard: Shard) -> Keys:
    path = folder / shard.keys_file
    try:
        raw = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise _broken(path, str(error)) from error
    if raw.shape != (shard.rows, KEY_BYTES) or raw.dtype != np.uint8:
        raise _broken(path, f"it holds {raw.shape} of {raw.dtype}")
    keys: Keys = raw.reshape(-1).view(f"S{KEY_BYTES}")
    return keys


def _open_shard(path: Path, shard: Shard, manifest: Manifest) -> _Open:
    expected = (shard.rows, manifest.bins, manifest.channels)
    try:
        with path.open("rb") as file:
            version = np.lib.format.read_magic(file)
            if version != (1, 0):
                raise ValueError(f"format {version}")
            shape, by_column, dtype = np.lib.format.read_array_header_1_0(file)
            offset = file.tell()
    except (OSError, ValueError) as error:
        raise _broken(path, str(error)) from error
    size = path.stat().st_size - offset
    if shape != expected or by_column or dtype != np.dtype(manifest.dtype):
        raise _broken(path, f"it holds {shape} of {dtype}")
    if size != shard.rows * manifest.row_bytes:
        raise _broken(path, f"{size:,} bytes of numbers")
    return _Open(path, os.open(path, os.O_RDONLY), offset)


def _broken(path: Path, found: str) -> FormatError:
    return FormatError(
        "a shard that the manifest names is missing or damaged",
        file=path,
        found=found,
        remedy="Remove the store and make it again with: exprimo embed MODEL D.h5 -o STORE",
    )
