"""Where a thing came from."""

from __future__ import annotations

import hashlib
import json
import sys
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path

import pytest

from exprimo.core.files.provenance import describe_origin, exprimo_version, sha256_file


def test_the_checksum_is_that_of_the_bytes(tmp_path: Path) -> None:
    path = tmp_path / "a"
    for content in (b"", b"abc", b"x" * (2 * 1024 * 1024 + 1)):
        path.write_bytes(content)
        assert sha256_file(path) == hashlib.sha256(content).hexdigest()


def test_an_origin_names_version_command_time_and_sources(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "c.tsv"
    source.write_bytes(b"abc")
    monkeypatch.setattr(sys, "argv", ["/somewhere/bin/exprimo", "train", "D.h5"])
    origin = describe_origin([source], genome="made up")
    assert origin["command"] == ["exprimo", "train", "D.h5"]
    assert origin["exprimo"] == exprimo_version() == version("exprimo")
    assert origin["genome"] == "made up"
    assert origin["sources"] == [
        {"path": str(source), "bytes": 3, "sha256": hashlib.sha256(b"abc").hexdigest()}
    ]
    age = datetime.now(UTC) - datetime.fromisoformat(origin["created"])
    assert timedelta(0) <= age < timedelta(minutes=1)
    assert json.loads(json.dumps(origin)) == origin
