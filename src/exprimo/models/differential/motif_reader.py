"""A convolution over bases and the maximum over neighbours: does the motif stand about here?"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn.functional import max_pool2d, pad


class MotifReader(nn.Module):
    """Convolution, maximum over neighbours, batch normalisation and rectifier.

    From (batch, inputs, 1, length) to (batch, outputs, 1, length // pool).

    Parameters
    ----------
    pool_first
        Take the maximum before normalisation and rectifier, which then touch fewer values.

    Examples
    --------
    >>> import torch
    >>> MotifReader(4, 8, 15, 10)(torch.zeros(2, 4, 1, 100)).shape
    torch.Size([2, 8, 1, 10])
    """

    def __init__(
        self, inputs: int, outputs: int, kernel: int, pool: int, pool_first: bool = True
    ) -> None:
        super().__init__()
        # Height 1 and channels last: on a CPU faster than one-dimensional layers. What an even
        # filter lacks is padded at the right.
        self.conv = nn.Conv2d(inputs, outputs, (1, kernel), padding=(0, (kernel - 1) // 2))
        self.norm = nn.BatchNorm2d(outputs)
        self.pool, self.pool_first = pool, pool_first
        self.lacking = (0, 1 - kernel % 2)

    def forward(self, x: Tensor) -> Tensor:
        found = self.conv(pad(x, self.lacking) if self.lacking[1] else x)
        window = (1, min(self.pool, found.shape[3]))
        if self.pool_first:
            pooled: Tensor = self.norm(max_pool2d(found, window))
            return pooled.relu()
        return max_pool2d(self.norm(found.relu()), window)
