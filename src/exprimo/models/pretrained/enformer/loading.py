"""Read Enformer's weights: the published ``pytorch_model.bin``, or safetensors of its names."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import safe_open
from torch import Tensor

from exprimo.core.errors import FormatError, MismatchError
from exprimo.models.pretrained.enformer.config import EnformerConfig, tower_channels
from exprimo.models.pretrained.enformer.network import EnformerNetwork
from exprimo.models.pretrained.tensor_files import read_tensor_file

METADATA = "exprimo.enformer"
"""Key of the sizes, as JSON, in the metadata of a safetensors file that `save_enformer` wrote."""
_STATISTIC = ".num_batches_tracked"
_BEFORE = re.compile(r"^(?:model\.|module\.|enformer\.)+")
# The port names its parts a second time, by their place in the trunk.
_TRUNK = {"1": "stem", "2": "conv_tower", "4": "transformer", "6": "final_pointwise"}
_SHOWN = 4


def load_enformer(path: str | Path, config: EnformerConfig | None = None) -> EnformerNetwork:
    """Build a network and fill it with the weights of a file, strictly.

    Parameters
    ----------
    path
        A torch checkpoint (only its tensors are read, no code) or safetensors.
    config
        Sizes that the weights must have. None: those that the file's metadata names; else they
        are read off the tensors, as `infer_config` says.
    """
    state = enformer_state(read_tensor_file(path), path)
    known = config or _stored_config(Path(path)) or infer_config(state, path)
    with torch.device("meta"):
        network = EnformerNetwork(known)
    expected = {
        name: tensor
        for name, tensor in network.state_dict().items()
        if not name.endswith(_STATISTIC)
    }
    _check(state, expected, path)
    counted = {
        name: torch.zeros((), dtype=torch.long)
        for name in network.state_dict()
        if name.endswith(_STATISTIC)
    }
    network.load_state_dict({**state, **counted}, assign=True, strict=True)
    return network.requires_grad_(False).eval()


def enformer_state(tensors: Mapping[str, Tensor], path: str | Path = "") -> dict[str, Tensor]:
    """Give tensors under the names of `EnformerNetwork`, each once, in single precision.

    Examples
    --------
    >>> list(enformer_state({"_trunk.1.0.bias": torch.zeros(2)}))
    ['stem.0.bias']
    """
    state: dict[str, Tensor] = {}
    for given, tensor in tensors.items():
        name = _BEFORE.sub("", given)
        if name.startswith("_trunk."):
            _, place, rest = name.split(".", 2)
            name = f"{_TRUNK.get(place, place)}.{rest}"
        if name.endswith(_STATISTIC):
            continue
        if name in state and not torch.equal(state[name], tensor.float()):
            raise FormatError("two different tensors of one name", file=path, record=name)
        state.setdefault(name, tensor.float())
    return state


def infer_config(state: Mapping[str, Tensor], path: str | Path = "") -> EnformerConfig:
    """Read the sizes off the tensors.

    No tensor knows the window. It is taken to be the published one in bins, 1,536, of which the
    middle 896 are predicted. A file that `save_enformer` wrote says its window itself; for
    others of another window, pass ``config`` to `load_enformer`. Weights of other than the
    published sizes come from the PyTorch port, hence its form of the features of distance.
    """
    try:
        dim = state["final_pointwise.1.0.weight"].shape[0]
        downsamples = 1 + _numbered(state, "conv_tower")
        heads, key = state["transformer.0.0.fn.1.rel_pos_bias"].shape[1:4:2]
        tower = tuple(
            state[f"conv_tower.{block}.1.fn.0.weight"].shape[0] for block in range(downsamples - 1)
        )
        heads_tracks = {
            name.split(".")[1]: tensor.shape[0]
            for name, tensor in state.items()
            if name.startswith("_heads.") and name.endswith(".0.weight")
        }
        values: dict[str, object] = {
            "dim": dim,
            "depth": _numbered(state, "transformer"),
            "heads": heads,
            "key": key,
            "divisible_by": _divisor(dim, downsamples, tower),
            "downsamples": downsamples,
            "window": 1536 * 2**downsamples,
            "tracks": heads_tracks,
            "gamma": "tensorflow" if dim == EnformerConfig().dim else "pytorch",
        }
    except (KeyError, ValueError, IndexError) as error:
        raise FormatError(
            "no Enformer weights in this file",
            file=path,
            found=", ".join(list(state)[:_SHOWN]) or "no tensors",
            expected="tensors named stem.0.weight, conv_tower..., transformer..., _heads...",
            remedy="Give the published pytorch_model.bin, or safetensors of the same names",
        ) from error
    return EnformerConfig.checked(values, file=path)


def _numbered(state: Mapping[str, Tensor], part: str) -> int:
    return 1 + max(int(name.split(".")[1]) for name in state if name.startswith(f"{part}."))


def _divisor(dim: int, downsamples: int, tower: tuple[int, ...]) -> int:
    """Find what the channels of a tower were rounded to multiples of; the greatest that fits."""
    for divisor in range(dim, 0, -1):
        if tower_channels(dim, downsamples, divisor)[1:] == tower:
            return divisor
    raise ValueError("channels that do not grow exponentially")


def _stored_config(path: Path) -> EnformerConfig | None:
    """Read the sizes that `save_enformer` wrote; None where the file says nothing."""
    with path.open("rb") as handle:
        if handle.read(9)[8:9] != b"{":
            return None
    with safe_open(path, "pt") as file:
        text = (file.metadata() or {}).get(METADATA)
    if text is None:
        return None
    try:
        values = json.loads(text)
    except ValueError as error:
        raise FormatError("sizes that cannot be read", file=path, found=text[:200]) from error
    if not isinstance(values, dict):
        raise FormatError("sizes that cannot be read", file=path, found=text[:200])
    return EnformerConfig.checked(values, file=path)


def _check(state: Mapping[str, Tensor], expected: Mapping[str, Tensor], path: str | Path) -> None:
    """Refuse weights of another architecture, naming a few differences."""
    differences = [f"{name} is missing" for name in expected if name not in state]
    differences += [f"{name} is too much" for name in state if name not in expected]
    differences += [
        f"{name} has shape {tuple(state[name].shape)} and not {tuple(tensor.shape)}"
        for name, tensor in expected.items()
        if name in state and state[name].shape != tensor.shape
    ]
    if differences:
        more = f" and {len(differences) - _SHOWN} more" if len(differences) > _SHOWN else ""
        raise MismatchError(
            "these are not the weights of this Enformer",
            file=path,
            found="; ".join(differences[:_SHOWN]) + more,
            expected="every tensor of the network, and no other",
            remedy="Get the published ones with: exprimo fetch enformer",
        )
