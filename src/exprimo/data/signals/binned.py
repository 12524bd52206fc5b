"""Signal that is in bins already: DeepChrome's CSV, NPZ by cell type, NumPy stacks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from exprimo.core.errors import FormatError
from exprimo.data.signals.binned_cell import BinnedCell, check_cell, check_mark_names
from exprimo.data.signals.deepchrome_csv import read_deepchrome
from exprimo.data.signals.numpy_stacks import read_npy, read_npz
from exprimo.data.textfile import require_file

WHAT = "binned signal: a DeepChrome table (.csv), or NumPy arrays (.npz, .npy)"


def read_binned(
    path: str | Path,
    *,
    cell: str | None = None,
    marks: Sequence[str] | None = None,
    genes: str | Path | None = None,
) -> Iterator[BinnedCell]:
    """Yield the cell types of a file, one in memory at a time.

    Parameters
    ----------
    path
        The kind is told by content. See "Signals" in docs/formats.md.
    cell
        Name of the file's only cell type (without it, the name of the file); of an NPZ by cell
        type, the one to read.
    marks
        Names of the marks, in the order of the file. Where the file names them itself, those that
        are wanted, in the order that is wanted.
    genes
        For .npy: a text file with one gene id a line (without it, ``NAME.genes.txt`` beside it).

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "E003.csv"
    >>> _ = file.write_text("g1,1,0,0,3,9,0,1\\ng1,2,0,1,2,7,0,1\\n")
    >>> found = next(read_binned(file))
    >>> found.cell, found.genes, found.marks[3], found.values[0, 3].tolist(), found.label.tolist()
    ('E003', ('g1',), 'H3K4me3', [9.0, 7.0], [1.0])
    """
    source = require_file(path, WHAT)
    names = check_mark_names(marks)
    # The first bytes are looked at before the first cell is asked for, so that a wrong file
    # is refused at once.
    with source.open("rb") as handle:
        first = handle.read(8)
    name = cell or file_stem(source)
    if first.startswith(b"PK"):
        found = read_npz(source, cell, name, names)
    elif first.startswith(b"\x93NUMPY"):
        found = read_npy(source, name, names, genes)
    elif first.startswith((b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")):
        raise FormatError(
            "a pickle, which is never loaded because it can run code",
            file=source,
            expected=WHAT,
            remedy="Save the arrays with numpy.savez",
        )
    else:
        found = iter([read_deepchrome(source, name, names)])
    return (check_cell(one, source) for one in found)


def file_stem(path: Path) -> str:
    """Give the name of a file without its ending, packed or not.

    Examples
    --------
    >>> file_stem(Path("E003/train.csv.gz"))
    'train'
    """
    return Path(path.name.removesuffix(".gz")).stem
