"""How a model is trained: every choice, its default, its reason."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from exprimo.core.config import Config
from exprimo.models.zoo import Imbalance


class SplitConfig(Config):
    """Who may learn from whom."""

    strategy: str = "auto"
    """``random``, ``gene``, ``chromosome``, ``homology``, ``cell``, ``individual``,
    ``column:NAME`` or a cross such as ``gene*cell``; ``auto`` is homology where there is
    sequence, never random. ``example`` holds nothing out and is for comparison only."""
    seed: int = Field(0, ge=0)
    """Seed of the assignment of groups to parts."""
    fractions: tuple[float, float, float] = (0.8, 0.1, 0.1)
    """Shares of train, val and test."""
    test_chroms: tuple[str, ...] = ()
    """Chromosomes that judge, for ``chromosome``; empty chooses them by size."""
    val_chroms: tuple[str, ...] = ()
    """Chromosomes that tune, for ``chromosome``; empty chooses them by size."""
    test_cells: tuple[str, ...] = ()
    """Cell types that judge, for ``cell``, alone or in a cross; empty deals them out."""
    val_cells: tuple[str, ...] = ()
    """Cell types that tune, for ``cell``, alone or in a cross; empty deals them out."""


class FitConfig(Config):
    """How a network is fitted; baselines use the batch size only.

    What is unset is taken from the preset, else from what suits the model, else as written here.
    """

    epochs: int | None = Field(None, ge=1)
    """Passes through the training part; unset: about 400,000 presentations, at least 8 and at
    most 20 passes."""
    batch_size: int | None = Field(None, ge=2)
    """Examples per step; unset: a fiftieth of the training part, between 32 and 256."""
    learning_rate: float | None = Field(None, gt=0)
    """Peak of the schedule; unset: 0.006 below 10,000 training examples, 0.003 from there on."""
    optimizer: Literal["adamw", "adam"] | None = None
    """AdamW (Loshchilov & Hutter 2019), or Adam, where weight decay is a penalty on the squared
    weights; unset: adamw."""
    weight_decay: float | None = Field(None, ge=0)
    """Decay of weight matrices; biases and norms have none; unset: 0.01."""
    beta2: float | None = Field(None, ge=0, lt=1)
    """Decay of the running mean of squared gradients; unset: 0.99."""
    schedule: Literal["one-cycle", "cosine", "constant", "plateau"] | None = None
    """One-cycle warms up over a fifth of the steps; cosine starts at the peak; plateau halves the
    rate after more than two epochs without a better validation accuracy (or score, where there
    are no classes); unset: one-cycle."""
    clip: float | None = Field(None, ge=0)
    """Largest norm of the gradient; 0 does not limit it; unset: 1."""
    average: float | None = Field(None, ge=0, lt=1)
    """Decay of the moving average of the weights that is kept; 0 keeps the weights themselves;
    unset: 0.995."""
    patience: int | None = Field(None, ge=1)
    """Epochs without a better validation score before stopping; unset: 8."""
    loss: Literal["auto", "mse", "huber"] = "auto"
    """Regression loss, on the standardised target; classes always use cross-entropy."""
    imbalance: Imbalance | None = None
    """What is done about unequal classes, with training rows only: weigh the loss
    (``class_weights``), focus it on hard examples (``focal``), show examples of smaller classes
    again up to the size of the largest (``oversample``), or keep as many of each class as the
    smallest has (``downsample``). Predicted probabilities are then too high for rare classes.
    Unset: none."""
    focal_gamma: float = Field(2.0, ge=0)
    """How strongly the focal loss passes over what is already right; 0 is cross-entropy."""
    reverse_complement: Literal["none", "augment", "average", "both"] = "none"
    """Show either strand while training (augment), average both when predicting (average), or
    both; only where the assay is strand-symmetric, which promoters are not."""
    shift: int | None = Field(None, ge=0)
    """Shift sequences by up to this many bases while training (gaps are N); unset: 8 where there
    are fewer than 10,000 training examples and windows of 200 bases or more, else 0."""
    evaluate_train: bool = False
    """Note after each epoch the training loss without dropout too, of the weights that are
    judged, over at most 20,000 training examples: beside the validation loss it shows how much
    was learned by heart. Costs a pass."""
    fraction: float = Field(1.0, gt=0, le=1)
    """Share of the training part that is used, whole groups; for learning curves."""

    @model_validator(mode="after")
    def _gamma_is_used(self) -> Self:
        if self.focal_gamma != 2.0 and self.imbalance != "focal":
            raise ValueError("focal_gamma does nothing unless imbalance is focal")
        return self


class AugmentConfig(Config):
    """Generated examples of the positive class, for training alone."""

    sample: str | None = None
    """A file of ``exprimo generate sample``; unset: no augmentation."""
    ratio: float = Field(1.0, gt=0, allow_inf_nan=False)
    """Positives, real and generated together, for each negative of the training part; 1
    balances the classes."""
    insist: bool = False
    """Learn from sequences that failed the check for copies, or that nobody checked."""
    sha256: str | None = None
    """Content hash of the sample, noted when training starts: another content is refused then."""

    @model_validator(mode="after")
    def _something_to_add(self) -> Self:
        fields = type(self).model_fields
        changed = [name for name in fields if getattr(self, name) != fields[name].default]
        if self.sample is None and changed:
            raise ValueError(f"{', '.join(changed)} does nothing without augment.sample")
        return self


class MachineConfig(Config):
    """Where it runs; changes speed, and rounding."""

    device: str = "auto"
    """``cpu``, ``cuda``, ``cuda:1``, several as ``cuda:0,cuda:1``; ``auto`` takes CUDA if there
    is one."""
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    """``auto``: bf16 on CUDA and on CPUs with bf16 instructions, where it was measured to help."""
    threads: int | None = Field(None, ge=1)
    """CPU threads; unset: all cores that the process may use."""


class TrainConfig(Config):
    """One trained model. Written by ``exprimo train`` as RUN/config.toml; complete, replayable."""

    kind: Literal["train"] = "train"
    """What this file describes."""
    dataset: str
    """The dataset, an .h5 file."""
    embeddings: str | None = None
    """A store that ``exprimo embed`` made of the dataset's sequences, for models that read it."""
    model: str = "cnn"
    """A name from ``exprimo models``."""
    preset: str | None = None
    """Published settings of the model, such as ``published``: sets options and fit as its source
    has them; what you set yourself wins."""
    target: str | None = None
    """Which target; unset: the only one."""
    above: Literal["median", "cell-median"] | float | None = None
    """Learn whether a continuous target is high: above the ``median`` of the training part,
    above the ``cell-median``, that of the training examples of its own cell type, or above a
    value; unset: learn the target as it is."""
    seed: int = Field(0, ge=0)
    """Seed of weights, order and augmentation."""
    ensemble: int = Field(1, ge=1)
    """Members trained from different seeds; their spread is ``prediction_sd``."""
    members: Literal["seeds", "folds"] = "seeds"
    """How members differ: by ``seeds`` alone, all of them learning from the whole training part
    and stopping by the validation part; or by ``folds``: the training part is dealt into as many
    folds as there are members, by cell types where the split holds those out, else by whole
    groups, and each member stops by its own fold and learns from the others."""
    level: float = Field(0.9, gt=0, lt=1)
    """Coverage that conformal intervals aim for."""
    split: SplitConfig = SplitConfig()
    """Who may learn from whom."""
    fit: FitConfig = FitConfig()
    """How a network is fitted."""
    augment: AugmentConfig = AugmentConfig()
    """Generated examples that training adds to the positives."""
    machine: MachineConfig = MachineConfig()
    """Where it runs."""

    @model_validator(mode="after")
    def _folds_need_members(self) -> Self:
        if self.members == "folds" and self.ensemble < 2:
            raise ValueError("members = folds needs an ensemble of 2 or more")
        return self

    @field_validator("split", mode="before")
    @classmethod
    def _strategy_alone(cls, value: Any) -> Any:
        return {"strategy": value} if isinstance(value, str) else value

    options: dict[str, Any] = Field(default_factory=dict)
    """Options of the model; see ``exprimo models NAME``."""
