"""Time tangermeme (jmschrei/tangermeme, MIT) on one window, in an environment of its own.

    PYTHON tangermeme_timed.py NETWORK.npz CODES.npy OUT.npy fast|naive START END THREADS

``naive`` predicts every mutant in batches (``fast=False``), ``fast`` is its own way of recomputing
only what changes (``fast=True``). The network is Xpresso (Agarwal & Shendure 2020) in plain layers
of torch, with the weights that it is given. Prints seconds; writes ALT - REF, (4, END - START).
"""

from __future__ import annotations

import sys
import time

import numpy as np
import torch
from tangermeme.saturation_mutagenesis import saturation_mutagenesis
from torch import Tensor, nn

BATCH = 128


class PlainXpresso(nn.Module):
    """The published layers, one after the other: (batch, 4, 10500) to (batch, 1)."""

    def __init__(self, weights: dict[str, np.ndarray]) -> None:
        super().__init__()
        self.weights = {name: torch.from_numpy(values) for name, values in weights.items()}
        for name, values in self.weights.items():
            self.register_buffer(name, values)

    def forward(self, x: Tensor) -> Tensor:
        x = nn.functional.conv1d(nn.functional.pad(x, (2, 3)), self.conv1_weight, self.conv1_bias)
        x = nn.functional.max_pool1d(x.relu(), 30)
        x = nn.functional.conv1d(nn.functional.pad(x, (4, 4)), self.conv2_weight, self.conv2_bias)
        x = nn.functional.max_pool1d(x.relu(), 10)
        # Positions before channels, then half-life features, all of them average.
        flat = x.transpose(1, 2).flatten(1)
        hidden = flat @ self.dense1_weight[:, : flat.shape[1]].T + self.dense1_bias
        hidden = nn.functional.linear(hidden.relu(), self.dense2_weight, self.dense2_bias).relu()
        return nn.functional.linear(hidden, self.output_weight, self.output_bias)


def main() -> None:
    weights, codes_file, out, mode, start, end, threads = sys.argv[1:]
    torch.set_num_threads(int(threads))
    network = PlainXpresso(dict(np.load(weights))).eval()
    codes = torch.from_numpy(np.load(codes_file)).long()
    one_hot = nn.functional.one_hot(codes, 4).T[None].float()

    def find(first: int, last: int) -> tuple[Tensor, Tensor]:
        return saturation_mutagenesis(
            network,
            one_hot,
            start=first,
            end=last,
            batch_size=BATCH,
            raw_outputs=True,
            device="cpu",
            fast=mode == "fast",
        )

    find(int(start), int(start) + 50)
    began = time.perf_counter()
    reference, mutants = find(int(start), int(end))
    print(f"seconds {time.perf_counter() - began}")
    np.save(out, (mutants[0, :, :, 0] - reference[0]).numpy())


if __name__ == "__main__":
    main()
