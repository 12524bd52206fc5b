"""A pretrained trunk that others build on and nobody changes: not trained, copied or stored."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from functools import lru_cache
from pathlib import Path
from typing import Self

import torch
from torch import Tensor

from exprimo.core.errors import MismatchError
from exprimo.core.files.provenance import sha256_file
from exprimo.models.network import Precision
from exprimo.models.pretrained.enformer.inference import Inference
from exprimo.models.pretrained.enformer.loading import load_enformer
from exprimo.models.pretrained.enformer.network import EnformerNetwork

_BUDGET = 1 << 29


class FrozenTrunk:
    """Enformer's trunk without gradients, which keeps what it gave for the latest windows.

    Copies of whatever holds it share it, and it is no part of their state: a network that is
    trained on top of it stores its own parameters alone.
    """

    def __init__(self, network: EnformerNetwork) -> None:
        self.network = network
        self._inference: dict[Precision, Inference] = {}
        self._kept: OrderedDict[bytes, Tensor] = OrderedDict()

    def __deepcopy__(self, _: object) -> Self:
        """Stay one."""
        return self

    def on(self, device: torch.device) -> Self:
        """Move to a device, if it is elsewhere."""
        if self.network.device != device:
            self.network.to(device)
            self._inference.clear()
            self._kept.clear()
        return self

    def hidden(self, codes: Tensor, bins: slice, precision: Precision) -> Tensor:
        """Give hidden vectors of some bins, (bins, channels), for codes (window,)."""
        key = _key(codes, f"{precision} {bins}")
        found = self._kept.get(key)
        if found is None:
            found = self._keep(key, self._packed(precision).hidden(codes, bins))
        return found

    def convolved(self, codes: Tensor, precision: Precision) -> Tensor:
        """Give what the transformer reads, (positions, dim), for codes (window,)."""
        key = _key(codes, precision)
        found = self._kept.get(key)
        if found is None:
            found = self._keep(key, self._packed(precision).convolve(codes).clone())
        return found

    def _packed(self, precision: Precision) -> Inference:
        if precision not in self._inference:
            self._inference = {precision: Inference(self.network, precision)}
        return self._inference[precision]

    def _keep(self, key: bytes, found: Tensor) -> Tensor:
        self._kept[key] = found
        most = max(1, _BUDGET // (found.numel() * found.element_size()))
        while len(self._kept) > most:
            self._kept.popitem(last=False)
        return found


def _key(codes: Tensor, how: str) -> bytes:
    digest = hashlib.blake2b(codes.cpu().numpy().tobytes(), digest_size=16)
    digest.update(how.encode())
    return digest.digest()


@lru_cache(maxsize=1)
def frozen_trunk(path: Path, sha256: str) -> FrozenTrunk:
    """Read the trunk of a file; members of an ensemble share one."""
    found = sha256_file(path)
    if sha256 and found != sha256:
        raise MismatchError(
            "these are not the weights that this run was trained on",
            file=path,
            found=f"SHA-256 {found[:12]}",
            expected=sha256[:12],
            remedy="Put the same file back in its place",
        )
    return FrozenTrunk(load_enformer(path))
