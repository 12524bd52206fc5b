"""A published network over histone marks as a plain PyTorch program would train it.

Source of the facts: the written description of a student project (eleven convolutions over 79 rows
of 100 bins: five marks, their mean and standard deviation in the cell type, 64 3-mers; each hidden
layer followed by batch normalisation, dropout and a leaky rectifier; squared error). No code of it
was used. What it does not give (dropout, slope, channels between the two last convolutions, the
optimiser) is as in the preset ``published`` of ``histone_fcn``, with Adam. All in float32: every
example stands in memory as its 79 x 100 numbers, a ``DataLoader`` over a ``TensorDataset`` hands
out shuffled batches, the loop is the one of every tutorial.

    python -m benchmarks.rivals.published_chromatin_nets FOLDER BATCH BATCHES THREADS

``FOLDER`` holds ``x.npy`` (n, rows, bins) float32 and ``y.npy`` (n,). Prints one line of JSON:
examples per second behind a first batch, bytes of an example as it is held, the peak of resident
memory.
"""

from __future__ import annotations

import json
import statistics
import sys
from pathlib import Path

import numpy as np
import torch
from benchmarks.rivals.published_halflife_nets import peak_bytes
from benchmarks.rivals.published_promoter_nets import clock
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

CHANNELS = (64, 128, 128, 256, 256, 512, 512, 512, 512)
STRIDES = (1, 2, 1, 2, 1, 2, 1, 2, 1)
DROPOUT, SLOPE = 0.1, 0.01


class PlainFcn(nn.Module):
    """(batch, rows, bins) to one number."""

    def __init__(self, rows: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        inputs = rows
        for outputs, stride in zip(CHANNELS, STRIDES, strict=True):
            # Batch normalisation takes a bias away again, so none is learned.
            layers.append(nn.Conv1d(inputs, outputs, 3, stride, padding=1, bias=False))
            layers += self._behind(outputs)
            inputs = outputs
        layers += [nn.Conv1d(inputs, inputs, 1, bias=False), *self._behind(inputs)]
        self.hidden = nn.Sequential(*layers)
        self.out = nn.Conv1d(inputs, 1, 1)

    @staticmethod
    def _behind(channels: int) -> list[nn.Module]:
        return [nn.BatchNorm1d(channels), nn.Dropout(DROPOUT), nn.LeakyReLU(SLOPE)]

    def forward(self, x: Tensor) -> Tensor:
        return self.out(self.hidden(x)).mean(2)


def train(folder: Path, batch: int, batches: int) -> dict[str, float]:
    """Train on some batches behind a first one; give examples per second and bytes held."""
    torch.manual_seed(0)
    x, y = (torch.from_numpy(np.load(folder / f"{name}.npy")) for name in ("x", "y"))
    net = PlainFcn(x.shape[1]).train()
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
    loader = DataLoader(TensorDataset(x, y), batch_size=batch, shuffle=True, drop_last=True)
    loss_of = nn.MSELoss()
    seconds: list[float] = []
    while True:
        started = clock()
        for inputs, wanted in loader:
            optimizer.zero_grad()
            loss = loss_of(net(inputs)[:, 0], wanted)
            loss.backward()
            optimizer.step()
            loss.item()
            seconds.append(clock() - started)
            if len(seconds) > batches:
                return {
                    "examples_per_s": batch / statistics.median(seconds[1:]),
                    "row_bytes": float(x.numel() * x.element_size() / len(x)),
                    "peak_bytes": peak_bytes(),
                }
            started = clock()


def main(arguments: list[str]) -> None:
    """Measure and print JSON."""
    batch, batches, threads = map(int, arguments[1:])
    torch.set_num_threads(threads)
    print(json.dumps(train(Path(arguments[0]), batch, batches)))


if __name__ == "__main__":
    main(sys.argv[1:])
