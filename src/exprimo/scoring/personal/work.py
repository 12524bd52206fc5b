"""Personal predictions as work that falls into shards of distinct haplotypes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from exprimo.core.predictor import Floats
from exprimo.core.sequence import Codes
from exprimo.features.haplotypes import PlannedWindow
from exprimo.scoring.personal.config import PersonalConfig, Piece
from exprimo.scoring.personal.sources import Sources, check_planned, named_haplotypes, open_sources
from exprimo.scoring.personal.spool import CodeFile


class PersonalWork:
    """Predicts distinct haplotypes; see `exprimo.scoring.shards.Worker`.

    Parameters
    ----------
    sources
        Open.
    kept
        Haplotypes that planning has built, where that was done in this process.
    """

    def __init__(self, sources: Sources, kept: CodeFile | None = None) -> None:
        self.sources, self._kept = sources, kept
        self._pieces = sources.config.shards
        self.n_shards = len(self._pieces)
        self.shard_items = [sum(p.end - p.first for p in pieces) for pieces in self._pieces]
        self.digests = {"model": sources.model.digest}
        self._last: tuple[int, PlannedWindow] | None = None

    def run(self, shard: int) -> pd.DataFrame:
        """Predict one shard: ``window``, ``haplotype`` (numbers), ``prediction`` (tracks,)."""
        pieces = self._pieces[shard]
        codes = np.concatenate([self._codes(piece) for piece in pieces])
        return pd.DataFrame(
            {
                "window": np.repeat(
                    np.array([p.window for p in pieces], dtype=np.int32),
                    [p.end - p.first for p in pieces],
                ),
                "haplotype": np.concatenate(
                    [np.arange(p.first, p.end, dtype=np.int32) for p in pieces]
                ),
                "prediction": list(self._predict(codes)),
            }
        )

    def close(self) -> None:
        """Let go of the files."""
        self.sources.close()

    def _predict(self, codes: Codes) -> Floats:
        # The bins around the TSS are one number a track.
        values = self.sources.model.predict(codes).mean(axis=2, dtype=np.float64)
        return np.asarray(values, dtype=np.float32)

    def _codes(self, piece: Piece) -> Codes:
        if self._kept is not None:
            kept = self._kept.read(piece.window, piece.first, piece.end)
            if kept is not None:
                return kept
        return self._window(piece.window).build(np.arange(piece.first, piece.end))

    def _window(self, number: int) -> PlannedWindow:
        """Give a gene's haplotypes; those of the last gene asked for are kept."""
        if self._last is None or self._last[0] != number:
            window = self.sources.config.windows[number]
            found = self.sources.window(window)
            check_planned(self.sources, window, named_haplotypes(found))
            self._last = number, found
        return self._last[1]


def open_personal(settings: Mapping[str, Any]) -> PersonalWork:
    """Open the work that settings describe; the shards' opener."""
    return PersonalWork(open_sources(PersonalConfig.checked(settings)))
