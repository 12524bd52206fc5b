"""``transformer``: attention between all tokens of a sequence (Vaswani et al. 2017).

The published form (the preset ``published``) comes from a student project that told differential
from other promoters of 2 kb: one token per base, embedded linearly in 128 values, learned
positions, three layers of eight heads with a feed-forward part of 256, dropout 0.1 inside
attention too, the mean over tokens, a dense layer of 64 with dropout, two logits; AdamW, cosine
annealing, gradients clipped at 1, batches of 256, 5 epochs.

The default reads several bases per token (as Dosovitskiy et al. 2021 do with patches of images):
attention costs the square of the number of tokens, at 2 kb a hundredth with ten bases each. A
token also reads its neighbours' bases, so that no motif is cut. Dropout stays outside attention,
because inside it keeps processors from the fused kernel. Layers normalise first (Xiong et al.
2020), which bears higher rates.
"""

from __future__ import annotations

import torch
from pydantic import Field, model_validator
from torch import Tensor, nn
from torch.nn.functional import pad, scaled_dot_product_attention
from torch.utils.checkpoint import checkpoint

from exprimo.core.config import Config
from exprimo.models.output_layer import OutputLayer
from exprimo.models.zoo import ModelSpec, Preset, Shapes

_TOKENS = 200
_SHORTEST_TOKEN = 5
# Attention weights that stand in memory at once where dropout keeps them: 64 MiB in float32.
_WEIGHTS_AT_ONCE = 2**24


class TransformerConfig(Config):
    """Options of ``transformer`` for windows of 80 to 20,000 bases."""

    bases_per_token: int = Field(0, ge=0)
    """Bases that a token stands for; 0 chooses by the window: at most 200 tokens of at least 5
    bases each."""
    reach: int | None = Field(None, ge=0)
    """Bases on either side that a token reads besides its own; unset: as many as are its own."""
    width: int = Field(128, ge=1)
    """Values per token."""
    layers: int = Field(3, ge=1)
    """Layers of attention."""
    heads: int = Field(8, ge=1)
    """Heads per layer; a divisor of the width."""
    feed_forward: int = Field(256, ge=1)
    """Units of the feed-forward part of a layer."""
    norm_first: bool = True
    """Normalise before attention and feed-forward part, not behind them."""
    dropout: float = Field(0.1, ge=0, lt=1)
    """Dropout behind attention, in the feed-forward part and behind the dense layer."""
    attention_dropout: float = Field(0.0, ge=0, lt=1)
    """Dropout of attention weights; slow."""
    hidden: int = Field(64, ge=1)
    """Units of the dense layer."""

    @model_validator(mode="after")
    def _heads_divide(self) -> TransformerConfig:
        if self.width % self.heads:
            raise ValueError("heads must divide width")
        return self


