"""DeepLIFT by its rescale rule; with shuffled references, the mean over them.

Shrikumar, Greenside & Kundaje 2017; the mean over references as in Lundberg & Lee 2017.
"""

from __future__ import annotations

import torch

from exprimo.core.predictor import Batch
from exprimo.interpret.attributions.integrated import rows_at_once
from exprimo.interpret.attributions.method import MIB, Attributed, MethodConfig, Subject
from exprimo.interpret.attributions.models.together import side_by_side
from exprimo.interpret.attributions.references import (
    Inputs,
    Multipliers,
    explain_by_references,
)
from exprimo.interpret.attributions.rules import RescaleRule, held
from exprimo.scoring.gradients import bytes_per_example, differentiable
from exprimo.scoring.layers import block_rows

# An example and its reference; and what a rule keeps of both beside what torch keeps.
_PER_PAIR = 4


class DeepLift:
    """Multipliers flow back from the output in place of slopes."""

    def __init__(self, subject: Subject, config: MethodConfig) -> None:
        self.subject, self.config = subject, config
        cost = _PER_PAIR * bytes_per_example(subject.net, subject.names)
        self._pairs = min(block_rows(config.memory * MIB, cost), max(1, rows_at_once(subject) // 2))

    def explain(self, batch: Batch) -> Attributed:
        """Explain some examples."""
        return explain_by_references(
            self.subject, self.config, batch, self._pairs, self._multipliers
        )

    def _multipliers(self, given: Inputs, reference: Inputs) -> Multipliers:
        subject, names = self.subject, self.subject.names
        n, members = len(next(iter(given.values()))), subject.net.members
        totals = {name: torch.zeros_like(given[name]) for name in names}
        output, at_reference = torch.zeros(n), torch.zeros(n)
        with torch.inference_mode(False), torch.enable_grad(), differentiable(subject.net):
            for member in members:
                both = {name: torch.cat([given[name], reference[name]]) for name in given}
                leaves = {
                    name: values.requires_grad_() if name in names else values
                    for name, values in both.items()
                }
                together = side_by_side(member)
                with held(together):
                    with RescaleRule(2 * n):
                        out = subject.output(together, leaves)
                    asked = [leaves[name] for name in names]
                    slopes = torch.autograd.grad(out[:n].sum(), asked, materialize_grads=True)
                for name, slope in zip(names, slopes, strict=True):
                    totals[name] += slope[:n] / len(members)
                found = out.detach().cpu() / len(members)
                output, at_reference = output + found[:n], at_reference + found[n:]
        return Multipliers(totals, output, at_reference)
