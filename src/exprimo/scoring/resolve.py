"""MODEL = RUN | NAME | NAME:FILE, as commands take it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch

from exprimo.core.dataset import Dataset, TargetInfo
from exprimo.core.errors import InputError, MismatchError
from exprimo.core.predictor import Predictor, find_plug_in, plug_ins
from exprimo.core.run import Run
from exprimo.models.network import Precision
from exprimo.models.stored import load_model
from exprimo.training.config import MachineConfig, TrainConfig
from exprimo.training.machine import prepare


class Resolved(NamedTuple):
    """A model ready to predict, and the Run that it came from, if it came from one."""

    predictor: Predictor
    run: Run | None
    name: str


def model_on(model: str | Path, *, device: str = "auto", threads: int | None = None) -> Resolved:
    """Find a model and put it on a machine.

    A Run computes in the precision that it was trained in, so that its predictions are those
    that it was judged by.
    """
    settings = MachineConfig(device=device, threads=threads)
    path = Path(model)
    if path.is_dir():
        trained = TrainConfig.load(Run.open(path).config_path).machine
        settings = settings.model_copy(update={"precision": trained.precision})
    devices, precision, _ = prepare(settings)
    return resolve_model(model, device=devices[0], precision=precision)


def resolve_model(
    model: str | Path,
    *,
    device: torch.device | None = None,
    precision: Precision = "fp32",
) -> Resolved:
    """Find a model: a Run's folder, else a name among the installed pretrained models.

    A pretrained model is an entry point of the group ``exprimo.backbones``: a callable that
    takes a path of weights, or None for its own, and gives a `Predictor`.
    """
    text = str(model)
    path = Path(model)
    if path.exists() or ("/" in text and ":" not in text):
        run = Run.open(path)
        predictor = load_model(run.weights_path, device=device, precision=precision)
        return Resolved(predictor, run, run.name)
    name, colon, file = text.partition(":")
    known = plug_ins("exprimo.backbones")
    if name not in known:
        raise InputError(
            "no such run, and no pretrained model of this name",
            record=text,
            expected="a run's folder" + (f", or one of {', '.join(known)}" if known else ""),
            remedy="Make a run with: exprimo train D.h5 -o RUN",
        )
    weights = Path(file) if colon else None
    if weights is not None and not weights.exists():
        raise InputError("no such file of weights", file=weights)
    return Resolved(find_plug_in("exprimo.backbones", name, {})(weights), None, text)


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
