"""Columns of parquet and text files under the names of what they mean."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from exprimo.core.errors import FormatError, InputError
from exprimo.data.annotation.identifiers import strip_version
from exprimo.data.tabular import detect_separator, refuse_binary, split_line
from exprimo.data.textfile import open_text, require_file

Choice = Callable[[Sequence[str]], Mapping[str, str]]
"""Header of a table -> meaning -> column; refuses a table that lacks something."""

GENE = "gene_id"
_WHAT = "a table, .parquet, TSV or CSV"
# Rows read at once: large enough to be quick, small beside what a GWAS has.
_CHUNK_ROWS = 500_000
_MISSING = ["", "NA", "N/A", "na", "nan", "NaN", "None", "null", "NULL", ".", "-"]
_PARQUET = b"PAR1"


def association_files(path: str | Path) -> list[Path]:
    """Give the tables of a nominal pass: the file itself, or those of a folder of eQTLs.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> for name in ("nominal.1.parquet", "nominal.2.parquet", "genes.parquet"):
    ...     _ = (folder / name).write_text("-")
    >>> [file.name for file in association_files(folder)]
    ['nominal.1.parquet', 'nominal.2.parquet']
    """
    given = Path(path)
    if not given.is_dir():
        return [require_file(given, "a table of associations")]
    patterns = ("nominal/*.parquet", "*nominal*.parquet", "*.cis_qtl_pairs.*.parquet")
    found = sorted({file for pattern in patterns for file in given.glob(pattern)})
    if not found:
        raise InputError(
            "no table of associations in this folder",
            file=given,
            found=", ".join(sorted(file.name for file in given.iterdir())[:6]) or "nothing",
            expected="the nominal pass as parquet",
            remedy="Map with nominal pairs; of a map within folds, give the folder of one fold",
        )
    return found


def read_pieces(
    path: Path, choose: Choice, texts: Collection[str], genes: Collection[str] = ()
) -> Iterator[pd.DataFrame]:
    """Give pieces of a table whose columns are named by what they mean.

    Parameters
    ----------
    path
        Parquet, or text with a header, plain or gzip.
    choose
        What is read of which columns.
    texts
        Meanings whose cells are text ("" where missing); the others are numbers (NaN).
    genes
        Keep rows of these ``gene_id`` only, whatever version they have; empty: all rows.
    """
    source = require_file(path, _WHAT)
    with source.open("rb") as handle:
        is_parquet = handle.read(4) == _PARQUET
    found: Mapping[str, str]
    if is_parquet:
        with parquet_errors(source):
            found = choose(list(pq.read_schema(source.absolute()).names))
            raw = _parquet_pieces(source, found, genes)
    else:
        header, above, separator = _header(source)
        found = choose(header)
        raw = _text_pieces(source, found, texts, (header, above, separator))
    for piece, line in raw:
        rows = pd.DataFrame(
            {
                role: _texts(piece[name]) if role in texts else _numbers(piece[name], source, line)
                for role, name in found.items()
            },
            index=piece.index,
        )
        yield _of_genes(rows, genes)


def _of_genes(rows: pd.DataFrame, genes: Collection[str]) -> pd.DataFrame:
    if not genes or GENE not in rows:
        return rows
    spelled = _spellings(rows[GENE].unique(), genes)
    kept: pd.DataFrame = rows[rows[GENE].isin(spelled)]
    return kept


def _spellings(names: Collection[object], genes: Collection[str]) -> list[object]:
    """Give which names are those of the genes, by themselves or without their versions."""
    wanted = {*genes, *(strip_version(gene) for gene in genes)}
    return [one for one in names if one in wanted or strip_version(str(one)) in wanted]


@contextmanager
def parquet_errors(path: Path) -> Iterator[None]:
    """Turn pyarrow's errors on a damaged file into a `FormatError`."""
    try:
        yield
    except (OSError, pa.ArrowInvalid) as error:
        raise FormatError(
            "the parquet file is damaged",
            file=path,
            found=str(error).splitlines()[0][:80],
            remedy="Make or copy it again",
        ) from error


