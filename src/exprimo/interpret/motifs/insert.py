"""Insert motifs into shuffled sequences and ask a model: settings, model, tables."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from pydantic import Field

from exprimo.core.config import Config
from exprimo.core.dataset import Dataset
from exprimo.core.errors import ConfigError, InputError
from exprimo.core.sequence import Codes
from exprimo.data.motifs import MotifMatrix, read_motifs
from exprimo.interpret.examples import choose_examples, tss_index
from exprimo.interpret.motifs.backgrounds import Form, chosen_motifs, shuffled_each
from exprimo.interpret.motifs.insertion import Backgrounds, Values, effects, interactions
from exprimo.scoring.inputs import open_inputs
from exprimo.scoring.resolve import Resolved, for_dataset, model_on

# Places of one motif and strand, if no step is given.
_PLACES = 60
_BASES_AT_ONCE = 262_144
_FEWEST_AT_ONCE, _FEWEST_GROUNDS = 8, 10
# A probability of exactly 0 or 1 has no logit.
_EDGE = 1e-6


class InsertConfig(Config):
    """How motifs are inserted."""

    only: tuple[str, ...] = ()
    """Ids or names of motifs in the file; all unless any is named."""
    pair: tuple[str, str] | None = None
    """Two motifs that are inserted together, too."""
    backgrounds: int = Field(100, ge=_FEWEST_GROUNDS)
    """Sequences that are shuffled and inserted into."""
    form: Form = "consensus"
    """Insert the most probable bases, or bases drawn from the matrix for each background."""
    step: int | None = Field(None, ge=1)
    """Bases from one place to the next; such that there are about 60 unless set."""
    region: tuple[int, int] | None = None
    """First base and the base after the last, relative to the TSS; the whole window unless set."""
    at: int | None = None
    """Where the first motif of a pair begins, relative to the TSS; where it alone does most."""
    reach: int = Field(30, ge=1)
    """Most bases between the two motifs of a pair."""
    on: Literal["train", "val", "test", "all"] | None = None
    """Part of the run's own dataset; the held-out part unless set, all of another dataset."""
    output: str | None = None
    """Which output, of several classes."""
    level: float = Field(0.95, gt=0, lt=1)
    """Of the intervals over backgrounds."""
    seed: int = Field(0, ge=0)
    """Of shuffles, draws and intervals."""


class Inserted(NamedTuple):
    """Tables of an insertion.

    Attributes
    ----------
    effect, spacing
        ``effect.tsv`` and ``spacing.tsv``, the second None without a pair.
    scale
        Unit of an effect.
    facts
        ``insertion.json`` without provenance.
    """

    effect: pd.DataFrame
    spacing: pd.DataFrame | None
    scale: str
    facts: dict[str, Any]


def insert(
    model: str | Path,
    dataset: str | Path,
    motifs: str | Path,
    config: InsertConfig,
    *,
    device: str = "auto",
    threads: int | None = None,
) -> Inserted:
    """Insert the motifs of a MEME file into shuffled sequences of a dataset."""
    known = read_motifs(motifs)
    resolved = model_on(model, device=device, threads=threads)
    _check_reads_dna(resolved)
    with open_inputs(dataset, resolved.run) as data:
        examples = choose_examples(data, resolved.run, config.on, config.backgrounds)
        if len(examples.rows) < _FEWEST_GROUNDS:
            raise InputError(
                "too few sequences to insert into",
                file=data.path,
                found=len(examples.rows),
                expected=f"at least {_FEWEST_GROUNDS}",
            )
        tss = tss_index(data, resolved.run)
        codes = data.batch(("sequence",), examples.rows)["sequence"]
        reader = _Reader(resolved, data, config.output)
    chosen = chosen_motifs(known, config.only, codes.shape[1])
    shuffled = shuffled_each(codes, config.seed)
    grounds = Backgrounds(shuffled, reader(shuffled), tss, reader)
    starts = _starts(config, codes.shape[1], tss)
    effect = effects(chosen, grounds, starts, config.form, config.level, config.seed)
    if effect.empty:
        raise _no_room(chosen[0], config)
    spacing = None
    if config.pair is not None:
        first, second = chosen_motifs(known, config.pair, codes.shape[1])
        start = _pair_start(config, first, effect, tss, grounds, starts)
        spacing = interactions(
            (first, second), grounds, start, config.reach, config.form, config.level, config.seed
        )
        if spacing.empty:
            raise ConfigError(
                "the window has no room for the pair", found=f"first motif at {start - tss}"
            )
    facts = {
        "settings": config.model_dump(mode="json"),
        "model": resolved.name,
        "output": reader.output,
        "scale": reader.scale,
        "part": examples.part,
        "n_backgrounds": len(codes),
        "length": int(codes.shape[1]),
        "tss_index": tss,
        "motifs": [motif.name for motif in chosen],
        "background_prediction": float(grounds.predicted.mean()),
    }
    return Inserted(effect, spacing, reader.scale, facts)


