"""The manifest of a store: what it holds, and which shards count."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, ValidationError

from exprimo.core.config import Config
from exprimo.core.errors import FormatError, InputError, MismatchError
from exprimo.core.files.atomic import atomic_file
from exprimo.core.files.versions import check_alphabet, check_format_version
from exprimo.core.sequence import ALPHABET

EMBEDDINGS_FORMAT = 1
MANIFEST = "manifest.json"
_KIND = "exprimo-embeddings"

Dtype = Literal["float16", "float32"]


class Shard(Config):
    """One pair of files; both count only while the manifest names them."""

    file: str = Field(pattern=r"^shard-\d{5}\.npy$")
    """Embeddings, (rows, bins, channels)."""
    sha256: str
    """Of that file."""
    keys_sha256: str
    """Of the file of keys beside it."""
    rows: int = Field(ge=1)
    """Sequences in it."""

    @property
    def keys_file(self) -> str:
        """Name of the file of keys, (rows, 16) bytes."""
        return self.file.replace(".npy", ".keys.npy")


class Manifest(Config):
    """What all shards of a store have in common, and the shards."""

    backbone: str
    """Name of the pretrained model."""
    digest: str
    """SHA-256 of its weights."""
    bases: int = Field(ge=1)
    """Length of every sequence."""
    bin: int = Field(ge=1)
    """Bases per bin; within one, positions are averaged."""
    bins: int = Field(ge=1)
    """Bins per sequence."""
    channels: int = Field(ge=1)
    """Numbers per bin."""
    dtype: Dtype = "float16"
    """How they are stored."""
    shards: tuple[Shard, ...] = ()
    """In the order in which they were made."""

    @property
    def n(self) -> int:
        """Sequences in the store."""
        return sum(shard.rows for shard in self.shards)

    @property
    def row_bytes(self) -> int:
        """Bytes of one sequence's embedding."""
        return self.bins * self.channels * (2 if self.dtype == "float16" else 4)

    def check_same(self, other: Manifest, path: Path) -> None:
        """Refuse to add embeddings of another kind to a store."""
        for name in ("backbone", "digest", "bases", "bin", "bins", "channels", "dtype"):
            mine, theirs = getattr(self, name), getattr(other, name)
            if mine != theirs:
                raise MismatchError(
                    "this store holds embeddings of another kind",
                    file=path,
                    record=name,
                    found=mine,
                    expected=theirs,
                    remedy="Choose another store, or the same model, window, bin and dtype",
                )

    def write(self, folder: Path) -> None:
        """Write it whole or not at all; from then on its shards count."""
        facts: dict[str, Any] = {
            "kind": _KIND,
            "format_version": EMBEDDINGS_FORMAT,
            "alphabet": ALPHABET,
            **self.model_dump(mode="json"),
        }
        with atomic_file(folder / MANIFEST) as partial:
            partial.write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read a store's manifest after checking kind, version and alphabet."""
        path = folder / MANIFEST
        if not path.is_file():
            raise InputError(
                "no store of embeddings",
                file=folder,
                expected=f"a folder with {MANIFEST}",
                remedy="Make one with: exprimo embed MODEL D.h5 -o STORE",
            )
        try:
            facts = json.loads(path.read_text(encoding="utf-8"))
        except (ValueError, UnicodeDecodeError) as error:
            raise FormatError("not valid JSON", file=path, found=error) from error
        if not isinstance(facts, dict) or facts.pop("kind", None) != _KIND:
            raise FormatError("not the manifest of embeddings", file=path)
        check_format_version(
            facts.pop("format_version", None), EMBEDDINGS_FORMAT, file=path, what="store"
        )
        check_alphabet(facts.pop("alphabet", None), file=path)
        try:
            return cls.model_validate(facts)
        except ValidationError as error:
            raise FormatError(
                "the manifest is not as Exprimo writes it",
                file=path,
                record=".".join(map(str, error.errors()[0]["loc"])),
                found=error.errors()[0]["msg"],
            ) from error
