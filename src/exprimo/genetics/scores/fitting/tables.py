"""Tables of fitted scores, written gene by gene as they come."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from exprimo.genetics.scores.fitting.gene import GeneScores, Judged
from exprimo.genetics.scores.weights.read import MODELS, WEIGHTS

PREDICTIONS, GENES = "predictions.parquet", "genes.parquet"

_WEIGHTS = pa.schema(
    [
        ("gene_id", pa.string()),
        ("model", pa.string()),
        ("fold", pa.int64()),
        ("chrom", pa.string()),
        ("pos", pa.int64()),
        ("ref", pa.string()),
        ("alt", pa.string()),
        ("variant_id", pa.string()),
        ("weight", pa.float64()),
        ("mean", pa.float64()),
    ]
)
_MODELS = pa.schema(
    [
        ("gene_id", pa.string()),
        ("model", pa.string()),
        ("fold", pa.int64()),
        ("intercept", pa.float64()),
        ("n_variants", pa.int64()),
        ("n_selected", pa.int64()),
        ("p", pa.float64()),
        ("r2", pa.float64()),
        ("penalty", pa.float64()),
        ("inner_r", pa.float64()),
        ("scale", pa.float64()),
    ]
)
_PREDICTIONS = pa.schema(
    [
        ("gene_id", pa.string()),
        ("sample", pa.string()),
        ("fold", pa.int64()),
        ("model", pa.string()),
        ("observed", pa.float64()),
        ("training_mean", pa.float64()),
        ("predicted", pa.float64()),
    ]
)
_GENES = pa.schema(
    [
        ("gene_id", pa.string()),
        ("model", pa.string()),
        ("n_variants", pa.int64()),
        ("n_selected", pa.float64()),
        ("r2", pa.float64()),
        ("pearson_r", pa.float64()),
    ]
)
_CHOSEN = ("p", "r2", "penalty", "inner_r", "scale")


class ScoreTables:
    """Writers of the four tables; use it as a context manager.

    Parameters
    ----------
    folder
        Where to.
    people, folds
        Names and fold of each person.
    origin
        Kept in each file, under the key ``exprimo``.
    """

    def __init__(
        self,
        folder: Path,
        people: Sequence[str],
        folds: npt.NDArray[np.int64],
        origin: Mapping[str, Any],
    ) -> None:
        note = {"exprimo": json.dumps(dict(origin))}
        self._people, self._folds = list(people), folds
        self._writers: dict[str, pq.ParquetWriter] = {}
        named = {
            WEIGHTS: _WEIGHTS, MODELS: _MODELS, PREDICTIONS: _PREDICTIONS, GENES: _GENES,
        }  # fmt: skip
        self._schemas = named
        for name, schema in named.items():
            # From the root: pyarrow takes a folder called "~" for the user's home.
            path = (folder / name).absolute()
            self._writers[name] = pq.ParquetWriter(path, schema.with_metadata(note))

    def write(
        self,
        gene: str,
        variants: pd.DataFrame,
        scores: GeneScores,
        judged: Mapping[str, Judged],
    ) -> None:
        """Write one gene; ``variants`` as in `Block.variants`."""
        chosen: dict[str, list[int]] = {model: [] for model in judged}
        models, weights = [], []
        for fold, fit in scores.fits:
            for model, score in fit.items():
                used = np.flatnonzero(score.weights)
                chosen[model].append(len(used))
                facts = {name: float(score.chosen.get(name, np.nan)) for name in _CHOSEN}
                models.append(
                    {
                        "gene_id": gene, "model": model, "fold": fold,
                        "intercept": score.intercept, "n_variants": len(variants),
                        "n_selected": len(used), **facts,
                    }
                )  # fmt: skip
                if len(used):
                    weights.append(
                        _weight_rows(gene, model, fold, variants.iloc[used], score, used)
                    )
        self._put(MODELS, pd.DataFrame(models))
        if weights:
            self._put(WEIGHTS, pd.concat(weights, ignore_index=True))
        self._put(PREDICTIONS, self._predictions(gene, scores))
        rows = [
            {
                "gene_id": gene, "model": model, "n_variants": len(variants),
                "n_selected": float(np.mean(chosen[model][:-1])), **found._asdict(),
            }
            for model, found in judged.items()
        ]  # fmt: skip
        self._put(GENES, pd.DataFrame(rows))

    def _predictions(self, gene: str, scores: GeneScores) -> pd.DataFrame:
        parts = [
            pd.DataFrame(
                {
                    "gene_id": gene,
                    "sample": self._people,
                    "fold": self._folds,
                    "model": model,
                    "observed": scores.observed,
                    "training_mean": scores.training_mean,
                    "predicted": told,
                }
            )
            for model, told in scores.predicted.items()
        ]
        return pd.concat(parts, ignore_index=True)

    def _put(self, name: str, rows: pd.DataFrame) -> None:
        schema = self._schemas[name]
        self._writers[name].write_table(
            pa.Table.from_pandas(
                rows[schema.names], schema=schema, preserve_index=False
            ).replace_schema_metadata(self._writers[name].schema.metadata)
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for writer in self._writers.values():
            try:
                writer.close()
            except OSError:
                # What failed before (a full disk) fails here again, and nothing is kept of it.
                if error is None:
                    raise
            finally:
                # Or it would try once more when it is forgotten, and complain to nobody.
                writer.is_open = False


def _weight_rows(
    gene: str, model: str, fold: int, variants: pd.DataFrame, score: Any, used: Any
) -> pd.DataFrame:
    return variants[["chrom", "ref", "alt", "variant_id"]].assign(
        gene_id=gene,
        model=model,
        fold=fold,
        pos=variants["start"] + 1,
        weight=score.weights[used],
        mean=score.means[used],
    )
