"""The part that runs on the workers of a cluster; it knows nothing of the cluster."""

from __future__ import annotations

import json
import os
from pathlib import Path

from exprimo.core.errors import ExprimoError
from exprimo.core.files.provenance import exprimo_version
from exprimo.scoring.shards.crossing import error_text, plan_text
from exprimo.scoring.shards.work import Worker, open_work, plan_of, shard_bytes


class Scorer:
    """Opens work from its JSON and does the shards that it is told to.

    Each answer is a pair: the error as JSON, or an empty text and the result.
    """

    def __init__(self, opener: str, settings: str, folder: str | None = None) -> None:
        self._opener, self._settings, self._folder = opener, settings, folder
        self._worker: Worker | None = None

    def open(self) -> tuple[str, str, str]:
        """Open the work; give an error, the plan and the version of Exprimo."""
        if self._folder is not None and Path(self._folder).is_dir():
            # Paths in the settings are relative to where the command was given.
            os.chdir(self._folder)
        try:
            self._worker = open_work(self._opener, json.loads(self._settings))
            return "", plan_text(plan_of(self._worker)), exprimo_version()
        except ExprimoError as error:
            return error_text(error), "", exprimo_version()

    def run(self, shard: int) -> tuple[str, bytes]:
        """Do a shard; give an error and the table as the bytes of a parquet file."""
        assert self._worker is not None, "a worker is opened before it is used"
        try:
            return "", shard_bytes(self._worker, shard)
        except ExprimoError as error:
            return error_text(error), b""
