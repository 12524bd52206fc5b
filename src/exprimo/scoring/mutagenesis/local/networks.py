"""Which networks of the zoo are chains, and how each of them is described as one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from exprimo.models.cnn import Cnn, MotifScan
from exprimo.models.differential.cnn2d import Cnn2d
from exprimo.models.halflife.cnn_only import CnnOnly
from exprimo.models.halflife.dna import Convolutions, DnaBins
from exprimo.models.halflife.halflife_cnn import HalflifeCnn
from exprimo.models.xpresso import Xpresso
from exprimo.scoring.mutagenesis.local.chain import Chain, Inputs
from exprimo.scoring.mutagenesis.local.image import image_layers
from exprimo.scoring.mutagenesis.local.layers import (
    AveragePool,
    Convolution,
    Layer,
    MaxPool,
    Pointwise,
)
from exprimo.scoring.mutagenesis.local.modules import affine, convolution, local_layers


@runtime_checkable
class HasChain(Protocol):
    """A network, of a plug-in for instance, that describes itself."""

    def local_chain(self, length: int) -> Chain:
        """Give the chain that computes what the network does of a window of this length."""


def chain_of(network: nn.Module, length: int) -> Chain | None:
    """Describe a network as a chain; None where it is none.

    Parameters
    ----------
    network
        Ready to predict (``eval``).
    length
        Bases in its window.

    Examples
    --------
    >>> from exprimo.models.cnn import CnnConfig
    >>> from exprimo.models.zoo import Shapes
    >>> network = Cnn(CnnConfig(), Shapes({"sequence": (600,)}, "regression")).eval()
    >>> chain_of(network, 600).dense.shape
    torch.Size([18, 64, 256])
    >>> chain_of(nn.LSTM(4, 8), 600) is None
    True
    """
    if isinstance(network, HasChain):
        return network.local_chain(length)
    with torch.inference_mode():
        for kind, describe in _KNOWN.items():
            if type(network) is kind:
                return describe(network, length)
    return None


def _cnn(network: Cnn, length: int) -> Chain:
    *body, grid = network.body
    dense, rest = _first_dense([*network.head, network.output])
    empty = torch.zeros(1, 4, 1, length, device=dense.weight.device)
    _, channels, _, positions = nn.Sequential(*body)(empty).shape
    # Channels before positions, as they are flattened.
    weight = dense.weight.view(dense.out_features, channels, -1)
    # The mean over positions of each bin of the grid is linear, so it goes into the weights.
    each = grid(torch.eye(positions, device=weight.device)[:, None, None])[:, 0, 0]
    spread = torch.einsum("pb,hcb->pch", each, weight)
    return Chain(local_layers(body), spread.contiguous(), _bias(dense), rest)


def _xpresso(network: Xpresso, length: int) -> Chain:
    bias = network.conv1.get_parameter("bias")
    first = convolution(network.conv1, same=True)
    layers: list[Layer] = [
        Convolution(first.weight, None, first.before, first.after),
        MaxPool(network.pools[0]),
        Pointwise(lambda x: (x + bias).relu()),
        convolution(network.conv2, same=True),
        MaxPool(network.pools[1]),
        Pointwise(torch.relu),
    ]
    dense = network.dense1
    standardise = {name: network.standardise[name] for name in network.standardise}
    positions, channels = length // network.pools[0] // network.pools[1], network.conv2.out_channels
    flat = positions * channels
    weight = dense.weight[:, :flat].T.reshape(positions, channels, dense.out_features)

    def constant(inputs: Inputs) -> Tensor:
        found = dense.bias
        at = flat
        for name, layer in standardise.items():
            values = layer(inputs[name]).flatten()
            found = found + dense.weight[:, at : at + len(values)] @ values
            at += len(values)
        return found

    rest = nn.Sequential(
        nn.ReLU(), network.dropout1, network.dense2, nn.ReLU(), network.dropout2, network.output
    )
    return Chain(layers, weight.contiguous(), constant, rest)


def _cnn2d(network: Cnn2d, length: int) -> Chain:
    rest = nn.Sequential(nn.ReLU(), network.dropout, network.output)
    weight = network.dense.weight.T[None].contiguous()
    return Chain(image_layers(network, length), weight, _bias(network.dense), rest)


def _cnn_only(network: CnnOnly, _: int) -> Chain | None:
    layers = _dna_layers(network.dna)
    if layers is None:
        return None
    dense, rest = _first_dense([*network.dense, network.output])
    layers += [*local_layers(network.body), MaxPool(None)]
    return Chain(layers, dense.weight.T[None].contiguous(), _bias(dense), rest)


def _halflife_cnn(network: HalflifeCnn, _: int) -> Chain | None:
    reads_halflife = network.config.halflife != "none"
    layers = None if network.dna is None else _dna_layers(network.dna)
    # Along the length, half-life features stand behind the bins of DNA.
    if layers is None or network.body is None or (reads_halflife and network.along):
        return None
    dense, rest = _first_dense([*network.dense, network.output])
    flat = network.body.features
    channels = network.config.channels[-1]
    weight = dense.weight[:, :flat].reshape(dense.out_features, channels, -1)

    def constant(inputs: Inputs) -> Tensor:
        if not reads_halflife:
            return dense.bias
        values = network.standardise["halflife"](inputs["halflife"])
        if network.config.halflife == "encoded":
            values = network.encoder(values)
        found: Tensor = dense.bias + dense.weight[:, flat:] @ values.flatten()
        return found

    layers += _pooled(network.body)
    return Chain(layers, weight.permute(2, 1, 0).contiguous(), constant, rest)


def _dna_layers(dna: DnaBins) -> list[Layer] | None:
    """Describe the trunk that all half-life networks share; None where it reads embeddings."""
    if dna.name != "sequence":
        return None
    if not isinstance(dna.scan, MotifScan):
        return [AveragePool(dna.bin)]
    filters = dna.scan.filters().squeeze(2)
    reach = filters.shape[2] - 1
    scale, shift = affine(dna.norm)
    before = filters.shape[2] // 2
    return [
        Convolution(filters, None, before, reach - before),
        MaxPool(dna.bin, whole_bins=False),
        Pointwise(lambda x: dna.sharpen(x * scale + shift)),
    ]


def _pooled(body: Convolutions) -> list[Layer]:
    layers: list[Layer] = []
    for convolve, norm, pool in zip(body.convolutions, body.norms, body.pools, strict=True):
        layers += [*local_layers([convolve, norm, nn.ReLU()]), MaxPool(pool)]
    return layers


def _first_dense(modules: list[nn.Module]) -> tuple[nn.Linear, nn.Module]:
    """Split a head at its first dense layer."""
    for at, module in enumerate(modules):
        if isinstance(module, nn.Linear):
            return module, nn.Sequential(*modules[at + 1 :])
    output = modules[-1]
    linear = output.get_submodule("linear")
    assert isinstance(linear, nn.Linear)
    return linear, nn.Identity()


def _bias(dense: nn.Linear) -> Callable[[Inputs], Tensor]:
    return lambda _: dense.bias


_KNOWN: dict[type[nn.Module], Callable[..., Chain | None]] = {
    Cnn: _cnn,
    Xpresso: _xpresso,
    Cnn2d: _cnn2d,
    CnnOnly: _cnn_only,
    HalflifeCnn: _halflife_cnn,
}
