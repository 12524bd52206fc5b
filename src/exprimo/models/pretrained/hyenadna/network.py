"""HyenaDNA (Nguyen et al. 2023): tokens of DNA to hidden vectors, written anew.

Modules and parameters are named as in the published checkpoints, which therefore load strictly.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from exprimo.models.pretrained.hyenadna.config import HyenaConfig
from exprimo.models.pretrained.hyenadna.operator import HyenaOperator

CLS, SEP = 0, 1
BASE_TOKENS = (7, 8, 9, 10, 11)
"""Tokens of A, C, G, T and N, that is of codes 0 to 4."""
_VOCABULARY = 16


class Embeddings(nn.Module):
    """One vector per token; there is no embedding of positions."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.word_embeddings = nn.Embedding(_VOCABULARY, channels)


class PositionWise(nn.Module):
    """Two dense layers at each position, with GELU in its tanh form between them."""

    def __init__(self, channels: int, inner: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(channels, inner)
        self.fc2 = nn.Linear(inner, channels)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.fc2(functional.gelu(self.fc1(x), approximate="tanh"))
        return out


class Block(nn.Module):
    """Norm, Hyena operator, sum; norm, position-wise network, sum."""

    def __init__(self, config: HyenaConfig) -> None:
        super().__init__()
        self.mixer = HyenaOperator(config.d_model, config.l_max)
        self.norm1 = nn.LayerNorm(config.d_model)
        self.mlp = PositionWise(config.d_model, config.d_inner)
        self.norm2 = nn.LayerNorm(config.d_model)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.mixer(self.norm1(x))
        out: Tensor = x + self.mlp(self.norm2(x))
        return out


class Backbone(nn.Module):
    """Embedding, blocks, last norm."""

    def __init__(self, config: HyenaConfig) -> None:
        super().__init__()
        self.embeddings = Embeddings(config.d_model)
        self.layers = nn.ModuleList(Block(config) for _ in range(config.n_layer))
        self.ln_f = nn.LayerNorm(config.d_model)

    def forward(self, tokens: Tensor) -> Tensor:
        x = self.embeddings.word_embeddings(tokens)
        for layer in self.layers:
            x = layer(x)
        out: Tensor = self.ln_f(x)
        return out


class HyenaNetwork(nn.Module):
    """Tokens (batch, length) to hidden vectors (batch, length, channels).

    Causal: a position sees itself and what stands before it. In training mode, or where
    gradients are on, all is differentiable; else `HyenaBackbone` uses the same weights faster.

    Examples
    --------
    >>> import torch
    >>> config = HyenaConfig(d_model=8, n_layer=1, d_inner=16, l_max=12)
    >>> HyenaNetwork(config)(torch.tensor([[0, 7, 8, 9, 10, 1]])).shape
    torch.Size([1, 6, 8])
    """

    def __init__(self, config: HyenaConfig) -> None:
        super().__init__()
        self.config = config
        self.backbone = Backbone(config)

    def forward(self, tokens: Tensor) -> Tensor:
        out: Tensor = self.backbone(tokens)
        return out


def to_tokens(codes: Tensor) -> Tensor:
    """Put the two special tokens around codes (batch, length): (batch, length + 2).

    Examples
    --------
    >>> import torch
    >>> to_tokens(torch.tensor([[0, 3, 4]])).tolist()
    [[0, 7, 10, 11, 1]]
    """
    tokens = codes.long() + BASE_TOKENS[0]
    return functional.pad(functional.pad(tokens, (1, 0), value=CLS), (0, 1), value=SEP)
