"""Published Xpresso weights as a Predictor of standardised expression."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from exprimo.core.dataset import Dataset
from exprimo.core.errors import InputError, MismatchError
from exprimo.core.predictor import Batch, Prediction
from exprimo.models.network import NetworkPredictor
from exprimo.models.pretrained.xpresso.keras_weights import (
    LayerWeights,
    layers_of,
    read_keras_weights,
)
from exprimo.models.xpresso import UPSTREAM, WINDOW, Xpresso, XpressoConfig
from exprimo.models.zoo import Shapes

PUBLISHED_FEATURES = (
    "log10_utr5_length",
    "log10_cds_length",
    "log10_intron_length",
    "log10_utr3_length",
    "utr5_gc",
    "cds_gc",
    "utr3_gc",
    "log10_junction_density",
)
"""The half-life features that the authors' preparation writes, in its order."""
# Below this many genes their mean and spread say little about a genome's.
_FEWEST_GENES = 100
_CHUNK = 8192


class _Standard(NamedTuple):
    """Which stored columns are read, and their mean and spread over the dataset."""

    columns: list[int]
    mean: npt.NDArray[np.float64]
    sd: npt.NDArray[np.float64]


class XpressoPredictor:
    """Predict expression as z: standardised log10(median RPKM + 0.1) over the genes of a species.

    Parameters
    ----------
    network
        With the published weights.
    n_features
        Half-life features that the weights read.
    features
        Names of those features (`PUBLISHED_FEATURES`), in order; None gives every gene the
        average, as the authors' own predictions do.

    Notes
    -----
    The weights read features standardised over all genes, and do not carry mean and spread. So
    `fitted_to` takes those of the dataset, which should hold the genes of a genome.
    """

    outputs: tuple[str, ...] = ("expression_z",)
    window: int | None = WINDOW
    upstream = UPSTREAM

    def __init__(
        self,
        network: nn.Module,
        n_features: int,
        *,
        features: Sequence[str] | None = None,
        device: torch.device | None = None,
    ) -> None:
        shapes = Shapes({"sequence": (WINDOW,), "halflife": (n_features,)}, "regression")
        self.network = NetworkPredictor([network], shapes, device=device)
        self.n_features = n_features
        self.features = None if features is None else tuple(features)
        self.inputs: tuple[str, ...] = ("sequence",)
        if self.features is not None:
            self.inputs += ("halflife",)
            if len(self.features) != n_features:
                raise MismatchError(
                    "the weights read another number of half-life features",
                    found=f"{len(self.features)} names",
                    expected=f"{n_features}",
                )
        self._standard: _Standard | None = None

    def fitted_to(self, data: Dataset) -> Self:
        """Check a dataset, and take mean and spread of its half-life features."""
        self._check_window(data.inputs["sequence"].shape[0] if "sequence" in data.inputs else 0)
        if self.features is not None:
            self._standard = _standard(data, self.features)
        return self

    def predict(self, batch: Batch) -> Prediction:
        """Predict (batch, 1); ``sd`` is NaN."""
        codes = batch["sequence"]
        self._check_window(codes.shape[1])
        return self.network.predict({"sequence": codes, "halflife": self.halflife(batch)})

    def halflife(self, batch: Batch) -> npt.NDArray[np.float32]:
        """Give the half-life features that the weights read, standardised, (batch, features)."""
        n = len(batch["sequence"])
        if self.features is None:
            return np.zeros((n, self.n_features), dtype=np.float32)
        values = np.asarray(batch["halflife"], dtype=np.float64)
        if self._standard is None:
            # Without a dataset the caller has standardised them.
            if values.shape[1] != self.n_features:
                raise MismatchError(
                    "the weights read another number of half-life features",
                    found=values.shape[1],
                    expected=self.n_features,
                )
        else:
            columns, mean, sd = self._standard
            values = (values[:, columns] - mean) / sd
        return np.nan_to_num(values, nan=0.0).astype(np.float32)

    def _check_window(self, length: int) -> None:
        if length != WINDOW:
            raise MismatchError(
                "Xpresso reads another window",
                found=f"{length:,} bases",
                expected=f"{WINDOW:,} bases: {UPSTREAM:,} upstream and {WINDOW - UPSTREAM:,} "
                "downstream of the start of transcription, in gene orientation",
                remedy="Build the dataset with: exprimo dataset promoters --upstream 7000 "
                "--downstream 3500",
            )


