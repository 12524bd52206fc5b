"""The rescale rule of DeepLIFT for every function that a network calls.

Shrikumar, Greenside & Kundaje 2017, section 3.5.2. Rows of a batch are examples, and behind them
as many references. Where a network does something that is not linear, what flows back through it
is not its slope but its multiplier: the change of what comes out, over the change of what goes in.

- One number to one number (rectifiers, sigmoids, ...): the ratio of both changes.
- Greatest of several: the part of the change above both is the example's greatest one's, the rest
  is the reference's, as in the authors' own program.
- Products of two things that both change, matrix products too: half of each order in which they
  can change (the Shapley value of two players), which adds up exactly.
- Softmax and layer normalisation are taken apart into these.

Anything else flows back as its slope. Where that is not linear, as in recurrent layers, the
contributions miss the change of the output, which the caller measures.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from exprimo.core.errors import ConfigError

# Below this change a ratio of differences is mostly rounding: the slope midway stands for it.
_CLOSE = 1e-4

Function = Callable[..., Any]


class _Each(torch.autograd.Function):
    """A function of single numbers."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, f: Function, rows: int) -> Tensor:
        out: Tensor = f(x)
        ctx.f, ctx.rows = f, rows
        ctx.save_for_backward(x, out)
        return out

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Any:
        x, out = ctx.saved_tensors
        here, there = _halves(x, ctx.rows)
        step = here - there
        after, before = _halves(out, ctx.rows)
        ratio = (after - before) / step
        near = step.abs() < _CLOSE
        if bool(near.any()):
            ratio = torch.where(near, _slope(ctx.f, (here + there) / 2), ratio)
        grad, _ = _halves(grads[0], ctx.rows)
        return _to_examples(grad * ratio, x, ctx.rows), None, None


