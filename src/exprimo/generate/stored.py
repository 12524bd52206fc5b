"""A fitted generator as one safetensors file: averaged weights, and all facts to rebuild it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from exprimo.core.errors import ConfigError, FormatError
from exprimo.generate.conditioning import Conditioning, Label
from exprimo.generate.config import GenerateConfig
from exprimo.generate.family import Family, FamilySpec, Layout
from exprimo.generate.registry import get_family
from exprimo.models.network import Precision
from exprimo.models.stored import read_tensors, write_tensors


class Loaded(NamedTuple):
    """A generator that can sample; ``label`` is the only class that it learned, if it is so."""

    family: Family
    spec: FamilySpec
    layout: Layout
    label: Label | None


def one_device(devices: Sequence[torch.device]) -> torch.device:
    """Give the device that does all the work; several are refused.

    Examples
    --------
    >>> one_device([torch.device("cpu")])
    device(type='cpu')
    """
    if len(devices) > 1:
        raise ConfigError(
            "a generator works on one device",
            record="device",
            found=", ".join(map(str, devices)),
            remedy="Name one of them",
        )
    return devices[0]


def save_generator(
    path: str | Path,
    weights: Mapping[str, Tensor],
    spec: FamilySpec,
    config: GenerateConfig,
    layout: Layout,
    label: Label | None,
) -> None:
    """Write averaged weights and what is needed to build their networks again."""
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in weights.items()}
    facts = {
        "generator": spec.name,
        "options": config.options,
        "length": layout.length,
        "conditioning": layout.conditioning._asdict(),
        "label": None if label is None else label._asdict(),
    }
    write_tensors(path, tensors, facts)


def load_generator(path: str | Path, *, device: torch.device, precision: Precision) -> Loaded:
    """Read what `save_generator` wrote; no code is ever read from the file."""
    tensors, facts = read_tensors(path)
    if "generator" not in facts:
        raise FormatError(
            "a model, but not a generator",
            file=path,
            found=", ".join(facts),
            expected="a file made by: exprimo generate fit D.h5 -o GEN",
        )
    spec = get_family(facts["generator"])
    options = spec.options.checked(facts["options"], file=path)
    conditioning = Conditioning.restored(facts["conditioning"])
    layout = Layout(facts["length"], conditioning, device, precision)
    family = spec.build(options, layout)
    try:
        family.module.load_state_dict(tensors)
    except RuntimeError as error:
        raise FormatError(
            "the weights do not fit the generator", file=path, found=str(error)[:300]
        ) from error
    label = facts["label"]
    if label is not None:
        label = Label(label["target"], label["number"], tuple(label["classes"]))
    return Loaded(family, spec, layout, label)
