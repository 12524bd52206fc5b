"""Attention, of networks that show theirs: what was weighed, without a sign."""

from __future__ import annotations

import numpy as np
import torch

from exprimo.core.errors import ConfigError
from exprimo.core.predictor import Batch
from exprimo.interpret.attributions.method import Attributed, MethodConfig, Subject
from exprimo.scoring.attention import HasAttention, attends

# The level of weights that stand for rows and bins of which input.
_LEVEL, _ROW_LEVEL, _INPUT = "bins", "marks", "signal"


class Attention:
    """The weight of each bin of each mark, times the weight of the mark; they sum to 1."""

    def __init__(self, subject: Subject, config: MethodConfig) -> None:
        if subject.network is None or not attends(subject.network):
            raise ConfigError(
                "this model has no attention to look at",
                found=type(subject.predictor).__name__,
                expected="a network that shows its weights, such as attentive_chrome",
                remedy="Use --method integrated_gradients",
            )
        if _INPUT not in subject.names:
            raise ConfigError(
                "this network's attention is along the signal",
                record="inputs",
                found=", ".join(subject.names),
                expected=_INPUT,
            )
        self.subject = subject

    def explain(self, batch: Batch) -> Attributed:
        """Explain some examples."""
        subject = self.subject
        inputs = subject.tensors(batch)
        weights, outputs = [], []
        with torch.inference_mode():
            for member in subject.net.members:
                assert isinstance(member, HasAttention)
                found = member.attention(inputs)
                of_rows = found[_ROW_LEVEL][:, :, None]
                weights.append((found[_LEVEL] * of_rows).float().cpu().numpy())
                outputs.append(subject.output(member, inputs).cpu().numpy())
        values = np.mean(weights, axis=0).astype(np.float32)
        return Attributed(np.mean(outputs, axis=0), {_INPUT: values}, {})
