"""Attention and dropout that a CPU computes fast; on CUDA the library's own kernels do it.

PyTorch's fused attention exists on a CPU only without dropout of the attention weights. With it,
all weights of a batch are written out and kept: 100 GB a layer for 256 sequences of 2,000 tokens.
Here a block of weights is made, used and forgotten while it is in the cache, and made again for
the gradient, as in FlashAttention (Dao et al. 2022, algorithms 2 and 4). Random numbers come from
a generator that is seeded by torch's, so the same ones can be drawn again.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import dropout, scaled_dot_product_attention

# Weights of a block: 1 MiB in float32, half of a core's cache.
_BLOCK = 2**18


def attend(q: Tensor, k: Tensor, v: Tensor, drop: float) -> Tensor:
    """Mix values by attention, with dropout of its weights.

    Parameters
    ----------
    q, k, v
        Queries, keys and values, (batch, heads, tokens, width).

    Examples
    --------
    >>> q = k = v = torch.ones(1, 2, 5, 3)
    >>> attend(q, k, v, 0.0).shape
    torch.Size([1, 2, 5, 3])
    """
    if q.is_cuda:
        return scaled_dot_product_attention(q, k, v, dropout_p=drop)
    # The CPU's kernel is four times slower backward in bf16, for heads as narrow as these.
    with torch.autocast("cpu", enabled=False):
        if q.dtype == torch.bfloat16:
            q, k, v = q.float(), k.float(), v.float()
        if not drop:
            return scaled_dot_product_attention(q, k, v)
        flat = (x.reshape(-1, *x.shape[2:]) for x in (q, k, v))
        mixed: Tensor = _Attention.apply(*flat, drop)  # type: ignore[no-untyped-call]  # torch leaves it untyped
    return mixed.view(v.shape)


def dropped(x: Tensor, drop: float) -> Tensor:
    """Set a random share of values to 0 and scale the others up, as dropout does."""
    if x.is_cuda or not drop:
        return dropout(x, drop)
    found: Tensor = _Dropout.apply(x, drop)  # type: ignore[no-untyped-call]  # torch leaves it untyped
    return found


class _Mask:
    """Zeros with a probability, else ones, in an order that a seed repeats."""

    def __init__(self, seed: int, drop: float) -> None:
        # Most of dropout's time is its random numbers, and this is a fast generator.
        self._bits = np.random.SFC64(seed)
        # 16 bits a value: a share of 0.1 becomes 0.10001.
        self._least = round(2**16 * drop) - 2**15

    def draw(self, like: Tensor) -> Tensor:
        """Give a mask of the shape and type of another tensor."""
        n = like.numel()
        raw: Any = self._bits.random_raw((n + 3) // 4)
        bits = torch.from_numpy(raw.view(np.int16))[:n].view(like.shape)
        # Compared straight into floats: a bool mask takes ten times as long to apply.
        mask = torch.empty(like.shape, dtype=like.dtype)
        return torch.ge(bits, self._least, out=mask)


def _seed() -> int:
    return int(torch.randint(2**62, ()))


class _Dropout(torch.autograd.Function):
    """Dropout that keeps its seed for the gradient, not its mask."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, drop: float) -> Tensor:
        ctx.seed, ctx.drop = _seed(), drop
        return _Mask(ctx.seed, drop).draw(x).mul_(x).mul_(1 / (1 - drop))

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        (g,) = gradients
        return _Mask(ctx.seed, ctx.drop).draw(g).mul_(g).mul_(1 / (1 - ctx.drop)), None


class _Attention(torch.autograd.Function):
    """Attention with dropout of its weights over (heads, tokens, width), block by block."""

    @staticmethod
    def forward(ctx: Any, q: Tensor, k: Tensor, v: Tensor, drop: float) -> Tensor:
        seed = _seed()
        mask = _Mask(seed, drop)
        # Scaled here, where there are few values.
        q, v = q * q.shape[2] ** -0.5, v * (1 / (1 - drop))
        keys = k.transpose(1, 2).contiguous()
        mixed = torch.empty_like(v)
        for head, rows in _blocks(q, k):
            weights = torch.softmax(q[head, rows] @ keys[head], dim=-1)
            torch.mm(weights.mul_(mask.draw(weights)), v[head], out=mixed[head, rows])
        ctx.save_for_backward(q, k, v, mixed)
        ctx.seed, ctx.drop = seed, drop
        return mixed

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
        q, k, v, mixed = ctx.saved_tensors
        g = gradients[0].contiguous()
        mask = _Mask(ctx.seed, ctx.drop)
        keys, values = (x.transpose(1, 2).contiguous() for x in (k, v))
        of_q, of_k, of_v = torch.empty_like(q), torch.zeros_like(k), torch.zeros_like(v)
        # The softmax's own term is the same for a whole row (Dao et al. 2022, appendix B.2).
        own = (g * mixed).sum(2, keepdim=True)
        for head, rows in _blocks(q, k):
            weights = torch.softmax(q[head, rows] @ keys[head], dim=-1)
            kept = mask.draw(weights)
            of_scores = (g[head, rows] @ values[head]).mul_(kept).sub_(own[head, rows])
            of_scores.mul_(weights)
            torch.mm(of_scores, k[head], out=of_q[head, rows])
            of_k[head].addmm_(of_scores.t(), q[head, rows])
            of_v[head].addmm_(weights.mul_(kept).t(), g[head, rows])
        return of_q.mul_(q.shape[2] ** -0.5), of_k, of_v.mul_(1 / (1 - ctx.drop)), None


def _blocks(q: Tensor, k: Tensor) -> Iterator[tuple[int, slice]]:
    """Go through heads and, within each, as many queries as make a block."""
    queries = q.shape[1]
    size = max(1, _BLOCK // k.shape[1])
    for head in range(q.shape[0]):
        for start in range(0, queries, size):
            yield head, slice(start, min(start + size, queries))
