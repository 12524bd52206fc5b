"""``attributions.h5``: contributions of many examples, written as they come, read in part."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, Self

import h5py
import numpy as np
import numpy.typing as npt

from exprimo.core.errors import FormatError, InputError, MismatchError
from exprimo.core.files.atomic import atomic_file, storage_errors
from exprimo.core.files.versions import check_alphabet, check_format_version
from exprimo.core.predictor import Floats
from exprimo.core.sequence import ALPHABET, Codes

ATTRIBUTIONS_FILE = "attributions.h5"
FORMAT, FORMAT_VERSION = "exprimo attributions", 1
SEQUENCE = "sequence"
_PLACES = ("chrom", "start", "end", "strand")
_IN_JSON = "in_json"
_PER_EXAMPLE = ("delta", "difference", "missed", "moved")

Rows = slice | npt.NDArray[np.int64] | None


class Block(NamedTuple):
    """Some examples, in their order.

    Attributes
    ----------
    arrays
        Path in the file (``prediction``, ``inputs/sequence/values``, ``delta``) -> (n, ...).
    """

    arrays: Mapping[str, npt.NDArray[Any]]


class Described(NamedTuple):
    """What a file of contributions says of itself.

    Attributes
    ----------
    example_id
        Of every example, (n,).
    attributes
        ``method``, ``settings``, ``output``, ``scale``, ``tss_index``, ``dataset_sha256``,
        ``model``; what is no text or number is kept as JSON.
    places
        ``chrom``, ``start``, ``end``, ``strand`` of each example, (n,), where they are known.
    """

    example_id: npt.NDArray[np.str_]
    attributes: Mapping[str, Any]
    places: Mapping[str, npt.NDArray[Any]]


def write_attributions(path: str | Path, blocks: Iterable[Block], about: Described) -> int:
    """Write contributions block by block, and return how many examples they were.

    Parameters
    ----------
    blocks
        In the order of ``about.example_id``; each with the same arrays, ``prediction`` among
        them.

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "attributions.h5"
    >>> block = Block({"prediction": np.float32([0.5]), "inputs/sequence/codes": np.uint8([[0, 2]]),
    ...                "inputs/sequence/values": np.float32([[1, -1]])})
    >>> write_attributions(file, [block], Described(np.array(["g1"]), {"method": "saliency"}, {}))
    1
    >>> with Attributions.open(file) as found:
    ...     found.values().tolist(), found.attrs["method"]
    ([[1.0, -1.0]], 'saliency')
    """
    target, n, at = Path(path), len(about.example_id), 0
    with (
        storage_errors(target),
        atomic_file(target) as partial,
        h5py.File(partial, "w") as file,
    ):
        file.attrs["format"] = FORMAT
        file.attrs["format_version"] = FORMAT_VERSION
        file.attrs["alphabet"] = ALPHABET
        in_json = [k for k, v in about.attributes.items() if not isinstance(v, (str, int, float))]
        file.attrs[_IN_JSON] = ",".join(in_json)
        for name, value in about.attributes.items():
            file.attrs[name] = json.dumps(value) if name in in_json else value
        _write_columns(file, about)
        for block in blocks:
            if at == 0:
                _begin(file, n, block)
            size = len(block.arrays["prediction"])
            for name, values in block.arrays.items():
                file[name][at : at + size] = values
            at += size
        if at != n or n == 0:
            raise MismatchError(
                "another number of examples was explained than was named",
                file=target,
                found=at,
                expected=n,
            )
    return n


def _write_columns(file: h5py.File, about: Described) -> None:
    for name, values in {"example_id": about.example_id, **about.places}.items():
        array = np.asarray(values)
        file[name] = np.char.encode(array, "utf-8") if array.dtype.kind == "U" else array


def _begin(file: h5py.File, n: int, block: Block) -> None:
    # Contiguous, so that a reader may map the file.
    for name, values in block.arrays.items():
        file.create_dataset(name, (n, *values.shape[1:]), values.dtype)


class Attributions:
    """A file of contributions; open it with `Attributions.open`, as a context manager.

    Examples
    --------
    >>> with Attributions.open("DIR/attributions.h5") as found:      # doctest: +SKIP
    ...     found.hypothetical(slice(0, 10))                         # (10, 4, length)
    """

    def __init__(self, path: Path, file: h5py.File) -> None:
        self.path, self._file = path, file

    @classmethod
    def open(cls, path: str | Path) -> Self:
        """Open a file, or the folder of an explanation, after checking what it is."""
        source = Path(path)
        source = source / ATTRIBUTIONS_FILE if source.is_dir() else source
        if not source.is_file():
            raise InputError(
                "no contributions of an explanation",
                file=source,
                remedy="Make them with: exprimo explain MODEL D.h5 -o DIR",
            )
        try:
            file = h5py.File(source, "r")
        except OSError as error:
            raise FormatError("not an HDF5 file, or cut short", file=source) from error
        try:
            if file.attrs.get("format") != FORMAT:
                raise FormatError(
                    "an HDF5 file, but not of contributions",
                    file=source,
                    expected="what exprimo explain writes",
                )
            version = file.attrs.get("format_version")
            check_format_version(version, FORMAT_VERSION, file=source, what="explanation")
            check_alphabet(file.attrs.get("alphabet"), file=source)
            _check_contents(file, source)
            return cls(source, file)
        except BaseException:
            file.close()
            raise

    def close(self) -> None:
        """Release the file."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def n(self) -> int:
        """How many examples."""
        return int(self._file["example_id"].shape[0])

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the inputs that were explained."""
        return tuple(self._file["inputs"])

    @property
    def length(self) -> int:
        """Bases of a window."""
        return int(self._dataset(f"inputs/{SEQUENCE}/values").shape[1])

    @property
    def attrs(self) -> dict[str, Any]:
        """What the file says of itself; ``settings`` as a dictionary."""
        found = {
            name: value.item() if isinstance(value, np.generic) else value
            for name, value in self._file.attrs.items()
        }
        in_json = str(found.pop(_IN_JSON, "")).split(",")
        return {name: json.loads(v) if name in in_json else v for name, v in found.items()}

    @property
    def example_id(self) -> npt.NDArray[np.str_]:
        """Names of the examples, (n,)."""
        return np.char.decode(self._file["example_id"][:], "utf-8")

    @property
    def prediction(self) -> Floats:
        """The explained output, (n,), on its raw scale."""
        return np.asarray(self._file["prediction"][:])

    @property
    def places(self) -> dict[str, npt.NDArray[Any]]:
        """``chrom``, ``start``, ``end``, ``strand`` of each example; empty where not known."""
        if any(name not in self._file for name in _PLACES):
            return {}
        found = {name: self._file[name][:] for name in _PLACES}
        return {
            k: np.char.decode(v, "utf-8") if v.dtype.kind == "S" else v for k, v in found.items()
        }

    def codes(self, rows: Rows = None, input: str = SEQUENCE) -> Codes:
        """Give the bases, (n, length), in gene orientation."""
        found: Codes = self._take(f"inputs/{input}/codes", rows)
        return found

    def values(self, rows: Rows = None, input: str = SEQUENCE) -> Floats:
        """Give contributions, (n, *shape); of a sequence those of the bases that are there."""
        found: Floats = self._take(f"inputs/{input}/values", rows)
        return found

    def hypothetical(self, rows: Rows = None, input: str = SEQUENCE) -> Floats:
        """Give what each base would contribute, (n, 4, length) in the order ACGT."""
        found: Floats = self._take(f"inputs/{input}/hypothetical", rows)
        return found

    def has_hypothetical(self, input: str = SEQUENCE) -> bool:
        """Tell whether the method says what other bases would contribute."""
        return f"inputs/{input}/hypothetical" in self._file

    def convergence(self) -> dict[str, Floats]:
        """Give ``delta``, ``difference``, ``missed``, ``moved``, (n,); empty where not promised."""
        return {name: self._file[name][:] for name in _PER_EXAMPLE if name in self._file}

    def mapped(self, name: str) -> npt.NDArray[Any]:
        """Map an array of the file into memory, without reading it."""
        dataset = self._dataset(name)
        offset = dataset.id.get_offset()
        if offset is None:
            return np.asarray(dataset[:])
        return np.memmap(self.path, dataset.dtype, "r", offset, dataset.shape)

    def _take(self, name: str, rows: Rows) -> Any:
        if rows is None or isinstance(rows, slice):
            found = self._dataset(name)[rows if rows is not None else slice(None)]
        else:
            found = np.asarray(self.mapped(name)[rows])
        known = np.isfinite(found) if found.dtype.kind == "f" else found < len(ALPHABET)
        if not known.all():
            raise _changed(self.path, name, f"{found[~known][0]}", "bases, or finite numbers")
        return found

    def _dataset(self, name: str) -> h5py.Dataset:
        if name not in self._file:
            held = ", ".join(
                f"{key}: {', '.join(self._file['inputs'][key])}" for key in self.inputs
            )
            raise InputError(
                "this explanation does not hold that",
                file=self.path,
                record=name,
                found=held,
                remedy="Explain with another --method, or with this --input",
            )
        return self._file[name]


_Shape = tuple[int | None, ...]


def _check_contents(file: h5py.File, path: Path) -> None:
    """Refuse a file whose arrays are not there, or do not fit one another."""
    _check_array(file, "example_id", (None,), "SO", path)
    n = int(file["example_id"].shape[0])
    _check_array(file, "prediction", (n,), "f", path)
    inputs = file.get("inputs")
    if not isinstance(inputs, h5py.Group) or not len(inputs):
        raise _changed(path, "inputs", "none", "contributions of one input or more")
    for name in inputs:
        _check_input(file, f"inputs/{name}", n, path)
    for name in (one for one in _PER_EXAMPLE if one in file):
        _check_array(file, name, (n,), "f", path)
    if any(name in file for name in _PLACES):
        for name, kind in zip(_PLACES, ("SO", "iu", "iu", "SO"), strict=True):
            _check_array(file, name, (n,), kind, path)
    _check_attributes(file, path)


def _check_input(file: h5py.File, name: str, n: int, path: Path) -> None:
    values = f"{name}/values"
    _check_array(file, values, (n,), "f", path)
    shape = file[values].shape
    if f"{name}/codes" in file:
        _check_array(file, f"{name}/codes", (n, shape[1]), "u", path)
        _check_array(file, values, (n, shape[1]), "f", path)
    if f"{name}/hypothetical" in file:
        _check_array(file, f"{name}/hypothetical", (n, 4, shape[1]), "f", path)


def _check_array(file: h5py.File, name: str, shape: _Shape, kinds: str, path: Path) -> None:
    """Check the kind of an array and its shape; of contributions more axes may follow."""
    array, expected = file.get(name), " x ".join("n" if one is None else f"{one}" for one in shape)
    if not isinstance(array, h5py.Dataset):
        raise _changed(path, name, "no such array", expected)
    open_end = name.endswith("/values") and len(shape) == 1
    fits = array.ndim > 1 if open_end else array.ndim == len(shape)
    fits = fits and all(
        one in (None, there) for one, there in zip(shape, array.shape, strict=False)
    )
    if not fits or array.dtype.kind not in kinds:
        there = " x ".join(map(str, array.shape))
        expected += " x ..." if open_end else ""
        raise _changed(path, name, f"{there} of {array.dtype}", expected)


def _check_attributes(file: h5py.File, path: Path) -> None:
    for name in filter(None, str(file.attrs.get(_IN_JSON, "")).split(",")):
        try:
            json.loads(file.attrs[name])
        except (KeyError, TypeError, ValueError) as error:
            raise _changed(path, name, "no JSON", "JSON") from error
    values, tss = file.get(f"inputs/{SEQUENCE}/values"), file.attrs.get("tss_index")
    if values is not None and tss is not None:
        length = values.shape[1]
        if not isinstance(tss, int | np.integer) or not 0 <= tss < length:
            raise _changed(path, "tss_index", tss, f"a column from 0 to {length - 1}")


def _changed(path: Path, record: str, found: object, expected: str) -> FormatError:
    return FormatError(
        "this is not what exprimo explain writes, so the file was changed or damaged",
        file=path,
        record=record,
        found=found,
        expected=expected,
        remedy="Make it again with: exprimo explain MODEL D.h5 -o DIR",
    )
