"""Files of quantified transcripts: salmon's quant.sf and kallisto's abundance.tsv."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from exprimo.core.errors import FormatError, InputError
from exprimo.data.tabular import is_number, open_table, refuse_binary, refuse_duplicate
from exprimo.data.textfile import open_text


class Program(NamedTuple):
    """The columns that a program writes."""

    name: str
    transcript: str
    length: str
    abundance: str
    reads: str


_PROGRAMS = (
    Program("salmon", "Name", "EffectiveLength", "TPM", "NumReads"),
    Program("kallisto", "target_id", "eff_length", "tpm", "est_counts"),
)
_FILE_NAMES = ("quant.sf", "quant.sf.gz", "abundance.tsv", "abundance.tsv.gz")
_ENDING = re.compile(r"[._-]?(quant|abundance|sf|tsv|txt|gz)$")


@dataclass(frozen=True, eq=False)
class Quantified:
    """The transcripts of one sample; arrays of shape (transcripts,), float64.

    Attributes
    ----------
    program
        ``salmon`` or ``kallisto``.
    transcripts
        Ids in file order.
    length
        Effective length, in bases.
    abundance
        Transcripts per million.
    reads
        Estimated number of reads.
    """

    program: str
    transcripts: list[str]
    length: npt.NDArray[np.float64]
    abundance: npt.NDArray[np.float64]
    reads: npt.NDArray[np.float64]


def read_quantified(path: Path, sample: str) -> Quantified:
    """Read one file, and check every number."""
    with open_table(path, "a quant.sf of salmon or an abundance.tsv of kallisto") as table:
        program = _program_of(table.header)
        if program is None:
            raise FormatError(
                "no quantified transcripts",
                file=path,
                record=f"sample {sample}, header",
                found=", ".join(table.header[:6]),
                expected=" or ".join(", ".join(p[1:]) for p in _PROGRAMS),
            )
        at = [table.header.index(name) for name in program[1:]]
        lines: list[int] = []
        rows: list[list[str]] = []
        for number, fields in table.rows:
            lines.append(number)
            rows.append(fields)
    if not rows:
        raise FormatError("no transcripts", file=path, record=f"sample {sample}")
    ids = [row[at[0]] for row in rows]
    if len(set(ids)) < len(ids):
        seen: dict[str, int] = {}
        for name, line in zip(ids, lines, strict=True):
            refuse_duplicate(seen, name, line, what="transcript", file=path)
    length, abundance, reads = (
        _numbers([row[position] for row in rows], path, lines, f"sample {sample}, column {name}")
        for position, name in zip(at[1:], program[2:], strict=True)
    )
    return Quantified(program.name, ids, length, abundance, reads)


def _program_of(header: list[str]) -> Program | None:
    return next((program for program in _PROGRAMS if set(program[1:]) <= set(header)), None)


def _numbers(cells: list[str], path: Path, lines: list[int], where: str) -> npt.NDArray[np.float64]:
    # All at once; cell by cell where one is none. An underscore would be passed over by numpy.
    try:
        numbers = np.array(cells, dtype=np.float64)
        plain = "_" not in "".join(cells)
    except ValueError:
        plain = False
    if not plain:
        numbers = np.array([float(cell) if is_number(cell) else np.nan for cell in cells])
    wrong = np.flatnonzero(~(np.isfinite(numbers) & (numbers >= 0)))
    if len(wrong):
        cell = cells[wrong[0]].strip()
        remedy = "Run the program again, or copy the file again"
        if cell.lower().endswith("nan"):
            remedy = "If no read was assigned in this sample, leave the sample out"
        raise FormatError(
            "not a quantity",
            file=path,
            record=f"line {lines[wrong[0]]}, {where}",
            found=repr(cell),
            expected="a number >= 0",
            remedy=remedy,
        )
    return numbers


def is_quantified(path: Path) -> bool:
    """Tell a file of quantified transcripts by its header.

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "quant.sf"
    >>> _ = file.write_text("Name\\tLength\\tEffectiveLength\\tTPM\\tNumReads\\n")
    >>> is_quantified(file)
    True
    """
    try:
        refuse_binary(path)
        with open_text(path, "a file") as text:
            header = text.readline().rstrip("\r\n").split("\t")
    except FormatError:
        return False
    # A table at gene level has the same header as one at transcript level.
    return _program_of(header) is not None and ".genes." not in path.name


def find_quantified(folder: Path) -> dict[str, Path]:
    """Find the samples of a folder: one sub-folder each, or one file each.

    Returns
    -------
    dict
        Sample -> file, by name; empty where there are none. A sample is called after its
        sub-folder, or after its file without ``quant.sf`` or ``abundance.tsv``.

    Raises
    ------
    InputError
        A sub-folder holds two such files, or kallisto's HDF5 alone.
    """
    entries = sorted(entry for entry in folder.iterdir() if not entry.name.startswith("."))
    found = {
        entry.name: file for entry in entries if entry.is_dir() and (file := quantified_in(entry))
    }
    if found:
        return found
    files = [entry for entry in entries if entry.is_file() and is_quantified(entry)]
    for file in files:
        name = sample_of(file)
        if name in found:
            raise FormatError(
                "two files give the same sample name",
                file=folder,
                record=f"sample {name}",
                found=f"{found[name].name} and {file.name}",
                expected="one file per sample",
                remedy="Rename or remove one of them",
            )
        found[name] = file
    return found


def quantified_in(folder: Path) -> Path | None:
    """Give the file of quantified transcripts in the folder of one sample, if there is one."""
    present = [folder / name for name in _FILE_NAMES if (folder / name).is_file()]
    if len(present) > 1:
        raise FormatError(
            "two files of quantified transcripts for one sample",
            file=folder,
            found=", ".join(file.name for file in present),
            expected="one of them",
            remedy="Remove the one that is not wanted",
        )
    if not present and (folder / "abundance.h5").is_file():
        raise FormatError(
            "kallisto's HDF5 file is not read",
            file=folder / "abundance.h5",
            expected="abundance.tsv beside it",
            remedy="Write the table with: kallisto h5dump -o FOLDER abundance.h5",
        )
    return present[0] if present else None


def sample_of(file: Path) -> str:
    """Name the sample of a file: by what precedes ``quant.sf``, else by its folder.

    Examples
    --------
    >>> sample_of(Path("GSM1_liver_quant.sf.gz")), sample_of(Path("S1/abundance.tsv"))
    ('GSM1_liver', 'S1')
    """
    name = file.name
    while (shorter := _ENDING.sub("", name)) != name:
        name = shorter
    return name or file.resolve().parent.name


def require_quantified(path: str | Path, sample: str) -> Path:
    """Give the file of a sample, from the file or its folder."""
    place = Path(path)
    if place.is_dir():
        file = quantified_in(place)
        if file is None:
            raise InputError(
                "no quantified transcripts in this folder",
                file=place,
                record=f"sample {sample}",
                expected=" or ".join(_FILE_NAMES[::2]),
            )
        return file
    return place


def in_order_of(first: Quantified, other: Quantified, file: Path, first_file: Path) -> Quantified:
    """Bring the transcripts of a sample into the order of the first one."""
    if other.transcripts == first.transcripts:
        return other
    row = {name: at for at, name in enumerate(other.transcripts)}
    missing = [name for name in first.transcripts if name not in row]
    extra = set(other.transcripts) - set(first.transcripts)
    if missing or extra:
        raise FormatError(
            "the files do not have the same transcripts",
            file=file,
            found=f"{len(missing)} missing{_heads(missing)}, {len(extra)} more{_heads(extra)}",
            expected=f"the {len(first.transcripts)} transcripts of {first_file}",
            remedy="Quantify all samples with the same index; a short file may be cut off",
        )
    order = [row[name] for name in first.transcripts]
    return Quantified(
        other.program,
        first.transcripts,
        other.length[order],
        other.abundance[order],
        other.reads[order],
    )


def _heads(names: Iterable[str]) -> str:
    listed = sorted(names)
    return f" ({', '.join(listed[:3])}{', ...' if len(listed) > 3 else ''})" if listed else ""