class _Reader:
    """Predict one number per sequence, on a scale without ends."""

    def __init__(self, resolved: Resolved, data: Dataset, output: str | None) -> None:
        self.predictor = for_dataset(resolved, data)
        outputs = tuple(self.predictor.outputs)
        if (output is None and len(outputs) > 1) or output not in (None, *outputs):
            raise ConfigError(
                "say which output is meant" if output is None else "no such output",
                found=output,
                expected=", ".join(outputs),
            )
        self.output = output or outputs[0]
        self.column = outputs.index(self.output)
        task = resolved.run.metrics.get("task") if resolved.run is not None else None
        self.scale = "logit" if task in ("classification", "multiclass") else "prediction"

    def __call__(self, codes: Codes) -> Values:
        step = max(_FEWEST_AT_ONCE, _BASES_AT_ONCE // codes.shape[1])
        parts = [
            self.predictor.predict({"sequence": codes[at : at + step]}).mean[:, self.column]
            for at in range(0, len(codes), step)
        ]
        found = np.concatenate(parts).astype(np.float64)
        if self.scale == "logit":
            share = np.clip(found, _EDGE, 1 - _EDGE)
            found = np.log(share / (1 - share))
        return found


def _check_reads_dna(resolved: Resolved) -> None:
    inputs = tuple(resolved.predictor.inputs)
    if inputs != ("sequence",):
        raise ConfigError(
            "a motif is inserted into DNA, and this model reads more or something else",
            record=resolved.name,
            found=", ".join(inputs) or "a model that reads nothing",
            expected="a model that reads sequence alone",
            remedy="Train one on the sequence alone, such as: exprimo train D.h5 --model cnn",
        )


def _starts(config: InsertConfig, length: int, tss: int) -> npt.NDArray[np.int64]:
    first, end = (0, length) if config.region is None else (edge + tss for edge in config.region)
    if not 0 <= first < end <= length:
        raise ConfigError(
            "the region lies outside of the window",
            found=f"{first - tss} to {end - tss}",
            expected=f"within {-tss} to {length - tss}",
        )
    step = config.step or max(1, (end - first) // _PLACES)
    return np.arange(first, end, step, dtype=np.int64)


def _no_room(motif: MotifMatrix, config: InsertConfig) -> ConfigError:
    found = "the window" if config.region is None else " to ".join(map(str, config.region))
    return ConfigError(
        "the region has no room for the motif",
        record=motif.name,
        found=found,
        expected=f"{motif.width} bases or more",
        remedy="Give a wider --region",
    )


def _pair_start(
    config: InsertConfig,
    first: MotifMatrix,
    effect: pd.DataFrame,
    tss: int,
    grounds: Backgrounds,
    starts: npt.NDArray[np.int64],
) -> int:
    """Give the first base of a pair's first motif: as asked, or where it alone does most."""
    length = grounds.codes.shape[1]
    if config.at is not None:
        start = config.at + tss
        if not 0 <= start <= length - first.width:
            raise ConfigError(
                "the first motif would leave the window",
                record=first.name,
                found=config.at,
                expected=f"{-tss} to {length - first.width - tss}",
                remedy="Give another --at",
            )
        return start
    own = effect[effect["motif"] == first.name]
    if own.empty:
        own = effects([first], grounds, starts, config.form, config.level, config.seed)
    if own.empty:
        raise _no_room(first, config)
    best = own.iloc[int(own["effect"].abs().to_numpy().argmax())]
    return int(best["position"]) + tss - (first.width - 1) // 2
