"""What a benchmark compares."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from exprimo.core.config import Config
from exprimo.models import get_spec
from exprimo.training import FitConfig, MachineConfig
from exprimo.training.config import AugmentConfig


class ComparisonConfig(Config):
    """Models × splits × seeds; the baselines come without being asked."""

    target: str | None = None
    """Which target; unset: the only one."""
    above: Literal["median", "cell-median"] | float | None = None
    """Learn whether a continuous target is high: above the ``median`` of the training part,
    above the ``cell-median``, that of the training examples of its own cell type, or above a
    value; unset: learn the target as it is."""
    question: str = ""
    """What the report asks in its first line; unset: made from the target."""
    models: tuple[str, ...] = ("cnn",)
    """Names from ``exprimo models``; mean or majority are added, and where there is sequence
    gc_content and kmer_linear."""
    splits: tuple[str, ...] = Field(("auto",), min_length=1)
    """Strategies to compare, the headline first: auto, random, chromosome, homology, cell,
    individual, column:NAME, or a cross such as gene*cell; example is for comparison only."""
    seeds: int = Field(1, ge=1)
    """Runs of each network from different seeds; intervals then include the spread."""
    seed: int = Field(0, ge=0)
    """First of the seeds; also the seed of the splits."""
    fractions: tuple[float, ...] = ()
    """Shares of the training part for a learning curve of the last model, such as 0.25, 0.5."""
    ensemble: int = Field(1, ge=1)
    """Members of each network."""
    members: Literal["seeds", "folds"] = "seeds"
    """How the members of a network differ: by ``seeds``, or by ``folds`` of the training part, of
    which each stops by its own and learns from the others."""
    test_chroms: tuple[str, ...] = ()
    """Chromosomes that judge, where the split is chromosome."""
    val_chroms: tuple[str, ...] = ()
    """Chromosomes that tune, where the split is chromosome."""
    test_cells: tuple[str, ...] = ()
    """Cell types that judge, where the split holds cell types out."""
    val_cells: tuple[str, ...] = ()
    """Cell types that tune, where the split holds cell types out."""
    ceiling: float | None = None
    """Best possible value of the headline metric, where it is known (replicates, simulation)."""
    ceiling_source: str = ""
    """Where the ceiling comes from."""
    embeddings: str | None = None
    """A store that ``exprimo embed`` made of the dataset's sequences, for models that read it."""
    options: dict[str, dict[str, Any]] = Field(default_factory=dict)
    """Options by model; see exprimo models NAME."""
    presets: dict[str, str] = Field(default_factory=dict)
    """Presets by model, such as published; what fit and options set wins over them."""
    variants: dict[str, str] = Field(default_factory=dict)
    """Rows that are a model with options or a preset of their own: name of the row -> name from
    ``exprimo models``. The row is listed under models, and its options stand under its name."""
    rivals: tuple[str, ...] = ()
    """Rows that the others must beat, beside the baselines."""
    fit: FitConfig = FitConfig()
    """How networks are fitted."""
    machine: MachineConfig = MachineConfig()
    """Where it runs."""

    def entry(self, row: str) -> str:
        """Give the name in the zoo of a row of the table."""
        return self.variants.get(row, row)

    def role(self, row: str) -> Literal["model", "baseline"]:
        """Tell a contender from what it must beat."""
        return "baseline" if row in self.rivals else get_spec(self.entry(row)).role


class BenchmarkConfig(ComparisonConfig):
    """A comparison of models on one dataset, as ``exprimo benchmark`` makes it."""

    kind: Literal["benchmark"] = "benchmark"
    """What this file describes."""
    dataset: str
    """The dataset, an .h5 file."""
    augment: dict[str, dict[str, Any]] = Field(default_factory=dict)
    """Rows that learn from generated positives besides: name of the row -> ``sample``, ``ratio``
    and ``insist``, as training takes them. Make such a row with variants, so that its model
    stands beside it without; ``fit.imbalance`` is for the other rows. A generator knows one split,
    so name one under splits."""

    @field_validator("augment")
    @classmethod
    def _as_training_takes_them(cls, rows: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
        for own in rows.values():
            AugmentConfig.model_validate(own)
        return rows

    @model_validator(mode="after")
    def _one_split_of_a_generator(self) -> Self:
        if self.augment and len(set(self.splits)) > 1:
            raise ValueError(
                "generated sequences belong to the split that their generator was fitted on: "
                f"name one split, not {', '.join(self.splits)}"
            )
        return self

    def augment_of(self, row: str) -> AugmentConfig:
        """Give the generated positives that a row learns from; none for most."""
        return AugmentConfig.checked(self.augment.get(row, {}))
