"""What a model learns from and is judged on, checked before any work is done."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from exprimo.core.config import Config
from exprimo.core.dataset import Dataset, TargetInfo
from exprimo.core.errors import ConfigError, InputError, MismatchError
from exprimo.core.predictor import Predictor
from exprimo.core.split import Part, Split
from exprimo.models import ModelSpec, Task, get_spec
from exprimo.models.zoo import trained_network
from exprimo.training.batches import Rows
from exprimo.training.config import TrainConfig
from exprimo.training.objective.imbalance import Balance, balance_of, check_imbalance


class Material(NamedTuple):
    """What a model learns from and is judged on; rows without a target are left out."""

    dataset: Dataset
    spec: ModelSpec
    options: Config
    target: str
    task: Task
    values: npt.NDArray[np.float32]
    parts: dict[Part, Rows]
    classes: tuple[str, ...]
    balance: Balance

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the inputs that are read."""
        return trained_network(self.spec, self.options)[0].inputs


class Fitted(NamedTuple):
    """A fitted model and what its fitting tells; ``chosen`` is what validation chose."""

    predictor: Predictor
    history: list[dict[str, float]]
    n_parameters: int
    chosen: dict[str, Any]


def gather(dataset: Dataset, config: TrainConfig, split: Split) -> Material:
    """Check that model, dataset, target and split fit one another, before any work is done."""
    spec = get_spec(config.model)
    options = spec.config.checked(config.options)
    inputs = trained_network(spec, options)[0].inputs
    missing = [name for name in inputs if name not in dataset.inputs]
    if missing:
        raise MismatchError(
            f"{spec.name} reads inputs that the dataset does not hold",
            file=dataset.path,
            found=", ".join(dataset.inputs),
            expected=", ".join(inputs),
            remedy="Build the dataset with them, or choose another model",
        )
    target = dataset.the_target(config.target)
    if target.kind not in spec.tasks:
        raise ConfigError(
            f"{spec.name} is not made for this kind of target",
            record=target.name,
            found=target.kind,
            expected=" or ".join(spec.tasks),
        )
    check_imbalance(config.fit.imbalance, spec, target.kind)
    values = dataset.target(target.name)
    parts: dict[Part, Rows] = {}
    for part in ("train", "val", "test"):
        rows = split.rows(part)
        parts[part] = rows[~np.isnan(values[rows])]
        if not len(parts[part]):
            raise InputError(
                f"no example of the {part} part has a value of {target.name}",
                file=dataset.path,
                remedy="Choose other fractions, chromosomes or another strategy",
            )
    parts["train"] = thin(parts["train"], split, config.fit.fraction, config.seed)
    if target.kind != "regression":
        fitted_on: tuple[Part, ...] = ("train", "val")
        for part in fitted_on:
            _refuse_absent_classes(dataset, target, part, values[parts[part]])
    train = values[parts["train"]]
    balance = balance_of(train, config.fit, target.kind, len(target.classes) or 2)
    if spec.adapt is not None:
        options = spec.adapt(options, balance.learned(len(train)))
    return Material(
        dataset,
        spec,
        options,
        target.name,
        target.kind,
        values,
        parts,
        target.classes,
        balance,
    )


def _refuse_absent_classes(
    dataset: Dataset, target: TargetInfo, part: str, values: npt.NDArray[np.float32]
) -> None:
    remedy = "Choose another split or seed, or bring examples of every class"
    counts = np.bincount(values.astype(np.int64), minlength=len(target.classes) or 2)
    if np.count_nonzero(counts) == 1:
        only = int(counts.argmax())
        raise InputError(
            f"the {part} part holds one class only",
            file=dataset.path,
            record=target.name,
            found=f"{len(values)} examples of class {(target.classes or (0, 1))[only]}",
            remedy=remedy,
        )
    absent = [name for name, n in zip(target.classes, counts, strict=False) if not n]
    if absent:
        raise InputError(
            f"the {part} part holds no example of a class",
            file=dataset.path,
            record=target.name,
            found=f"none of class {', '.join(absent)}",
            expected="examples of every class",
            remedy=remedy,
        )


def thin(rows: Rows, split: Split, fraction: float, seed: int) -> Rows:
    """Keep a share of the training rows, whole groups, the smaller share within the larger.

    Examples
    --------
    >>> import numpy as np
    >>> split = Split(np.array(list("abcd")), np.array(["train"] * 4), "random", 0, "", ())
    >>> len(thin(np.arange(4), split, 0.5, 0))
    2
    """
    if fraction >= 1:
        return rows
    groups = rows if split.group is None else split.group[rows]
    names, codes = np.unique(groups, return_inverse=True)
    rank = np.random.default_rng([seed, 77]).permutation(len(names))[codes]
    order = np.argsort(rank, kind="stable")
    kept = max(2, round(fraction * len(rows)))
    return np.sort(rows[order[:kept]])


def window_of(dataset: Dataset) -> int:
    """Give the length of ``sequence``, 0 where there is none."""
    return dataset.inputs["sequence"].shape[0] if "sequence" in dataset.inputs else 0
