"""The zoo: name -> typed config and class, built in or from an installed plug-in."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from typing import Any, Literal, NamedTuple

from exprimo.core.config import Config
from exprimo.core.errors import ConfigError
from exprimo.core.predictor import find_plug_in, plug_ins

Task = Literal["regression", "classification"]

# Each file of models/ that holds an architecture or a baseline ends with its SPEC.
_BUILT_IN = {
    "mean": "exprimo.models.baselines.constant:MEAN",
    "majority": "exprimo.models.baselines.constant:MAJORITY",
    "gc_content": "exprimo.models.baselines.gc_content:SPEC",
    "kmer_linear": "exprimo.models.baselines.kmer_linear:SPEC",
    "cnn": "exprimo.models.cnn:SPEC",
}


class Shapes(NamedTuple):
    """What a network is built for: input name -> shape of one row, and its task."""

    inputs: Mapping[str, tuple[int, ...]]
    task: Task
    n_outputs: int = 1


class ModelSpec(NamedTuple):
    """An entry of the zoo.

    Attributes
    ----------
    name, summary, citation
        What a user reads in ``exprimo models``.
    kind
        ``network``: ``build(config, shapes)`` gives a torch module that maps a dictionary of
        input tensors to (batch, outputs); it is trained by the loop. ``baseline``:
        ``build(config, task)`` gives a `Baseline`, fitted in one call.
    config
        The typed options.
    inputs
        Names of the inputs it reads.
    tasks
        What it can be trained for.
    adapt
        Chooses what the options leave open by the number of training examples; None where
        nothing is left open.
    """

    name: str
    kind: Literal["network", "baseline"]
    config: type[Config]
    build: Any
    inputs: tuple[str, ...]
    tasks: tuple[Task, ...]
    summary: str
    citation: str
    adapt: Callable[[Any, int], Config] | None = None


def get_spec(name: str) -> ModelSpec:
    """Look an architecture or baseline up by name.

    Examples
    --------
    >>> get_spec("kmer_linear").kind
    'baseline'
    """
    found = find_plug_in("exprimo.models", name, _BUILT_IN)
    if isinstance(found, str):
        module, attribute = found.split(":")
        found = getattr(import_module(module), attribute)
    if not isinstance(found, ModelSpec):
        raise ConfigError(
            "a plug-in does not offer a ModelSpec", record=name, found=type(found).__name__
        )
    return found


def all_specs() -> Iterator[ModelSpec]:
    """Go through the zoo, built-in ones first."""
    for name in dict.fromkeys([*_BUILT_IN, *plug_ins("exprimo.models")]):
        yield get_spec(name)


def default_baselines(task: Task) -> tuple[str, ...]:
    """Name the baselines that every benchmark carries without being asked.

    Examples
    --------
    >>> default_baselines("classification")
    ('majority', 'gc_content', 'kmer_linear')
    """
    return ("mean" if task == "regression" else "majority", "gc_content", "kmer_linear")
