"""Contributions: exact where the network is linear, complete, and equal to other programs'."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from exprimo.core.errors import ConfigError
from exprimo.interpret.attributions.engine import how_far
from exprimo.interpret.attributions.method import (
    Attributed,
    MethodConfig,
    Subject,
    make_method,
)
from exprimo.interpret.attributions.references import sequence_references
from exprimo.interpret.attributions.rules import RescaleRule, held
from exprimo.models.network import NetworkPredictor
from exprimo.models.zoo import Shapes, Task, get_spec
from exprimo.scoring.gradients import gradients

LENGTH = 64
RNG = np.random.default_rng(1)
CODES = RNG.integers(0, 4, (3, LENGTH)).astype(np.uint8)
CODES[1, 10:14] = 4
EXTRA = RNG.normal(size=(3, 6)).astype(np.float32)
BATCH = {"sequence": CODES, "halflife": EXTRA}
BASELINES = {"halflife": np.linspace(-1, 1, 6).astype(np.float32)}
SHUFFLED = ("integrated_gradients", "deeplift")


class Linear(nn.Module):
    """One weight per base and position, and one per feature."""

    def __init__(self) -> None:
        super().__init__()
        self.bases, self.features = nn.Linear(4 * LENGTH, 1), nn.Linear(6, 1)

    def forward(self, inputs: dict[str, Tensor]) -> Tensor:
        found: Tensor = self.bases(inputs["sequence"].flatten(1)) + self.features(
            inputs["halflife"]
        )
        return found


class Plain(nn.Module):
    """Only layers for which other programs have the rule.

    Without a maximum over positions: there captum 0.9 misses the change of the output by its own
    delta, where other layers stand before it; tangermeme 1.6 gives the same numbers as ours.
    """

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv1d(4, 8, 7, padding=3), nn.ReLU(), nn.Conv1d(8, 8, 5),
            nn.ELU(), nn.Flatten(), nn.Linear(8 * 60, 8), nn.Sigmoid(), nn.Linear(8, 1),
        )  # fmt: skip

    def forward(self, inputs: dict[str, Tensor]) -> Tensor:
        found: Tensor = self.layers(inputs["sequence"])
        return found


class Gated(nn.Module):
    """Products of things that both change, a softmax, a layer norm, a division."""

    def __init__(self) -> None:
        super().__init__()
        self.scan, self.gate, self.out = nn.Conv1d(4, 8, 7), nn.Linear(8, 8), nn.Linear(8, 1)
        self.norm = nn.LayerNorm(8)

    def forward(self, inputs: dict[str, Tensor]) -> Tensor:
        x = torch.tanh(self.scan(inputs["sequence"])).transpose(1, 2)
        weights = torch.softmax(self.gate(x), dim=1)
        pooled = self.norm((x * weights).sum(1)) / (1 + weights.square().sum(1))
        found: Tensor = self.out(pooled * torch.sigmoid(self.gate(pooled)))
        return found


def subject_of(
    *members: nn.Module, kind: Task = "regression", names: tuple[str, ...] = ("sequence",)
) -> Subject:
    shapes = Shapes({n: BATCH[n].shape[1:] for n in names}, kind)
    network = NetworkPredictor(members, shapes)
    return Subject(network, network, names, 0, kind, lambda batch: batch, BASELINES)


def seeded(make: Any, seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    made: nn.Module = make()
    return made.eval()


def batch_of(subject: Subject) -> dict[str, np.ndarray]:
    return {name: BATCH[name] for name in subject.names}


def explained(subject: Subject, method: str, **settings: Any) -> Attributed:
    config = MethodConfig.checked({"method": method, "references": 3, **settings})
    return make_method(subject, config).explain(batch_of(subject))


def zoo(name: str) -> Subject:
    torch.manual_seed(3)
    spec = get_spec(name)
    shapes = Shapes({"sequence": (LENGTH,)}, "regression")
    network = spec.build(spec.config(), shapes).eval()
    for layer in network.modules():
        if isinstance(layer, (nn.BatchNorm1d, nn.BatchNorm2d)):
            layer.running_mean.normal_(0, 0.3)
            layer.running_var.uniform_(0.3, 2)
    return subject_of(network)


@pytest.mark.parametrize("method", SHUFFLED)
def test_a_linear_network_is_explained_by_its_weights(method: str) -> None:
    subject = subject_of(seeded(Linear), names=("sequence", "halflife"))
    found = explained(subject, method)
    member: Any = subject.net.members[0]
    by_base = member.bases.weight.detach().numpy().reshape(4, LENGTH)
    references = sequence_references(CODES, 3, 0)
    padded = np.concatenate([by_base, np.zeros((1, LENGTH))])
    at = np.arange(LENGTH)
    expected = padded[CODES, at] - padded[references, at].mean(1)
    np.testing.assert_allclose(found.values["sequence"], expected, atol=1e-5)
    hypothetical = by_base[None] - padded[references, at].mean(1)[:, None]
    known = (CODES < 4)[:, None] & np.ones((1, 4, 1), bool)
    np.testing.assert_allclose(
        found.hypothetical["sequence"][known], hypothetical[known], atol=1e-5
    )
    slopes = member.features.weight.detach().numpy()
    of_features = slopes * (EXTRA - BASELINES["halflife"])
    np.testing.assert_allclose(found.values["halflife"], of_features, atol=1e-5)
    assert found.convergence is not None
    assert how_far(found.convergence).share < 1e-4


@pytest.mark.parametrize("background", ["zeros", "uniform"])
def test_fixed_backgrounds(background: str) -> None:
    subject = subject_of(seeded(Linear), names=("sequence", "halflife"))
    found = explained(subject, "integrated_gradients", background=background, baseline="zeros")
    member: Any = subject.net.members[0]
    by_base = member.bases.weight.detach().numpy().reshape(4, LENGTH)
    less = by_base.mean(0) if background == "uniform" else 0
    padded = np.concatenate([by_base - less, np.zeros((1, LENGTH))])
    np.testing.assert_allclose(
        found.values["sequence"], padded[CODES, np.arange(LENGTH)], atol=1e-5
    )
    slopes = member.features.weight.detach().numpy()
    np.testing.assert_allclose(found.values["halflife"], slopes * EXTRA, atol=1e-5)


@pytest.mark.parametrize("name", ["cnn", "cnn2d", "transformer"])
def test_multipliers_of_the_zoo_add_up(name: str) -> None:
    found = explained(zoo(name), "deeplift").convergence
    assert found is not None
    assert float(found.moved.min()) > 0
    assert how_far(found).share < 1e-2 if name == "cnn" else how_far(found).share < 1e-3


def test_products_softmax_and_norms_add_up() -> None:
    found = explained(subject_of(seeded(Gated)), "deeplift").convergence
    assert found is not None
    assert how_far(found).share < 1e-3


def test_more_steps_miss_less() -> None:
    subject = zoo("cnn2d")
    missed = []
    for steps in (4, 64):
        found = explained(subject, "integrated_gradients", steps=steps).convergence
        assert found is not None
        missed.append(how_far(found).share)
    assert missed[1] < missed[0] / 3


@pytest.mark.parametrize("activation", ["exp", "silu"])
def test_a_linear_first_layer_is_read_once(activation: str) -> None:
    torch.manual_seed(0)
    size = {"channels": 8, "stem_channels": 8, "head_channels": 4, "hidden": 8, "stem_pool": 3}
    spec = get_spec("cnn")
    config = spec.config.checked({**size, "stem_activation": activation})
    subject = subject_of(spec.build(config, Shapes({"sequence": (LENGTH,)}, "regression")).eval())
    for layer in subject.net.members[0].modules():
        if isinstance(layer, (nn.BatchNorm1d, nn.BatchNorm2d)):
            layer.running_mean.normal_(0, 0.3)
            layer.weight.data.uniform_(-2, 2)
    method: Any = make_method(
        subject, MethodConfig(method="integrated_gradients", references=2, steps=8)
    )
    assert method._stems[0].pool == (3 if activation == "exp" else 1)
    fast = method.explain({"sequence": CODES})
    method._stems = [None]
    whole = method.explain({"sequence": CODES})
    scale = np.abs(whole.values["sequence"]).max()
    np.testing.assert_allclose(
        fast.hypothetical["sequence"], whole.hypothetical["sequence"], atol=1e-5 * scale
    )


def test_batches_and_members_change_nothing() -> None:
    one, two = seeded(Plain, 1), seeded(Plain, 2)
    both = explained(subject_of(one, two), "deeplift", memory=64)
    alone = [explained(subject_of(m), "deeplift").values["sequence"] for m in (one, two)]
    np.testing.assert_allclose(both.values["sequence"], np.mean(alone, axis=0), atol=1e-6)
    config = MethodConfig(method="deeplift", references=3)
    method = make_method(subject_of(one), config)
    single = method.explain({"sequence": CODES[1:2]}).values["sequence"]
    np.testing.assert_allclose(single[0], alone[0][1], atol=1e-6)


def test_the_rescale_rule_by_hand() -> None:
    x = torch.tensor([[2.0, -1.0, 5.0], [-2.0, -3.0, 6.0]], requires_grad=True)
    with RescaleRule(2):
        y = torch.relu(x).sum(1) + x.amax(1)
    (slopes,) = torch.autograd.grad(y[0], x)
    # 2/4 through the rectifier, 0, 1; the greatest falls by 1, all of it in the last column.
    assert slopes.tolist() == [[0.5, 0.0, 2.0], [0.0, 0.0, 0.0]]


def test_slopes_are_those_of_gradients() -> None:
    subject = subject_of(seeded(Linear), names=("sequence", "halflife"))
    expected = gradients(subject.net, BATCH, every_base=True).by_input
    signed = explained(subject, "saliency")
    np.testing.assert_array_equal(signed.hypothetical["sequence"], expected["sequence"])
    times = explained(subject, "gradient_x_input")
    np.testing.assert_allclose(times.values["halflife"], expected["halflife"] * EXTRA)
    np.testing.assert_array_equal(times.values["sequence"], signed.values["sequence"])
    assert (times.values["sequence"][CODES == 4] == 0).all()
    size = explained(subject, "absolute_saliency")
    greatest = np.abs(expected["sequence"]).max(1)
    np.testing.assert_allclose(size.values["sequence"][CODES < 4], greatest[CODES < 4])


@pytest.mark.parametrize("kind", ["regression", "classification"])
def test_mutagenesis_is_every_mutant(kind: Task) -> None:
    torch.manual_seed(3)
    spec = get_spec("cnn2d")
    network = spec.build(spec.config(), Shapes({"sequence": (LENGTH,)}, kind)).eval()
    subject = subject_of(network, kind=kind)
    found = explained(subject, "mutagenesis")
    table = torch.cat([torch.eye(4), torch.zeros(1, 4)])
    for row, at in ((0, 7), (2, 40), (1, 11)):
        mutants = np.repeat(CODES[row : row + 1], 4, axis=0)
        mutants[:, at] = range(4)
        with torch.no_grad():
            one_hot = table[torch.from_numpy(mutants).long()].transpose(1, 2)
            outputs = network({"sequence": one_hot})[:, 0].numpy()
        here = CODES[row, at]
        if here == 4:
            assert found.values["sequence"][row, at] == 0
            continue
        others = np.delete(outputs, here).mean()
        assert found.values["sequence"][row, at] == pytest.approx(outputs[here] - others, abs=1e-5)
        np.testing.assert_allclose(
            found.hypothetical["sequence"][row, :, at], outputs - outputs.mean(), atol=1e-5
        )


def test_weights_are_released() -> None:
    network = seeded(Plain)
    with held(network):
        assert not any(weight.requires_grad for weight in network.parameters())
    assert all(weight.requires_grad for weight in network.parameters())


def test_what_cannot_be_explained_is_refused() -> None:
    subject = subject_of(seeded(Plain))
    with pytest.raises(ConfigError, match="no attention"):
        explained(subject, "attention")
    with pytest.raises(ConfigError, match="cannot be differentiated"):
        _ = Subject(subject.predictor, None, ("sequence",), 0, "regression", lambda b: b, {}).net


@pytest.fixture(scope="module")
def captum() -> Any:
    return pytest.importorskip("captum.attr", reason="captum is not installed")


def paired(subject: Subject) -> tuple[Tensor, Tensor]:
    """Give one-hot examples without N, and one shuffle of each."""
    table = torch.eye(4)
    references = sequence_references(CODES[::2], 1, 0)[:, 0]
    x, r = (table[torch.from_numpy(c).long()].transpose(1, 2) for c in (CODES[::2], references))
    return x.contiguous(), r.contiguous()


@pytest.mark.filterwarnings("ignore::UserWarning:captum")
@pytest.mark.parametrize("method", SHUFFLED)
def test_equal_to_captum(captum: Any, method: str) -> None:
    subject = subject_of(seeded(Plain))
    x, r = paired(subject)
    layers: Any = subject.net.members[0]
    if method == "deeplift":
        expected = captum.DeepLift(layers.layers).attribute(x, r)
    else:
        expected = captum.IntegratedGradients(layers.layers).attribute(x, r, n_steps=32)
    config = MethodConfig.checked({"method": method, "references": 1, "steps": 32})
    found = make_method(subject, config).explain({"sequence": CODES[::2]})
    np.testing.assert_allclose(
        found.values["sequence"], expected.detach().sum(1).numpy(), atol=2e-6
    )
