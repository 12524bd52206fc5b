"""Opening text that may be packed, damaged, or not there."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from exprimo.core.errors import FormatError, InputError
from exprimo.data.textfile import is_gzip, open_bytes, open_text

TEXT = "première\nsecond\n"


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_plain_and_gzip_read_alike_whatever_the_name(
    tmp_path: Path, packed: bool, mark: bytes
) -> None:
    path = tmp_path / "a.txt"
    content = mark + TEXT.encode()
    path.write_bytes(gzip.compress(content, mtime=0) if packed else content)
    assert is_gzip(path) is packed
    with open_text(path, "text") as handle:
        assert handle.read() == TEXT
    with open_bytes(path, "text") as handle:
        assert handle.read() == content


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (gzip.compress(TEXT.encode() * 99, mtime=0)[:-5], "cut short"),
        (gzip.compress(TEXT.encode() * 99, mtime=0)[:-5] + b"XXXXX", "damaged"),
        (b"abc\xff\n", "not a text file in UTF-8. Found: byte 0xff"),
        (b"", "empty. Expected: a table"),
    ],
)
def test_damage(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(content)
    with (
        pytest.raises(FormatError, match=message) as caught,
        open_text(path, "a table") as handle,
    ):
        handle.read()
    assert caught.value.file == str(path)


def test_absent_and_folder(tmp_path: Path) -> None:
    for path, message in ((tmp_path / "none", "no such file"), (tmp_path, "folder")):
        with pytest.raises(InputError, match=message), open_text(path, "text"):
            pass
