"""The files of a test for differential expression."""

from __future__ import annotations

from pathlib import Path
from typing import IO

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.csv as pacsv

from exprimo.core.run import write_json
from exprimo.labels.differential import Differential
from exprimo.labels.quality import principal_components, sample_distances

DGE_FORMAT = 1
_ROWS = 4096
_DECIMALS = 4


def write_tables(found: Differential, folder: Path) -> None:
    """Write every table of a test into a folder, and ``summary.json``.

    Genes × samples tables go row by row, so that memory does not grow with them.
    """
    _write(found.results, folder / "results.tsv")
    labels = found.labels.copy()
    labels["label"] = labels["label"].astype("Int8")
    _write(labels, folder / "labels.tsv")
    _write(found.dispersions, folder / "dispersions.tsv")
    _write(found.samples, folder / "samples.tsv")
    samples = [str(name) for name in found.counts.columns]
    genes = found.counts.index.to_numpy()
    n = len(genes)
    with open(folder / "normalized.tsv", "wb") as sink, _matrix_writer(sink, samples) as writer:
        for rows in _blocks(n):
            writer.write(_batch(genes[rows], samples, found.normalized(rows)))
    stable = np.empty((n, len(samples)), dtype=np.float32)
    with open(folder / "vst.tsv", "wb") as sink, _matrix_writer(sink, samples) as writer:
        for rows in _blocks(n):
            values = found.stabilised(rows)
            stable[rows] = values
            writer.write(_batch(genes[rows], samples, values))
    components = principal_components(stable, samples)
    _write(components.scores, folder / "pca.tsv")
    _write(sample_distances(stable, samples), folder / "sample_distances.tsv")
    summary = {
        "format_version": DGE_FORMAT,
        **found.summary,
        "pca": {"explained": list(components.explained), "n_genes": components.n_genes},
    }
    write_json(folder / "summary.json", summary)


def _blocks(n: int) -> list[slice]:
    return [slice(start, min(n, start + _ROWS)) for start in range(0, n, _ROWS)]


def _matrix_writer(sink: IO[bytes], samples: list[str]) -> pacsv.CSVWriter:
    fields = [("gene_id", pa.string()), *((sample, pa.float64()) for sample in samples)]
    # pyarrow quotes its header whatever it is told.
    options = pacsv.WriteOptions(delimiter="\t", quoting_style="none", include_header=False)
    sink.write(("\t".join(["gene_id", *samples]) + "\n").encode())
    return pacsv.CSVWriter(sink, pa.schema(fields), write_options=options)


def _batch(
    genes: npt.NDArray[np.object_], samples: list[str], values: npt.NDArray[np.floating]
) -> pa.RecordBatch:
    rounded = np.round(values.astype(np.float64), _DECIMALS)
    columns = [
        pa.array(genes, pa.string()),
        *(pa.array(rounded[:, j]) for j in range(len(samples))),
    ]
    return pa.RecordBatch.from_arrays(columns, names=["gene_id", *samples])


def _write(table: pd.DataFrame, path: Path) -> None:
    table.to_csv(path, sep="\t", lineterminator="\n")
