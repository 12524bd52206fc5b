"""Networks of promoter and half-life as a plain PyTorch program would train them.

Sources: Agarwal & Shendure 2020 (``xpresso``: layers and sizes as in the paper), and the written
description of a student project (``halflife_cnn``: its network on embeddings, and the contrastive
training of its half-life encoder; no code of it was used). ``halflife_cnn`` on bases is our own
network, written with the library's layers as they come. All in float32: every example stands in
memory as one-hot (or as its embedding), a ``DataLoader`` over a ``TensorDataset`` hands out
batches, the loop is the one of every tutorial.

    python -m benchmarks.rivals.published_halflife_nets MODEL DATA.npz BATCH BATCHES THREADS

``DATA.npz`` holds ``codes`` (n, length) uint8 or ``embedding`` (n, bins, channels) float16,
``halflife`` (n, features) and ``y`` (n,). Prints one line of JSON: examples per second behind a
first batch, bytes of the sequences as they are held, the peak of resident memory.
"""

from __future__ import annotations

import json
import random
import statistics
import sys

import numpy as np
import torch
from benchmarks.rivals.published_promoter_nets import clock, one_hot
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

FEATURES = 8


class Xpresso(nn.Module):
    """One-hot (batch, 4, length) and half-life to one number."""

    def __init__(self, length: int) -> None:
        super().__init__()
        self.convs = nn.Sequential(
            nn.Conv1d(4, 128, 6, padding="same"),
            nn.ReLU(),
            nn.MaxPool1d(30),
            nn.Conv1d(128, 32, 9, padding="same"),
            nn.ReLU(),
            nn.MaxPool1d(10),
        )
        self.dense = nn.Sequential(
            nn.Linear(32 * (length // 300) + FEATURES, 64),
            nn.ReLU(),
            nn.Dropout(0.00099),
            nn.Linear(64, 2),
            nn.ReLU(),
            nn.Dropout(0.01546),
            nn.Linear(2, 1),
        )

    def forward(self, x: Tensor, halflife: Tensor) -> Tensor:
        read = self.convs(x).transpose(1, 2).flatten(1)
        return self.dense(torch.cat([read, halflife], dim=1))


class JoinedNet(nn.Module):
    """Motifs on either strand, best in each of the bins, convolutions, half-life, dense layers."""

    def __init__(self, length: int) -> None:
        super().__init__()
        bin_ = 8
        while bin_ < 128 and length // (2 * bin_) >= 64:
            bin_ *= 2
        self.motifs = nn.Parameter(nn.Conv1d(4, 32, 15).weight.detach().clone())
        self.best = nn.MaxPool1d(bin_, ceil_mode=True)
        self.norm = nn.BatchNorm1d(64)
        widths = ((64, 64), (64, 64), (64, 32))
        self.convs = nn.ModuleList(nn.Conv1d(i, o, 3, padding=1) for i, o in widths)
        self.norms = nn.ModuleList(nn.BatchNorm1d(o) for _, o in widths)
        self.pool = nn.MaxPool1d(2)
        bins = -(-length // bin_)
        self.dense = nn.Sequential(
            nn.Linear(32 * (bins // 8) + FEATURES, 128), nn.ReLU(), nn.Dropout(0.3)
        )
        self.out = nn.Linear(128, 1)

    def forward(self, x: Tensor, halflife: Tensor) -> Tensor:
        either = torch.cat([self.motifs, self.motifs.flip(1, 2)])
        found = self.norm(self.best(nn.functional.conv1d(x, either, padding=7)))
        read = torch.expm1(found.clamp(max=4.0))
        for conv, norm in zip(self.convs, self.norms, strict=True):
            read = self.pool(torch.relu(norm(conv(read))))
        return self.out(self.dense(torch.cat([read.flatten(1), halflife], dim=1)))


class Encoder(nn.Sequential):
    """Three convolutions over the features: (batch, 1, features) to (batch, 256, features)."""

    def __init__(self) -> None:
        super().__init__(
            *(nn.Conv1d(1, 128, 3, padding=1), nn.ReLU()),
            *(nn.Conv1d(128, 256, 3, padding=1), nn.ReLU()),
            *(nn.Conv1d(256, 256, 3, padding=1), nn.ReLU()),
        )


class EmbeddedNet(nn.Module):
    """The published network: encoded half-life behind the embedding along the length."""

    def __init__(self, bins: int) -> None:
        super().__init__()
        self.encoder = Encoder().requires_grad_(False)
        layers: list[nn.Module] = []
        for inputs, outputs in ((256, 128), (128, 64), (64, 16), (16, 4)):
            layers += [nn.Conv1d(inputs, outputs, 3, padding=1), nn.ReLU(), nn.MaxPool1d(2)]
        self.convs = nn.Sequential(*layers, nn.Flatten())
        self.dense = nn.Sequential(
            nn.Linear(4 * ((bins + FEATURES) // 16), 256),
            nn.ReLU(),
            nn.Dropout(0.5),
            nn.Linear(256, 64),
            nn.ReLU(),
            nn.Linear(64, 1),
        )

    def forward(self, x: Tensor, halflife: Tensor) -> Tensor:
        encoded = self.encoder(halflife.unsqueeze(1))
        return self.dense(self.convs(torch.cat([x, encoded], dim=2)))


def build(model: str, size: int) -> nn.Module:
    """Make a network; ``size`` is bases, or bins of embeddings."""
    kinds = {"xpresso": Xpresso, "halflife_cnn": JoinedNet, "halflife_cnn:published": EmbeddedNet}
    return kinds[model](size)


def train(model: str, path: str, batch: int, batches: int) -> dict[str, float]:
    """Train on some batches behind a first one; give examples per second and bytes held."""
    torch.manual_seed(0)
    with np.load(path) as data:
        if model == "halflife_cnn:published":
            x = torch.from_numpy(data["embedding"].astype(np.float32).transpose(0, 2, 1).copy())
        else:
            x = torch.from_numpy(one_hot(data["codes"]))
        halflife, y = torch.from_numpy(data["halflife"]), torch.from_numpy(data["y"])
    net = build(model, x.shape[2]).train()
    plain = model != "halflife_cnn"
    learning = [p for p in net.parameters() if p.requires_grad]
    optimizer = (torch.optim.Adam if plain else torch.optim.AdamW)(learning, lr=1e-3)
    loader = DataLoader(TensorDataset(x, halflife, y), batch_size=batch, shuffle=True)
    loss_of = nn.MSELoss()
    seconds: list[float] = []
    while True:
        started = clock()
        for inputs, features, wanted in loader:
            optimizer.zero_grad()
            loss = loss_of(net(inputs, features)[:, 0], wanted)
            loss.backward()
            if not plain:
                nn.utils.clip_grad_norm_(learning, 1.0)
            optimizer.step()
            loss.item()
            seconds.append(clock() - started)
            if len(seconds) > batches:
                return {
                    "examples_per_s": batch / statistics.median(seconds[1:]),
                    "row_bytes": float(x.numel() * x.element_size() / len(x)),
                    "peak_bytes": peak_bytes(),
                    "held_bytes": float(x.numel() * x.element_size()),
                }
            started = clock()


def contrast(path: str, batch: int, batches: int) -> dict[str, float]:
    """Train the encoder by triplets: a batch's negatives are a batch drawn from a whole loader."""
    random.seed(0)
    torch.manual_seed(0)
    with np.load(path) as data:
        values = torch.from_numpy(data["halflife"])
    loader = DataLoader(TensorDataset(values), batch_size=batch, shuffle=True)
    encoder = Encoder()
    optimizer = torch.optim.Adam(encoder.parameters(), lr=1e-5)
    loss_of = nn.TripletMarginLoss(margin=1.0, p=2)
    seconds: list[float] = []
    started = clock()
    for (anchor,) in loader:
        positive = anchor + 0.1 * torch.randn_like(anchor)
        (negative,) = random.choice(list(loader))
        negative = negative[: len(anchor)]
        optimizer.zero_grad()
        encoded = [encoder(part.unsqueeze(1)) for part in (anchor, positive, negative)]
        loss = loss_of(*encoded)
        loss.backward()
        optimizer.step()
        loss.item()
        seconds.append(clock() - started)
        if len(seconds) > batches:
            break
        started = clock()
    return {"epoch_seconds": statistics.median(seconds[1:]) * -(-len(values) // batch)}


def peak_bytes() -> float:
    """Give the peak of this process's resident memory (what the kernel calls VmHWM)."""
    with open("/proc/self/status", encoding="ascii") as status:
        kib = next(line.split()[1] for line in status if line.startswith("VmHWM"))
    return 1024.0 * int(kib)


def main(arguments: list[str]) -> None:
    """Measure one model and print JSON."""
    model, path = arguments[:2]
    batch, batches, threads = map(int, arguments[2:])
    torch.set_num_threads(threads)
    found = (
        contrast(path, batch, batches)
        if model == "contrast"
        else train(model, path, batch, batches)
    )
    print(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1:])