def _standard(data: Dataset, features: Sequence[str]) -> _Standard:
    """Find the features among the columns of ``halflife``, with mean and spread."""
    if "halflife" not in data.inputs:
        raise InputError(
            "the dataset holds no half-life features",
            file=data.path,
            found=", ".join(data.inputs),
            expected="the input halflife",
            remedy="Build it with half-life features, or give every gene the average: "
            "xpresso:FILE in place of xpresso-halflife:FILE",
        )
    info = data.inputs["halflife"]
    missing = [name for name in features if name not in info.labels]
    if missing:
        raise MismatchError(
            "half-life features that the weights read are not in the dataset",
            file=data.path,
            record=", ".join(missing),
            found=", ".join(info.labels) or f"{info.shape[0]} columns without names",
            remedy="Build the dataset with the features of the annotation, or use xpresso:FILE",
        )
    if info.n_distinct < _FEWEST_GENES:
        raise InputError(
            "too few genes to standardise their half-life features",
            file=data.path,
            found=info.n_distinct,
            expected=f"at least {_FEWEST_GENES}; best all of a genome",
            remedy="Use a larger dataset, or xpresso:FILE, where every gene is average",
        )
    columns = [info.labels.index(name) for name in features]
    # Each gene counts once, however many examples it has.
    parts = [
        data.distinct("halflife", start, start + _CHUNK)[:, columns].astype(np.float64)
        for start in range(0, info.n_distinct, _CHUNK)
    ]
    values = np.concatenate(parts)
    sd = np.nanstd(values, axis=0)
    return _Standard(columns, np.nanmean(values, axis=0), np.where(sd > 0, sd, 1.0))


def load_xpresso(
    path: str | Path,
    *,
    features: Sequence[str] | None = None,
    device: torch.device | None = None,
) -> XpressoPredictor:
    """Read published weights (Keras HDF5).

    Parameters
    ----------
    features
        Names of the half-life features that these weights read, in order; None gives every gene
        the average.

    Examples
    --------
    >>> load_xpresso("human.h5").predict({"sequence": codes})    # doctest: +SKIP
    """
    layers = read_keras_weights(path)
    convs, denses = layers_of(layers, "conv1d"), layers_of(layers, "dense")
    shapes = [w.kernel.shape for w in (*convs, *denses)]
    n_features = _count_features(shapes, path)
    config = XpressoConfig()
    network = Xpresso(
        config, Shapes({"sequence": (WINDOW,), "halflife": (n_features,)}, "regression")
    )
    state = dict(network.state_dict())
    for name, weights in zip(("conv1", "conv2"), convs, strict=True):
        # (width, inputs, outputs) to (outputs, inputs, width)
        state |= _tensors(name, weights._replace(kernel=weights.kernel.transpose(2, 1, 0)))
    for name, weights in zip(("dense1", "dense2", "output.linear"), denses, strict=True):
        state |= _tensors(name, weights._replace(kernel=weights.kernel.T))
    network.load_state_dict(state)
    return XpressoPredictor(network, n_features, features=features, device=device)


def _tensors(name: str, weights: LayerWeights) -> dict[str, torch.Tensor]:
    kernel = torch.from_numpy(np.ascontiguousarray(weights.kernel))
    return {f"{name}.weight": kernel, f"{name}.bias": torch.from_numpy(weights.bias)}


def _count_features(shapes: Sequence[tuple[int, ...]], path: str | Path) -> int:
    """Give how many half-life features the weights read, if they are Xpresso's."""
    config = XpressoConfig()
    one, two = config.channels
    flat = WINDOW // config.pools[0] // config.pools[1] * two
    hidden = config.hidden
    n_features = shapes[2][0] - flat if len(shapes) > 2 and len(shapes[2]) == 2 else 0
    expected = [
        (config.widths[0], 4, one),
        (config.widths[1], one, two),
        (flat + n_features, hidden[0]),
        hidden,
        (hidden[1], 1),
    ]
    if list(shapes) != expected or n_features < 1:
        raise MismatchError(
            "these are not the weights of Xpresso",
            file=path,
            found="kernels of " + ", ".join(map(str, shapes)),
            expected=f"kernels of {expected[0]}, {expected[1]}, ({flat} + features, {hidden[0]}), "
            f"{hidden}, {expected[4]}",
        )
    return n_features
