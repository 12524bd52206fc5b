"""MODEL = RUN | NAME | NAME:FILE, as commands take it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, Protocol, runtime_checkable

import torch

from exprimo.core.dataset import Dataset, TargetInfo
from exprimo.core.errors import ConfigError, InputError, MismatchError
from exprimo.core.predictor import Backbone, Predictor
from exprimo.core.run import Run
from exprimo.models.network import Precision
from exprimo.models.pretrained import open_pretrained, pretrained_names
from exprimo.models.stored import load_model
from exprimo.training.config import MachineConfig, TrainConfig
from exprimo.training.machine import prepare


class Resolved(NamedTuple):
    """A model ready to predict, and the Run that it came from, if it came from one."""

    predictor: Predictor
    run: Run | None
    name: str


def model_on(
    model: str | Path,
    *,
    device: str = "auto",
    threads: int | None = None,
    precision: Precision | None = None,
) -> Resolved:
    """Find a model and put it on a machine.

    Unless ``precision`` says otherwise, a Run computes in that which it was trained in, so that
    its predictions are those that it was judged by.
    """
    settings = MachineConfig(device=device, threads=threads)
    path = Path(model)
    if precision is not None:
        settings = settings.model_copy(update={"precision": precision})
    elif path.is_dir():
        trained = TrainConfig.load(Run.open(path).config_path).machine
        settings = settings.model_copy(update={"precision": trained.precision})
    devices, chosen, _ = prepare(settings)
    return resolve_model(model, device=devices[0], precision=chosen)


def resolve_model(
    model: str | Path,
    *,
    device: torch.device | None = None,
    precision: Precision = "fp32",
) -> Resolved:
    """Find a model that predicts: a Run's folder, else a pretrained model by name.

    A pretrained model is built in, or an entry point of the group ``exprimo.backbones``: a
    callable that takes a path of weights, or None for its own.
    """
    text = str(model)
    if is_run(text):
        run = Run.open(Path(model))
        predictor = load_model(run.weights_path, device=device, precision=precision)
        return Resolved(predictor, run, run.name)
    found = open_named(text, device)
    if not isinstance(found, Predictor):
        raise ConfigError(
            "this pretrained model embeds sequences and predicts nothing",
            record=text,
            expected="a run, or a pretrained model that predicts, such as xpresso:FILE",
            remedy="Make its embeddings with: exprimo embed MODEL D.h5 -o STORE",
        )
    return Resolved(found, None, text)


def resolve_backbone(model: str | Path, *, device: torch.device | None = None) -> Backbone:
    """Find a model that embeds, by name: ``NAME`` or ``NAME:FILE``."""
    text = str(model)
    found = None if is_run(text) else open_named(text, device)
    if not isinstance(found, Backbone):
        raise ConfigError(
            "this model gives no embeddings",
            record=text,
            expected="a pretrained backbone, such as hyenadna-small-32k",
        )
    return found


def for_dataset(resolved: Resolved, data: Dataset) -> Predictor:
    """Give the predictor, after it has looked at the dataset, where it needs to."""
    if isinstance(resolved.predictor, NeedsDataset):
        return resolved.predictor.fitted_to(data)
    return resolved.predictor


@runtime_checkable
class NeedsDataset(Protocol):
    """A predictor that checks a dataset, or standardises by it, before it predicts its rows."""

    def fitted_to(self, data: Dataset) -> Predictor:
        """Give a predictor for the rows of this dataset."""


def is_run(text: str) -> bool:
    """Tell a Run's folder from the name of a pretrained model."""
    return Path(text).exists() or ("/" in text and ":" not in text)


def open_named(text: str, device: torch.device | None) -> object:
    """Open a pretrained model by ``NAME`` or ``NAME:FILE``."""
    name, colon, given = text.partition(":")
    known = pretrained_names()
    if name not in known:
        raise InputError(
            "no such run, and no pretrained model of this name",
            record=text,
            expected=f"a run's folder, or one of {', '.join(known)}",
            remedy="Make a run with: exprimo train D.h5 -o RUN",
        )
    return open_pretrained(name, given if colon else None, device=device)


def learned_classes(metrics: Mapping[str, Any]) -> tuple[str, ...]:
    """Give the classes that a Run learned, in order; none for numbers and for two classes."""
    return tuple(metrics.get("classes") or ())


def check_same_classes(target: TargetInfo, learned: tuple[str, ...], data: Dataset) -> None:
    """Refuse a target whose codes do not mean the classes that were learned."""
    if target.classes != learned:
        raise MismatchError(
            "the classes of this target are not those that the run learned",
            file=data.path,
            record=target.name,
            found=", ".join(target.classes) or f"a target of kind {target.kind}",
            expected=", ".join(learned) or "a target without names of classes",
            remedy="Build the dataset with the same classes in the same order",
        )