def attend(q: Tensor, k: Tensor, v: Tensor, drop: float) -> Tensor:
    """Mix values by attention, (batch, heads, tokens, width each), with dropout of its weights.

    Without dropout, and on CUDA, the fused kernels do it. With it they do not exist for the CPU,
    and keeping the weights of a batch of 256 for the backward pass would take 100 GB a layer at
    2,000 tokens; so queries go in blocks whose weights are computed again when they are needed.
    """
    if q.is_cuda:
        return scaled_dot_product_attention(q, k, v, dropout_p=drop)
    if not drop:
        # The CPU's kernel is four times slower backward in bf16, for heads as narrow as these.
        with torch.autocast("cpu", enabled=False):
            return scaled_dot_product_attention(q.float(), k.float(), v.float())
    size = max(1, _WEIGHTS_AT_ONCE // (q.shape[0] * q.shape[1] * k.shape[2]))
    blocks = [
        checkpoint(_attend_block, block, k, v, drop, use_reentrant=False)
        for block in torch.split(q, size, dim=2)
    ]
    return torch.cat(blocks, dim=2)


def _attend_block(q: Tensor, k: Tensor, v: Tensor, drop: float) -> Tensor:
    weights = torch.softmax((q * q.shape[-1] ** -0.5) @ k.transpose(-1, -2), dim=-1)
    return dropped(weights, drop) @ v


def dropped(x: Tensor, drop: float) -> Tensor:
    """Set a random share of values to 0 and scale the others up, as dropout does."""
    if x.is_cuda or not drop:
        return nn.functional.dropout(x, drop)
    # Four draws of 16 bits from each 64: most of dropout's time is its random numbers.
    drawn = torch.empty((x.numel() + 3) // 4, dtype=torch.int64).random_(-(2**63), None)
    bits = drawn.view(torch.int16)[: x.numel()].view(x.shape)
    return x.masked_fill(bits < round(2**16 * drop) - 2**15, 0.0) * (1 / (1 - drop))


class Layer(nn.Module):
    """Attention and a feed-forward part, each added to what came in: (batch, tokens, width)."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        width = config.width
        self.heads, self.first = config.heads, config.norm_first
        self.drop, self.attention_drop = config.dropout, config.attention_dropout
        self.query_key_value = nn.Linear(width, 3 * width)
        self.mixed = nn.Linear(width, width)
        self.wide = nn.Linear(width, config.feed_forward)
        self.narrow = nn.Linear(config.feed_forward, width)
        self.norms = nn.ModuleList([nn.LayerNorm(width), nn.LayerNorm(width)])

    def forward(self, x: Tensor) -> Tensor:
        for part, norm in zip((self._attention, self._feed_forward), self.norms, strict=True):
            added = x + self._dropped(part(norm(x) if self.first else x))
            x = added if self.first else norm(added)
        return x

    def _attention(self, x: Tensor) -> Tensor:
        n, tokens, width = x.shape
        parts = self.query_key_value(x).view(n, tokens, 3, self.heads, width // self.heads)
        q, k, v = parts.permute(2, 0, 3, 1, 4)
        found = attend(q, k, v, self.attention_drop if self.training else 0.0)
        mixed: Tensor = self.mixed(found.transpose(1, 2).reshape(n, tokens, width))
        return mixed

    def _feed_forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.narrow(self._dropped(self.wide(x).relu()))
        return found

    def _dropped(self, x: Tensor) -> Tensor:
        return dropped(x, self.drop) if self.training else x


class Transformer(nn.Module):
    """One-hot ``sequence`` (batch, 4, length) to (batch, outputs); logits for classes."""

    def __init__(self, config: TransformerConfig, shapes: Shapes) -> None:
        super().__init__()
        length = shapes.inputs["sequence"][0]
        size = config.bases_per_token or token_for(length)
        reach = size if config.reach is None else config.reach
        tokens = -(-length // size)
        # The last token may be cut short; what it lacks is read as N.
        self.padding = (reach, reach + tokens * size - length)
        self.embedding = nn.Conv1d(4, config.width, size + 2 * reach, stride=size)
        self.positions = nn.Parameter(0.02 * torch.randn(tokens, config.width))
        self.layers = nn.Sequential(*(Layer(config) for _ in range(config.layers)))
        self.norm = nn.LayerNorm(config.width) if config.norm_first else nn.Identity()
        self.dense = nn.Linear(config.width, config.hidden)
        self.dropout = nn.Dropout(config.dropout)
        self.output = OutputLayer(config.hidden, shapes, pair=True)

    def features(self, inputs: dict[str, Tensor]) -> Tensor:
        """Give what the output layer reads, (batch, features)."""
        tokens = self.embedding(pad(inputs["sequence"], self.padding)).transpose(1, 2)
        found = self.norm(self.layers(tokens + self.positions))
        features: Tensor = self.dropout(self.dense(found.mean(1)).relu())
        return features

    def forward(self, inputs: dict[str, Tensor]) -> Tensor:
        outputs: Tensor = self.output(self.features(inputs))
        return outputs


def token_for(length: int) -> int:
    """Choose the bases per token: at most 200 tokens, none shorter than 5 bases.

    Examples
    --------
    >>> token_for(2000), token_for(80), token_for(20_000)
    (10, 5, 100)
    """
    return max(_SHORTEST_TOKEN, -(-length // _TOKENS))


SPEC = ModelSpec(
    name="transformer",
    kind="network",
    config=TransformerConfig,
    build=Transformer,
    inputs=("sequence",),
    tasks=("regression", "classification", "multiclass"),
    summary="attention between tokens of several bases each, their mean",
    citation="preset published: the third network of a student project on differential promoters; "
    "Vaswani et al. 2017; Dosovitskiy et al. 2021; Xiong et al. 2020",
    presets={
        "published": Preset(
            {
                "bases_per_token": 1,
                "reach": 0,
                "width": 128,
                "layers": 3,
                "heads": 8,
                "feed_forward": 256,
                "norm_first": False,
                "dropout": 0.1,
                "attention_dropout": 0.1,
                "hidden": 64,
            },
            {
                "optimizer": "adamw",
                "learning_rate": 1e-3,
                "weight_decay": 1e-2,
                "beta2": 0.999,
                "schedule": "cosine",
                "clip": 1.0,
                "average": 0.0,
                "epochs": 5,
                "patience": 5,
                "batch_size": 256,
                "shift": 0,
            },
            "one token per base, dropout inside attention; AdamW at 0.001 along a cosine, "
            "5 epochs, batches of 256; on a CPU it takes seconds per promoter of 2 kb",
        )
    },
)
