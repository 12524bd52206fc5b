"""The published HyenaDNA checkpoints (Nguyen et al. 2023), by name."""

from __future__ import annotations

from pydantic import Field

from exprimo.core.config import Config

SPECIAL_TOKENS = 2


class HyenaConfig(Config):
    """Sizes of a HyenaDNA network; all else is the same in every published one."""

    d_model: int = Field(ge=1)
    """Channels of the hidden vectors."""
    n_layer: int = Field(ge=1)
    """Blocks."""
    d_inner: int = Field(ge=1)
    """Channels inside the position-wise network of a block."""
    l_max: int = Field(ge=3)
    """Longest input in tokens; two of them stand before and behind the bases."""

    @property
    def window(self) -> int:
        """Longest sequence in bases."""
        return self.l_max - SPECIAL_TOKENS


# Width 4 d_model inside; the length that a name promises is in bases.
CHECKPOINTS = {
    "hyenadna-tiny-1k": HyenaConfig(d_model=128, n_layer=2, d_inner=512, l_max=1_026),
    "hyenadna-tiny-1k-d256": HyenaConfig(d_model=256, n_layer=2, d_inner=1024, l_max=1_026),
    "hyenadna-tiny-16k": HyenaConfig(d_model=128, n_layer=2, d_inner=512, l_max=16_386),
    "hyenadna-small-32k": HyenaConfig(d_model=256, n_layer=4, d_inner=1024, l_max=32_770),
    "hyenadna-medium-160k": HyenaConfig(d_model=256, n_layer=8, d_inner=1024, l_max=160_002),
    "hyenadna-medium-450k": HyenaConfig(d_model=256, n_layer=8, d_inner=1024, l_max=450_002),
    "hyenadna-large-1m": HyenaConfig(d_model=256, n_layer=8, d_inner=1024, l_max=1_000_002),
}
