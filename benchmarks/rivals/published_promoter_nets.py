"""The published promoter classifiers as a plain PyTorch and xgboost program would train them.

Source: the written description of a student project that told differential from other promoters
of 2 kb (four classifiers; no code of it was used). Written with the library's own layers, in
float32: all examples stand in memory as one-hot, a ``DataLoader`` over a ``TensorDataset`` hands
out batches, the loop is the one of every tutorial.

    python -m benchmarks.rivals.published_promoter_nets MODEL DATA.npz BATCH BATCHES THREADS

``DATA.npz`` holds ``codes`` (n, length) uint8 and ``labels`` (n,). Prints one line of JSON:
examples per second behind a first batch, bytes of the sequences as they are held.
"""

from __future__ import annotations

import json
import statistics
import sys
import time

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

_TREES = {"objective": "binary:logistic", "eval_metric": "logloss"}


class ImageNet(nn.Module):
    """Two convolutions of 2 x 2 over (batch, 1, 4, length); one logit."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 16, (2, 2), padding="same")
        self.conv2 = nn.Conv2d(16, 32, (2, 2), padding="same")
        self.pool = nn.MaxPool2d((2, 2))
        self.dense = nn.Linear(32, 64)
        self.out = nn.Linear(64, 1)

    def features(self, x: Tensor) -> Tensor:
        x = self.pool(torch.relu(self.conv1(x.unsqueeze(1))))
        x = self.pool(torch.relu(self.conv2(x)))
        return torch.relu(self.dense(x.amax((2, 3))))

    def forward(self, x: Tensor) -> Tensor:
        return self.out(self.features(x))


class ConvLstm(nn.Module):
    """Two convolutions and a bidirectional LSTM over (batch, 4, length); two logits."""

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
        steps, _ = self.lstm(self.convs(x).transpose(1, 2))
        return self.head(steps.mean(1))


class BaseTransformer(nn.Module):
    """One token per base of (batch, 4, length); two logits."""

    def __init__(self, length: int) -> None:
        super().__init__()
        self.embed = nn.Linear(4, 128)
        self.positions = nn.Parameter(0.02 * torch.randn(1, length, 128))
        layer = nn.TransformerEncoderLayer(128, 8, 256, 0.1, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, 3, enable_nested_tensor=False)
        self.head = nn.Sequential(nn.Linear(128, 64), nn.ReLU(), nn.Dropout(0.1), nn.Linear(64, 2))

    def forward(self, x: Tensor) -> Tensor:
        tokens = self.embed(x.transpose(1, 2)) + self.positions
        return self.head(self.encoder(tokens).mean(1))


def clock() -> float:
    """Give seconds: of this process where it has one thread, so that others do not count."""
    return time.process_time() if torch.get_num_threads() == 1 else time.perf_counter()


def build(model: str, length: int) -> nn.Module:
    """Make a network by the zoo's name for it."""
    if model in ("cnn2d", "cnn_xgboost"):
        return ImageNet()
    return ConvLstm() if model == "cnn_bilstm" else BaseTransformer(length)


def one_hot(codes: np.ndarray) -> np.ndarray:
    """Widen codes to float32 (n, 4, length); N is zeros."""
    return np.stack([(codes == base).astype(np.float32) for base in range(4)], axis=1)


def train(
    model: str, codes: np.ndarray, labels: np.ndarray, batch: int, batches: int
) -> dict[str, float]:
    """Train on some batches behind a first one; give examples per second and bytes held."""
    torch.manual_seed(0)
    x = torch.from_numpy(one_hot(codes))
    net = build(model, codes.shape[1])
    single = model in ("cnn2d", "cnn_xgboost")
    y = torch.from_numpy(labels.astype(np.float32 if single else np.int64))
    loss_of = nn.BCEWithLogitsLoss() if single else nn.CrossEntropyLoss()
    kind = torch.optim.AdamW if model == "transformer" else torch.optim.Adam
    optimizer = kind(net.parameters(), lr=1e-3)
    loader = DataLoader(TensorDataset(x, y), batch_size=batch, shuffle=True)
    net.train()
    seconds: list[float] = []
    while True:
        started = clock()
        for inputs, wanted in loader:
            optimizer.zero_grad()
            out = net(inputs)
            loss = loss_of(out[:, 0] if single else out, wanted)
            loss.backward()
            if not single:
                nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            optimizer.step()
            loss.item()
            seconds.append(clock() - started)
            if len(seconds) > batches:
                found = {
                    "examples_per_s": batch / statistics.median(seconds[1:]),
                    "sequence_bytes": float(x.numel() * x.element_size()),
                }
                if model == "cnn_xgboost":
                    found["tree_seconds"] = trees_on_features(net, x, y)
                return found
            started = clock()


def trees_on_features(net: nn.Module, x: Tensor, y: Tensor) -> float:
    """Take the dense layer's values of all examples and tune trees on them; give seconds.

    Depth and rate are tried out on the last tenth, with the grid and the patience of ours.
    """
    import xgboost

    started = clock()
    net.eval()
    with torch.no_grad():
        read = np.concatenate([net.features(part).numpy() for part in x.split(256)])
    cut = len(read) * 8 // 9
    train = xgboost.DMatrix(read[:cut], y[:cut].numpy())
    val = xgboost.DMatrix(read[cut:], y[cut:].numpy())
    for depth in (2, 4, 6):
        for rate in (0.05, 0.2):
            xgboost.train(
                {**_TREES, "max_depth": depth, "eta": rate, "nthread": torch.get_num_threads()},
                train,
                400,
                evals=[(val, "val")],
                early_stopping_rounds=20,
                verbose_eval=False,
            )
    return clock() - started


def grow_on_bases(codes: np.ndarray, labels: np.ndarray, rounds: int) -> dict[str, float]:
    """Fit trees to flattened float one-hot, as ``XGBClassifier(...).fit(X, y)`` does."""
    import xgboost

    x = one_hot(codes).transpose(0, 2, 1).reshape(len(codes), -1)
    started = clock()
    settings = {**_TREES, "eta": 0.1, "nthread": torch.get_num_threads()}
    xgboost.train(settings, xgboost.DMatrix(x, labels), rounds)
    return {"tree_seconds": clock() - started, "sequence_bytes": float(x.nbytes)}


def main(arguments: list[str]) -> None:
    """Measure one model and print JSON."""
    model, path = arguments[:2]
    batch, batches, threads = map(int, arguments[2:])
    torch.set_num_threads(threads)
    with np.load(path) as data:
        codes, labels = data["codes"], data["labels"]
    if model == "onehot_xgboost":
        found = grow_on_bases(codes, labels, batches)
    else:
        found = train(model, codes, labels, batch, batches)
    print(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1:])
