"""The files of a stack."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from exprimo.core.ledger import Ledger
from exprimo.core.run import write_json
from exprimo.genetics.stacking.designs import GenePredictions

IntArray = NDArray[np.int64]


def write_stack(
    folder: Path,
    done: GenePredictions,
    per_gene: pd.DataFrame,
    summary: Mapping[str, Any],
    genes: Sequence[str],
    people: Sequence[str],
    fold: IntArray,
    ledger: Ledger,
    origin: Mapping[str, Any],
) -> None:
    """Write predictions, scores, weights, folds, ledger and where all came from."""
    _write_table(predictions_table(done, genes, people, fold), folder / "predictions.parquet")
    _write_table(pa.Table.from_pandas(per_gene, preserve_index=False), folder / "genes.parquet")
    _write_table(_weights_table(done, genes), folder / "weights.parquet")
    folds = pd.DataFrame({"sample": list(people), "fold": fold})
    folds.to_csv(folder / "folds.tsv", sep="\t", index=False, lineterminator="\n")
    ledger.save(folder / "ledger.parquet")
    write_json(folder / "summary.json", as_plain(summary))
    write_json(folder / "provenance.json", origin)


def predictions_table(
    done: GenePredictions, genes: Sequence[str], people: Sequence[str], fold: IntArray
) -> pa.Table:
    """Give ``gene_id, individual, fold, observed, training_mean`` and a column a predictor."""
    n_genes, n_people = done.observed.shape
    columns: dict[str, pa.Array] = {
        "gene_id": _words(genes, np.repeat(np.arange(n_genes), n_people)),
        "individual": _words(people, np.tile(np.arange(n_people), n_genes)),
        "fold": pa.array(np.tile(fold, n_genes)),
        "observed": pa.array(done.observed.reshape(-1)),
        "training_mean": pa.array(done.training_mean.reshape(-1)),
    }
    for name, predicted in zip(done.names, done.predicted, strict=True):
        columns[name] = pa.array(predicted.reshape(-1))
    return pa.table(columns)


def _weights_table(done: GenePredictions, genes: Sequence[str]) -> pa.Table:
    """Give the linear stack's weight of each member: ``gene_id, part, member, weight``."""
    n_genes, n_parts, n_members = done.weights.shape
    # One model for all genes has one set of weights.
    names = list(genes) if n_genes == len(genes) else ["all"]
    at = np.indices((n_genes, n_parts, n_members)).reshape(3, -1)
    return pa.table(
        {
            "gene_id": _words(names, at[0]),
            "part": pa.array(at[1]),
            "member": _words(done.names[:n_members], at[2]),
            "weight": pa.array(done.weights.reshape(-1)),
        }
    )


def _words(names: Sequence[str], rows: IntArray) -> pa.Array:
    return pa.array(list(names), pa.string()).take(pa.array(rows))


def _write_table(table: pa.Table, path: Path) -> None:
    # A handle, not a path: pyarrow takes a folder called "~" for the user's home.
    with open(path, "wb") as handle:
        pq.write_table(table, handle)


def as_plain(value: Any) -> Any:
    """Give named tuples as mappings, paths as text, numbers of numpy as Python's.

    Examples
    --------
    >>> as_plain({"path": Path("x"), "n": np.int64(3)})
    {'path': 'x', 'n': 3}
    """
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return as_plain(value._asdict())
    if isinstance(value, Mapping):
        return {str(name): as_plain(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [as_plain(item) for item in value]
    if isinstance(value, Path):
        return str(value)
    return value.item() if isinstance(value, np.generic) else value
