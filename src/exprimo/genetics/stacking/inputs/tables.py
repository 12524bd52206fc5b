"""Feature tables in: a row for each person, or for each gene and person."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from exprimo.core.errors import FormatError, MismatchError
from exprimo.data.tabular import open_table, parse_number
from exprimo.data.textfile import require_file

FloatArray = NDArray[np.float64]

_PERSON = ("individual", "person", "sample", "sample_id", "iid")
_GENE = ("gene_id", "gene", "phenotype_id")
_FOLD = "fold"
# What our own tables have beside their numbers.
_NOT_FEATURES = frozenset({"haplotype", "haplotype_id", "prediction_sd", "example_id", "chrom"})
# What a table of held-out predictions says of the truth: never a feature. Its fold is the person's.
_TRUTH = ("observed", "target")
_OF_HELD_OUT = frozenset({*_TRUTH, "training_mean", _FOLD})
_TRACK, _PREDICTION = "track", "prediction"
# A row for each model: what is predicted stands in the first of these, or the next where some
# are missing (scores by others' weights have no scale). Beside it, `prs score` has the fold that
# was left out of a person's weights.
_MODEL, _TOLD = "model", ("predicted", _PREDICTION, "score")
_OF_SCORES = frozenset({"score", "average"})
_WHAT = "a table of features: parquet, TSV or CSV, with a row for each person or gene and person"


class FeatureTable(NamedTuple):
    """Features as they are in one file.

    Attributes
    ----------
    path
        The file.
    frame
        ``individual``, ``gene_id`` where rows are of genes, ``fold`` where there is a row for
        each fold that is held out, then the features as numbers.
    names
        Of the features.
    held_out
        Whether these are held-out predictions beside the truth, which is left out.
    """

    path: Path
    frame: pd.DataFrame
    names: tuple[str, ...]
    held_out: bool = False

    @property
    def of_genes(self) -> bool:
        """Whether each gene has its own rows."""
        return "gene_id" in self.frame.columns

    @property
    def by_fold(self) -> bool:
        """Whether features were made anew for each fold that is held out."""
        return _FOLD in self.frame.columns


class Features(NamedTuple):
    """Features of the same genes and people, in one order.

    Attributes
    ----------
    names
        Of the features; those of a second file with the same name carry the file's.
    values
        (folds, genes, people, features); one fold where no table has its own for each.
    """

    names: tuple[str, ...]
    values: FloatArray

    def of_fold(self, fold: int) -> FloatArray:
        """Give (genes, people, features) for a fold that is held out."""
        found: FloatArray = self.values[fold if len(self.values) > 1 else 0]
        return found


def read_feature_table(path: str | Path) -> FeatureTable:
    """Read features of people, or of genes and people.

    Parameters
    ----------
    path
        Columns: ``individual`` (or ``person``, ``sample``, ``IID``); ``gene_id`` where each gene
        has its own rows; ``fold`` where features were made anew for each fold that is held out;
        all others are features. A table of ``exprimo personal`` (``track``, ``prediction``) gives
        a feature for each track; two haplotypes are averaged.

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "f.tsv"
    >>> _ = file.write_text("individual\\tage\\nann\\t30\\nbob\\t50\\n")
    >>> found = read_feature_table(file)
    >>> found.names, found.frame["age"].tolist(), found.of_genes
    (('age',), [30.0, 50.0], False)
    """
    source = require_file(path, _WHAT)
    if source.suffix == ".parquet":
        frame = _parquet(source)
    else:
        with open_table(source, _WHAT) as table:
            lines = [fields for _, fields in table.rows]
            frame = pd.DataFrame(lines, columns=table.header, dtype=object)
    frame = _named_keys(frame, source)
    held_out = any(name in frame.columns for name in _TRUTH)
    if held_out:
        frame = frame.drop(columns=[name for name in frame.columns if name in _OF_HELD_OUT])
    frame = _by_model(frame)
    keys = [name for name in ("gene_id", "individual", _FOLD) if name in frame.columns]
    if _TRACK in frame.columns and _PREDICTION in frame.columns:
        frame = _by_track(frame, keys, source)
    names = tuple(
        str(name) for name in frame.columns if name not in keys and name not in _NOT_FEATURES
    )
    if not names or not len(frame):
        raise FormatError("no feature", file=source, found=", ".join(map(str, frame.columns)))
    columns: dict[str, Any] = {name: _words(frame, name, source) for name in keys if name != _FOLD}
    if _FOLD in keys:
        columns[_FOLD] = _numbers(frame, _FOLD, source).astype(np.int64)
    for name in names:
        columns[name] = _numbers(frame, name, source)
    found = pd.DataFrame(columns)
    twice = found.duplicated(keys).to_numpy()
    if twice.any():
        raise FormatError(
            "two rows are of the same person" + (" and gene" if "gene_id" in keys else ""),
            file=source,
            record=", ".join(str(value) for value in found[keys].iloc[int(twice.argmax())]),
            expected="each once",
        )
    return FeatureTable(source, found, names, held_out)


def _parquet(source: Path) -> pd.DataFrame:
    try:
        # A handle, not a path: pyarrow takes a folder called "~" for the user's home.
        with open(source, "rb") as handle:
            frame: pd.DataFrame = pq.read_table(handle).to_pandas()
    except pa.ArrowInvalid as error:
        raise FormatError("not a parquet file", file=source, found=error) from error
    # Words that a writer numbered are words all the same.
    return frame.astype(
        {
            name: object
            for name, kind in frame.dtypes.items()
            if isinstance(kind, pd.CategoricalDtype)
        }
    )


def _named_keys(frame: pd.DataFrame, source: Path) -> pd.DataFrame:
    """Give the columns of people and genes their names here."""
    lower = {str(name).lower(): name for name in reversed(list(frame.columns))}
    person = next((lower[name] for name in _PERSON if name in lower), None)
    if person is None:
        raise FormatError(
            "no column of people",
            file=source,
            found=", ".join(map(str, frame.columns[:8])),
            expected=f"one of {', '.join(_PERSON)}",
            remedy="Name the column of people individual",
        )
    names = {person: "individual"}
    gene = next((lower[name] for name in _GENE if name in lower), None)
    if gene is not None:
        names[gene] = "gene_id"
    return frame.rename(columns=names)


def _by_model(frame: pd.DataFrame) -> pd.DataFrame:
    """Name the columns of a table with a row for each model as those of one for each track."""
    told = [name for name in _TOLD if name in frame.columns]
    if _MODEL not in frame.columns or _TRACK in frame.columns or not told:
        return frame
    if set(frame.columns) >= _OF_SCORES:
        frame = frame.drop(columns=_FOLD, errors="ignore")
    known = [name for name in told if not frame[name].isna().any()]
    used = (known or told)[0]
    left = frame.drop(columns=[*(set(told) - {used}), *(_OF_SCORES - {used})], errors="ignore")
    return left.rename(columns={_MODEL: _TRACK, used: _PREDICTION})


def _words(frame: pd.DataFrame, name: str, source: Path) -> pd.Series:
    """Read names, none of them missing."""
    column = frame[name]
    absent = (column.isna() | (column.astype(str) == "")).to_numpy()
    if absent.any():
        what = "person" if name == "individual" else "gene"
        raise FormatError(
            f"a row without a {what}",
            file=source,
            record=f"column {name}, row {int(absent.argmax()) + 1}",
            expected=f"the name of a {what} in every row",
        )
    return column.astype(str)


def _by_track(frame: pd.DataFrame, keys: list[str], source: Path) -> pd.DataFrame:
    """Make a column for each track; the copies of a person are averaged."""
    values = _numbers(frame, _PREDICTION, source)
    table = frame[[*keys, _TRACK]].assign(**{_PREDICTION: values})
    wide = table.pivot_table(_PREDICTION, keys, _TRACK, aggfunc="mean", dropna=False)
    wide.columns = pd.Index([str(name) for name in wide.columns])
    return wide.reset_index()


def _numbers(frame: pd.DataFrame, name: str, source: Path) -> FloatArray:
    """Read a column as numbers, none of them missing."""
    column = frame[name]
    if pd.api.types.is_datetime64_any_dtype(column) or pd.api.types.is_timedelta64_dtype(column):
        raise FormatError(
            "a feature that is a time",
            file=source,
            record=f"column {name}",
            found=column.iloc[0],
            expected="a number",
            remedy="Leave out the column, or give a number such as an age",
        )
    if not pd.api.types.is_numeric_dtype(column):
        cells = enumerate(column.astype(str))
        found = np.array(
            [
                parse_number(cell, file=source, record=f"column {name}, row {row + 1}")
                for row, cell in cells
            ]
        )
    else:
        found = column.to_numpy(dtype=np.float64)
    unusable = ~np.isfinite(found)
    if unusable.any():
        raise FormatError(
            "a feature is missing",
            file=source,
            record=f"column {name}, {_record(frame, int(np.argmax(unusable)))}",
            expected="a finite number in every row",
            remedy="Leave out the column, or the people and genes that lack it",
        )
    return found


def _record(frame: pd.DataFrame, row: int) -> str:
    keys = [name for name in ("gene_id", "individual") if name in frame.columns]
    return ", ".join(f"{name} {frame[name].iloc[row]}" for name in keys)


def join_features(
    tables: Sequence[FeatureTable], genes: Sequence[str], people: Sequence[str], n_folds: int
) -> Features:
    """Put tables side by side for these genes and people, all of whom each must have.

    Examples
    --------
    >>> frame = pd.DataFrame({"individual": ["bob", "ann"], "age": [50.0, 30.0]})
    >>> table = FeatureTable(Path("f.tsv"), frame, ("age",))
    >>> join_features([table], ["g1", "g2"], ["ann", "bob"], 5).values[0, :, :, 0].tolist()
    [[30.0, 50.0], [30.0, 50.0]]
    """
    folds = n_folds if any(table.by_fold for table in tables) else 1
    names: list[str] = []
    blocks = [np.empty((folds, len(genes), len(people), 0))]
    for table in tables:
        for name in table.names:
            names.append(f"{table.path.stem}:{name}" if name in names else name)
        blocks.append(_aligned(table, genes, people, folds))
    return Features(tuple(names), np.concatenate(blocks, axis=3))


def _aligned(
    table: FeatureTable, genes: Sequence[str], people: Sequence[str], folds: int
) -> FloatArray:
    shape = (folds, len(genes), len(people), len(table.names))
    found = np.empty(shape)
    for fold in range(folds):
        rows = table.frame
        if table.by_fold:
            rows = rows[rows[_FOLD] == fold]
        if table.of_genes:
            wanted: pd.Index = pd.MultiIndex.from_product([genes, people])
            indexed = rows.set_index(["gene_id", "individual"])
        else:
            wanted, indexed = pd.Index(people), rows.set_index("individual")
        values = indexed[list(table.names)].reindex(wanted).to_numpy(np.float64)
        absent = np.isnan(values).any(axis=1)
        if absent.any():
            first = wanted[int(np.argmax(absent))]
            raise MismatchError(
                "rows are missing",
                file=table.path,
                record=str(first if isinstance(first, str) else ", ".join(first))
                + (f", fold {fold}" if table.by_fold else ""),
                found=f"{int(absent.sum())} of {len(absent)} missing",
                expected="every person, and every gene with every person",
            )
        found[fold] = values.reshape(shape[1:]) if table.of_genes else values[None]
    return found
