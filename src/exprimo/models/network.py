"""A network, or an ensemble of them, as a Predictor."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Literal, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from exprimo.core.dataset import SEQUENCES
from exprimo.core.errors import ConfigError, MismatchError
from exprimo.core.predictor import Batch, Prediction
from exprimo.core.sequence import N_CODE
from exprimo.models.zoo import Shapes, output_names

Precision = Literal["fp32", "bf16"]


def one_hot_table(device: torch.device) -> Tensor:
    """Give the (5, 4) table that turns codes into one-hot rows; N is all zeros."""
    return torch.cat([torch.eye(4), torch.zeros(1, 4)]).to(device)


def to_tensors(batch: Batch, table: Tensor) -> dict[str, Tensor]:
    """Move a batch to the device; sequences become one-hot (batch, 4, length) there.

    Bases travel as one byte each and are widened on the device: a sixteenth of the traffic.
    """
    tensors = {}
    for name, values in batch.items():
        moved = torch.from_numpy(np.ascontiguousarray(values)).to(table.device)
        if name in SEQUENCES:
            tensors[name] = table[moved.long()].transpose(1, 2)
        else:
            # Counts of one byte stay so: a network widens only those that it reads.
            tensors[name] = moved if moved.dtype == torch.uint8 else moved.float()
    return tensors


def flip(inputs: dict[str, Tensor]) -> dict[str, Tensor]:
    """Read the sequence from the other strand: ACGT reversed is its complement."""
    return {k: v.flip(1, 2) if k in SEQUENCES else v for k, v in inputs.items()}


def autocast(device: torch.device, precision: Precision) -> AbstractContextManager[object]:
    """Run the block in bf16 where asked for."""
    if precision == "bf16":
        return torch.autocast(device.type, torch.bfloat16)
    return nullcontext()


@runtime_checkable
class HasFeatures(Protocol):
    """A network that shows what its last linear layer reads."""

    def features(self, inputs: dict[str, Tensor]) -> Tensor:
        """Give (batch, features) for one-hot ``sequence`` and other inputs as `forward` takes."""


class NetworkPredictor:
    """Members that vote: the mean of their outputs, and their standard deviation.

    Parameters
    ----------
    members
        Trained modules of equal shape.
    shapes
        What they were built for; several classes become probabilities by a softmax.
    center, scale
        Training mean and standard deviation of the target; 0 and 1 for classes.
    both_strands
        Average the outputs of both strands (only where the assay is strand-symmetric).
    """

    def __init__(
        self,
        members: Sequence[nn.Module],
        shapes: Shapes,
        *,
        center: float = 0.0,
        scale: float = 1.0,
        both_strands: bool = False,
        device: torch.device | None = None,
        precision: Precision = "fp32",
    ) -> None:
        self.device = device or torch.device("cpu")
        self.members = [member.to(self.device).eval() for member in members]
        self.shapes = shapes
        self.center, self.scale = center, scale
        self.both_strands = both_strands
        self.precision: Precision = precision
        self.inputs = tuple(shapes.inputs)
        self.window = shapes.inputs["sequence"][0] if "sequence" in shapes.inputs else None
        self.outputs: tuple[str, ...] = output_names(shapes.task, shapes.classes)
        self._table = one_hot_table(self.device)

    @torch.inference_mode()
    def predict_members(self, batch: Batch) -> npt.NDArray[np.float32]:
        """Give every member's outputs, (members, batch, outputs), in target units."""
        self.check(batch)
        inputs = to_tensors(batch, self._table)
        with autocast(self.device, self.precision):
            found = [self.in_target_units(self._on_strands(m, inputs)) for m in self.members]
        return np.stack([values.cpu().numpy() for values in found])

    @torch.inference_mode()
    def features(self, batch: Batch) -> list[npt.NDArray[np.float32]]:
        """Give what each member's last layer reads, (batch, features) each; see `HasFeatures`."""
        self.check(batch)
        inputs = to_tensors(batch, self._table)
        found = []
        with autocast(self.device, self.precision):
            for member in self.members:
                if not isinstance(member, HasFeatures):
                    raise ConfigError(
                        "this network does not show the features that its last layer reads",
                        record=type(member).__name__,
                        expected="a method features(inputs) -> (batch, features)",
                        remedy="Choose another network",
                    )
                found.append(self._on_strands(member.features, inputs).cpu().numpy())
        return found

    def predict(self, batch: Batch) -> Prediction:
        """Predict the mean over members; ``sd`` is NaN for a single one."""
        members = self.predict_members(batch)
        mean = members.mean(0)
        sd = members.std(0, ddof=1) if len(members) > 1 else np.full_like(mean, np.nan)
        return Prediction(mean, sd)

    def in_target_units(self, raw: Tensor) -> Tensor:
        """Turn a member's raw outputs, (n, outputs), into probabilities or target units."""
        if self.shapes.task == "multiclass":
            return torch.softmax(raw, dim=1)
        if self.shapes.task == "classification":
            return torch.sigmoid(raw)
        return raw * self.scale + self.center

    def _on_strands(self, read: Callable[[dict[str, Tensor]], Tensor], inputs: Any) -> Tensor:
        found: Tensor = read(inputs).float()
        if self.both_strands:
            found = (found + read(flip(inputs)).float()) / 2
        return found

    def check(self, batch: Batch) -> None:
        """Refuse a batch of other inputs, shapes or codes than the network was built for."""
        for name, shape in self.shapes.inputs.items():
            found = batch[name].shape[1:] if name in batch else None
            if found != tuple(shape):
                raise MismatchError(
                    f"the model reads another {name}",
                    found="no such input" if found is None else f"shape {found}",
                    expected=f"shape {tuple(shape)}",
                    remedy="Build the dataset with the "
                    + ("window" if name == "sequence" else f"columns of {name}")
                    + " that the model was trained on",
                )
        for name in SEQUENCES:
            if name in batch and batch[name].size and batch[name].max() > N_CODE:
                raise MismatchError("a base code above 4", expected="A, C, G, T, N = 0..4")
