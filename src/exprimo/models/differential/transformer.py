"""``transformer``: attention between all tokens of a sequence (Vaswani et al. 2017).

The published form (the preset ``published``) comes from a student project that told differential
from other promoters of 2 kb: one token per base, embedded linearly in 128 values, learned
positions, three layers of eight heads with a feed-forward part of 256, dropout 0.1 inside
attention too, the mean over tokens, a dense layer of 64 with dropout, two logits; AdamW, cosine
annealing, gradients clipped at 1, batches of 256, 5 epochs.

The default reads motifs first, at every base, and makes a token of the best matches within
several bases: attention costs the square of the number of tokens, at 2 kb a thousandth with 32
bases each, and a motif is learned once, wherever it stands in its token. Dropout stays outside
attention, because inside it keeps processors from the fused kernel. Layers normalise first (Xiong
et al. 2020).
"""

from __future__ import annotations

import torch
from pydantic import Field, model_validator
from torch import Tensor, nn
from torch.nn.functional import pad

from exprimo.core.config import Config
from exprimo.models.differential.attention import attend, dropped
from exprimo.models.differential.motif_reader import MotifReader
from exprimo.models.output_layer import OutputLayer
from exprimo.models.zoo import ModelSpec, Preset, Shapes

_TOKENS = 64
_SHORTEST_TOKEN = 5


class TransformerConfig(Config):
    """Options of ``transformer`` for windows of 80 to 20,000 bases."""

    bases_per_token: int = Field(0, ge=0)
    """Bases that a token stands for; 0 chooses by the window: at most 64 tokens of at least 5
    bases each."""
    motifs: int = Field(64, ge=0)
    """Filters read at every base, of which a token holds the best matches; 0 embeds the bases of
    a token linearly."""
    motif_width: int = Field(15, ge=1)
    """Their width in bases."""
    width: int = Field(128, ge=1)
    """Values per token."""
    layers: int = Field(3, ge=1)
    """Layers of attention."""
    heads: int = Field(4, ge=1)
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
        tokens = -(-length // size)
        # The last token may be cut short; what it lacks is read as N.
        self.padding = (0, tokens * size - length)
        self.embedding = _embedding(config, size)
        self.positions = nn.Parameter(0.02 * torch.randn(tokens, config.width))
        self.layers = nn.Sequential(*(Layer(config) for _ in range(config.layers)))
        self.norm = nn.LayerNorm(config.width) if config.norm_first else nn.Identity()
        self.dense = nn.Linear(config.width, config.hidden)
        self.dropout = nn.Dropout(config.dropout)
        self.output = OutputLayer(config.hidden, shapes, pair=True)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stub lacks it

    def features(self, inputs: dict[str, Tensor]) -> Tensor:
        """Give what the output layer reads, (batch, features)."""
        bases = pad(inputs["sequence"], self.padding).unsqueeze(2)
        read = self.embedding(bases.contiguous(memory_format=torch.channels_last))
        tokens = read.squeeze(2).transpose(1, 2)
        found = self.norm(self.layers(tokens + self.positions))
        features: Tensor = self.dropout(self.dense(found.mean(1)).relu())
        return features

    def forward(self, inputs: dict[str, Tensor]) -> Tensor:
        outputs: Tensor = self.output(self.features(inputs))
        return outputs


def _embedding(config: TransformerConfig, size: int) -> nn.Module:
    """Make what turns bases, (batch, 4, 1, length), into tokens, (batch, width, 1, tokens)."""
    if not config.motifs:
        return nn.Conv2d(4, config.width, (1, size), stride=(1, size))
    return nn.Sequential(
        MotifReader(4, config.motifs, config.motif_width, size),
        nn.Conv2d(config.motifs, config.width, 1),
    )


def token_for(length: int) -> int:
    """Choose the bases per token: at most 64 tokens, none shorter than 5 bases.

    Examples
    --------
    >>> token_for(2000), token_for(80), token_for(20_000)
    (32, 5, 313)
    """
    return max(_SHORTEST_TOKEN, -(-length // _TOKENS))


SPEC = ModelSpec(
    name="transformer",
    kind="network",
    config=TransformerConfig,
    build=Transformer,
    inputs=("sequence",),
    tasks=("regression", "classification", "multiclass"),
    summary="attention between tokens, each the motifs found in several bases; their mean",
    citation="preset published: the third network of a student project on differential promoters; "
    "Vaswani et al. 2017; Xiong et al. 2020",
    # A transformer does not bear the rate of the convolutional networks.
    fit={"learning_rate": 1e-3, "epochs": 12},
    presets={
        "published": Preset(
            {
                "bases_per_token": 1,
                "motifs": 0,
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
