"""The zoo: name -> typed config and class, built in or from an installed plug-in."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from exprimo.core.config import Config
from exprimo.core.dataset import Dataset
from exprimo.core.errors import ConfigError
from exprimo.core.predictor import find_plug_in, plug_ins

Task = Literal["regression", "classification", "multiclass"]
Kind = Literal["network", "baseline", "hybrid"]
Imbalance = Literal["none", "class_weights", "focal", "oversample", "downsample"]

# Each file of models/ that holds an architecture or a baseline ends with its SPEC.
_BUILT_IN = {
    "mean": "exprimo.models.baselines.constant:MEAN",
    "majority": "exprimo.models.baselines.constant:MAJORITY",
    "gc_content": "exprimo.models.baselines.gc_content:SPEC",
    "kmer_linear": "exprimo.models.baselines.kmer_linear:SPEC",
    "mean_expression": "exprimo.models.baselines.mean_expression:SPEC",
    "onehot_xgboost": "exprimo.models.baselines.onehot_xgboost:SPEC",
    "cnn": "exprimo.models.cnn:SPEC",
    "cnn2d": "exprimo.models.differential.cnn2d:SPEC",
    "cnn_bilstm": "exprimo.models.differential.cnn_bilstm:SPEC",
    "transformer": "exprimo.models.differential.transformer:SPEC",
    "cnn_xgboost": "exprimo.models.cnn_xgboost:SPEC",
    "halflife_cnn": "exprimo.models.halflife.halflife_cnn:SPEC",
    "cnn_only": "exprimo.models.halflife.cnn_only:SPEC",
    "lstm": "exprimo.models.halflife.lstm:SPEC",
    "autoencoder_xgboost": "exprimo.models.halflife.autoencoder_xgboost:SPEC",
    "xpresso": "exprimo.models.xpresso:SPEC",
    "enformer": "exprimo.models.pretrained.enformer.tuning:SPEC",
    "gene_mean": "exprimo.models.baselines.chromatin.gene_mean:SPEC",
    "mark_sum": "exprimo.models.baselines.chromatin.mark_sum:SPEC",
    "bins_ridge": "exprimo.models.baselines.chromatin.bins_ridge:SPEC",
    "bins_boosting": "exprimo.models.baselines.chromatin.bins_boosting:SPEC",
    "histone_fcn": "exprimo.models.chromatin.histone_fcn:SPEC",
    "deepchrome": "exprimo.models.chromatin.deepchrome:SPEC",
    "attentive_chrome": "exprimo.models.chromatin.attentive_chrome:SPEC",
    "histone_autoencoder": "exprimo.models.chromatin.histone_autoencoder:SPEC",
    "histone_crnn": "exprimo.models.chromatin.histone_crnn:SPEC",
}


class Shapes(NamedTuple):
    """What a network is built for: input name -> shape of one row, and its task.

    ``n_outputs`` is 1, or the number of ``classes`` of a multiclass target.
    """

    inputs: Mapping[str, tuple[int, ...]]
    task: Task
    n_outputs: int = 1
    classes: tuple[str, ...] = ()


class Preset(NamedTuple):
    """Settings that somebody published: options of the model, and of ``fit``; ``note`` says whose.

    Both are complete as far as the source describes them; what a user sets wins over them.
    """

    options: Mapping[str, Any]
    fit: Mapping[str, Any]
    note: str


_NOTHING: Mapping[str, Any] = MappingProxyType({})


class ModelSpec(NamedTuple):
    """An entry of the zoo.

    Attributes
    ----------
    name, summary, citation
        What a user reads in ``exprimo models``.
    kind
        ``network``: ``build(config, shapes)`` gives a torch module that maps a dictionary of
        input tensors to (batch, outputs); it is trained by the loop. ``baseline``:
        ``build(config, task)`` gives a `Baseline`, fitted in one call; for a multiclass target
        ``build(config, task, classes)``. ``hybrid``: a network that the loop trains;
        ``build(network, trees)`` joins it and the trees on its features.
    config
        The typed options.
    inputs
        Names of the inputs it reads.
    tasks
        What it can be trained for.
    adapt
        Chooses what the options leave open by the number of training examples; None where
        nothing is left open.
    imbalance
        The ways of ``fit.imbalance`` that a baseline heeds; the loop sees to all of them for
        networks and hybrids.
    network
        Of a hybrid: which network its options name, and that network's options.
    presets
        Published settings by name, such as ``published``.
    rival
        Whether it stands in tables as what others must beat; unset: baselines do.
    fit
        Settings of ``fit`` that suit this model better than those for all, where they are open.
    reads
        Options -> names of the inputs that are read, where options decide; ``inputs`` then names
        those of the defaults.
    settle
        Fills options that the training examples decide without their targets, such as a
        vocabulary: (options, dataset, training rows) -> options. `settles` names the option.
    settles
        Option -> name of what was learned, for the ledger.
    cites
        Options -> citation of what they use, where it depends on them; ``citation`` names all.
    from_file
        Whether it is built on published weights, so that nothing is known of it without them.
    unlabelled
        Whether the network learns all it learns without labels, before the loop (see
        `exprimo.models.pretext`).
    """

    name: str
    kind: Kind
    config: type[Config]
    build: Any
    inputs: tuple[str, ...]
    tasks: tuple[Task, ...]
    summary: str
    citation: str
    adapt: Callable[[Any, int], Config] | None = None
    imbalance: tuple[Imbalance, ...] = ()
    network: Callable[[Any], tuple[ModelSpec, Config]] | None = None
    presets: Mapping[str, Preset] = _NOTHING
    fit: Mapping[str, Any] = _NOTHING
    rival: bool | None = None
    reads: Callable[[Any], tuple[str, ...]] | None = None
    settle: Callable[[Any, Dataset, npt.NDArray[np.int64]], Config] | None = None
    settles: Mapping[str, str] = _NOTHING
    unlabelled: bool = False
    cites: Callable[[Any], str] | None = None
    from_file: bool = False

    def inputs_read(self, options: Config) -> tuple[str, ...]:
        """Name the inputs that a model with these options reads."""
        return self.inputs if self.reads is None else self.reads(options)

    def cited(self, options: Config) -> str:
        """Give the sources of what a model with these options uses.

        Examples
        --------
        >>> spec = get_spec("halflife_cnn")
        >>> spec.cited(spec.config.checked({"halflife": "encoded"}))
        'Schroff et al. 2015 for the triplet loss'
        """
        return self.citation if self.cites is None else self.cites(options)

    @property
    def role(self) -> Literal["model", "baseline"]:
        """Tell a contender from what it must beat."""
        rival = self.kind == "baseline" if self.rival is None else self.rival
        return "baseline" if rival else "model"


def trained_network(spec: ModelSpec, options: Config) -> tuple[ModelSpec, Config]:
    """Give what the loop trains: a network itself, or the one inside a hybrid."""
    return (spec, options) if spec.network is None else spec.network(options)


def find_preset(spec: ModelSpec, name: str | None) -> Preset:
    """Look published settings of a model up by name; None is a preset without settings.

    Examples
    --------
    >>> find_preset(get_spec("cnn2d"), "published").fit["epochs"]
    20
    """
    if name is None:
        return Preset({}, {}, "")
    if name not in spec.presets:
        raise ConfigError(
            f"{spec.name} has no such preset",
            record="preset",
            found=name,
            expected=" or ".join(spec.presets) or "none: this model has no presets",
            remedy=f"See them with: exprimo models {spec.name}",
        )
    return spec.presets[name]


def build_baseline(spec: ModelSpec, options: Config, task: Task, classes: tuple[str, ...]) -> Any:
    """Make an unfitted baseline; only those for several classes are told their names."""
    return spec.build(options, task, classes) if classes else spec.build(options, task)


def output_names(task: Task, classes: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Name what a model of a task gives, in order.

    Examples
    --------
    >>> output_names("classification"), output_names("multiclass", ("down", "none", "up"))
    (('probability',), ('down', 'none', 'up'))
    """
    if task == "multiclass":
        return classes
    return ("probability",) if task == "classification" else ("value",)


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
