"""The fully convolutional network against its description, by hand and as plain layers."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from exprimo.core.errors import ConfigError, MismatchError
from exprimo.models import Shapes, get_spec
from exprimo.models.chromatin.bins import as_image
from exprimo.models.chromatin.histone_fcn import HistoneFcn, HistoneFcnConfig, TrunkConfig

SHAPES = Shapes({"signal": (5, 100)}, "regression")
CHANNELS = (64, 128, 128, 256, 256, 512, 512, 512, 512)
POSITIONS = (100, 50, 50, 25, 25, 13, 13, 7, 7)


def _net(**options: object) -> HistoneFcn:
    torch.manual_seed(0)
    return HistoneFcn(HistoneFcnConfig.checked({"standardise": False, **options}), SHAPES)


def test_layers_halve_and_double_where_described() -> None:
    net = _net().eval()
    seen = []
    for layer in net.trunk:
        layer.register_forward_hook(lambda _m, _i, found: seen.append(tuple(found.shape)))
    net({"signal": torch.randn(2, 5, 100)})
    expected = [(1, c, 2, p) for c, p in zip(CHANNELS, POSITIONS, strict=True)]
    assert seen == expected
    assert {m.kernel_size for m in net.trunk.modules() if isinstance(m, nn.Conv2d)} == {(1, 3)}


def test_the_number_of_weights_is_that_counted_by_hand() -> None:
    wide = 3 * (5 * 64 + 64 * 128 + 128 * 128 + 128 * 256 + 256 * 256 + 256 * 512 + 3 * 512 * 512)
    points = 512 * 512 + (512 + 1)
    norms = 2 * (64 + 2 * 128 + 2 * 256 + 4 * 512 + 512)
    assert wide + points + norms == 3_391_553
    assert sum(p.numel() for p in _net().parameters()) == 3_391_553


def test_a_position_sees_the_bins_around_its_own() -> None:
    # 1 + 2 x (1 + 1 + 2 + 2 + 4 + 4 + 8 + 8 + 16) = 93 bins around bin 16 j.
    net = _net(width=4, most=32).eval()
    for position in range(7):
        signal = torch.randn(1, 5, 100, requires_grad=True)
        net.trunk(as_image(signal))[0, :, 0, position].sum().backward()
        reached = signal.grad[0].abs().sum(0).nonzero().flatten()
        assert int(reached[0]) == max(0, 16 * position - 46)
        assert int(reached[-1]) == min(99, 16 * position + 46)


def test_behind_each_hidden_layer_stand_norm_dropout_and_rectifier_in_this_order() -> None:
    net = _net()
    expected = ["Conv2d", "BatchNorm2d", "ImageDropout", "LeakyReLU"]
    blocks = [*net.trunk, net.point]
    assert len(blocks) == 10
    for block in blocks:
        assert [type(layer).__name__ for layer in block] == expected
    # As it runs: a channel that is dropped is 0 behind the rectifier, not its shift.
    torch.manual_seed(1)
    one = _net(dropout=0.5).trunk[0].train()
    nn.init.constant_(one[1].bias, 3.0)
    found = one(torch.randn(1, 5, 64, 100))
    dropped = (found == 0).all(dim=3).float().mean()
    assert float(dropped) == pytest.approx(0.5, abs=0.05)


class _Plain(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        inputs = 5
        for number, outputs in enumerate(CHANNELS):
            stride = 2 if number in (1, 3, 5, 7) else 1
            layers += self._hidden(nn.Conv1d(inputs, outputs, 3, stride, 1, bias=False), outputs)
            inputs = outputs
        layers += self._hidden(nn.Conv1d(512, 512, 1, bias=False), 512)
        self.layers = nn.Sequential(*layers, nn.Conv1d(512, 1, 1))

    @staticmethod
    def _hidden(conv: nn.Module, outputs: int) -> list[nn.Module]:
        return [conv, nn.BatchNorm1d(outputs), nn.Dropout(0.0), nn.LeakyReLU(0.01)]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layers(x).mean(2)


def test_it_is_the_plain_network_in_another_layout() -> None:
    ours, plain = _net(dropout=0.0), _Plain()
    with torch.no_grad():
        for mine, theirs in zip(ours.parameters(), plain.parameters(), strict=True):
            theirs.copy_(mine.reshape(theirs.shape))
    x, y = torch.randn(6, 5, 100), torch.randn(6, 1)
    for module in (ours, plain):
        for norm in module.modules():
            if isinstance(norm, (nn.BatchNorm1d, nn.BatchNorm2d)):
                norm.running_mean.fill_(0.1)
                norm.running_var.fill_(0.5)
    ours.eval(), plain.eval()
    with torch.no_grad():
        expected = plain(x)
        torch.testing.assert_close(ours({"signal": x}), expected, atol=1e-5, rtol=1e-4)
        # Examples are lines of one image: none may see another.
        alone = torch.cat([ours({"signal": x[i : i + 1]}) for i in range(6)])
        torch.testing.assert_close(alone, expected, atol=1e-5, rtol=1e-4)
    ours.train(), plain.train()
    nn.functional.mse_loss(ours({"signal": x}), y).backward()
    nn.functional.mse_loss(plain(x), y).backward()
    for mine, theirs in zip(ours.parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(
            mine.grad.reshape(theirs.shape), theirs.grad, atol=1e-4, rtol=1e-2
        )


def test_channels_are_capped_and_halving_names_layers() -> None:
    assert TrunkConfig(width=300).channels() == (300, *8 * (512,))
    with pytest.raises(ConfigError, match="layers from 0 to 2"):
        TrunkConfig.checked({"layers": 3})


def test_the_controlled_form_has_as_many_weights_as_deepchrome() -> None:
    sizes = {}
    for name in ("histone_fcn", "deepchrome"):
        spec = get_spec(name)
        config = spec.config.checked(spec.presets["controlled"].options)
        sizes[name] = sum(p.numel() for p in spec.build(config, SHAPES).parameters())
    assert sizes["histone_fcn"] == pytest.approx(sizes["deepchrome"], rel=0.05)


@pytest.mark.parametrize("bins", [2, 3, 8, 16, 100])
def test_gradients_are_finite_in_bf16_however_few_the_bins(bins: int) -> None:
    shapes = Shapes({"signal": (3, bins)}, "regression")
    torch.manual_seed(0)
    net = get_spec("histone_fcn").build(HistoneFcnConfig(width=16, most=64), shapes)
    signal = torch.rand(48, 3, bins)
    for _ in range(3):
        with torch.autocast("cpu", torch.bfloat16):
            out = net({"signal": signal})
        net.zero_grad()
        out.float().square().mean().backward()
        assert all(torch.isfinite(p.grad).all() for p in net.parameters())


def test_one_bin_is_too_few() -> None:
    with pytest.raises(MismatchError, match="too few bins"):
        get_spec("histone_fcn").build(HistoneFcnConfig(), Shapes({"signal": (3, 1)}, "regression"))
