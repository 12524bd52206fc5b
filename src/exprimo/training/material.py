"""What a model learns from and is judged on, checked before any work is done."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from exprimo.core.config import Config
from exprimo.core.dataset import Dataset, TargetInfo
from exprimo.core.errors import ConfigError, InputError, MismatchError
from exprimo.core.predictor import Predictor
from exprimo.core.split import Part, Split
from exprimo.features.derived import derive_inputs
from exprimo.features.embeddings import attach_embeddings
from exprimo.models import ModelSpec, Task, get_spec
from exprimo.models.zoo import trained_network
from exprimo.training.augmentation import Augmentation, Classes, augment
from exprimo.training.batches import Rows
from exprimo.training.config import TrainConfig
from exprimo.training.folds import deal_folds
from exprimo.training.objective.cut import Cut, find_cut, task_of
from exprimo.training.objective.imbalance import Balance, balance_of, check_imbalance


class Material(NamedTuple):
    """What a model learns from and is judged on; rows without a target are left out.

    ``values`` are 1 and 0 where the target was cut into high and low; the cut was found on the
    rows ``cut_on``. ``settled`` names what options took from the training part; ``folds`` are the
    rows by which each member of an ensemble stops, where each has its own. ``added`` are
    generated rows, above the examples of the dataset.
    """

    dataset: Dataset
    spec: ModelSpec
    options: Config
    target: str
    task: Task
    values: npt.NDArray[np.float32]
    parts: dict[Part, Rows]
    classes: tuple[str, ...]
    balance: Balance
    cut: Cut | None
    cut_on: Rows
    settled: tuple[str, ...] = ()
    folds: tuple[Rows, ...] = ()
    added: Augmentation | None = None

    @property
    def learned(self) -> Rows:
        """Rows that the model learns from, generated ones last."""
        real = self.parts["train"]
        return real if self.added is None else np.concatenate([real, self.added.rows])

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the inputs that are read."""
        return _inputs_of(self.spec, self.options)


class Fitted(NamedTuple):
    """A fitted model and what its fitting tells.

    ``chosen`` is what validation chose; ``first`` names what the training part taught a network
    before its first epoch.
    """

    predictor: Predictor
    history: list[dict[str, float]]
    n_parameters: int
    chosen: dict[str, Any]
    first: tuple[str, ...] = ()


@contextmanager
def open_examples(config: TrainConfig) -> Iterator[Dataset]:
    """Open the dataset, with its embeddings where the settings name a store of them.

    Inputs that are derived from what the file holds are attached where the model reads them.
    """
    spec = get_spec(config.model)
    read = _inputs_of(spec, spec.config.checked(config.options))
    with Dataset.open(config.dataset) as dataset, attach_embeddings(dataset, config.embeddings):
        derive_inputs(dataset, read)
        yield dataset


def gather(dataset: Dataset, config: TrainConfig, split: Split) -> Material:
    """Check that model, dataset, target and split fit one another, before any work is done."""
    spec = get_spec(config.model)
    options = spec.config.checked(config.options)
    _refuse_missing_inputs(dataset, spec, options)
    _refuse_unread_embeddings(config, spec, options)
    target = dataset.the_target(config.target)
    task = task_of(target, config.above)
    if task not in spec.tasks:
        raise ConfigError(
            f"{spec.name} is not made for this kind of target",
            record=target.name,
            found=task,
            expected=" or ".join(spec.tasks),
        )
    check_imbalance(config.fit.imbalance, spec, task)
    values = dataset.target(target.name)
    parts = _parts(dataset, split, target.name, values)
    # Before thinning: along a learning curve high and low must mean the same.
    cut_on = parts["train"]
    cells = dataset.column("cell_type") if "cell_type" in dataset.columns else None
    cut = find_cut(config.above, values, cut_on, cells, file=dataset.path)
    if cut is not None:
        values = cut.high(values, cells)
    parts["train"] = thin(parts["train"], split, config.fit.fraction, config.seed)
    if task != "regression":
        fitted_on: tuple[Part, ...] = ("train", "val")
        for part in fitted_on:
            _refuse_absent_classes(dataset, target, part, values[parts[part]])
    train = values[parts["train"]]
    added = augment(dataset, config, split, _inputs_of(spec, options), Classes(target, cut, train))
    n_real = len(train)
    if added is not None:
        values = added.values(values)
        train = np.append(train, values[added.rows])
    balance = balance_of(train, config.fit, task, len(target.classes) or 2)
    if spec.adapt is not None:
        # Examples that were made up are no more data: the network is as it is without them.
        options = spec.adapt(options, balance.learned(n_real))
    options, settled = _settle(spec, options, dataset, parts["train"])
    return Material(
        dataset,
        spec,
        options,
        target.name,
        task,
        values,
        parts,
        target.classes,
        balance,
        cut,
        cut_on,
        settled,
        deal_folds(dataset, split, parts["train"], config, spec),
        added,
    )


