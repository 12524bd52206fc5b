"""The Run: one directory that holds everything about one trained model."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from exprimo.core.errors import FormatError, InputError
from exprimo.core.files.atomic import atomic_file, being_written, is_being_written, partial_path
from exprimo.core.files.versions import RUN_FORMAT, check_format_version
from exprimo.core.ledger import Ledger
from exprimo.core.split import Split

_PREDICTION_SUFFIXES = (".parquet", ".tsv", ".csv", ".json", ".jsonl")
_METRIC_KEYS = ("task", "target", "model", "headline", "parts", "threshold", "conformal")
PREDICTION_COLUMNS = ("example_id", "target", "prediction", "prediction_sd")


def probability_columns(classes: Sequence[str]) -> list[str]:
    """Name the columns that a table of predictions of several classes has besides, in order.

    Examples
    --------
    >>> probability_columns(["down", "none", "up"])
    ['probability_down', 'probability_none', 'probability_up']
    """
    return [f"probability_{name}" for name in classes]


@dataclass(frozen=True)
class Run:
    """A finished Run; each file is read when asked for.

    ``config.toml, split.parquet, model.safetensors, metrics.json, predictions.parquet,
    history.csv, figures/, report.html, provenance.json, ledger.parquet``
    """

    path: Path

    @classmethod
    def open(cls, path: str | Path) -> Run:
        """Open a Run after checking that it is whole and of a version that can be read."""
        folder = Path(path)
        if folder.is_file():
            raise FormatError("a file, not a run", file=folder, expected="a folder made by train")
        if not folder.is_dir():
            if is_being_written(folder):
                raise being_written(folder)
            if partial_path(folder).is_dir():
                raise InputError(
                    "this run did not finish",
                    file=folder,
                    remedy="Go on with it: the same command and --resume",
                )
            raise InputError(
                "no such run", file=folder, remedy="Make one with: exprimo train D.h5 -o RUN"
            )
        run = cls(folder)
        origin = run.read_json("provenance.json")
        check_format_version(
            origin.get("format_version"), RUN_FORMAT, file=folder / "provenance.json", what="run"
        )
        return run

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def split(self) -> Split:
        return Split.load(self.path / "split.parquet")

    @property
    def ledger(self) -> Ledger:
        return Ledger.load(self.path / "ledger.parquet")

    @property
    def metrics(self) -> dict[str, Any]:
        return self._read_complete("metrics.json", _METRIC_KEYS)

    @property
    def provenance(self) -> dict[str, Any]:
        return self._read_complete("provenance.json", ("format_version", "dataset", "split"))

    def _read_complete(self, name: str, keys: tuple[str, ...]) -> dict[str, Any]:
        values = self.read_json(name)
        absent = [key for key in keys if key not in values]
        if absent:
            raise FormatError(
                "a key is missing",
                file=self.path / name,
                record=", ".join(absent),
                expected="the file as train wrote it",
            )
        return values

    @property
    def config_path(self) -> Path:
        return self.path / "config.toml"

    @property
    def weights_path(self) -> Path:
        return self.path / "model.safetensors"

    def predictions(self) -> pd.DataFrame:
        """Give the predictions on every part (join the split to tell them apart)."""
        return read_predictions(self.path / "predictions.parquet")

    def history(self) -> pd.DataFrame:
        """Give one row per epoch and member; empty for models without epochs."""
        try:
            return pd.read_csv(self.path / "history.csv")
        except (OSError, ValueError) as error:
            raise FormatError("no history of a run", file=self.path, found=error) from error

    def read_json(self, name: str) -> dict[str, Any]:
        """Read one of the JSON files."""
        path = self.path / name
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
        except (FileNotFoundError, IsADirectoryError):
            raise FormatError(
                f"not a run: {name} is missing", file=self.path, expected="a folder made by train"
            ) from None
        except (json.JSONDecodeError, UnicodeDecodeError) as error:
            raise FormatError("not valid JSON", file=path, found=error) from error
        if not isinstance(values, dict):
            raise FormatError("not a JSON object", file=path, found=type(values).__name__)
        return values


def write_json(path: str | Path, values: Mapping[str, Any]) -> None:
    """Write JSON atomically; NaN and infinity become null, because JSON has neither."""
    with atomic_file(path) as partial:
        text = json.dumps(_without_nan(values), indent=2, ensure_ascii=False, allow_nan=False)
        partial.write_text(text + "\n", encoding="utf-8")


def _without_nan(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(k): _without_nan(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_without_nan(v) for v in value]
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return None
    return value


def write_predictions(path: str | Path, table: pd.DataFrame, *, kind: str | None = None) -> None:
    """Write predictions as parquet (or TSV, CSV, JSON), columns `PREDICTION_COLUMNS`.

    ``target`` is the observed value, NaN where there is none; ``prediction_sd`` the spread of
    an ensemble, NaN for a single model. Several classes have `probability_columns` besides;
    ``target`` and ``prediction`` are then codes of classes.
    """
    target = check_predictions_path(path, kind)
    suffix = target.suffix if kind is None else f".{kind}"
    # Handles, not paths: pandas and pyarrow take a folder called "~" for the user's home.
    with atomic_file(target) as partial, open(partial, "wb") as handle:
        if suffix in (".tsv", ".csv"):
            table.to_csv(handle, sep="\t" if suffix == ".tsv" else ",", index=False)
        elif suffix == ".parquet":
            pq.write_table(pa.Table.from_pandas(table, preserve_index=False), handle)
        else:
            table.to_json(handle, orient="records", lines=suffix == ".jsonl")


def check_predictions_path(path: str | Path, kind: str | None = None) -> Path:
    """Refuse, before any work is done, a suffix that `write_predictions` does not know.

    A ``kind`` such as ``csv`` stands for the suffix, whatever that is.
    """
    target = Path(path)
    if (target.suffix if kind is None else f".{kind}") not in _PREDICTION_SUFFIXES:
        raise InputError(
            "unknown kind of output", file=target, expected=", ".join(_PREDICTION_SUFFIXES)
        )
    return target


def read_predictions(path: str | Path) -> pd.DataFrame:
    """Read predictions written by `write_predictions` as parquet."""
    try:
        table: pd.DataFrame = pq.read_table(Path(path).absolute()).to_pandas()
    except (OSError, pa.ArrowInvalid) as error:
        raise FormatError("not a table of predictions", file=path, found=error) from error
    missing = set(PREDICTION_COLUMNS) - set(table.columns)
    if missing:
        raise FormatError("columns are missing", file=path, found=", ".join(table.columns))
    return table
