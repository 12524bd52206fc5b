"""Open any MODEL as a SequenceModel: RUN | NAME | NAME:FILE."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from exprimo.core.errors import ConfigError
from exprimo.core.predictor import Predictor
from exprimo.models.network import Precision
from exprimo.scoring.resolve import Resolved, is_run, open_named, resolve_model
from exprimo.scoring.sequences.average import Average
from exprimo.scoring.sequences.choosing import chosen_tracks
from exprimo.scoring.sequences.model import SequenceModel
from exprimo.scoring.sequences.of_backbone import BackboneModel, TrackBackbone
from exprimo.scoring.sequences.of_predictor import (
    PredictorModel,
    output_tracks,
    predictor_digest,
    window_of,
)
from exprimo.training.config import MachineConfig
from exprimo.training.machine import prepare

TSS_BINS = 3
PrecisionChoice = Literal["auto", "fp32", "bf16"]


def open_sequence_model(
    model: str | Path,
    *,
    tracks: Sequence[str] = (),
    track_table: str | Path | None = None,
    bins: int | Literal["all"] = TSS_BINS,
    upstream: int | None = None,
    average: Average | None = None,
    device: str = "auto",
    threads: int | None = None,
    precision: PrecisionChoice = "auto",
) -> SequenceModel:
    """Open a model that reads a window of DNA and nothing else.

    Parameters
    ----------
    model
        A Run's folder, or a pretrained model (``NAME`` or ``NAME:FILE``).
    tracks
        What of it: names of a Run's outputs; of a backbone numbers, ranges, or words that its
        table of tracks describes. None: all of a Run, and of a backbone whose tracks are few.
    track_table
        The table that describes a backbone's tracks; by default the one that was fetched.
    bins
        Bins around the TSS, of a backbone.
    upstream
        Bases before the TSS in the window, where the model does not say it.
    precision
        ``auto``: single precision for Runs and small models, whose differences between alleles
        are finer than bf16; bf16 for a large backbone where the machine computes in it.

    Examples
    --------
    >>> model = open_sequence_model("RUN")                       # doctest: +SKIP
    >>> model.predict(codes).shape                               # doctest: +SKIP
    (16, 1, 1)
    """
    over = average or Average()
    settings = MachineConfig(device=device, threads=threads, precision=precision)
    devices, fastest, _ = prepare(settings)
    text = str(model)
    if is_run(text):
        exact: Precision = "fp32" if precision == "auto" else fastest
        resolved = resolve_model(text, device=devices[0], precision=exact)
        return _of_predictor(resolved, tracks, track_table, upstream, over)
    opened = open_named(text, devices[0])
    if isinstance(opened, TrackBackbone) and opened.n_tracks:
        opened.precision = fastest
        numbers, names = chosen_tracks(opened, tracks, track_table)
        return BackboneModel(opened, numbers, names, None if bins == "all" else bins, over)
    if isinstance(opened, Predictor):
        return _of_predictor(Resolved(opened, None, text), tracks, track_table, upstream, over)
    raise ConfigError(
        "this pretrained model embeds sequences and predicts nothing",
        record=text,
        expected="a run, or a pretrained model that predicts, such as enformer or xpresso:FILE",
    )


def _of_predictor(
    resolved: Resolved,
    tracks: Sequence[str],
    track_table: str | Path | None,
    upstream: int | None,
    average: Average,
) -> SequenceModel:
    if track_table is not None:
        raise ConfigError(
            "the tracks of this model have names of their own",
            record=resolved.name,
            expected=", ".join(output_tracks(resolved)),
            remedy="Leave out --track-table",
        )
    if average.strands:
        raise ConfigError(
            "this model reads genes along their strand, so the other strand says nothing of them",
            record=resolved.name,
            expected="a backbone such as enformer",
            remedy="Leave out the average over strands",
        )
    before = window_of(resolved, upstream)[0]
    names = output_tracks(resolved)
    unknown = [name for name in tracks if name not in names]
    if unknown:
        raise ConfigError(
            "the model has no such track", record=unknown[0], expected=", ".join(names)
        )
    numbers = [names.index(name) for name in tracks] if tracks else list(range(len(names)))
    return PredictorModel(resolved, predictor_digest(resolved), before, names, numbers, average)
