"""The published forms, against the same layers built plainly: equal sizes, weights, outputs."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from exprimo.models import Shapes, get_spec

LENGTH = 90


class PlainImage(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.ZeroPad2d((0, 1, 0, 1)),
            nn.Conv2d(1, 16, (2, 2)),
            nn.ReLU(),
            nn.MaxPool2d((2, 2)),
            nn.ZeroPad2d((0, 1, 0, 1)),
            nn.Conv2d(16, 32, (2, 2)),
            nn.ReLU(),
            nn.MaxPool2d((2, 2)),
            nn.AdaptiveMaxPool2d(1),
            nn.Flatten(),
            nn.Linear(32, 64),
            nn.ReLU(),
            nn.Linear(64, 1),
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x.unsqueeze(1))

    def take(self, ours: nn.Module) -> None:
        mine = [self.layers[at] for at in (1, 5, 10, 12)]
        theirs = [ours.body[0].conv, ours.body[1].conv, ours.dense, ours.output.linear]
        for a, b in zip(mine, theirs, strict=True):
            a.load_state_dict(b.state_dict())


class PlainLstm(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.convs = nn.Sequential(
            nn.Conv1d(4, 64, 3, padding=1),
            nn.ReLU(),
            nn.BatchNorm1d(64),
            nn.MaxPool1d(2),
            nn.Conv1d(64, 128, 3, padding=1),
            nn.ReLU(),
            nn.BatchNorm1d(128),
            nn.MaxPool1d(2),
        )
        self.lstm = nn.LSTM(128, 64, 2, batch_first=True, bidirectional=True, dropout=0.3)
        self.head = nn.Sequential(
            nn.Linear(128, 64), nn.ReLU(), nn.BatchNorm1d(64), nn.Dropout(0.3), nn.Linear(64, 2)
        )

    def forward(self, x: Tensor) -> Tensor:
        logits = self.head(self.lstm(self.convs(x).transpose(1, 2))[0].mean(1))
        return logits[:, 1:] - logits[:, :1]

    def take(self, ours: nn.Module) -> None:
        for at, reader in ((0, ours.body[0]), (4, ours.body[1])):
            self.convs[at].weight.data.copy_(reader.conv.weight.squeeze(2))
            self.convs[at].bias.data.copy_(reader.conv.bias)
            self.convs[at + 2].load_state_dict(reader.norm.state_dict())
        layers = [layer.state_dict() for layer in ours.lstm]
        self.lstm.load_state_dict(
            {
                name.replace("_l0", f"_l{number}"): weight
                for number, layer in enumerate(layers)
                for name, weight in layer.items()
            }
        )
        for at in (0, 2):
            self.head[at].load_state_dict(ours.dense[at].state_dict())
        self.head[4].load_state_dict(ours.output.linear.state_dict())


class PlainTransformer(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Linear(4, 128)
        self.positions = nn.Parameter(torch.zeros(LENGTH, 128))
        layer = nn.TransformerEncoderLayer(128, 8, 256, 0.1, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, 3, enable_nested_tensor=False)
        self.head = nn.Sequential(nn.Linear(128, 64), nn.ReLU(), nn.Dropout(0.1), nn.Linear(64, 2))

    def forward(self, x: Tensor) -> Tensor:
        logits = self.head(self.encoder(self.embed(x.transpose(1, 2)) + self.positions).mean(1))
        return logits[:, 1:] - logits[:, :1]

    def take(self, ours: nn.Module) -> None:
        self.embed.weight.data.copy_(ours.embedding.weight.flatten(1))
        self.embed.bias.data.copy_(ours.embedding.bias)
        self.positions.data.copy_(ours.positions)
        for mine, theirs in zip(self.encoder.layers, ours.layers, strict=True):
            mine.self_attn.in_proj_weight.data.copy_(theirs.query_key_value.weight)
            mine.self_attn.in_proj_bias.data.copy_(theirs.query_key_value.bias)
            for a, b in (
                (mine.self_attn.out_proj, theirs.mixed),
                (mine.linear1, theirs.wide),
                (mine.linear2, theirs.narrow),
                (mine.norm1, theirs.norms[0]),
                (mine.norm2, theirs.norms[1]),
            ):
                a.load_state_dict(b.state_dict())
        self.head[0].load_state_dict(ours.dense.state_dict())
        self.head[3].load_state_dict(ours.output.linear.state_dict())


PLAIN: dict[str, Callable[[], nn.Module]] = {
    "cnn2d": PlainImage,
    "cnn_bilstm": PlainLstm,
    "transformer": PlainTransformer,
}


def _ours(name: str, **options: object) -> nn.Module:
    spec = get_spec(name)
    torch.manual_seed(3)
    config = spec.config.checked({**spec.presets["published"].options, **options})
    return spec.build(config, Shapes({"sequence": (LENGTH,)}, "classification"))


def _one_hot(n: int) -> Tensor:
    generator = torch.Generator().manual_seed(4)
    codes = torch.randint(0, 5, (n, LENGTH), generator=generator)
    return torch.cat([torch.eye(4), torch.zeros(1, 4)])[codes].transpose(1, 2)


@pytest.mark.parametrize("name", PLAIN)
def test_the_published_form_equals_a_plain_build_with_its_weights(name: str) -> None:
    ours, plain = _ours(name), PLAIN[name]()
    plain.take(ours)
    assert sum(p.numel() for p in plain.parameters()) == sum(p.numel() for p in ours.parameters())
    x = _one_hot(6)
    # Running statistics other than 0 and 1, or batch normalisation would go untested.
    for module in (ours, plain):
        for norm in module.modules():
            if isinstance(norm, (nn.BatchNorm1d, nn.BatchNorm2d)):
                norm.running_mean.fill_(0.1)
                norm.running_var.fill_(0.5)
    with torch.no_grad():
        found, expected = ours.eval()({"sequence": x}), plain.eval()(x)
    assert expected.std() > 1e-4
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize("name", PLAIN)
def test_it_learns_the_same_from_a_batch(name: str) -> None:
    off = {"cnn2d": {}, "cnn_bilstm": {"dropout": 0.0}}
    options = off.get(name, {"dropout": 0.0, "attention_dropout": 0.0})
    ours, plain = _ours(name, **options), PLAIN[name]()
    plain.take(ours)
    for module in plain.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
        if isinstance(module, nn.MultiheadAttention):
            module.dropout = 0.0
    if name == "cnn_bilstm":
        plain.lstm.dropout = 0.0
    x, y = _one_hot(8), torch.arange(8) % 2.0
    gradients = []
    for found, module in ((ours({"sequence": x}), ours), (plain(x), plain)):
        nn.functional.binary_cross_entropy_with_logits(found[:, 0], y).backward()
        first = next(p for p in module.parameters() if p.ndim > 1 and p.shape[0] != LENGTH)
        norm = sum(p.grad.double().square().sum() for p in module.parameters())
        gradients.append((first.grad.flatten(), norm))
    torch.testing.assert_close(gradients[0][0], gradients[1][0], atol=1e-6, rtol=1e-3)
    torch.testing.assert_close(gradients[0][1], gradients[1][1], atol=1e-8, rtol=1e-3)


def test_two_logits_and_their_cross_entropy_are_one_logit_and_its() -> None:
    ours = _ours("cnn_bilstm")
    features, y = torch.randn(5, 64), torch.tensor([0, 1, 1, 0, 1])
    pair = ours.output.linear(features)
    one = ours.output(features)[:, 0]
    torch.testing.assert_close(
        nn.functional.cross_entropy(pair, y),
        nn.functional.binary_cross_entropy_with_logits(one, y.float()),
    )
