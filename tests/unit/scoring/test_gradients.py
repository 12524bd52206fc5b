"""Gradients against finite differences, against autograd by hand, and exact where linear."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor, nn

from exprimo.core.dataset import Dataset, write_dataset
from exprimo.core.errors import ConfigError, InputError, MismatchError
from exprimo.core.sequence import reverse_complement
from exprimo.models.cnn_xgboost import HybridPredictor
from exprimo.models.network import NetworkPredictor
from exprimo.models.zoo import Shapes, Task, get_spec
from exprimo.scoring.gradients import Gradients, gradient_blocks, gradients, joined, output_scale
from exprimo.scoring.layers import network_of

LENGTH = 30
NETS = ("cnn", "cnn2d", "cnn_bilstm", "transformer")


class Linear(nn.Module):
    """One weight per base and position, and one per half-life feature."""

    def __init__(self, outputs: int = 1) -> None:
        super().__init__()
        self.bases = nn.Linear(4 * LENGTH, outputs)
        self.features = nn.Linear(3, outputs)

    def forward(self, inputs: dict[str, Tensor]) -> Tensor:
        found: Tensor = self.bases(inputs["sequence"].flatten(1)) + self.features(inputs["extra"])
        return found


class Smooth(nn.Module):
    """A small network without corners, so that finite differences are near."""

    def __init__(self) -> None:
        super().__init__()
        self.scan = nn.Conv1d(4, 5, 7, padding=3)
        self.drop = nn.Dropout(0.5)
        self.output = nn.Linear(5, 1)

    def forward(self, inputs: dict[str, Tensor]) -> Tensor:
        scanned = torch.tanh(self.scan(inputs["sequence"])).mean(2)
        found: Tensor = self.output(self.drop(scanned))
        return found


def seeded(make: Callable[[], nn.Module], n: int = 1) -> list[nn.Module]:
    torch.manual_seed(5)
    return [make() for _ in range(n)]


def codes(n: int = 6, length: int = LENGTH) -> np.ndarray:
    drawn = np.random.default_rng(3).integers(0, 4, (n, length)).astype(np.uint8)
    drawn[0, :4] = 4
    return drawn


def smooth(n: int = 1, *, both_strands: bool = False) -> NetworkPredictor:
    shapes = Shapes({"sequence": (LENGTH,)}, "regression")
    return NetworkPredictor(
        seeded(Smooth, n), shapes, both_strands=both_strands, center=3.0, scale=7.0
    )


def linear(
    task: Task = "regression", classes: tuple[str, ...] = (), n: int = 1
) -> NetworkPredictor:
    shapes = Shapes({"sequence": (LENGTH,), "extra": (3,)}, task, len(classes) or 1, classes)
    return NetworkPredictor(seeded(lambda: Linear(len(classes) or 1), n), shapes)


def weights_of(member: nn.Module, output: int = 0) -> np.ndarray:
    assert isinstance(member, Linear)
    return member.bases.weight.detach().numpy()[output].reshape(4, LENGTH)


def test_a_linear_model_has_its_weights_for_gradients() -> None:
    net, batch = linear(), {"sequence": codes(), "extra": np.ones((6, 3), np.float32)}
    weights, member = weights_of(net.members[0]), net.members[0]
    assert isinstance(member, Linear)
    every = gradients(net, batch, every_base=True)
    np.testing.assert_array_equal(every.by_input["sequence"], np.stack([weights] * 6))
    np.testing.assert_array_equal(
        every.by_input["extra"], np.repeat(member.features.weight.detach().numpy(), 6, axis=0)
    )
    at_base = gradients(net, batch).by_input["sequence"]
    padded = np.vstack([weights, np.zeros(LENGTH, np.float32)])
    np.testing.assert_array_equal(at_base, padded[batch["sequence"], np.arange(LENGTH)])
    assert not at_base[0, :4].any()
    # Gradients times inputs, and the intercepts, are the output itself.
    intercepts = (member.bases.bias + member.features.bias).item()
    total = at_base.sum(1) + every.by_input["extra"].sum(1) + intercepts
    np.testing.assert_allclose(total, every.outputs, rtol=1e-5)


def test_an_ensemble_has_the_mean_of_its_members_gradients() -> None:
    net = linear(n=3)
    found = gradients(
        net, {"sequence": codes(), "extra": np.zeros((6, 3), np.float32)},
        inputs=["sequence"], every_base=True,
    )  # fmt: skip
    assert list(found.by_input) == ["sequence"]
    mean = np.mean([weights_of(member) for member in net.members], axis=0)
    np.testing.assert_allclose(found.by_input["sequence"][2], mean, rtol=1e-6)


def test_centring_takes_the_mean_over_bases_off() -> None:
    net, batch = linear(), {"sequence": codes(), "extra": np.zeros((6, 3), np.float32)}
    weights = weights_of(net.members[0])
    found = gradients(net, batch, every_base=True, centred=True).by_input["sequence"]
    np.testing.assert_allclose(found[1], weights - weights.mean(0), atol=1e-7)


@pytest.mark.parametrize("both_strands", [False, True])
def test_finite_differences_agree(both_strands: bool) -> None:
    net, one = smooth(2, both_strands=both_strands), codes()[1:2]
    slope = gradients(net, {"sequence": one}, every_base=True).by_input["sequence"][0]
    one_hot = np.eye(5, 4, dtype=np.float32)[one].transpose(0, 2, 1)
    step = 1e-3

    def raw(x: np.ndarray) -> float:
        forward = torch.from_numpy(x).double()
        strands = (forward, forward.flip(1, 2)) if both_strands else (forward,)
        outs = [m.double()({"sequence": s}) for m in net.members for s in strands]
        return float(torch.stack(outs).mean())

    with torch.no_grad():
        for base, at in [(0, 0), (3, 7), (2, 15), (1, 29)]:
            moved = [one_hot.astype(np.float64) for _ in range(2)]
            moved[0][0, base, at] += step
            moved[1][0, base, at] -= step
            difference = (raw(moved[0]) - raw(moved[1])) / (2 * step)
            assert slope[base, at] == pytest.approx(difference, rel=1e-3, abs=1e-7)


def test_autograd_by_hand_agrees() -> None:
    net, batch = smooth(), codes()
    x = torch.eye(5, 4)[torch.from_numpy(batch).long()].transpose(1, 2).requires_grad_()
    out = net.members[0]({"sequence": x})
    out.sum().backward()
    found = gradients(net, {"sequence": batch}, every_base=True)
    np.testing.assert_allclose(found.by_input["sequence"], x.grad, rtol=1e-5, atol=1e-8)
    # The raw scale: neither the training mean nor the spread of the target is in it.
    np.testing.assert_allclose(found.outputs, out.detach()[:, 0], rtol=1e-5)


def test_both_strands_give_the_other_strand_the_same_importance() -> None:
    net, batch = smooth(both_strands=True), codes()
    one = gradients(net, {"sequence": batch}).by_input["sequence"]
    other = gradients(net, {"sequence": reverse_complement(batch)}).by_input["sequence"]
    np.testing.assert_allclose(other[:, ::-1], one, rtol=1e-4, atol=1e-8)
    alone = gradients(smooth(), {"sequence": batch}).by_input["sequence"]
    assert abs(alone - one).max() > 0.1 * abs(one).max()


def test_classes_are_explained_by_centred_logits() -> None:
    names = ("down", "none", "up")
    net = linear("multiclass", names)
    batch = {"sequence": codes(), "extra": np.zeros((6, 3), np.float32)}
    per_class = np.stack([weights_of(net.members[0], k) for k in range(3)])
    found = [gradients(net, batch, output=name, every_base=True) for name in names]
    for k in range(3):
        np.testing.assert_allclose(
            found[k].by_input["sequence"][1], per_class[k] - per_class.mean(0), atol=1e-7
        )
    np.testing.assert_allclose(sum(f.outputs for f in found), 0, atol=1e-6)
    # Log ratios of probabilities are differences of these outputs.
    odds = net.predict(batch).mean
    np.testing.assert_allclose(
        np.log(odds[:, 2] / odds[:, 0]), found[2].outputs - found[0].outputs, rtol=1e-4
    )
    with pytest.raises(ConfigError, match=r"say which output.*one of down, none, up"):
        gradients(net, batch)
    with pytest.raises(ConfigError, match="no such output"):
        gradients(net, batch, output="sideways")


@pytest.mark.parametrize("name", NETS)
def test_each_network_is_differentiated_without_dropout_and_changes_nothing(name: str) -> None:
    length = 96
    shapes = Shapes({"sequence": (length,)}, "classification")
    torch.manual_seed(1)
    spec = get_spec(name)
    net = NetworkPredictor([spec.build(spec.config(), shapes)], shapes, precision="bf16")
    before = {k: v.clone() for k, v in net.members[0].state_dict().items()}
    batch = {"sequence": codes(4, length)}
    with torch.inference_mode():  # as callers may stand in it
        one, two = gradients(net, batch), gradients(net, batch)
    np.testing.assert_array_equal(one.by_input["sequence"], two.by_input["sequence"])
    assert np.isfinite(one.by_input["sequence"]).all()
    assert abs(one.by_input["sequence"]).max() > 0
    net.precision = "fp32"  # what gradients are computed in
    np.testing.assert_allclose(
        1 / (1 + np.exp(-one.outputs)), net.predict(batch).mean[:, 0], rtol=1e-4
    )
    assert all(p.grad is None for p in net.members[0].parameters())
    assert all(torch.equal(v, before[k]) for k, v in net.members[0].state_dict().items())


def test_other_inputs_have_slopes_per_unit_and_missing_values_none() -> None:
    shapes = Shapes({"sequence": (128,), "halflife": (8,)}, "regression")
    torch.manual_seed(1)
    spec = get_spec("halflife_cnn")
    net = NetworkPredictor([spec.build(spec.config(), shapes)], shapes)
    values = np.random.default_rng(2).normal(size=(4, 8)).astype(np.float32)
    values[1, 3] = np.nan
    batch = {"sequence": codes(4, 128), "halflife": values}
    slope = gradients(net, batch, inputs=["halflife"]).by_input["halflife"]
    assert slope.shape == (4, 8)
    assert slope[1, 3] == 0
    assert np.count_nonzero(slope) == 31
    step = 1e-2
    for row, column in ((0, 0), (2, 5)):
        moved = values.copy()
        moved[row, column] += step
        up, down = (net.predict(batch | {"halflife": v}).mean[row, 0] for v in (moved, values))
        assert slope[row, column] == pytest.approx((up - down) / step, rel=0.05)


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    path = tmp_path / "D.h5"
    with write_dataset(path, {}) as out:
        out.examples(pd.DataFrame({"example_id": [f"e{i}" for i in range(25)]}))
        out.input("sequence", [codes(25)])
    return path


def test_blocks_are_the_whole_in_the_order_of_the_rows(dataset: Path) -> None:
    net = smooth(2)
    rows = np.array([7, 3, 24, 0, 11, 12], dtype=np.int64)
    with Dataset.open(dataset) as data:
        whole = gradients(net, data.batch(("sequence",), rows))
        for memory, n_blocks in ((1, 6), (1 << 30, 1)):
            blocks = list(gradient_blocks(net, data, rows, memory=memory))
            assert len(blocks) == n_blocks
            found = joined(blocks)
            np.testing.assert_array_equal(found.rows, rows)
            np.testing.assert_allclose(
                found.by_input["sequence"], whole.by_input["sequence"], atol=1e-8
            )
            np.testing.assert_allclose(found.outputs, whole.outputs, atol=1e-7)
        with pytest.raises(InputError, match="no example to explain"):
            joined(gradient_blocks(net, data, rows[:0]))


def test_memory_decides_how_many_examples_stand_in_a_block(dataset: Path) -> None:
    net, rows = smooth(), np.arange(25, dtype=np.int64)
    with Dataset.open(dataset) as data:
        sizes = [
            [len(block.rows) for block in gradient_blocks(net, data, rows, memory=memory)]
            for memory in (20_000, 40_000)
        ]
    assert 1 < sizes[0][0] < sizes[1][0] < 25
    assert sum(sizes[0]) == sum(sizes[1]) == 25


def test_what_cannot_be_differentiated() -> None:
    net = linear()
    good = {"sequence": codes(), "extra": np.zeros((6, 3), np.float32)}
    with pytest.raises(ConfigError, match=r"does not read this input.*signal.*sequence, extra"):
        gradients(net, good, inputs=["signal"])
    with pytest.raises(ConfigError, match="no input at all"):
        gradients(net, good, inputs=[])
    with pytest.raises(MismatchError, match="reads another sequence"):
        gradients(net, good | {"sequence": codes(6, 31)})
    with pytest.raises(ConfigError, match=r"not a network.*HybridPredictor.*exprimo models"):
        network_of(HybridPredictor(net, []))
    assert network_of(net) is net


def test_a_called_sequence_alone_has_no_gradient() -> None:
    class Counter(nn.Module):
        def forward(self, inputs: dict[str, Tensor]) -> Tensor:
            return inputs["sequence"].argmax(1).float().sum(1, keepdim=True)

    net = NetworkPredictor([Counter()], Shapes({"sequence": (LENGTH,)}, "regression"))
    with pytest.raises(ConfigError, match="cannot be differentiated"):
        gradients(net, {"sequence": codes()})


def test_the_scale_has_a_name() -> None:
    assert [output_scale(t) for t in ("regression", "classification", "multiclass")] == [
        "target SD", "logit", "logit",
    ]  # fmt: skip
    assert Gradients._fields == ("rows", "by_input", "outputs")
