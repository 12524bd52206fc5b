"""Exact mutagenesis: what each base does, beside the three that could stand in its place.

The output of every single-base mutant is computed, only what a change can reach where the network
is a chain of local layers (`exprimo.scoring.mutagenesis`). The value of a base is the output with
it less the mean of the outputs with the three others; the hypothetical value of a base is the
output with it less the mean of all four.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

from exprimo.core.errors import ConfigError
from exprimo.core.predictor import Batch, Floats
from exprimo.core.sequence import N_CODE
from exprimo.interpret.attributions.method import MIB, Attributed, MethodConfig, Subject
from exprimo.models.network import NetworkPredictor
from exprimo.models.zoo import Shapes
from exprimo.scoring.gradients import explained
from exprimo.scoring.mutagenesis.local import chain_of
from exprimo.scoring.mutagenesis.substitutions import N_BASES, Substitutions
from exprimo.scoring.mutagenesis.ways import LocalWay, Way, WholeWay, check_same

_BASES_AT_ONCE, _BYTES_PER_BASE, _MOST_ROWS = 65_536, 4096, 1024
_OTHERS = N_BASES - 1
# A probability is kept this far from 0 and 1, or its logit would be infinite.
_LEAST = 1e-7


class Mutagenesis:
    """Outputs of all single-base mutants of a sequence."""

    def __init__(self, subject: Subject, config: MethodConfig) -> None:
        if "sequence" not in subject.names:
            raise ConfigError(
                "this model reads no DNA whose bases could be changed",
                found=", ".join(subject.names),
                expected="a model that reads sequence",
                remedy="Use --method integrated_gradients",
            )
        self.subject = subject
        window = subject.predictor.window or _BASES_AT_ONCE
        fitting = config.memory * MIB // (window * _BYTES_PER_BASE)
        rows = max(1, min(fitting, _BASES_AT_ONCE // window + 1, _MOST_ROWS))
        self._way: Way = WholeWay(raw_outputs(subject), rows)
        self._checked = True
        local = _local(subject, config)
        if local is not None:
            self._way, self._whole, self._checked = local, self._way, False

    def explain(self, batch: Batch) -> Attributed:
        """Explain some examples."""
        n = len(batch["sequence"])
        found = [self._one({k: v[i : i + 1] for k, v in batch.items()}) for i in range(n)]
        outputs, values, hypothetical = (np.stack(column) for column in zip(*found, strict=True))
        return Attributed(outputs, {"sequence": values}, {"sequence": hypothetical})

    def _one(self, batch: Batch) -> tuple[np.float32, Floats, Floats]:
        codes = np.asarray(batch["sequence"][0])
        wanted = Substitutions.within(codes, 0, len(codes))
        if not self._checked:
            check_same(self._way, self._whole, batch, wanted, type(self.subject.predictor).__name__)
            self._checked = True
        found = self._way.outputs(batch, wanted)
        reference = self._raw(found.reference[None])[0]
        effects = np.zeros((N_BASES, len(codes)), dtype=np.float32)
        effects[wanted.bases, wanted.sites] = self._raw(found.mutants) - reference
        known = codes != N_CODE
        values = np.where(known, -effects.sum(0) / _OTHERS, 0).astype(np.float32)
        return np.float32(reference), values, (effects - effects.mean(0)).astype(np.float32)

    def _raw(self, outputs: Floats) -> Floats:
        raw = explained(torch.from_numpy(outputs), self.subject.index, self.subject.kind)
        return np.asarray(raw.numpy())


def raw_network(network: NetworkPredictor) -> NetworkPredictor:
    """Give a network whose predictions are its raw outputs, which no probability rounds off."""
    shapes = Shapes(network.shapes.inputs, "regression", network.shapes.n_outputs)
    return NetworkPredictor(
        network.members, shapes, both_strands=network.both_strands, device=network.device
    )


def raw_outputs(subject: Subject) -> Callable[[Batch], Floats]:
    """Give the raw outputs, (n, outputs), as a function of inputs as stored."""
    if subject.network is not None:
        raw = raw_network(subject.network)
        return lambda batch: raw.predict(subject.inputs_of(batch)).mean
    scale, predict = _scale(subject), subject.predictor.predict
    return lambda batch: scale(predict(batch).mean)


def _scale(subject: Subject) -> Callable[[Floats], Floats]:
    """Turn predictions of a model that is no network into raw outputs, as far as they say it."""
    if subject.kind == "regression":
        return lambda mean: np.asarray(mean, dtype=np.float32)

    def logit(mean: Floats) -> Floats:
        p = np.clip(mean.astype(np.float64), _LEAST, 1 - _LEAST)
        # Of several classes the log probability differs from the logit by what all share.
        found = np.log(p) if subject.kind == "multiclass" else np.log(p) - np.log1p(-p)
        return found.astype(np.float32)

    return logit


def _local(subject: Subject, config: MethodConfig) -> LocalWay | None:
    """Give the way that recomputes only what a change can reach; None where there is none."""
    network = subject.network
    if network is None or "sequence_2" in network.inputs:
        return None
    length = network.shapes.inputs["sequence"][0]
    chains = [chain_of(member, length) for member in network.members]
    known = [chain for chain in chains if chain is not None]
    if len(known) < len(chains):
        return None
    chosen = list(range(network.shapes.n_outputs))
    memory = config.memory * MIB // 2
    return LocalWay(raw_network(network), known, subject.inputs_of, chosen, memory)
