"""The loss of a task: squared or Huber error, cross-entropy, weighted or focal."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from exprimo.models.zoo import Task

Floats = npt.NDArray[np.float64]
_LEAST_PROBABILITY = 1e-7


class Objective(NamedTuple):
    """What training makes small.

    Attributes
    ----------
    task, huber
        Classes have cross-entropy; numbers the squared error, or Huber's.
    center, scale
        Of the training target, for numbers.
    weights, validation_weights
        By class, (classes,), in training and on validation; None: all count alike.
    gamma
        Of the focal loss, (1 - p)^gamma times the cross-entropy, p that of the true class
        (Lin et al. 2017, eq. 4); None: plain cross-entropy.
    """

    task: Task
    huber: bool = False
    center: float = 0.0
    scale: float = 1.0
    weights: Floats | None = None
    validation_weights: Floats | None = None
    gamma: float | None = None

    def loss(self, raw: Tensor, wanted: Tensor) -> Tensor:
        """Give the mean loss of outputs, (batch, outputs), against targets, (batch,).

        Examples
        --------
        >>> raw = torch.zeros(2, 1)
        >>> round(Objective("classification").loss(raw, torch.tensor([0.0, 1.0])).item(), 4)
        0.6931
        """
        if self.task == "regression":
            standard = (wanted - self.center) / self.scale
            measure = nn.functional.huber_loss if self.huber else nn.functional.mse_loss
            return measure(raw[:, 0], standard)
        if self.task == "classification":
            each = nn.functional.binary_cross_entropy_with_logits(
                raw[:, 0], wanted, reduction="none"
            )
        else:
            each = nn.functional.cross_entropy(raw, wanted.long(), reduction="none")
        if self.gamma is not None:
            # 1 - p without loss of digits; its power must not start at 0, where gamma below 1
            # has no slope.
            each = (-torch.expm1(-each)).clamp(min=1e-8) ** self.gamma * each
        if self.weights is not None:
            by_class = torch.as_tensor(self.weights, dtype=each.dtype, device=each.device)
            each = each * by_class[wanted.long()]
        return each.mean()

    def validation_loss(self, target: npt.NDArray[Any], predicted: npt.NDArray[Any]) -> float:
        """Give the loss of predictions, (rows, outputs), on the scale of the training loss.

        Examples
        --------
        >>> Objective("regression", scale=2.0).validation_loss(np.array([2.0]), np.array([[0.0]]))
        1.0
        """
        if self.task == "regression":
            error = np.abs(target - predicted[:, 0]) / self.scale
            if self.huber:
                return float(np.mean(np.where(error < 1, 0.5 * error**2, error - 0.5)))
            return float(np.mean(error**2))
        code = target.astype(np.int64)
        p = predicted.astype(np.float64)
        if self.task == "classification":
            p = np.column_stack([1 - p[:, 0], p[:, 0]])
        of_truth = np.clip(p[np.arange(len(code)), code], _LEAST_PROBABILITY, 1)
        each = -np.log(of_truth)
        if self.gamma is not None:
            each = (1 - of_truth) ** self.gamma * each
        if self.validation_weights is not None:
            each = each * self.validation_weights[code]
        return float(np.mean(each))
