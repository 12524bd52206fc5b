"""Runs that read stored embeddings, explained base by base through the network that made them.

Embeddings are looked up by sequence, so that no change of a base reaches them. Here the pretrained
network, the means over bins and the Run's own network are one: bases in, output out. HyenaDNA
reads tokens, of which it looks up a vector each. A base that is there for a part is that part of
its vector, and N the vector of N where nothing else is: so one-hot bases say what tokens say.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from exprimo.core.errors import ConfigError, MismatchError
from exprimo.core.predictor import Backbone, Batch, Prediction, Predictor
from exprimo.core.run import Run
from exprimo.features.embeddings.attach import INPUT as EMBEDDING
from exprimo.features.embeddings.manifest import Manifest
from exprimo.interpret.attributions.method import MethodConfig
from exprimo.models.network import NetworkPredictor
from exprimo.models.pretrained import open_pretrained
from exprimo.models.pretrained.hyenadna import HyenaBackbone
from exprimo.models.pretrained.hyenadna.network import BASE_TOKENS, CLS, SEP, HyenaNetwork
from exprimo.scoring.embeddings.pooling import pool, positions_per_bin
from exprimo.training import TrainConfig

_SEQUENCE = "sequence"


def as_it_is_explained(predictor: Predictor, run: Run | None, config: MethodConfig) -> Predictor:
    """Give the model whose inputs are those that are asked for.

    A Run that reads embeddings is explained by these, unless its sequence is asked for.
    """
    if EMBEDDING not in predictor.inputs:
        return predictor
    if _SEQUENCE in config.inputs:
        return reading_bases(predictor, run)
    if config.method == "mutagenesis":
        raise ConfigError(
            "this model reads stored embeddings, which no changed base reaches",
            record=None if run is None else run.name,
            found=", ".join(predictor.inputs),
            expected="a model that reads sequence",
            remedy="Explain it base by base, through the network that made them: --input sequence",
        )
    return predictor


def reading_bases(predictor: Predictor, run: Run | None) -> Predictor:
    """Give a Run that reads embeddings as one that reads the bases themselves.

    A network if the pretrained one can be differentiated (HyenaDNA); else a model whose bases can
    be changed one by one and no more. The weights are looked for where ``exprimo fetch`` puts
    them, and must be those that the embeddings were made with.
    """
    store = None if run is None else TrainConfig.load(run.config_path).embeddings
    if store is None or not isinstance(predictor, NetworkPredictor):
        raise ConfigError(
            "nothing says which embeddings this model reads",
            record=None if run is None else run.name,
            expected="a run of a network that was trained with --embeddings",
        )
    made = Manifest.read(Path(store))
    name, _, given = made.backbone.partition(":")
    backbone = open_pretrained(name, given or None, device=predictor.device)
    assert isinstance(backbone, Backbone)
    if backbone.digest != made.digest:
        raise MismatchError(
            f"the weights of {name} are not those that made the embeddings",
            file=store,
            found=f"SHA-256 {backbone.digest[:12]}",
            expected=made.digest[:12],
            remedy="Put the same file where exprimo fetch weights puts it",
        )
    positions = positions_per_bin(made.bin, backbone.stride)
    if not isinstance(backbone, HyenaBackbone):
        return EmbeddedOnTheWay(backbone, positions, predictor, made.bases)
    shapes = predictor.shapes._replace(inputs=_inputs(predictor, made.bases))
    members = [ThroughHyena(backbone.network, positions, one) for one in predictor.members]
    # The other strand's embedding is not what such a network read where it read both.
    return NetworkPredictor(
        members, shapes, center=predictor.center, scale=predictor.scale, device=predictor.device
    )


def _inputs(predictor: NetworkPredictor, bases: int) -> dict[str, tuple[int, ...]]:
    read = dict(predictor.shapes.inputs)
    del read[EMBEDDING]
    return {_SEQUENCE: (bases,), **read}


class ThroughHyena(nn.Module):
    """One-hot ``sequence`` (batch, 4, length), and what else is read, to raw outputs.

    Parameters
    ----------
    trunk
        The pretrained network.
    positions
        Bases of a bin.
    head
        The network that reads ``embedding`` (batch, bins, channels).

    Examples
    --------
    >>> from exprimo.models.pretrained.hyenadna import HyenaConfig
    >>> class Mean(nn.Module):
    ...     def forward(self, inputs):
    ...         return inputs["embedding"].mean((1, 2))[:, None]
    >>> trunk = HyenaNetwork(HyenaConfig(d_model=8, n_layer=1, d_inner=16, l_max=12))
    >>> ThroughHyena(trunk, 4, Mean())({"sequence": torch.zeros(2, 4, 10)}).shape
    torch.Size([2, 1])
    """

    def __init__(self, trunk: HyenaNetwork, positions: int, head: nn.Module) -> None:
        super().__init__()
        self.trunk, self.positions, self.head = trunk, positions, head

    def forward(self, inputs: dict[str, Tensor]) -> Tensor:
        others = {name: values for name, values in inputs.items() if name != _SEQUENCE}
        hidden = self._hidden(inputs[_SEQUENCE])
        binned = functional.avg_pool1d(hidden.transpose(1, 2), self.positions, ceil_mode=True)
        found: Tensor = self.head({EMBEDDING: binned.transpose(1, 2), **others})
        return found

    def _hidden(self, bases: Tensor) -> Tensor:
        backbone = self.trunk.backbone
        table = backbone.embeddings.word_embeddings.weight
        *known, absent = (table[token] for token in BASE_TOKENS)
        x = absent + bases.transpose(1, 2) @ (torch.stack(known) - absent)
        ends = [table[token].expand(len(x), 1, -1) for token in (CLS, SEP)]
        x = torch.cat([ends[0], x, ends[1]], dim=1)
        for layer in backbone.layers:
            x = layer(x)
        hidden: Tensor = backbone.ln_f(x)
        return hidden[:, 1:-1]


class EmbeddedOnTheWay:
    """A pretrained network that cannot be differentiated here, and what reads its embeddings."""

    def __init__(
        self, backbone: Backbone, positions: int, network: NetworkPredictor, bases: int
    ) -> None:
        self._backbone, self._positions, self._network = backbone, positions, network
        self.inputs = tuple(_inputs(network, bases))
        self.window: int | None = bases
        self.outputs = network.outputs

    def predict(self, batch: Batch) -> Prediction:
        """Embed, and predict."""
        hidden = self._backbone.embed({_SEQUENCE: batch[_SEQUENCE]})
        given: dict[str, Any] = dict(batch)
        given[EMBEDDING] = np.asarray(pool(hidden, self._positions), dtype=np.float32)
        return self._network.predict({name: given[name] for name in self._network.inputs})
