"""What is taken over from an earlier Run: its split, and how it was trained."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from exprimo.core.dataset import Dataset
from exprimo.core.errors import MismatchError
from exprimo.core.run import Run
from exprimo.core.split import Split
from exprimo.training.config import FitConfig, SplitConfig, TrainConfig
from exprimo.training.fitting import filled_options

# Whatever the model; the rest is how that one model was trained.
_OF_ALL = ("target", "seed", "level")
_MODEL = ("model", "preset")


class Alike(NamedTuple):
    """How to train like an earlier Run: ``split`` is None where another one was asked for."""

    config: TrainConfig
    split: Split | None


def split_like(like: str | Path, dataset: Dataset) -> Split:
    """Take the split of a Run for the dataset that it was trained on; refuse another dataset.

    Examples
    --------
    >>> with Dataset.open("D.h5") as data:                                 # doctest: +SKIP
    ...     split_like("RUN", data).counts()
    """
    run = Run.open(like)
    split = run.split
    if split.dataset_sha256 != dataset.sha256:
        raise MismatchError(
            f"{run.path} was trained on another dataset, so its split says nothing of this one",
            file=dataset.path,
            found=f"contents {dataset.sha256[:12]}",
            expected=f"contents {split.dataset_sha256[:12]}, as "
            f"{run.provenance['dataset']['path']} had",
            remedy="Give that dataset, or name a run of this one",
        )
    return split


def train_like(like: str | Path, given: Mapping[str, Any]) -> Alike:
    """Take over how a Run was trained; what is given beside it wins.

    Parameters
    ----------
    like
        The Run. Its split is used as it stands, unless another one is given.
    given
        Fields of `TrainConfig`, ``dataset`` among them; None stands for not given. Where they
        name another model or preset, the Run's options, fit and members are not taken over, as
        they belong to its own model. Where the machine is not given, it is as by default.

    Examples
    --------
    >>> train_like("RUN", {"dataset": "D.h5", "seed": 1}).config.seed      # doctest: +SKIP
    1
    """
    before = TrainConfig.load(Run.open(like).config_path)
    named = stated(given)
    own_split = _split(before.split, named.pop("split", {}))
    values = {name: getattr(before, name) for name in _OF_ALL}
    if named.get("target", before.target) == before.target:
        values["above"] = before.above
    if all(named.get(name, getattr(before, name)) == getattr(before, name) for name in _MODEL):
        values |= _of_model(before, named)
    values["model"] = before.model
    values["augment"] = _augment(before, named.pop("augment", {}))
    config = TrainConfig.checked({**values, **named, "split": own_split})
    if config.split != before.split:
        return Alike(config, None)
    with Dataset.open(config.dataset) as dataset:
        return Alike(config, split_like(like, dataset))


def stated(given: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what is None, and what is empty after that.

    Examples
    --------
    >>> stated({"seed": None, "fit": {"epochs": 3, "shift": None}, "augment": {"sample": None}})
    {'fit': {'epochs': 3}}
    """
    kept = {
        name: stated(value) if isinstance(value, Mapping) else value
        for name, value in given.items()
        if value is not None
    }
    return {name: value for name, value in kept.items() if value != {}}


def _of_model(before: TrainConfig, named: dict[str, Any]) -> dict[str, Any]:
    """Give what belongs to the Run's own model; options and fit are joined with what is named."""
    fit = before.fit.model_dump()
    own = named.pop("fit", {})
    if own.get("imbalance", fit["imbalance"]) != "focal":
        fit["focal_gamma"] = FitConfig().focal_gamma
    return {
        "preset": before.preset,
        "embeddings": before.embeddings,
        "ensemble": before.ensemble,
        "members": before.members,
        "fit": {**fit, **own},
        "options": filled_options(before.options, named.pop("options", {})),
    }


def _augment(before: TrainConfig, own: Mapping[str, Any]) -> dict[str, Any]:
    """Take over generated sequences, unless others are named: nothing of the first holds then."""
    return dict(own) if "sample" in own else {**before.augment.model_dump(), **own}


def _split(before: SplitConfig, given: str | Mapping[str, Any]) -> SplitConfig:
    """Join the Run's split with what is named; another strategy has none of its chromosomes."""
    own = {"strategy": given} if isinstance(given, str) else dict(given)
    own = {name: value for name, value in own.items() if value not in ("auto", (), [])}
    if own.get("strategy", before.strategy) != before.strategy:
        return SplitConfig.checked(own)
    return SplitConfig.checked({**before.model_dump(), **own})
