"""A fitted model as one safetensors file: tensors, and in its header all facts to rebuild it."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from exprimo.core.config import Config
from exprimo.core.errors import FormatError, InputError
from exprimo.core.files.atomic import atomic_file
from exprimo.core.files.versions import CHECKPOINT_FORMAT, check_alphabet, check_format_version
from exprimo.core.predictor import Predictor
from exprimo.core.sequence import ALPHABET
from exprimo.models.cnn_xgboost import HybridPredictor
from exprimo.models.network import NetworkPredictor, Precision
from exprimo.models.trees import BoostedTrees
from exprimo.models.zoo import (
    ModelSpec,
    Shapes,
    Task,
    build_baseline,
    get_spec,
    trained_network,
)


def save_model(
    path: str | Path,
    predictor: Any,
    *,
    model: str,
    options: Mapping[str, Any],
    task: Task,
) -> None:
    """Write a fitted network, baseline, or network with boosted trees.

    Parameters
    ----------
    predictor
        A `NetworkPredictor`, a fitted `Baseline`, or a `HybridPredictor`.
    model, options
        Its name in the zoo and its complete options.
    """
    facts: dict[str, Any] = {"model": model, "options": dict(options), "task": task}
    if task == "multiclass":
        facts["classes"] = list(predictor.outputs)
    if isinstance(predictor, NetworkPredictor):
        tensors = _network_tensors(predictor)
        facts |= _network_facts(predictor)
    elif isinstance(predictor, HybridPredictor):
        tensors = _network_tensors(predictor.network) | {
            f"trees{i}": torch.from_numpy(trees.to_bytes())
            for i, trees in enumerate(predictor.trees)
        }
        facts |= _network_facts(predictor.network)
    else:
        tensors = {
            name: torch.from_numpy(np.ascontiguousarray(values))
            for name, values in predictor.state().items()
        }
    write_tensors(path, tensors, facts)


def load_model(
    path: str | Path, *, device: torch.device | None = None, precision: Precision = "fp32"
) -> Predictor:
    """Read what `save_model` wrote; no code is ever read from the file."""
    tensors, facts = read_tensors(path)
    spec = get_spec(facts["model"])
    config = spec.config.checked(facts["options"], file=path)
    if spec.kind == "baseline":
        classes = tuple(facts.get("classes", ()))
        baseline: Predictor = build_baseline(spec, config, facts["task"], classes)
        baseline.restore({name: t.numpy() for name, t in tensors.items()})  # type: ignore[attr-defined]  # every baseline has it
        return baseline
    network = _read_network(*trained_network(spec, config), tensors, facts, path, device, precision)
    if spec.kind == "network":
        return network
    trees = [BoostedTrees.from_bytes(tensors[f"trees{i}"].numpy()) for i in range(facts["members"])]
    hybrid: Predictor = spec.build(network, trees)
    return hybrid


def _network_tensors(predictor: NetworkPredictor) -> dict[str, torch.Tensor]:
    return {
        f"member{i}/{name}": tensor.detach().cpu().contiguous()
        for i, member in enumerate(predictor.members)
        for name, tensor in member.state_dict().items()
    }


def _network_facts(predictor: NetworkPredictor) -> dict[str, Any]:
    return {
        "members": len(predictor.members),
        "inputs": {name: list(shape) for name, shape in predictor.shapes.inputs.items()},
        "n_outputs": predictor.shapes.n_outputs,
        "center": predictor.center,
        "scale": predictor.scale,
        "both_strands": predictor.both_strands,
    }


def _read_network(
    spec: ModelSpec,
    config: Config,
    tensors: Mapping[str, torch.Tensor],
    facts: Mapping[str, Any],
    path: str | Path,
    device: torch.device | None,
    precision: Precision,
) -> NetworkPredictor:
    shapes = Shapes(
        {name: tuple(shape) for name, shape in facts["inputs"].items()},
        facts["task"],
        facts["n_outputs"],
        tuple(facts.get("classes", ())),
    )
    members = []
    for i in range(facts["members"]):
        prefix = f"member{i}/"
        member = spec.build(config, shapes)
        weights = {n.removeprefix(prefix): t for n, t in tensors.items() if n.startswith(prefix)}
        try:
            member.load_state_dict(weights)
        except RuntimeError as error:
            raise FormatError(
                "the weights do not fit the architecture", file=path, found=str(error)[:300]
            ) from error
        members.append(member)
    return NetworkPredictor(
        members,
        shapes,
        center=facts["center"],
        scale=facts["scale"],
        both_strands=facts["both_strands"],
        device=device,
        precision=precision,
    )


def write_tensors(
    path: str | Path, tensors: Mapping[str, torch.Tensor], facts: Mapping[str, Any]
) -> None:
    """Write tensors and facts as one safetensors file, with format version and alphabet."""
    header = {
        "format_version": str(CHECKPOINT_FORMAT),
        "alphabet": ALPHABET,
        "facts": json.dumps(facts),
    }
    with atomic_file(path) as partial:
        # The library makes its file readable by its owner alone; colleagues read weights too.
        partial.touch()
        mode = partial.stat().st_mode
        try:
            save_file(dict(tensors), partial, metadata=header)
        except SafetensorError as error:
            # The library gives the system's refusal (a full disk) in words only.
            if code := re.search(r"os error (\d+)", str(error)):
                raise OSError(int(code[1]), os.strerror(int(code[1]))) from error
            raise
        partial.chmod(mode)


def read_tensors(path: str | Path) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """Read what `write_tensors` wrote, after checking its version and alphabet."""
    if not Path(path).is_file():
        raise InputError("no such model file", file=path)
    try:
        with safe_open(path, framework="pt") as file:
            header = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 -- not a dict
    except SafetensorError as error:
        raise FormatError("not a safetensors file, or cut short", file=path, found=error) from error
    check_format_version(
        header.get("format_version"), CHECKPOINT_FORMAT, file=path, what="checkpoint"
    )
    check_alphabet(header.get("alphabet"), file=path)
    return tensors, json.loads(header["facts"])
