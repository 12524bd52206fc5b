"""Networks that take the rows of a batch one by one, as ones that take them together.

DeepLIFT compares an example with its reference inside each layer, so that both must go through it
at once, and what a layer read must be kept until the way back.
"""

from __future__ import annotations

import copy
from functools import partial

from torch import Tensor, nn
from torch.nn import functional

from exprimo.core.errors import ConfigError
from exprimo.models.pretrained.enformer.layers import quick_gelu
from exprimo.models.pretrained.enformer.network import EnformerNetwork
from exprimo.models.pretrained.enformer.tuning import TunedEnformer

# In longer windows a full-sized network keeps no layers, for want of memory.
_LONGEST = 1 << 16


def side_by_side(member: nn.Module) -> nn.Module:
    """Give a network whose rows go through its layers together; others as they are.

    It shares the weights of the one given.
    """
    if not isinstance(member, TunedEnformer):
        return member
    if member.sizes.window > _LONGEST:
        raise ConfigError(
            "the window is too long to keep every layer of this network",
            record="DeepLIFT",
            found=f"{member.sizes.window:,} bases",
            expected=f"at most {_LONGEST:,}",
            remedy="Use --method integrated_gradients, gradient_x_input or mutagenesis",
        )
    together = copy.copy(member)
    # An attribute of the object is found before the method of its class.
    together.hidden = partial(_hidden, member)  # type: ignore[method-assign]  # meant
    return together


def _hidden(tuned: TunedEnformer, sequence: Tensor) -> Tensor:
    """Give hidden vectors as `TunedEnformer.hidden` does, of all rows at once."""
    left = tuned.sizes.window // 2 - sequence.shape[2] // 2
    right = tuned.sizes.window - sequence.shape[2] - left
    trunk = None if tuned.trunk is None else tuned.trunk.on(sequence.device)
    network: EnformerNetwork | None = tuned.network or (trunk.network if trunk else None)
    assert network is not None
    conv, residual, pool = network.stem
    x: Tensor = pool(residual(conv(functional.pad(sequence, (left, right))).transpose(1, 2)))
    for block in network.blocks:
        x = block(x)
    described = network.distances(x.device)
    for number, layer in enumerate(network.layers):
        x = (
            layer(x, described)
            if tuned.lora is None
            else tuned.lora.run(number, layer, x, described)
        )
    first = network.config.cropped
    x = x[:, first + tuned.bins.start : first + tuned.bins.stop]
    return quick_gelu(network.last(x))
