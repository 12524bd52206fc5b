"""Built-in pretrained models by name, and what installed packages add."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, cast

import torch

from exprimo.core.errors import ConfigError, InputError
from exprimo.core.predictor import Backbone, Predictor, find_plug_in, plug_ins
from exprimo.models.pretrained.enformer.backbone import HEADS, open_enformer
from exprimo.models.pretrained.hyenadna.backbone import open_hyenadna
from exprimo.models.pretrained.hyenadna.config import CHECKPOINTS
from exprimo.models.pretrained.random_embedding import RandomEmbedding
from exprimo.models.pretrained.xpresso.predictor import PUBLISHED_FEATURES, load_xpresso

Device = torch.device | None


_AUTHORS_WEIGHTS = (
    "Download the authors' weights, such as humanMedian_trainepoch.11-0.426.h5, from their "
    "repository: https://github.com/vagarwal87/Xpresso"
)


class Pretrained(NamedTuple):
    """A built-in pretrained model.

    Attributes
    ----------
    build
        (what stands behind the colon of ``NAME:FILE``, or None; device) -> the model.
    reads_file
        Whether a file stands behind the colon.
    """

    build: Callable[[str | None, Device], Backbone | Predictor]
    reads_file: bool
    summary: str


def _hyenadna(name: str) -> Pretrained:
    def build(given: str | None, device: Device) -> Backbone:
        return open_hyenadna(name, None if given is None else Path(given), device=device)

    bases = f"{CHECKPOINTS[name].window:,}"
    return Pretrained(build, True, f"HyenaDNA (Nguyen et al. 2023), up to {bases} bases")


def _enformer(name: str) -> Pretrained:
    def build(given: str | None, device: Device) -> Backbone:
        return open_enformer(name, None if given is None else Path(given), device=device)

    summary = f"Enformer (Avsec et al. 2021), {HEADS[name]} tracks of 196,608 bases"
    return Pretrained(build, True, summary)


def _xpresso(given: str | None, device: Device) -> Predictor:
    return load_xpresso(_needed(given, "xpresso"), device=device)


def _xpresso_halflife(given: str | None, device: Device) -> Predictor:
    path = _needed(given, "xpresso-halflife")
    average = load_xpresso(path, device=device)
    if average.n_features != len(PUBLISHED_FEATURES):
        raise ConfigError(
            "it is not published which half-life features these weights read",
            file=path,
            found=f"weights for {average.n_features} features",
            expected=f"weights for the {len(PUBLISHED_FEATURES)} that are described",
            remedy="Give every gene the average, as the authors do: xpresso:FILE; or, in Python, "
            "name the features: load_xpresso(FILE, features=...)",
        )
    return load_xpresso(path, features=PUBLISHED_FEATURES, device=device)


def _random(given: str | None, _: Device) -> Backbone:
    if given is not None and not given.isdecimal():
        raise ConfigError(
            "not a number of channels", record=f"random-embedding:{given}", expected="such as 256"
        )
    return RandomEmbedding() if given is None else RandomEmbedding(int(given))


def _needed(given: str | None, name: str) -> Path:
    if given is None:
        raise InputError(
            f"{name} needs a file of weights",
            record=name,
            expected=f"{name}:FILE",
            remedy=_AUTHORS_WEIGHTS,
        )
    return Path(given)


BUILT_IN = {
    **{name: _hyenadna(name) for name in CHECKPOINTS},
    **{name: _enformer(name) for name in HEADS},
    "xpresso": Pretrained(_xpresso, True, "Xpresso (Agarwal & Shendure 2020), average half-life"),
    "xpresso-halflife": Pretrained(
        _xpresso_halflife, True, "Xpresso with the half-life features of the dataset"
    ),
    "random-embedding": Pretrained(_random, False, "normal numbers, for comparison"),
}


def pretrained_names() -> tuple[str, ...]:
    """Name all pretrained models, built-in ones first.

    Examples
    --------
    >>> "hyenadna-small-32k" in pretrained_names()
    True
    """
    return tuple(dict.fromkeys([*BUILT_IN, *plug_ins("exprimo.backbones")]))


def open_pretrained(name: str, given: str | None = None, *, device: Device = None) -> object:
    """Open a pretrained model: a `Backbone`, a `Predictor`, or both.

    Parameters
    ----------
    name
        One of `pretrained_names`. A plug-in is a callable that takes a path of weights, or None
        for its own.
    given
        What stands behind the colon of ``NAME:FILE``.

    Examples
    --------
    >>> open_pretrained("random-embedding", "8").channels        # doctest: +SKIP
    8
    """
    found = find_plug_in("exprimo.backbones", name, BUILT_IN)
    reads_file = found.reads_file if isinstance(found, Pretrained) else True
    if given is not None and reads_file and not Path(given).exists():
        remedy = _AUTHORS_WEIGHTS if name.startswith("xpresso") else None
        raise InputError("no such file of weights", file=given, remedy=remedy)
    if isinstance(found, Pretrained):
        return found.build(given, device)
    return cast(object, found(None if given is None else Path(given)))
