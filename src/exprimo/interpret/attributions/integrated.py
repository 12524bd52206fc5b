"""Integrated gradients: the mean gradient on the straight way from a reference to the example.

Sundararajan, Taly & Yan 2017, equation 1. The mean is taken at the nodes of a Gauss-Legendre
rule. Along a straight way whatever is linear is straight too: of ``cnn`` the first convolution is
computed at both ends alone, and its gradient is carried back once for a whole way.
"""

from __future__ import annotations

from copy import deepcopy
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, conv_transpose2d
from torch.nn.utils.fusion import fuse_conv_bn_eval, fuse_linear_bn_eval

from exprimo.core.predictor import Batch
from exprimo.interpret.attributions.method import MIB, Attributed, MethodConfig, Subject
from exprimo.interpret.attributions.references import (
    Inputs,
    Multipliers,
    explain_by_references,
)
from exprimo.interpret.attributions.rules import held
from exprimo.models.cnn import Cnn, MaxPool, MotifScan, Sharpen
from exprimo.scoring.gradients import bytes_per_example, differentiable, explained
from exprimo.scoring.layers import block_rows

# Rows at once that a CPU's caches hold: more are slower, not faster.
_BASES_AT_ONCE, _FEWEST = 131_072, 16


class IntegratedGradients:
    """Multipliers are mean gradients along the way; they add up as far as the steps allow."""

    def __init__(self, subject: Subject, config: MethodConfig) -> None:
        self.subject, self.config = subject, config
        rows = block_rows(config.memory * MIB, bytes_per_example(subject.net, subject.names))
        self._rows = min(rows, rows_at_once(subject))
        self._members = [fused(member) for member in subject.net.members]
        alone = subject.names == ("sequence",) and not subject.net.both_strands
        self._stems = [stem_of(member) if alone else None for member in self._members]
        nodes, weights = np.polynomial.legendre.leggauss(config.steps)
        self._nodes = torch.tensor((nodes + 1) / 2, dtype=torch.float32)
        self._weights = torch.tensor(weights / 2, dtype=torch.float32)

    def explain(self, batch: Batch) -> Attributed:
        """Explain some examples."""
        pairs = max(1, self._rows // self.config.steps)
        return explain_by_references(self.subject, self.config, batch, pairs, self._multipliers)

    def _multipliers(self, given: Inputs, reference: Inputs) -> Multipliers:
        subject, names = self.subject, self.subject.names
        n = len(next(iter(given.values())))
        totals = {name: torch.zeros_like(given[name]) for name in names}
        output, at_reference = torch.zeros(n), torch.zeros(n)
        steps_at_once = max(1, self._rows // n)
        with (
            torch.inference_mode(False),
            torch.enable_grad(),
            differentiable(subject.net),
        ):
            for member, stem in zip(self._members, self._stems, strict=True):
                with torch.no_grad():
                    output = output + subject.output(member, given).cpu()
                    at_reference = at_reference + subject.output(member, reference).cpu()
                cuts = range(0, len(self._nodes), steps_at_once)
                steps = [slice(at, at + steps_at_once) for at in cuts]
                if stem is not None:
                    ends = given["sequence"], reference["sequence"]
                    totals["sequence"] += self._through(stem, *ends, steps)
                    continue
                for here in steps:
                    self._add(member, given, reference, here, totals)
        n_members = len(subject.net.members)
        return Multipliers(
            {name: total / n_members for name, total in totals.items()},
            output / n_members,
            at_reference / n_members,
        )

    def _add(
        self,
        member: torch.nn.Module,
        given: Inputs,
        reference: Inputs,
        here: slice,
        totals: dict[str, Tensor],
    ) -> None:
        """Add the weighed gradients at some nodes."""
        names = self.subject.names
        nodes, weights = self._nodes[here], self._weights[here]
        k, n = len(nodes), len(next(iter(given.values())))
        inputs = {}
        for name, values in given.items():
            if name in names:
                along = nodes.to(values.device).view(k, *[1] * values.ndim)
                way = reference[name] + along * (values - reference[name])
                inputs[name] = way.flatten(0, 1).requires_grad_()
            else:
                inputs[name] = values.expand(k, *values.shape).flatten(0, 1)
        with held(member):
            out = self.subject.output(member, inputs)
            each = weights.to(out.device).repeat_interleave(n)
            asked = [inputs[name] for name in names]
            slopes = torch.autograd.grad((out * each).sum(), asked, materialize_grads=True)
        for name, slope in zip(names, slopes, strict=True):
            totals[name] += slope.view(k, n, *slope.shape[1:]).sum(0)

    def _through(self, stem: Stem, x: Tensor, reference: Tensor, steps: list[slice]) -> Tensor:
        """Give the mean gradient of a member whose first layer is linear, (n, 4, length)."""
        with torch.no_grad():
            start, end = stem.read(reference), stem.read(x)
            way = end - start
        carried = torch.zeros_like(way)
        for here in steps:
            nodes, weights = self._nodes[here].to(x.device), self._weights[here].to(x.device)
            with torch.no_grad():
                found = [stem.greatest(torch.addcmul(start, way, node)) for node in nodes]
                greatest = torch.stack([one for one, _ in found])
            leaf = greatest.flatten(0, 1).requires_grad_()
            out = explained(stem.rest(leaf).float(), self.subject.index, self.subject.kind)
            each = weights.repeat_interleave(len(x))
            (slope,) = torch.autograd.grad((out * each).sum(), leaf)
            slope = slope.view_as(greatest)
            if stem.pool == 1:
                carried += slope.sum(0)
                continue
            into = _in_bins(carried[:, : greatest.shape[2] * stem.pool], stem.pool)
            for (_, chosen), one in zip(found, slope, strict=True):
                into.addcmul_(chosen, one.unsqueeze(2))
        return stem.back(carried)


def _in_bins(x: Tensor, size: int) -> Tensor:
    """See (..., positions, channels) as (..., bins, size, channels), without a copy."""
    binned: Tensor = x.unflatten(-2, (-1, size))  # type: ignore[no-untyped-call]  # torch leaves it untyped
    return binned


class Stem(NamedTuple):
    """A network as a linear first layer, a maximum over neighbours, and the rest.

    Attributes
    ----------
    filters, bias
        Of the first layer, (channels, 4, 1, width) and (channels,).
    pool
        Neighbours of which the greatest goes on; 1: each does.
    modules
        From there, for (n, channels, 1, positions), to the outputs.
    """

    filters: Tensor
    bias: Tensor
    pool: int
    modules: nn.Sequential

    def read(self, x: Tensor) -> Tensor:
        """Give (n, positions, channels) of one-hot bases (n, 4, length)."""
        padding = (0, self.filters.shape[3] // 2)
        found = conv2d(_image(x), self.filters, self.bias, padding=padding)
        return found[:, :, 0].transpose(1, 2).contiguous()

    def greatest(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Give the greatest of each bin of (n, positions, channels), and where it stands.

        One node at a time: what it reads is still in a CPU's caches when it is read again.
        """
        if self.pool == 1:
            return x, torch.ones((), dtype=torch.bool, device=x.device)
        binned = _in_bins(x[:, : x.shape[1] // self.pool * self.pool], self.pool)
        found = binned.amax(2)
        return found, binned == found.unsqueeze(2)

    def back(self, slope: Tensor) -> Tensor:
        """Carry the slope by (n, positions, channels) back to the bases, (n, 4, length)."""
        padding = (0, self.filters.shape[3] // 2)
        image = slope.transpose(1, 2).unsqueeze(2)
        return conv_transpose2d(image, self.filters, padding=padding)[:, :, 0]

    def rest(self, x: Tensor) -> Tensor:
        """Give raw outputs of (n, positions, channels)."""
        outputs: Tensor = self.modules(x.transpose(1, 2).unsqueeze(2))
        return outputs


def _image(x: Tensor) -> Tensor:
    return x.unsqueeze(2).contiguous(memory_format=torch.channels_last)


def stem_of(network: nn.Module) -> Stem | None:
    """Describe a network whose first layer is linear; None where it is not known to be.

    Examples
    --------
    >>> stem_of(nn.Linear(1, 1)) is None
    True
    """
    if type(network) is not Cnn:
        return None
    scan, norm, act, *others = network.body
    if not isinstance(scan, MotifScan) or not isinstance(norm, nn.BatchNorm2d):
        return None
    with torch.no_grad():
        scale, shift = _affine(norm)
        filters = (scan.filters() * scale[:, None, None, None]).detach()
    pool = 1
    # What only rises may stand behind the maximum as well as before it.
    if isinstance(act, Sharpen) and others and isinstance(others[0], MaxPool):
        pool, others = others[0].factor, others[1:]
    rest = nn.Sequential(act, *others, network.head, network.output).eval()
    return Stem(filters.contiguous(memory_format=torch.channels_last), shift, pool, rest)


def _affine(norm: nn.BatchNorm2d) -> tuple[Tensor, Tensor]:
    """Give what a batch normalisation multiplies by and adds, when it no longer learns."""
    mean, var = norm.get_buffer("running_mean"), norm.get_buffer("running_var")
    scale = norm.weight / torch.sqrt(var + norm.eps)
    return scale.detach(), (norm.bias - mean * scale).detach()


def fused(network: nn.Module) -> nn.Module:
    """Copy a network, with each batch normalisation drawn into the layer that stands before it.

    Examples
    --------
    >>> net = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3)).eval()
    >>> [type(layer).__name__ for layer in fused(net)]
    ['Linear', 'Identity']
    """
    copied = deepcopy(network).eval()
    for weight in copied.parameters():
        weight.requires_grad_(False)
    for module in copied.modules():
        if isinstance(module, nn.Sequential):
            _fuse(module)
    return copied


def _fuse(layers: nn.Sequential) -> None:
    for at in range(len(layers) - 1):
        layer, norm = layers[at], layers[at + 1]
        if isinstance(norm, (nn.BatchNorm1d, nn.BatchNorm2d)) and norm.track_running_stats:
            if isinstance(layer, (nn.Conv1d, nn.Conv2d)):
                layers[at] = fuse_conv_bn_eval(layer, norm)
            elif isinstance(layer, nn.Linear) and isinstance(norm, nn.BatchNorm1d):
                layers[at] = fuse_linear_bn_eval(layer, norm)
            else:
                continue
            layers[at + 1] = nn.Identity()
    layers.requires_grad_(False)


def rows_at_once(subject: Subject) -> int:
    """Choose how many rows a network reads at once, so that they stay in a CPU's caches."""
    if subject.net.device.type != "cpu" or "sequence" not in subject.net.shapes.inputs:
        return 1024
    return max(_FEWEST, _BASES_AT_ONCE // subject.net.shapes.inputs["sequence"][0])