class _Greatest(torch.autograd.Function):
    """A function that chooses the greatest of some of its numbers."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, f: Function, rows: int) -> Tensor:
        out: Tensor = f(x)
        ctx.f, ctx.rows = f, rows
        ctx.save_for_backward(x, out)
        return out

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Any:
        x, out = ctx.saved_tensors
        grad, _ = _halves(grads[0], ctx.rows)
        here, there = _halves(x, ctx.rows)
        greatest, at_reference = _halves(out, ctx.rows)
        both = torch.maximum(greatest, at_reference)
        rise = _back(ctx.f, here, grad * (both - at_reference))
        fall = _back(ctx.f, there, grad * (greatest - both))
        step = here - there
        moved = rise + fall
        # Where nothing moves there is nothing to share out; the slope keeps the multiplier whole.
        ratio = torch.where(step.abs() < 1e-10, _back(ctx.f, here, grad), moved / step)
        return _to_examples(ratio, x, ctx.rows), None, None


class _Product(torch.autograd.Function):
    """A function that is linear in each of two things."""

    @staticmethod
    def forward(ctx: Any, a: Tensor, b: Tensor, f: Function, rows: int) -> Tensor:
        out: Tensor = f(a, b)
        ctx.f, ctx.rows = f, rows
        ctx.save_for_backward(a, b)
        return out

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Any:
        a, b = ctx.saved_tensors
        middle = [torch.stack(_halves(part, ctx.rows)).mean(0) for part in (a, b)]
        grad, _ = _halves(grads[0], ctx.rows)
        with torch.enable_grad():
            leaves = [part.detach().requires_grad_() for part in middle]
            found = torch.autograd.grad(ctx.f(*leaves), leaves, grad)
        back = [_to_examples(g, part, ctx.rows) for g, part in zip(found, (a, b), strict=True)]
        return (*back, None, None)


def _slope(f: Function, at: Tensor) -> Tensor:
    with torch.enable_grad():
        leaf = at.detach().requires_grad_()
        return torch.autograd.grad(f(leaf).sum(), leaf)[0]


def _back(f: Function, at: Tensor, grad: Tensor) -> Tensor:
    with torch.enable_grad():
        leaf = at.detach().requires_grad_()
        return torch.autograd.grad(f(leaf), leaf, grad)[0]


def _halves(x: Tensor, rows: int) -> tuple[Tensor, Tensor]:
    """Give what belongs to examples, and what to their references."""
    here, there = x.chunk(2, _dimension(x, rows))
    return here, there


def _dimension(x: Tensor, rows: int) -> int:
    """Find the dimension along which examples stand, and their references behind them.

    Usually the first, which may hold several entries of each example; some networks stand
    examples side by side in an image of height ``rows``.
    """
    if x.ndim == 0 or x.shape[0] % rows:
        for place in (2, 1, 3):
            if x.ndim > place and x.shape[place] == rows:
                return place
        raise ConfigError(
            "a layer mixes examples, so that no rule can be followed through it",
            found=f"values of shape {tuple(x.shape)} for {rows} rows",
            remedy="Use --method integrated_gradients",
        )
    return 0


def _to_examples(grad: Tensor, like: Tensor, rows: int) -> Tensor:
    """Multipliers flow to examples alone; what references get is not asked for."""
    return torch.cat([grad, torch.zeros_like(grad)], _dimension(like, rows))


_EACH = {
    torch.relu, torch.relu_, Tensor.relu, Tensor.relu_, functional.relu, functional.silu,
    functional.gelu, functional.elu, functional.leaky_relu, functional.softplus,
    functional.sigmoid, functional.tanh, functional.hardtanh, functional.relu6, functional.selu,
    functional.mish, functional.logsigmoid, functional.hardsigmoid, functional.hardswish,
    torch.sigmoid, Tensor.sigmoid, torch.tanh, Tensor.tanh, torch.exp, Tensor.exp, torch.expm1,
    Tensor.expm1, torch.log, Tensor.log, torch.log1p, Tensor.log1p, torch.sqrt, Tensor.sqrt,
    torch.rsqrt, Tensor.rsqrt, torch.square, Tensor.square, torch.reciprocal, Tensor.reciprocal,
    torch.abs, Tensor.abs, torch.clamp, Tensor.clamp, torch.pow, Tensor.pow, Tensor.__pow__,
}  # fmt: skip
_GREATEST = {
    functional.max_pool1d, functional.max_pool2d, functional.adaptive_max_pool1d,
    functional.adaptive_max_pool2d, torch.max_pool1d, torch.max_pool2d, torch.amax, Tensor.amax,
    torch.max, Tensor.max,
}  # fmt: skip
_PRODUCTS = {
    torch.mul, Tensor.mul, Tensor.__mul__, Tensor.__rmul__, torch.multiply, Tensor.multiply,
    torch.matmul, Tensor.matmul, Tensor.__matmul__, torch.bmm, Tensor.bmm,
}  # fmt: skip
_IN_PLACE = {torch.relu_: torch.relu, Tensor.relu_: torch.relu}
_QUOTIENTS = {torch.div, Tensor.div, Tensor.__truediv__, torch.true_divide}


class RescaleRule(TorchFunctionMode):
    """While it is on, what flows back are multipliers.

    What can be differentiated must come from the inputs, so weights are held fixed (`held`).

    Parameters
    ----------
    rows
        Of the batch: examples, then as many references.

    Examples
    --------
    >>> x = torch.tensor([[3.0], [-1.0]], requires_grad=True)      # an example, its reference
    >>> with RescaleRule(2):
    ...     y = torch.relu(x)
    >>> torch.autograd.grad(y[0].sum(), x)[0].tolist()             # (3 - 0) / (3 - -1)
    [[0.75], [0.0]]
    """

    def __init__(self, rows: int) -> None:
        super().__init__()
        self.rows = rows

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        more = dict(kwargs or {})
        moving = [value for value in (*args, *more.values()) if _moves(value)]
        if not moving or not torch.is_grad_enabled():
            return func(*args, **more)
        rule = _RULES.get(func)
        if rule is None:
            return func(*args, **more)
        return rule(self, func, args, more)

    def each(self, x: Tensor, f: Function) -> Tensor:
        """Follow a function of single numbers."""
        found: Tensor = _Each.apply(x, f, self.rows)  # type: ignore[no-untyped-call]  # torch leaves it untyped
        return found

    def product(self, a: Tensor, b: Tensor, f: Function = torch.mul) -> Tensor:
        """Follow a product of two things, of which one or both move."""
        if not (_moves(a) and _moves(b)):
            plain: Tensor = f(a, b)
            return plain
        pair = _broadcast(a, b, f)
        found: Tensor = _Product.apply(*pair, f, self.rows)  # type: ignore[no-untyped-call]  # torch leaves it untyped
        return found

    def softmax(self, x: Tensor, dim: int) -> Tensor:
        """Take a softmax apart."""
        # One constant for both of a pair, so that it moves nothing.
        top = x.detach().amax(dim, keepdim=True)
        along = _dimension(x, self.rows)
        most = torch.cat([torch.maximum(*top.chunk(2, along))] * 2, along)
        grown = self.each(x - most, torch.exp)
        return self.product(grown, self.each(grown.sum(dim, keepdim=True), torch.reciprocal))


def _broadcast(a: Tensor, b: Tensor, f: Function) -> tuple[Tensor, Tensor]:
    """Write out what a product of single numbers repeats, so that both have rows."""
    if f in (torch.mul, Tensor.mul, Tensor.__mul__) and a.shape != b.shape:
        shape = np.broadcast_shapes(a.shape, b.shape)
        return a.expand(shape), b.expand(shape)
    return a, b


def _of_each(rule: RescaleRule, func: Any, args: Any, more: Any) -> Tensor:
    more.pop("inplace", None)
    plain = _IN_PLACE.get(func, func)
    return rule.each(args[0], lambda x: plain(x, *args[1:], **more))


def _of_greatest(rule: RescaleRule, func: Any, args: Any, more: Any) -> Any:
    if func in (torch.max, Tensor.max) and (len(args) != 1 or more):
        return func(*args, **more)

    def greatest(x: Tensor) -> Any:
        return func(x, *args[1:], **more)

    return _Greatest.apply(args[0], greatest, rule.rows)  # type: ignore[no-untyped-call]  # torch leaves it untyped


def _of_product(rule: RescaleRule, func: Any, args: Any, more: Any) -> Any:
    if len(args) != 2 or more or not all(isinstance(a, Tensor) for a in args):
        return func(*args, **more)
    return rule.product(args[0], args[1], func)


def _of_quotient(rule: RescaleRule, func: Any, args: Any, more: Any) -> Any:
    if len(args) != 2 or more or not _moves(args[1]):
        return func(*args, **more)
    inverse = rule.each(args[1], torch.reciprocal)
    return rule.product(args[0], inverse) if isinstance(args[0], Tensor) else args[0] * inverse


def _of_softmax(rule: RescaleRule, func: Any, args: Any, more: Any) -> Tensor:
    return rule.softmax(args[0], more.get("dim", args[1] if len(args) > 1 else -1))


def _of_attention(rule: RescaleRule, func: Any, args: Any, more: Any) -> Any:
    if len(args) != 3 or any(more.get(name) is not None for name in ("attn_mask", "scale")):
        return func(*args, **more)
    query, key, value = args
    scores = rule.product(query, key.transpose(-2, -1), torch.matmul) * query.shape[-1] ** -0.5
    return rule.product(rule.softmax(scores, -1), value, torch.matmul)


def _of_layer_norm(rule: RescaleRule, func: Any, args: Any, more: Any) -> Tensor:
    given = dict(zip(("x", "normalized_shape", "weight", "bias", "eps"), args, strict=False)) | more
    x, eps = args[0], given.get("eps", 1e-5)
    dims = tuple(range(-len(tuple(given["normalized_shape"])), 0))
    centred = x - x.mean(dims, keepdim=True)
    spread = rule.each(centred, torch.square).mean(dims, keepdim=True)
    found = rule.product(centred, rule.each(spread + eps, torch.rsqrt))
    weight, bias = given.get("weight"), given.get("bias")
    found = found if weight is None else found * weight
    return found if bias is None else found + bias


def _of_einsum(rule: RescaleRule, func: Any, args: Any, more: Any) -> Any:
    if len(args) != 3 or not all(_moves(one) for one in args[1:]):
        return func(*args, **more)
    return rule.product(args[1], args[2], lambda a, b: func(args[0], a, b))


_RULES: dict[Any, Callable[[RescaleRule, Any, Any, Any], Any]] = {
    **dict.fromkeys(_EACH, _of_each),
    **dict.fromkeys(_GREATEST, _of_greatest),
    **dict.fromkeys(_PRODUCTS, _of_product),
    **dict.fromkeys(_QUOTIENTS, _of_quotient),
    **dict.fromkeys((torch.softmax, Tensor.softmax, functional.softmax), _of_softmax),
    functional.scaled_dot_product_attention: _of_attention,
    functional.layer_norm: _of_layer_norm,
    torch.einsum: _of_einsum,
}


def _moves(value: Any) -> bool:
    return isinstance(value, Tensor) and value.requires_grad


@contextmanager
def held(network: nn.Module) -> Iterator[None]:
    """Differentiate by inputs alone, not by weights, which also saves memory.

    Examples
    --------
    >>> layer = nn.Linear(1, 1)
    >>> with held(layer):
    ...     print(layer.weight.requires_grad)
    False
    >>> layer.weight.requires_grad
    True
    """
    learned = [weight for weight in network.parameters() if weight.requires_grad]
    for weight in learned:
        weight.requires_grad_(False)
    try:
        yield
    finally:
        for weight in learned:
            weight.requires_grad_(True)
