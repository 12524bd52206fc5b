"""Open a model for mutagenesis, and choose the way its mutants are predicted."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from exprimo.core.dataset import SEQUENCES, Dataset
from exprimo.core.errors import ConfigError
from exprimo.core.predictor import Batch, Floats, Predictor
from exprimo.core.run import Run
from exprimo.models.network import NetworkPredictor
from exprimo.models.pretrained.xpresso import XpressoPredictor
from exprimo.scoring.mutagenesis.config import MutagenesisConfig
from exprimo.scoring.mutagenesis.local import chain_of
from exprimo.scoring.mutagenesis.ways import LocalWay, Way, WholeWay
from exprimo.scoring.resolve import Resolved, for_dataset, is_run, open_named, resolve_model
from exprimo.scoring.sequences import SequenceModel, open_sequence_model
from exprimo.scoring.sequences.average import readings
from exprimo.scoring.sequences.of_predictor import output_tracks, predictor_digest, window_of
from exprimo.training.config import MachineConfig
from exprimo.training.machine import prepare

# As when a dataset is predicted: enough to feed the cores, small enough for their caches.
_BASES_AT_ONCE, _MOST_ROWS = 65_536, 1024
# What a base of a window costs in the widest layers of a network, all that stand at once.
_BYTES_PER_BASE = 4096
_MIB = 1 << 20


class Opened(NamedTuple):
    """A model that is ready for mutagenesis.

    Attributes
    ----------
    digest
        SHA-256 of its weights.
    tracks
        Names of what it predicts.
    inputs
        What it reads of an example.
    way
        How mutants are predicted.
    whole
        The way in which every mutant is predicted whole.
    told
        The same in words; of ``whole``, why.
    """

    digest: str
    tracks: tuple[str, ...]
    inputs: tuple[str, ...]
    way: Way
    whole: WholeWay
    told: str

    @property
    def is_local(self) -> bool:
        """Whether only what a change can reach is recomputed."""
        return self.way is not self.whole


class Found(NamedTuple):
    """A model before it knows what it is applied to: one number a window, or tracks in bins."""

    predicts: Resolved | None
    tracks: SequenceModel | None

    @property
    def run(self) -> Run | None:
        """Where it came from, if from a Run."""
        return None if self.predicts is None else self.predicts.run

    def upstream(self) -> int | None:
        """Give the bases before the TSS in its window, if it knows them without a dataset."""
        model = self.tracks if self.predicts is None else self.predicts.predictor
        known = getattr(model, "upstream", None)
        return None if known is None else int(known)

    def window(self, upstream: int | None) -> tuple[int, int]:
        """Give (upstream, downstream) of what it reads."""
        if self.tracks is not None:
            return self.tracks.upstream, self.tracks.downstream
        assert self.predicts is not None
        if upstream is None:
            return window_of(self.predicts)
        length = self.predicts.predictor.window
        if length is None or not 0 <= upstream <= length:
            raise ConfigError("the TSS lies outside of the model's window", found=upstream)
        return upstream, length - upstream


def find_model(config: MutagenesisConfig) -> Found:
    """Find the model that was asked for: RUN | NAME | NAME:FILE."""
    machine = config.machine
    settings = MachineConfig(device=machine.device, threads=machine.threads, precision="fp32")
    devices, precision, _ = prepare(settings)
    if is_run(config.model):
        return Found(resolve_model(config.model, device=devices[0], precision=precision), None)
    opened = open_named(config.model, devices[0])
    if isinstance(opened, Predictor):
        return Found(Resolved(opened, None, config.model), None)
    del opened
    model = open_sequence_model(
        config.model,
        tracks=config.tracks,
        track_table=config.track_table,
        bins=config.bins,
        upstream=config.upstream,
        average=config.average,
        device=machine.device,
        threads=machine.threads,
        precision=config.precision,
    )
    return Found(None, model)


def open_model(found: Found, config: MutagenesisConfig, data: Dataset | None) -> Opened:
    """Choose the way a model's mutants are predicted, on the rows of a dataset if there is one."""
    if found.tracks is not None:
        return _of_tracks(found.tracks, config)
    resolved = found.predicts
    assert resolved is not None
    predictor = resolved.predictor if data is None else for_dataset(resolved, data)
    if "sequence" not in predictor.inputs:
        raise ConfigError(
            "this model reads no DNA",
            record=resolved.name,
            found=", ".join(predictor.inputs) or "a model that reads nothing",
            expected="a model that reads sequence",
        )
    names = output_tracks(resolved)
    unknown = [name for name in config.tracks if name not in names]
    if unknown:
        raise ConfigError(
            "the model has no such track", record=unknown[0], expected=", ".join(names)
        )
    tracks = config.tracks or names
    chosen = [names.index(name) for name in tracks]

    if config.average.strands:
        raise ConfigError(
            "this model reads genes along their strand, so the other strand says nothing of them",
            record=resolved.name,
            expected="a backbone such as enformer",
            remedy="Leave out --strands",
        )

    # A window of the genome stands for both copies; of a person's two only the first is changed.
    changed = [name for name in SEQUENCES[: 2 if data is None else 1] if name in predictor.inputs]

    def predict(batch: Batch) -> Floats:
        read = readings(batch["sequence"], config.average)
        found = [predictor.predict({**batch, **dict.fromkeys(changed, r.codes)}).mean for r in read]
        return np.asarray(np.mean(found, axis=0)[:, chosen], dtype=np.float32)

    whole = WholeWay(predict, _rows(predictor.window, config.memory))
    local, reason = _local_way(predictor, chosen, config)
    told = f"whole, {reason}" if local is None else "local, only what a change can reach"
    digest = predictor_digest(resolved)
    return Opened(digest, tracks, tuple(predictor.inputs), local or whole, whole, told)


