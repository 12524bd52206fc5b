"""GEN: one directory that holds everything about one fitted generator."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from exprimo.core.errors import FormatError, InputError
from exprimo.core.files.atomic import being_written, is_being_written, partial_path
from exprimo.core.files.provenance import sha256_file
from exprimo.core.files.versions import check_format_version
from exprimo.core.ledger import Ledger
from exprimo.core.split import Split
from exprimo.generate.config import GenerateConfig

GENERATOR_FORMAT = 1
BOUND_FILES = ("model.safetensors", "ledger.parquet")
"""What provenance.json names by hash: weights, and what they learned from."""

_FIT = "exprimo generate fit D.h5 -o GEN"


@dataclass(frozen=True)
class Generator:
    """A fitted generator; each file is read when asked for.

    ``config.toml, split.parquet, model.safetensors, history.csv, ledger.parquet,
    provenance.json``
    """

    path: Path

    @classmethod
    def open(cls, path: str | Path) -> Generator:
        """Open a generator after checking that it is whole and of a version that can be read."""
        folder = Path(path)
        if folder.is_file():
            raise FormatError("a file, not a generator", file=folder, expected=f"made by: {_FIT}")
        if not folder.is_dir():
            if is_being_written(folder):
                raise being_written(folder)
            if partial_path(folder).is_dir():
                raise InputError(
                    "this generator is not fitted to its end",
                    file=folder,
                    remedy="Go on with it: the same command and --resume",
                )
            raise InputError("no such generator", file=folder, remedy=f"Make one with: {_FIT}")
        generator = cls(folder)
        check_format_version(
            generator.provenance.get("format_version"),
            GENERATOR_FORMAT,
            file=folder / "provenance.json",
            what="generator",
        )
        return generator

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def config(self) -> GenerateConfig:
        return GenerateConfig.load(self.path / "config.toml")

    @property
    def split(self) -> Split:
        return Split.load(self.path / "split.parquet")

    @property
    def ledger(self) -> Ledger:
        path = self.path / "ledger.parquet"
        if not path.is_file():
            raise FormatError(
                "this file of the generator is missing, so nothing says what it learned from",
                file=path,
                remedy="Take the whole folder as it was written, or fit again",
            )
        return Ledger.load(path)

    @property
    def weights_path(self) -> Path:
        return self.path / "model.safetensors"

    def check_files(self) -> None:
        """Refuse weights or a ledger that are not those of this fit."""
        for name, digest in self.provenance.get("files", {}).items():
            path = self.path / name
            if not path.is_file():
                raise FormatError("this file of the generator is missing", file=path)
            if sha256_file(path) != digest:
                raise FormatError(
                    "not the file that the fit wrote, so nothing says what these weights learned",
                    file=path,
                    expected=f"SHA-256 {digest[:12]}, as provenance.json has it",
                    remedy="Take the whole folder as it was written, or fit again",
                )

    def history(self) -> pd.DataFrame:
        """Give one row per checkpoint."""
        return pd.read_csv(self.path / "history.csv")

    @property
    def provenance(self) -> dict[str, Any]:
        """What it was made from, how long it took, what was left out."""
        path = self.path / "provenance.json"
        try:
            facts = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise FormatError(
                "not a generator: provenance.json is missing",
                file=self.path,
                expected=f"a folder made by: {_FIT}",
            ) from None
        except (json.JSONDecodeError, UnicodeDecodeError) as error:
            raise FormatError("not valid JSON", file=path, found=error) from error
        if not isinstance(facts, dict):
            raise FormatError("not a JSON object", file=path, found=type(facts).__name__)
        return facts
