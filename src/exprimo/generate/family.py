"""What every family of generators offers, and what it is built for.

To add a family:

1. Put its networks into ``generate/networks/`` (torch modules, no loops).
2. Write a class in ``generate/families/`` with what `Family` asks for. It owns its optimisers, so
   that one with two networks steps each as its method wants. It keeps no state but its weights
   and its optimisers' moments, and draws with torch's default generator only: the loop seeds that
   before each step, which is why a resumed fit ends as an unbroken one.
3. End the file with a `FamilySpec` named ``SPEC``, and name it in ``generate/registry.py``.

A family that can tell how well it fits sequences it has not learned from also has `HasLoss`; one
that can rank what it made has `Ranks`. The contract tests in ``tests/unit/generate`` run over all
names in the registry.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from exprimo.core.config import Config
from exprimo.generate.conditioning import Conditioning
from exprimo.models.network import Precision


class Layout(NamedTuple):
    """What a family is built for.

    ``length`` is that of every sequence, in bases; any length must do.
    """

    length: int
    conditioning: Conditioning
    device: torch.device
    precision: Precision


class Family(Protocol):
    """One kind of generator: networks, objective, sampler.

    Sequences are codes A, C, G, T = 0..3, (batch, length) uint8, on the layout's device. A
    condition is (batch,) float32: the number of a class, or a standardised value
    (`Conditioning.coded`); None where the layout has none.
    """

    @property
    def module(self) -> nn.Module:
        """All weights, in one module; the loop keeps their moving average, which samples."""

    @property
    def optimizers(self) -> Sequence[torch.optim.Optimizer]:
        """Of Adam's kind, in a fixed order; the loop scales rates and stores moments."""

    def update(self, codes: Tensor, condition: Tensor | None) -> dict[str, float]:
        """Learn from one batch: one step of every optimiser that is due; give named losses."""

    def sample(self, n: int, condition: Tensor | None, *, steps: int, guidance: float) -> Tensor:
        """Draw ``n`` sequences, (n, length) uint8 codes of A, C, G, T.

        ``steps`` is the number of passes of a sampler that has a choice (else 1), ``guidance``
        the weight of the condition (1: as learned).
        """


@runtime_checkable
class HasLoss(Protocol):
    """A family that says how well it fits sequences."""

    def loss(self, codes: Tensor, condition: Tensor | None) -> Tensor:
        """Give the loss of each sequence, (batch,), in evaluation mode; lower is better."""


@runtime_checkable
class Ranks(Protocol):
    """A family that ranks sequences, such as by its discriminator."""

    def score(self, codes: Tensor, condition: Tensor | None) -> Tensor:
        """Give a score per sequence, (batch,); the higher, the more like a real one."""


@runtime_checkable
class Steers(Protocol):
    """A family whose sampler can be steered by what something else says of sequences."""

    def steered(
        self,
        n: int,
        condition: Tensor | None,
        *,
        steps: int,
        guidance: float,
        draws: int,
        distance: Callable[[Tensor], Tensor],
    ) -> Tensor:
        """Draw as `Family.sample` does, and choose among ``draws`` continuations at each pass.

        ``distance`` takes whole sequences, (batch, length) uint8, and gives how far each is from
        what is wanted, (batch,).
        """


@runtime_checkable
class Rehearses(Protocol):
    """A family whose networks keep statistics of what they read, as those with batch norm do.

    Averaged weights read other numbers than those they were averaged from, so the loop has the
    statistics taken anew for them.
    """

    def rehearse(self, n: int, condition: Tensor | None) -> None:
        """Make ``n`` sequences as in training, so that statistics are taken; learn nothing."""


_NOTHING: Mapping[str, Any] = MappingProxyType({})


class FamilySpec(NamedTuple):
    """An entry of the registry.

    Attributes
    ----------
    name, summary, citation
        What a user reads.
    options
        The typed options.
    build
        (options, layout) -> an untrained `Family`. The loop has seeded torch before.
    steps
        Length in bases -> the sampler's usual number of steps; None where it has no choice.
    most
        Length in bases -> the number of steps beyond which more change nothing.
    guided
        Whether a condition can be weighed more (or less) than it was learned.
    fit
        Settings of `GeneratorFit` that suit this family better than those for all. One without
        `HasLoss` has ``watch`` 0: nothing can be watched, so it learns from all.
    in_nats
        Whether its loss is in nats per base, to be put beside that of drawing bases at random.
    bases
        About how many bases a step shows, where no size of batch is set.
    """

    name: str
    summary: str
    citation: str
    options: type[Config]
    build: Callable[[Any, Layout], Family]
    steps: Callable[[int], int] | None = None
    most: Callable[[int], int] | None = None
    guided: bool = False
    fit: Mapping[str, Any] = _NOTHING
    in_nats: bool = False
    bases: int = 10_000
