"""Tensors out of published files, without running anything that stands in them."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor
from torch.serialization import get_unsafe_globals_in_checkpoint, safe_globals

from exprimo.core.errors import FormatError, InputError

_ZIP = b"PK\x03\x04"
_PICKLE = b"\x80"
# What a broken or foreign archive makes the reader raise, besides its own kind of error.
_UNREADABLE = (RuntimeError, ValueError, KeyError, TypeError, EOFError, OSError)


def read_tensor_file(path: str | Path) -> dict[str, Tensor]:
    """Read every tensor of a safetensors file, or of a torch checkpoint's state, by name.

    Refused are files cut short or damaged, and weights that are not numbers.
    """
    file = Path(path)
    tensors = _read(file)
    for name, tensor in tensors.items():
        if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all()):
            raise FormatError(
                "weights that are not numbers",
                file=file,
                record=name,
                found="NaN or infinity",
                remedy="Fetch or copy the file again, or save finite weights",
            )
    return tensors


def _read(file: Path) -> dict[str, Tensor]:
    if not file.is_file():
        raise InputError("no such file of weights", file=file)
    with file.open("rb") as handle:
        head = handle.read(9)
    if head[:4] == _ZIP:
        return _read_checkpoint(file)
    if head[8:9] == b"{":
        try:
            return dict(load_file(file))
        except (SafetensorError, *_UNREADABLE) as error:
            raise _cut_short(file, "safetensors", error) from error
    if head[:1] == _PICKLE:
        raise FormatError(
            "a torch file of the old form, which is one pickle",
            file=file,
            expected="a torch checkpoint of today's form (a zip archive), or safetensors",
            remedy="Save its tensors anew with a recent torch, where you trust the file",
        )
    raise FormatError(
        "neither a torch checkpoint nor a safetensors file",
        file=file,
        found=f"a file that begins with {head[:4]!r}",
        remedy="Give the published weights, or fetch them again",
    )


def _read_checkpoint(file: Path) -> dict[str, Tensor]:
    """Read the tensors of a checkpoint; settings of its training that it carries stay inert.

    torch refuses classes that it does not know, and published checkpoints carry the settings of
    their training as such. Each is replaced by a class that takes anything and does nothing.
    """
    _refuse_damaged(file)
    try:
        strange = get_unsafe_globals_in_checkpoint(file)
        with safe_globals([_stand_in(name) for name in strange]):
            content = torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:
        # The reader's own error is of a module that nothing here may import.
        if type(error).__name__ == "UnpicklingError":
            # What torch says here ends in advice to run whatever the file holds.
            raise FormatError(
                "a checkpoint that holds more than tensors and settings, or is damaged",
                file=file,
                found="instructions that are not read",
                expected="tensors by name",
                remedy="Give the published weights; a file that asks for more is not to be trusted",
            ) from None
        if isinstance(error, _UNREADABLE):
            raise _cut_short(file, "torch checkpoint", error) from error
        raise
    state = content.get("state_dict", content) if isinstance(content, dict) else {}
    tensors = {str(k): v for k, v in state.items() if isinstance(v, Tensor)}
    if not tensors:
        raise FormatError("a checkpoint without tensors", file=file)
    return tensors


def _refuse_damaged(file: Path) -> None:
    """Compare every part of the archive with its checksum, which torch does not."""
    try:
        with zipfile.ZipFile(file) as archive:
            damaged = archive.testzip()
    except (zipfile.BadZipFile, EOFError, OSError, ValueError) as error:
        raise _cut_short(file, "torch checkpoint", error) from error
    if damaged is not None:
        raise FormatError(
            "a damaged torch checkpoint",
            file=file,
            record=damaged,
            found="contents that do not have their checksum",
            remedy="Fetch or copy the file again",
        )


class _Inert:
    """Stands in for a class that is not read."""

    def __new__(cls, *_: Any, **__: Any) -> _Inert:
        return super().__new__(cls)

    def __init__(self, *_: Any, **__: Any) -> None:
        """Take anything."""

    def __setstate__(self, _: Any) -> None:
        """Keep nothing."""


def _empty_dictionary(*_: Any) -> dict[Any, Any]:
    return {}


def _stand_in(name: str) -> tuple[Any, str]:
    # The reader fills only true dictionaries with items.
    if name.endswith((".defaultdict", ".dict")):
        return _empty_dictionary, name
    return type("Inert", (_Inert,), {}), name


def _cut_short(file: Path, kind: str, error: Exception) -> FormatError:
    return FormatError(
        f"not a whole {kind}",
        file=file,
        found=str(error).splitlines()[0][:200] if str(error) else type(error).__name__,
        remedy="Fetch or copy the file again",
    )
