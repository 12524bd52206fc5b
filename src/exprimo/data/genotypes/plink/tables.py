"""The tables of PLINK data sets: variants (.bim, .pvar) and people (.fam, .psam)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from exprimo.core.errors import FormatError
from exprimo.data.genotypes.calls import Rows
from exprimo.data.genotypes.ploidy import FEMALE, MALE, UNKNOWN
from exprimo.data.textfile import damage_errors

_SEX = {"1": MALE, "2": FEMALE, "M": MALE, "F": FEMALE, "m": MALE, "f": FEMALE}


class People(NamedTuple):
    """Names, and sex as `MALE`, `FEMALE` or `UNKNOWN` (int8)."""

    names: list[str]
    sex: npt.NDArray[np.int8]


class Sites(NamedTuple):
    """Variants of a data set, in file order.

    Attributes
    ----------
    chrom, ids, refs
        Object arrays of strings; ``ids`` is empty where the file has none.
    starts
        Int64, 0-based.
    alts
        Object array of strings, ALT alleles joined by commas.
    unordered
        Bool: the file does not say which allele is the reference's.
    """

    chrom: npt.NDArray[np.object_]
    starts: Rows
    ids: npt.NDArray[np.object_]
    refs: npt.NDArray[np.object_]
    alts: npt.NDArray[np.object_]
    unordered: npt.NDArray[np.bool_]


def read_fam(path: Path) -> People:
    """Read a .fam: family, name, father, mother, sex, phenotype.

    People are named by their own name, or ``FAMILY_NAME`` where names come twice.
    """
    table = _table(path, 6, "six columns: family, name, father, mother, sex, phenotype")
    return _people(table[0].to_numpy(), table[1].to_numpy(), table[4].to_numpy())


def read_psam(path: Path) -> People:
    """Read a .psam: columns named in the line that begins with ``#FID`` or ``#IID``."""
    header, _ = _header(path)
    if header is None:
        return read_fam(path)
    table = _table(path, len(header), f"the columns {' '.join(header)}")
    table.columns = pd.Index(header)
    if "IID" not in table:
        raise FormatError("no names of people", file=path, found=" ".join(header), expected="#IID")
    nobody = np.full(len(table), "0", dtype=object)
    families = table["FID"].to_numpy() if "FID" in table else nobody
    sex = table["SEX"].to_numpy() if "SEX" in table else nobody
    return _people(families, table["IID"].to_numpy(), sex)


def _people(
    families: npt.NDArray[np.object_], names: npt.NDArray[np.object_], sex: npt.NDArray[np.object_]
) -> People:
    own = [str(name) for name in names]
    if len(set(own)) < len(own):
        own = [f"{family}_{name}" for family, name in zip(families, names, strict=True)]
    return People(own, np.array([_SEX.get(str(s), UNKNOWN) for s in sex], np.int8))


def read_bim(path: Path) -> Sites:
    """Read a .bim: chromosome, name, centimorgans, position, A1, A2; A2 stands as ``refs``."""
    table = _table(path, 6, "six columns: chromosome, name, cM, position, A1, A2")
    unordered = np.ones(len(table), bool)
    return _sites(path, table[0], table[1], table[3], table[5], table[4], unordered)


def read_pvar(path: Path) -> Sites:
    """Read a .pvar or .pvar.zst; one without a header line has the columns of a .bim.

    Records with the flag PR (provisional reference) do not say which allele is the reference's.
    """
    header, _ = _header(path)
    if header is None:
        table = _table(path, None, "five or six columns, as of a .bim")
        at = table.shape[1]
        if at not in (5, 6):
            raise _columns(path, at, "five or six columns, as of a .bim")
        unordered = np.zeros(len(table), bool)
        return _sites(
            path, table[0], table[1], table[at - 3], table[at - 1], table[at - 2], unordered
        )
    wanted = ["CHROM", "POS", "ID", "REF", "ALT"]
    missing = [name for name in wanted if name not in header]
    if missing:
        raise FormatError(
            "a column is missing", file=path, found=" ".join(header), expected=" ".join(wanted)
        )
    kept = [header.index(name) for name in wanted]
    info = [header.index("INFO")] if "INFO" in header else []
    table = _table(path, len(header), f"the columns {' '.join(header)}", kept + info)
    unordered = np.zeros(len(table), bool)
    if info:
        unordered = table[info[0]].str.contains(r"(?:^|;)PR(?:;|$)", regex=True).to_numpy(bool)
    chrom, pos, ids, ref, alt = (table[i] for i in kept)
    return _sites(path, chrom, ids, pos, ref, alt, unordered)


def _sites(
    path: Path,
    chrom: pd.Series[str],
    ids: pd.Series[str],
    positions: pd.Series[str],
    refs: pd.Series[str],
    alts: pd.Series[str],
    unordered: npt.NDArray[np.bool_],
) -> Sites:
    numbers = pd.to_numeric(positions, errors="coerce").to_numpy(np.float64)
    bad = ~(np.floor(numbers) == numbers)
    if bad.any():
        row = int(np.flatnonzero(bad)[0])
        raise FormatError(
            "a position that is no whole number",
            file=path,
            record=f"variant {row + 1} ({ids.iloc[row]})",
            found=positions.iloc[row],
        )
    names = ids.to_numpy(object).copy()
    names[names == "."] = ""
    starts = numbers.astype(np.int64) - 1
    return Sites(
        chrom.to_numpy(object), starts, names, refs.to_numpy(object), alts.to_numpy(object),
        unordered,
    )  # fmt: skip


def _header(path: Path) -> tuple[list[str] | None, int]:
    """Give the names of the columns, or None without a header line, and the lines before data."""
    with damage_errors(path), _stream(path) as handle:
        for number, line in enumerate(handle):
            text = line.decode("utf-8", "replace")
            if text.startswith("##"):
                continue
            if text.startswith("#"):
                return text[1:].split(), number + 1
            return None, number
    raise FormatError("there are no rows in this file", file=path)


def _table(
    path: Path, width: int | None, expected: str, columns: list[int] | None = None
) -> pd.DataFrame:
    _, lines = _header(path)
    try:
        with damage_errors(path), _stream(path) as handle:
            table = pd.read_csv(
                handle,
                sep=r"\s+",
                header=None,
                skiprows=lines,
                dtype=str,
                keep_default_na=False,
                quoting=3,
                usecols=columns,
                engine="c",
            )
    except (pd.errors.ParserError, pd.errors.EmptyDataError, ValueError) as error:
        raise FormatError(
            "the table cannot be read", file=path, found=str(error), expected=expected
        ) from error
    if columns is None and width is not None and table.shape[1] != width:
        raise _columns(path, table.shape[1], expected)
    short = table.isna().any(axis=1).to_numpy()
    if short.any():
        row = int(np.flatnonzero(short)[0])
        raise FormatError(
            "a row is too short", file=path, record=f"row {row + 1}", expected=expected
        )
    return table


def _columns(path: Path, found: int, expected: str) -> FormatError:
    return FormatError("not such a table", file=path, found=f"{found} columns", expected=expected)


@contextmanager
def _stream(path: Path) -> Iterator[IO[Any]]:
    if path.suffix != ".zst":
        with open(path, "rb") as handle:
            yield handle
        return
    import io

    import pyarrow as pa

    try:
        with pa.CompressedInputStream(str(path), "zstd") as packed, io.BytesIO(packed.read()) as b:
            yield b
    except OSError as error:
        raise FormatError(
            "the zstd file is damaged",
            file=path,
            found=str(error),
            remedy="Fetch or copy the file again",
        ) from error
