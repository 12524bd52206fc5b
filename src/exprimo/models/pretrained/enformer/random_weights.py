"""An Enformer that knows nothing: random weights, for tests, timings and demonstrations."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from exprimo.core.files.atomic import atomic_file
from exprimo.models.pretrained.enformer.config import EnformerConfig
from exprimo.models.pretrained.enformer.layers import ConvBlock
from exprimo.models.pretrained.enformer.loading import METADATA
from exprimo.models.pretrained.enformer.network import EnformerNetwork

TOY = EnformerConfig(
    dim=48,
    depth=2,
    heads=2,
    key=8,
    divisible_by=4,
    downsamples=5,
    window=2048,
    bins=48,
    tracks={"human": 12, "mouse": 4},
)
"""A small one: 2,048 bases, 48 bins of 32 bases, a hundred windows a second."""

# Bases that set the statistics of the norms: of a larger network the convolutions' alone.
_SET_BY = 16_384


def random_enformer(config: EnformerConfig = TOY, seed: int = 0) -> EnformerNetwork:
    """Make a network whose weights follow from a seed, in eval mode.

    Unlike in a new network no part does nothing, and norms have the statistics of random bases:
    outputs depend on every parameter, and differ between sequences.

    Examples
    --------
    >>> network = random_enformer(seed=1)
    >>> network.config.bins, sum(p.numel() for p in network.parameters()) > 50_000
    (48, True)
    """
    generator = torch.Generator().manual_seed(seed)
    with torch.device("meta"):
        network = EnformerNetwork(config)
    network.to_empty(device="cpu")
    with torch.no_grad():
        for name, tensor in network.state_dict().items():
            tensor.copy_(_random(name, tensor, generator))
        _set_statistics(network, generator)
    return network.requires_grad_(False).eval()


def _random(name: str, like: Tensor, generator: torch.Generator) -> Tensor:
    """Draw a tensor: matrices keep the variance of what they read, norms stay near 1."""
    if name.endswith("num_batches_tracked"):
        return torch.zeros_like(like)
    noise = torch.randn(like.shape, generator=generator)
    if like.ndim > 1 and "bias" not in name:
        noise /= (like.numel() // like.shape[0]) ** 0.5
        if "to_attn_logits" in name:
            noise += 2 * torch.eye(len(like))[..., None, None]
        return noise
    if name.endswith((".weight", "running_var")):
        return torch.exp(0.2 * noise)
    return 0.1 * noise


def _set_statistics(network: EnformerNetwork, generator: torch.Generator) -> None:
    """Give every batch norm the statistics of what it reads of random bases."""
    config = network.config
    whole = config.window <= _SET_BY
    length = config.window if whole else _SET_BY
    bases = torch.randint(4, (1, length), generator=generator)
    sequence = torch.eye(4)[bases].transpose(1, 2)

    def learn(block: nn.Module, read: tuple[Tensor, ...]) -> None:
        assert isinstance(block, ConvBlock)
        x = read[0].flatten(0, 1)
        # Rounded, so that another machine's last bits do not make another network.
        block.norm.running_mean = (1000 * x.mean(0)).round() / 1000
        block.norm.running_var = (1000 * x.var(0)).round().clamp(min=1) / 1000

    hooks = [
        block.register_forward_pre_hook(learn)
        for block in network.modules()
        if isinstance(block, ConvBlock)
    ]
    convolved = network.convolve(sequence)
    if whole:
        network.transform(convolved)
    for hook in hooks:
        hook.remove()


def save_enformer(network: EnformerNetwork, path: str | Path) -> Path:
    """Write weights as safetensors whose metadata says the sizes; they open as ``enformer:FILE``.

    Examples
    --------
    >>> import tempfile
    >>> file = save_enformer(random_enformer(), Path(tempfile.mkdtemp()) / "toy.safetensors")
    >>> file.name
    'toy.safetensors'
    """
    tensors = {name: tensor.contiguous() for name, tensor in network.state_dict().items()}
    metadata = {METADATA: json.dumps(network.config.model_dump(mode="json"))}
    with atomic_file(path) as partial:
        save_file(tensors, partial, metadata=metadata)
    return Path(path)
