"""Read HyenaDNA weights: the published ``weights.ckpt``, or safetensors."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from exprimo.core.errors import FormatError, MismatchError
from exprimo.models.pretrained.hyenadna.config import HyenaConfig
from exprimo.models.pretrained.hyenadna.network import HyenaNetwork
from exprimo.models.pretrained.tensor_files import read_tensor_file

_BEFORE = re.compile(r"^(?:model\.|module\.|hyena\.)*(?=backbone\.)")
# Networks trained with gradient checkpointing have one more level there.
_WRAPPED = re.compile(r"\.(mixer|mlp)\.layer\.")
# The three sines of a filter share their frequencies; safetensors may keep one copy.
_SHARED = re.compile(r"(.*\.implicit_filter\.)[35](\.freq)$")
_SHOWN = 4


def load_hyenadna(path: str | Path, config: HyenaConfig, *, name: str = "HyenaDNA") -> HyenaNetwork:
    """Build a network and fill it with the weights of a file, strictly.

    Parameters
    ----------
    path
        A checkpoint of the training run (only its tensors are read, no code) or safetensors.
    config
        Sizes that the weights must have.
    name
        Of the checkpoint, for messages.
    """
    state = backbone_state(read_tensor_file(path))
    with torch.device("meta"):
        network = HyenaNetwork(config)
    _check(state, network.state_dict(), path, name)
    # The module holds its shared sine once and writes it three times.
    network.load_state_dict(state, assign=True, strict=True)
    for parameter in network.parameters():
        parameter.requires_grad_(False)
    return network.eval()


def backbone_state(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Give the tensors of the backbone under the names of `HyenaNetwork`; heads are left out.

    Examples
    --------
    >>> list(backbone_state({"model.backbone.layers.0.mlp.layer.fc1.bias": torch.zeros(2)}))
    ['backbone.layers.0.mlp.fc1.bias']
    """
    state = {}
    for name, tensor in tensors.items():
        bare, known = _BEFORE.subn("", name, count=1)
        if known and bare.startswith("backbone."):
            state[_WRAPPED.sub(r".\1.", bare)] = tensor.float()
    for name in list(state):
        if name.endswith(".implicit_filter.1.freq"):
            for other in ("3", "5"):
                state.setdefault(name.replace("filter.1.", f"filter.{other}."), state[name])
    return state


def _size(state: Mapping[str, Tensor]) -> str:
    """Say in words how large a network is."""
    blocks = {key.split(".")[2] for key in state if key.startswith("backbone.layers.")}
    table = state.get("backbone.embeddings.word_embeddings.weight")
    channels = "?" if table is None or table.ndim != 2 else str(table.shape[1])
    return f"{len(blocks)} blocks of {channels} channels"


def _check(
    state: Mapping[str, Tensor], expected: Mapping[str, Tensor], path: str | Path, name: str
) -> None:
    """Refuse weights of another architecture, naming a few differences."""
    if not state:
        raise FormatError(
            "no HyenaDNA weights in this file",
            file=path,
            expected="tensors named backbone.layers.0.mixer...",
            remedy="Give the published weights.ckpt, or safetensors of the same names",
        )
    differences = [f"{key} is missing" for key in expected if key not in state]
    differences += [f"{key} is too much" for key in state if key not in expected]
    differences += [
        f"{key} has shape {tuple(state[key].shape)} and not {tuple(expected[key].shape)}"
        for key in expected
        if key in state and state[key].shape != expected[key].shape
    ]
    differences += [
        f"the frequencies {key} are not shared"
        for key in state
        if (shared := _SHARED.match(key)) and not differences
        if not torch.equal(state[key], state[f"{shared[1]}1{shared[2]}"])
    ]
    if differences:
        more = f" and {len(differences) - _SHOWN} more" if len(differences) > _SHOWN else ""
        raise MismatchError(
            f"the weights are not those of {name}",
            file=path,
            found=f"{_size(state)}: {'; '.join(differences[:_SHOWN])}{more}",
            expected=_size(expected),
            remedy="Name the checkpoint that the file holds, as in hyenadna-tiny-1k:FILE",
        )
