"""The manifest of a folder of shards: what is being made, and which shards count.

One JSON object a line: first the work, then one line for each shard, added when its file is
whole. A line that a killed process left unfinished does not count. So naming a shard costs the
same however many there are.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, Self

from pydantic import Field, ValidationError

from exprimo.core.config import Config
from exprimo.core.errors import FormatError, MismatchError
from exprimo.core.files.atomic import atomic_file, storage_errors
from exprimo.core.files.versions import check_format_version
from exprimo.scoring.shards.work import MACHINE, Plan

SHARDS_FORMAT = 1
MANIFEST = "manifest.jsonl"
_KIND = "exprimo-shards"


class Shard(Config):
    """One finished shard."""

    shard: int = Field(ge=0)
    """Its number."""
    sha256: str
    """Of its file."""
    rows: int = Field(ge=0)
    """Rows of its table."""

    @property
    def file(self) -> str:
        """Name of its file."""
        return shard_file(self.shard)


def shard_file(shard: int) -> str:
    """Name the file of a shard.

    Examples
    --------
    >>> shard_file(12)
    'shard-0000012.parquet'
    """
    return f"shard-{shard:07d}.parquet"


class Work(Config):
    """What is being made; a folder of other work is refused."""

    work: str
    """Kind of work."""
    settings: dict[str, Any]
    """What was asked for, without the machine."""
    digests: dict[str, str]
    """What is read: source -> fingerprint."""
    shard_items: tuple[int, ...]
    """Items of each shard."""

    @classmethod
    def of(cls, kind: str, settings: dict[str, Any], plan: Plan) -> Self:
        """Describe work, as JSON would give it back."""
        asked = {key: value for key, value in settings.items() if key != MACHINE}
        return cls(
            work=kind,
            settings=json.loads(json.dumps(asked)),
            digests=plan.digests,
            shard_items=plan.shard_items,
        )

    def check_same(self, wanted: Work, folder: Path) -> None:
        """Refuse to go on with other work than that which began."""
        for part in ("work", "settings", "digests", "shard_items"):
            mine, theirs = getattr(self, part), getattr(wanted, part)
            if mine == theirs:
                continue
            record = part
            if isinstance(mine, dict):
                keys = sorted({*mine, *theirs})
                record = next(key for key in keys if mine.get(key) != theirs.get(key))
                mine, theirs = mine.get(record), theirs.get(record)
            raise MismatchError(
                "unfinished work stands here, and it was begun with other settings or sources",
                file=folder,
                record=record,
                found=_short(mine),
                expected=_short(theirs),
                remedy="Repeat the command that began it, choose another output, "
                "or remove the folder",
            )


def _short(value: object) -> str:
    text = json.dumps(value)
    return text if len(text) <= 80 else text[:77] + "..."


def write_manifest(folder: Path, work: Work) -> None:
    """Begin a manifest that names no shard yet."""
    facts = {"kind": _KIND, "format_version": SHARDS_FORMAT, **work.model_dump(mode="json")}
    with atomic_file(folder / MANIFEST) as partial:
        partial.write_text(json.dumps(facts) + "\n", encoding="utf-8")


def name_shard(folder: Path, shard: Shard) -> None:
    """Add a shard whose file is whole; from then on it counts."""
    path = folder / MANIFEST
    with storage_errors(path), path.open("ab") as handle:
        handle.write(shard.model_dump_json().encode() + b"\n")
        handle.flush()
        os.fsync(handle.fileno())


def read_manifest(folder: Path) -> tuple[Work, dict[int, Shard]]:
    """Read what is being made and the shards that are named; cut off an unfinished line."""
    path = folder / MANIFEST
    text = path.read_bytes()
    whole = text[: text.rfind(b"\n") + 1]
    try:
        first, *rest = [json.loads(line) for line in whole.splitlines()]
        if first.pop("kind", None) != _KIND:
            raise ValueError("another kind of file")
        check_format_version(
            first.pop("format_version", None), SHARDS_FORMAT, file=path, what="folder of shards"
        )
        work = Work.model_validate(first)
        shards = [Shard.model_validate(line) for line in rest]
    except (ValueError, AttributeError, ValidationError) as error:
        raise FormatError(
            "not the manifest of unfinished work",
            file=path,
            found=str(error).splitlines()[0] if str(error) else None,
            remedy="Remove the folder and begin again",
        ) from error
    if len(whole) < len(text):
        with storage_errors(path):
            os.truncate(path, len(whole))
    return work, {shard.shard: shard for shard in shards}
