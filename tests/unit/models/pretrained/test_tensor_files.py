"""Files of weights that are damaged, old, not finite, or ask for more than tensors."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from exprimo.core.errors import FormatError
from exprimo.models.pretrained.tensor_files import read_tensor_file


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    path = tmp_path / "weights.ckpt"
    torch.save({"state_dict": {"w": torch.arange(4096.0)}}, path)
    return path


def test_a_whole_checkpoint_is_read(checkpoint: Path) -> None:
    assert torch.equal(read_tensor_file(checkpoint)["w"], torch.arange(4096.0))


def test_one_changed_byte_of_a_tensor_is_noticed(checkpoint: Path) -> None:
    with zipfile.ZipFile(checkpoint) as archive:
        entry = max(archive.infolist(), key=lambda one: one.file_size)
    raw = bytearray(checkpoint.read_bytes())
    raw[entry.header_offset + 4096] ^= 0xFF
    checkpoint.write_bytes(raw)
    with pytest.raises(FormatError, match="damaged torch checkpoint"):
        read_tensor_file(checkpoint)


def test_what_asks_for_code_is_refused_without_advice_to_run_it(tmp_path: Path) -> None:
    class Asks:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return os.system, (f"touch {tmp_path / 'ran'}",)

    path = tmp_path / "asks.ckpt"
    torch.save({"state_dict": {"w": torch.ones(2)}, "extra": Asks()}, path)
    with pytest.raises(FormatError, match="not to be trusted") as caught:
        read_tensor_file(path)
    assert "weights_only" not in str(caught.value)
    assert not (tmp_path / "ran").exists()


def test_an_old_torch_file_is_called_one(tmp_path: Path) -> None:
    path = tmp_path / "old.pt"
    torch.save({"w": torch.ones(2)}, path, _use_new_zipfile_serialization=False)
    with pytest.raises(FormatError, match="of the old form"):
        read_tensor_file(path)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_not_numbers_are_named(tmp_path: Path, value: float) -> None:
    save_file({"fine": torch.ones(3), "worse": torch.tensor([1.0, value])}, tmp_path / "w.st")
    with pytest.raises(FormatError, match="not numbers") as caught:
        read_tensor_file(tmp_path / "w.st")
    assert "worse" in str(caught.value)