def _settle(
    spec: ModelSpec, options: Config, dataset: Dataset, rows: Rows
) -> tuple[Config, tuple[str, ...]]:
    """Let the training examples fill what only they can tell, such as a vocabulary."""
    network, inner = trained_network(spec, options)
    if network is not spec or network.settle is None:
        return options, ()
    filled = network.settle(inner, dataset, rows)
    return filled, tuple(
        name
        for option, name in network.settles.items()
        if getattr(inner, option) != getattr(filled, option)
    )


def _inputs_of(spec: ModelSpec, options: Config) -> tuple[str, ...]:
    network, network_options = trained_network(spec, options)
    return network.inputs_read(network_options)


def _refuse_missing_inputs(dataset: Dataset, spec: ModelSpec, options: Config) -> None:
    inputs = _inputs_of(spec, options)
    missing = [name for name in inputs if name not in dataset.inputs]
    if missing:
        remedy = "Build the dataset with them, or choose another model"
        if missing == ["sequence"] and _does_without_dna(spec, options):
            remedy = "Leave DNA out: --set options.dna=none. Or build the dataset with sequences"
        elif missing == ["halflife"]:
            remedy = "Build it with: exprimo dataset promoters --halflife"
        if "embedding" in missing:
            remedy = (
                "Make a store with exprimo embed MODEL D.h5 -o STORE, and add --embeddings STORE"
            )
        raise MismatchError(
            f"{spec.name} reads inputs that the dataset does not hold",
            file=dataset.path,
            found=", ".join(dataset.inputs),
            expected=", ".join(inputs),
            remedy=remedy,
        )


def _refuse_unread_embeddings(config: TrainConfig, spec: ModelSpec, options: Config) -> None:
    if config.embeddings is not None and "embedding" not in _inputs_of(spec, options):
        raise ConfigError(
            f"{spec.name} does not read the embeddings that were given",
            record="embeddings",
            found=", ".join(_inputs_of(spec, options)) or "no input",
            expected="a model that reads embeddings, such as halflife_cnn with dna = embedding",
            remedy="Add --set options.dna=embedding, or leave the embeddings out",
        )


def _does_without_dna(spec: ModelSpec, options: Config) -> bool:
    if "dna" not in type(options).model_fields:
        return False
    try:
        without = type(options).checked(options.model_dump() | {"dna": "none"})
    except ConfigError:
        return False
    return "sequence" not in _inputs_of(spec, without)


def _parts(
    dataset: Dataset, split: Split, target: str, values: npt.NDArray[np.float32]
) -> dict[Part, Rows]:
    """Give the rows of each part that have a value of the target."""
    parts: dict[Part, Rows] = {}
    for part in ("train", "val", "test"):
        rows = split.rows(part)
        parts[part] = rows[~np.isnan(values[rows])]
        if not len(parts[part]):
            raise InputError(
                f"no example of the {part} part has a value of {target}",
                file=dataset.path,
                remedy="Choose other fractions, chromosomes or another strategy",
            )
    return parts


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