def _parquet_pieces(
    path: Path, found: Mapping[str, str], genes: Collection[str]
) -> Iterator[tuple[pd.DataFrame, int]]:
    line = 1
    with parquet_errors(path):
        file = pq.ParquetFile(path)
        for batch in file.iter_batches(_CHUNK_ROWS, columns=sorted(set(found.values()))):
            n_rows = batch.num_rows
            at = np.arange(line - 1, line - 1 + n_rows)
            if genes and GENE in found:
                of = batch.column(found[GENE])
                spelled = _spellings(of.unique().to_pylist(), genes)
                wanted = pc.is_in(of, pa.array(spelled, of.type))
                batch, at = batch.filter(wanted), at[wanted.to_numpy(zero_copy_only=False)]
            yield batch.to_pandas().set_axis(at, axis=0), line
            line += n_rows


def _text_pieces(
    path: Path,
    found: Mapping[str, str],
    texts: Collection[str],
    layout: tuple[list[str], int, str],
) -> Iterator[tuple[pd.DataFrame, int]]:
    header, above, separator = layout
    line = above + 1
    with open_text(path, _WHAT) as text:
        try:
            for piece in pd.read_csv(
                text,
                sep=r"\s+" if separator == " " else separator,
                skiprows=above,
                header=None,
                names=header,
                usecols=sorted(set(found.values())),
                dtype={name: str for role, name in found.items() if role in texts},
                na_values=_MISSING,
                keep_default_na=False,
                chunksize=_CHUNK_ROWS,
                low_memory=False,
                index_col=False,
                skipinitialspace=True,
            ):
                yield piece, line
                line += len(piece)
        except (pd.errors.ParserError, UnicodeDecodeError) as error:
            raise FormatError("a damaged row", file=path, found=error) from error
        except pd.errors.EmptyDataError:
            return


def _header(path: Path) -> tuple[list[str], int, str]:
    """Give names of columns, the number of lines down to them, and what separates fields.

    PLINK 1 fills its columns up with spaces, so any number of them separates.
    """
    refuse_binary(path)
    with open_text(path, _WHAT) as text:
        for number, line in enumerate(text, start=1):
            whole = line.rstrip("\r\n")
            if not whole.strip() or whole.startswith(("##", "# ")):
                continue
            separator = detect_separator(whole)
            cells = whole.split() if separator == " " else split_line(whole, separator)
            names = [cell.strip() for cell in cells]
            if len(set(names)) < len(names):
                twice = next(name for name in names if names.count(name) > 1)
                raise FormatError(
                    "a column name occurs twice", file=path, record="header", found=repr(twice)
                )
            return names, number, separator
    raise FormatError("the file is empty", file=path, expected=_WHAT)


def _texts(values: pd.Series) -> npt.NDArray[np.object_]:
    known = values.notna().to_numpy()
    texts = np.full(len(values), "", dtype=object)
    given = values[known]
    if pd.api.types.is_float_dtype(given):
        # A column of whole numbers with gaps arrives as floats: 19.0 is chromosome 19.
        whole = given.astype(np.int64)
        given = whole if (whole == given).all() else given
    codes, names = pd.factorize(given)
    texts[known] = np.array([str(name).strip() for name in names], dtype=object)[codes]
    return texts


def _numbers(values: pd.Series, path: Path, line: int) -> npt.NDArray[np.float64]:
    numbers = pd.to_numeric(values, errors="coerce")
    wrong = np.flatnonzero((numbers.isna() & values.notna()).to_numpy())
    if len(wrong):
        raise FormatError(
            "not a number",
            file=path,
            record=f"line {line + int(wrong[0])}, column {values.name}",
            found=repr(values.iloc[int(wrong[0])]),
            expected="a number, or empty or NA where there is no value",
        )
    return numbers.to_numpy(dtype=np.float64, na_value=np.nan)
