"""A network's last features into boosted trees.

The network is trained as it would be alone; then trees are fitted on what its last layer reads.
It has seen its training examples, so it tells them apart better than others: trees that grew
until they fit those features well would trust them too much. Depth, rate and the number of trees
are therefore chosen by the loss on validation examples, which no weight was fitted to.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from pydantic import Field

from exprimo.core.config import Config
from exprimo.core.errors import ConfigError
from exprimo.core.predictor import Batch, Prediction
from exprimo.models.differential.cnn2d import SPEC as CNN2D
from exprimo.models.network import NetworkPredictor
from exprimo.models.trees import BoostedTrees, TreesConfig
from exprimo.models.zoo import ModelSpec, Preset, get_spec


class CnnXgboostConfig(TreesConfig):
    """Options of ``cnn_xgboost``; the lists are tried against each other on validation."""

    net: str = "cnn"
    """The network: a name from ``exprimo models`` that shows its last features."""
    net_options: dict[str, Any] = Field(default_factory=dict)
    """Options of the network; see ``exprimo models NAME``."""


class HybridPredictor:
    """Members that vote: each a network and the trees on its features.

    Parameters
    ----------
    network
        The trained members; every one shows its features.
    trees
        One per member, in their order.
    """

    def __init__(self, network: NetworkPredictor, trees: Sequence[BoostedTrees]) -> None:
        self.network = network
        self.trees = list(trees)
        self.inputs, self.window, self.outputs = network.inputs, network.window, network.outputs

    @property
    def precision(self) -> str:
        """What the network computes in."""
        return self.network.precision

    @property
    def n_parameters(self) -> int:
        """Weights of the networks, splits and leaves of the trees."""
        weights = sum(p.numel() for member in self.network.members for p in member.parameters())
        return weights + sum(trees.n_parameters for trees in self.trees)

    def predict(self, batch: Batch) -> Prediction:
        """Predict the mean over members; ``sd`` is NaN for a single one."""
        features = self.network.features(batch)
        found = np.stack([t.predict(f) for t, f in zip(self.trees, features, strict=True)])
        mean = found.mean(0)
        sd = found.std(0, ddof=1) if len(found) > 1 else np.full_like(mean, np.nan)
        return Prediction(mean, sd)


def network(config: CnnXgboostConfig) -> tuple[ModelSpec, Config]:
    """Look up the network that the options name, and check its options."""
    spec = get_spec(config.net)
    if spec.kind != "network":
        raise ConfigError(
            "not a network, so it has no features to give",
            record="net",
            found=f"{spec.name} ({spec.kind})",
            expected="a network, such as cnn",
        )
    return spec, spec.config.checked(config.net_options)


def adapt(config: CnnXgboostConfig, n_train: int) -> CnnXgboostConfig:
    """Choose what the network's options leave open by the number of training examples.

    Examples
    --------
    >>> adapt(CnnXgboostConfig(), 3000).net_options["channels"]
    64
    """
    spec, options = network(config)
    if spec.adapt is not None:
        options = spec.adapt(options, n_train)
    # TOML has no null, and what is stored must read back as the same.
    given = {k: v for k, v in options.model_dump(mode="json").items() if v is not None}
    return config.model_copy(update={"net_options": given})


def _published() -> Preset:
    """Give the published image network, and the trees on what its dense layer says."""
    net = CNN2D.presets["published"]
    return Preset(
        {"net": "cnn2d", "net_options": dict(net.options)},
        net.fit,
        "the published cnn2d, its dense layer's 64 values into trees tuned on validation; the "
        "source names neither the trees' settings nor what they were tuned on",
    )


SPEC = ModelSpec(
    name="cnn_xgboost",
    kind="hybrid",
    config=CnnXgboostConfig,
    build=HybridPredictor,
    inputs=("sequence",),
    tasks=("regression", "classification", "multiclass"),
    summary="boosted trees on a trained network's last features, tuned on validation",
    citation="Chen & Guestrin 2016 for the trees",
    adapt=adapt,
    network=network,
    presets={"published": _published()},
)