def _of_tracks(model: SequenceModel, config: MutagenesisConfig) -> Opened:
    reason = f"{model.name} is no chain of local layers"
    _refuse_local(config, reason)

    def predict(batch: Batch) -> Floats:
        return np.asarray(model.predict(batch["sequence"]).mean(axis=2), dtype=np.float32)

    whole = WholeWay(predict, model.rows_at_once())
    return Opened(model.digest, model.tracks, ("sequence",), whole, whole, f"whole, as {reason}")


def _local_way(
    predictor: Predictor, chosen: list[int], config: MutagenesisConfig
) -> tuple[LocalWay | None, str]:
    """Give the local way, or why there is none."""
    if config.way == "whole":
        return None, "as asked for"
    if config.average.shifts:
        _refuse_local(config, "as shifts are averaged")
        return None, "as shifts are averaged"
    network, inputs_of = _network(predictor)
    if network is None:
        reason = f"as {type(predictor).__name__} is no single network"
    else:
        length = network.shapes.inputs["sequence"][0]
        chains = [chain_of(member, length) for member in network.members]
        if all(chain is not None for chain in chains):
            known = [chain for chain in chains if chain is not None]
            memory = config.memory * _MIB // 2
            return LocalWay(network, known, inputs_of, chosen, memory), ""
        reason = f"as {type(network.members[0]).__name__} is no chain of local layers"
    _refuse_local(config, reason)
    return None, reason


def _refuse_local(config: MutagenesisConfig, reason: str) -> None:
    if config.way == "local":
        raise ConfigError(
            "a change cannot be followed through this model",
            record=config.model,
            found=reason.removeprefix("as "),
            expected="a convolutional network without attention or recurrence",
            remedy="Predict every mutant whole: --way whole, and fewer positions: --around 200",
        )


def _network(
    predictor: Predictor,
) -> tuple[NetworkPredictor | None, Callable[[Batch], Batch]]:
    """Give the network behind a predictor, and how it reads inputs."""
    if isinstance(predictor, XpressoPredictor):
        return predictor.network, lambda batch: {
            "sequence": batch["sequence"],
            "halflife": predictor.halflife(batch),
        }
    if isinstance(predictor, NetworkPredictor):
        return predictor, lambda batch: {name: batch[name] for name in predictor.inputs}
    return None, lambda batch: batch


def _rows(window: int | None, memory: int) -> int:
    bases = window or _BASES_AT_ONCE
    fitting = memory * _MIB // (bases * _BYTES_PER_BASE)
    return max(1, min(fitting, _BASES_AT_ONCE // bases + 1, _MOST_ROWS))
