"""What is explained, what a method gives, and the methods by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Literal, NamedTuple, Protocol

import numpy as np
from pydantic import Field
from torch import Tensor, nn

from exprimo.core.config import Config
from exprimo.core.dataset import SEQUENCES, Dataset
from exprimo.core.errors import ConfigError
from exprimo.core.predictor import Batch, Floats, Predictor
from exprimo.models.network import NetworkPredictor, one_hot_table, to_tensors
from exprimo.models.zoo import Task
from exprimo.scoring.gradients import explained, on_strands

MethodName = Literal[
    "gradient_x_input",
    "saliency",
    "absolute_saliency",
    "integrated_gradients",
    "deeplift",
    "mutagenesis",
    "attention",
]

MIB = 1 << 20
MOST_STEPS = 4096


class MethodConfig(Config):
    """How contributions are made; together with the model and the example it decides them."""

    method: MethodName = "gradient_x_input"
    """Which method."""
    inputs: tuple[str, ...] = ()
    """Inputs that are explained; none: all that the model reads."""
    output: str | None = None
    """Which output; needed only of several classes."""
    references: int = Field(20, ge=1)
    """Shuffled references of each sequence (``integrated_gradients``, ``deeplift``)."""
    background: Literal["shuffled", "zeros", "uniform"] = "shuffled"
    """What a sequence is compared with: itself with its dinucleotides shuffled, nothing (N), or a
    quarter of each base."""
    baseline: Literal["mean", "zeros"] = "mean"
    """What other inputs are compared with: their mean over training examples, or zeros."""
    steps: int = Field(16, ge=2, le=MOST_STEPS)
    """Points on the way from a reference to the example (``integrated_gradients``)."""
    max_delta: float = Field(0.1, gt=0)
    """Refuse contributions whose sum misses the change of the output by more than this share."""
    centred: bool = False
    """Take the mean over the four bases off each position's gradient."""
    seed: int = Field(0, ge=0)
    """Of the shuffles."""
    memory: int = Field(1024, ge=64)
    """MiB that a block of examples may take beside the network."""


class Convergence(NamedTuple):
    """How well contributions add up, each (n,).

    Attributes
    ----------
    delta
        Sum of the contributions less the change of the output, means over the references.
    difference
        Output less that of the reference, mean over the references.
    missed, moved
        Means over the references of the sizes of both.
    """

    delta: Floats
    difference: Floats
    missed: Floats
    moved: Floats


class Attributed(NamedTuple):
    """Contributions of some examples, in their order.

    Attributes
    ----------
    outputs
        The explained output, (n,), on its raw scale.
    values
        Input name -> contributions, (n, *shape); of a sequence (n, length), those of the bases
        that are there, 0 at N.
    hypothetical
        Sequence input -> (n, 4, length) in the order ACGT: what each base would contribute.
        Empty where the method has none.
    convergence
        Where the method promises that contributions add up, else None.
    """

    outputs: Floats
    values: Mapping[str, Floats]
    hypothetical: Mapping[str, Floats]
    convergence: Convergence | None = None


class Kmers(NamedTuple):
    """What a linear model counts: k-mers of length ``k``, both strands as one if ``canonical``."""

    k: int
    canonical: bool


@dataclass(frozen=True)
class Subject:
    """A model, and which of its outputs is explained by which of its inputs.

    Attributes
    ----------
    predictor
        The model as it predicts.
    network
        The network behind it; None where there is none.
    names
        Inputs that are explained.
    index, kind
        Number of the output, and the model's task.
    inputs_of
        Inputs as stored -> inputs as the network reads them.
    baselines
        Mean over training examples of inputs that are numbers, (*shape).
    kmers
        Of a linear model on k-mer counts what it counts, else None.
    """

    predictor: Predictor
    network: NetworkPredictor | None
    names: tuple[str, ...]
    index: int
    kind: Task
    inputs_of: Callable[[Batch], Batch]
    baselines: Mapping[str, Floats]
    kmers: Kmers | None = None

    @property
    def linear(self) -> bool:
        """Whether the explained output is linear in counts of k-mers."""
        return self.kmers is not None and self.kind != "multiclass"

    @property
    def net(self) -> NetworkPredictor:
        """The network, or an error that says that there is none to differentiate."""
        if self.network is None:
            raise ConfigError(
                "this model cannot be differentiated",
                found=type(self.predictor).__name__,
                expected="a network, such as cnn",
                remedy="Explain it with: --method mutagenesis"
                + (", or gradient_x_input, which here is exact" if self.linear else ""),
            )
        return self.network

    def tensors(self, batch: Batch) -> dict[str, Tensor]:
        """Give what the network reads, on its device; sequences one-hot (n, 4, length)."""
        given = self.inputs_of(batch)
        self.net.check(given)
        found = to_tensors(given, one_hot_table(self.net.device))
        return {k: v.float() if k in self.names else v for k, v in found.items()}

    def output(self, member: nn.Module, inputs: dict[str, Tensor]) -> Tensor:
        """Give the explained output of a member, (n,)."""
        return explained(on_strands(self.net, member, inputs), self.index, self.kind)


class Method(Protocol):
    """Makes contributions."""

    def __init__(self, subject: Subject, config: MethodConfig) -> None: ...

    def explain(self, batch: Batch) -> Attributed:
        """Explain some examples, inputs as stored, name -> (n, ...)."""


_METHODS = {
    "gradient_x_input": "slopes:GradientTimesInput",
    "saliency": "slopes:Saliency",
    "absolute_saliency": "slopes:AbsoluteSaliency",
    "integrated_gradients": "integrated:IntegratedGradients",
    "deeplift": "deeplift:DeepLift",
    "mutagenesis": "mutants:Mutagenesis",
    "attention": "attention:Attention",
}

# Of a linear model the weights themselves say it, exactly.
_OF_KMERS = {"gradient_x_input": "models.kmer_weights:KmerWeights"}

METHOD_TITLES: Mapping[str, str] = {
    "gradient_x_input": "gradient × input",
    "saliency": "gradient",
    "absolute_saliency": "absolute gradient",
    "integrated_gradients": "integrated gradients",
    "deeplift": "DeepLIFT",
    "mutagenesis": "exact mutagenesis",
    "attention": "attention",
}


def make_method(subject: Subject, config: MethodConfig) -> Method:
    """Make the method that a configuration names."""
    found = _METHODS[config.method]
    if subject.linear:
        found = _OF_KMERS.get(config.method, found)
    module, _, name = found.partition(":")
    kind: Any = getattr(import_module(f"exprimo.interpret.attributions.{module}"), name)
    made: Method = kind(subject, config)
    return made


def training_means(dataset: Dataset, names: tuple[str, ...], rows: Any) -> dict[str, Floats]:
    """Give the mean over examples of each input that is no sequence, (*shape), in float32."""
    found = {}
    for name in names:
        if name in SEQUENCES:
            continue
        total, known = np.zeros(dataset.inputs[name].shape), np.zeros(dataset.inputs[name].shape)
        for start in range(0, len(rows), 1024):
            values = dataset.rows(name, rows[start : start + 1024]).astype(np.float64)
            total += np.nansum(values, axis=0)
            known += np.isfinite(values).sum(0)
        found[name] = (total / np.maximum(known, 1)).astype(np.float32)
    return found
