"""How a generator is fitted: every choice, its default, its reason."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from exprimo.core.config import Config
from exprimo.training.config import MachineConfig, SplitConfig

USUAL_MINUTES = 30.0
USUAL_WATCH = 0.05


class GeneratorFit(Config):
    """How the loop runs; what is unset follows from the family and the training examples."""

    steps: int | None = Field(None, ge=5)
    """Updates in all; unset: as many as ``minutes`` allow."""
    minutes: float | None = Field(None, gt=0)
    """Time in all, instead of steps; unset, and no steps either: 30. The number of steps is
    settled when 78% of the time are gone, and stored, so that a replay needs no clock."""
    batch_size: int | None = Field(None, ge=2)
    """Sequences per step; unset: about 10,000 bases (5,000 for `gan`), between 8 and 128
    sequences."""
    learning_rate: float | None = Field(None, gt=0)
    """Rate after the first steps; unset: as the family has it."""
    schedule: Literal["decay", "constant"] | None = None
    """``decay``: constant, and a straight line to zero over the last fifth of the steps;
    ``constant``: to the end; unset: as the family has it, else decay."""
    warm_up: int | None = Field(None, ge=0)
    """Steps over which the rate rises in a straight line; unset: as the family has it, else 100."""
    average: float | None = Field(None, ge=0, lt=1)
    """Decay of the moving average of the weights, which is what samples; unset: 0.999."""
    every: int | None = Field(None, ge=1)
    """Steps between checkpoints; unset: a twentieth of ``steps``, or about 20
    seconds (at most a twentieth of ``minutes``), settled after the first ten steps."""
    watch: float | None = Field(None, ge=0, lt=0.5)
    """Share of the training examples, whole groups, that are not learned from but watched: the
    averaged weights that fit them best are kept, so that a small set is not learned by heart.
    Unset: 0.05, and 0 for a family that cannot tell how well it fits, which learns from all and
    keeps its last weights, as 0 does for the others."""

    @model_validator(mode="after")
    def _one_budget(self) -> Self:
        if self.steps is not None and self.minutes is not None:
            raise ValueError("give a budget in steps or in minutes, not both")
        return self


class GenerateConfig(Config):
    """One fitted generator. Written by ``exprimo generate fit`` as GEN/config.toml; replayable."""

    kind: Literal["generate"] = "generate"
    """What this file describes."""
    dataset: str
    """The dataset, an .h5 file with sequences."""
    generator: str = "diffusion"
    """The family: ``diffusion``, or another that ``exprimo generate fit -h`` names."""
    label: str | None = None
    """Learn from training examples of this class only, such as ``1``, without a condition."""
    condition: str | None = None
    """A target to ask sequences by: its classes, or its values."""
    target: str | None = None
    """The target that ``label`` is a class of; unset: the only one."""
    like: str | None = None
    """A Run whose split says what may be learned from, instead of ``split``."""
    seed: int = Field(0, ge=0)
    """Seed of weights, order and noise."""
    split: SplitConfig = SplitConfig()
    """Who may learn from whom, as for training."""
    fit: GeneratorFit = GeneratorFit()
    """How the loop runs."""
    machine: MachineConfig = MachineConfig()
    """Where it runs."""
    options: dict[str, Any] = Field(default_factory=dict)
    """Options of the family."""

    @field_validator("split", mode="before")
    @classmethod
    def _strategy_alone(cls, value: Any) -> Any:
        return {"strategy": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _one_selection(self) -> Self:
        if self.label is not None and self.condition is not None:
            raise ValueError("learn one class (label), or be asked by a target (condition)")
        if self.like is not None and self.split != SplitConfig():
            raise ValueError("a run says the split (like), so split must not say another")
        if self.target is not None and self.label is None:
            raise ValueError("target says what label is a class of; ask by one with condition")
        return self
